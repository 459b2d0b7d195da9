"""The workspaces of a catalog: the part of it that holds them."""

from __future__ import annotations

import re
from contextlib import suppress

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import workspaces
from aggflow.catalog.workspace import Workspace
from aggflow.errors import ConflictError, NotFoundError, Problem, SpecError

_WORKSPACE_NAME = re.compile("[a-z0-9]{1,200}")
_WORKSPACES = sa.select(workspaces).order_by(workspaces.c.name)


def lock_workspace(connection: sa.Connection, workspace_id: str) -> None:
    """Make other writers of a workspace's definitions wait until this transaction ends.

    Raises
    ------
    NotFoundError
        There is no such workspace.
    """
    statement = sa.select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update()
    if connection.execute(statement).first() is None:
        known = connection.execute(sa.select(workspaces.c.id)).scalars()
        raise NotFoundError("workspace", workspace_id, list(known))


class Workspaces(Database):
    """The part of a catalog that holds workspaces."""

    def workspace(self, name: str) -> Workspace:
        """The workspace of a name, made on first use.

        Parameters
        ----------
        name
            Lower-case letters and digits.

        Raises
        ------
        SpecError
            The name has other characters.
        """
        if not _WORKSPACE_NAME.fullmatch(name):
            problem = Problem("name", "must be of lower-case letters and digits", "such as shop2")
            raise SpecError(f"workspace {name!r}", [problem])
        found = Workspace(f"ws_{name}", name)
        if found in self.workspaces():
            return found
        # Another process may make it at this moment.
        with suppress(ConflictError), self._write() as connection:
            connection.execute(workspaces.insert().values(id=found.id, name=name, generation=1))
        return found

    def workspaces(self) -> tuple[Workspace, ...]:
        """All workspaces, by name."""
        return tuple(Workspace(row.id, row.name) for row in self._read(_WORKSPACES))
