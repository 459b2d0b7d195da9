"""The stored definitions of a workspace, read from its catalog."""

from __future__ import annotations

from typing import Any

from aggflow.catalog import Catalog
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored import Stored, stored_of
from aggflow.errors import NotFoundError
from aggflow.spec.asked import asked_of
from aggflow.spec.declaration import read
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.fit import AskedOf
from aggflow.spec.task import Task


class StoredDefinitions:
    """What is declared in a workspace.

    Parameters
    ----------
    catalog, workspace_id
        Where they are kept.
    """

    def __init__(self, catalog: Catalog, workspace_id: str) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id

    def all(self, kind: KindName) -> dict[str, Stored[Any]]:
        """All definitions of a kind, by name."""
        found = self._catalog.list_definitions(self._workspace_id, kind)
        return {definition.name: stored_of(definition) for definition in found}

    def get(self, kind: KindName, name: str) -> Stored[Any]:
        """The definition of a name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        found = self.find(kind, name)
        if found is None:
            raise NotFoundError(kind, name, self.all(kind))
        return found

    def find(self, kind: KindName, name: str) -> Stored[Any] | None:
        """The definition of a name, or None."""
        found = self._catalog.get_definition(self._workspace_id, kind, name)
        return None if found is None else stored_of(found)

    def asked(self, endpoint: Endpoint) -> tuple[Stored[Any], AskedOf]:
        """What an endpoint asks: as it is declared, and as endpoints see it.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        kind, name = endpoint.subject
        found = (self._of_task(name) if kind == "task" else None) or self.get(kind, name)
        return found, asked_of(found.spec)

    def to_be_asked(self, endpoint: Endpoint) -> AskedOf:
        """What an endpoint asks, a task as it was declared last: its definition may lag behind until the next run.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        kind, name = endpoint.subject
        record = self._catalog.task_named(self._workspace_id, name) if kind == "task" else None
        return self.asked(endpoint)[1] if record is None else asked_of(read(Task, record.spec))

    def _of_task(self, name: str) -> Stored[Any] | None:
        """The definition of a task, whose name may be another one until the next run; None where it has none."""
        record = self._catalog.task_named(self._workspace_id, name)
        if record is None or record.definition_id is None:
            return None
        return self.by_id("task", record.definition_id)

    def asking(self, kind: KindName, name: str) -> list[Endpoint]:
        """The endpoints that ask a filter, task or cube."""
        return [one.spec for one in self.all("endpoint").values() if one.spec.subject == (kind, name)]

    def by_id(self, kind: KindName, definition_id: str) -> Stored[Any] | None:
        """The definition of an id, if it is this workspace's and of that kind."""
        found = self._catalog.definition_by_id(definition_id)
        if found is None or (found.workspace_id, found.kind) != (self._workspace_id, kind):
            return None
        return stored_of(found)

    def rollup(self, owner: Stored[Any], name: str | None = None) -> StoredRollup:
        """A rollup of a definition, by its name; by default the one that is named as it is."""
        wanted = owner.name if name is None else name
        for stored in self._catalog.rollups_of(owner.id):
            if stored.name == wanted:
                return stored
        raise NotFoundError("rollup", str(wanted))
