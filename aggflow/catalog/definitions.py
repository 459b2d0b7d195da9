"""The definitions of a catalog: the part of it that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.database import Lookup
from aggflow.catalog.definition import Definition
from aggflow.catalog.dispatches import DispatchKind, write_dispatch
from aggflow.catalog.tables import definitions, workspaces
from aggflow.catalog.workspaces import Workspaces, lock_workspace
from aggflow.errors import ConflictError
from aggflow.timeline.instant import Micros

_named = definitions.c.workspace_id == sa.bindparam("workspace_id")
_of_kind = definitions.c.kind == sa.bindparam("kind")
_called = definitions.c.name == sa.bindparam("name")
_GET = sa.select(definitions).where(_named, _of_kind, _called)
_BY_ID = sa.select(definitions).where(definitions.c.id == sa.bindparam("id"))
_LIST = sa.select(definitions).where(_named, _of_kind).order_by(definitions.c.name)
_LIST_ALL = sa.select(definitions).where(_named).order_by(definitions.c.kind, definitions.c.name)
_GENERATION = Lookup(sa.select(workspaces.c.generation).where(workspaces.c.id == sa.bindparam("key")))


def definitions_of(connection: sa.Connection, workspace_id: str, kind: str) -> tuple[Definition, ...]:
    """The definitions of a kind, by name, as a transaction sees them."""
    rows = connection.execute(_LIST, {"workspace_id": workspace_id, "kind": kind})
    return tuple(Definition(*row) for row in rows)


def change_definitions(connection: sa.Connection, workspace_id: str) -> None:
    """Raise the generation of a workspace's definitions, which locks them until the transaction ends.

    Raises
    ------
    NotFoundError
        There is no such workspace.
    """
    lock_workspace(connection, workspace_id)
    this = workspaces.c.id == workspace_id
    connection.execute(workspaces.update().where(this).values(generation=workspaces.c.generation + 1))


class Definitions(Workspaces):
    """The part of a catalog that holds definitions."""

    def put_definition(
        self,
        workspace_id: str,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        data_hash: str,
        description_hash: str,
        now_us: Micros,
        *,
        dispatch: tuple[DispatchKind, str] | None = None,
        needs: str | None = None,
    ) -> Definition:
        """Store a definition, in place of the one that has its kind and name.

        Equal hashes leave the stored one as it is; others replace it under its id, and
        raise its generation.

        Parameters
        ----------
        workspace_id, kind, name
            What it is called; names are unique within a kind.
        spec
            Ready for JSON.
        data_hash, description_hash
            What of the spec changes data, and what does not.
        now_us
            The present instant, in microseconds.
        dispatch
            What the orchestration is to be told of the change: a kind, and a key, which is the
            definition's id where it is empty.
        needs
            The id of another definition, without which this one is not stored.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        ConflictError
            What it needs is not there any more.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            if needs is not None and connection.execute(_BY_ID, {"id": needs}).first() is None:
                raise ConflictError(f"what {kind} {name!r} needs was removed meanwhile")
            key = {"workspace_id": workspace_id, "kind": kind, "name": name}
            row = connection.execute(_GET, key).first()
            old = None if row is None else Definition(*row)
            if old and (old.data_hash, old.description_hash) == (data_hash, description_hash):
                return old
            change_definitions(connection, workspace_id)
            new = Definition(
                id=old.id if old else str(uuid4()),
                workspace_id=workspace_id,
                kind=kind,
                name=name,
                spec=dict(spec),
                data_hash=data_hash,
                description_hash=description_hash,
                generation=old.generation + 1 if old else 1,
                created_us=old.created_us if old else now_us,
                updated_us=now_us,
            )
            values = asdict(new)
            if old:
                connection.execute(definitions.update().where(definitions.c.id == old.id).values(values))
            else:
                connection.execute(definitions.insert().values(values))
            if dispatch is not None:
                write_dispatch(connection, workspace_id, (dispatch[0], dispatch[1] or new.id), now_us)
            return new

    def definitions_generation(self, workspace_id: str) -> int:
        """The generation of a workspace's definitions, which every change of one raises; takes microseconds.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        """
        return self._looked_up(_GENERATION, "workspace", workspace_id)[0][0]

    def get_definition(self, workspace_id: str, kind: str, name: str) -> Definition | None:
        """The definition of a kind and name, or None."""
        rows = self._read(_GET, workspace_id=workspace_id, kind=kind, name=name)
        return Definition(*rows[0]) if rows else None

    def definition_by_id(self, definition_id: str) -> Definition | None:
        """The definition of an id, in whichever workspace, or None."""
        rows = self._read(_BY_ID, id=definition_id)
        return Definition(*rows[0]) if rows else None

    def list_definitions(self, workspace_id: str, kind: str | None = None) -> tuple[Definition, ...]:
        """The definitions of a workspace, of one kind or of all, by kind and name."""
        if kind is None:
            rows = self._read(_LIST_ALL, workspace_id=workspace_id)
        else:
            rows = self._read(_LIST, workspace_id=workspace_id, kind=kind)
        return tuple(Definition(*row) for row in rows)
