"""The rollups of a catalog: the part of it that holds them, and takes them away with what they are of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.builds import change_builds
from aggflow.catalog.coverages import drop_coverage, raise_generation
from aggflow.catalog.definition import Definition
from aggflow.catalog.definitions import Definitions, change_definitions, definitions_of
from aggflow.catalog.dispatches import DispatchKind, settle_dispatches, write_dispatch
from aggflow.catalog.rollup import Rollup
from aggflow.catalog.rollup_versions import RollupVersions, insert_version
from aggflow.catalog.tables import builds, definitions, leases, rollup_versions, rollups
from aggflow.catalog.workspaces import lock_workspace
from aggflow.errors import ConflictError, NotFoundError
from aggflow.timeline.instant import BEGINNING, Micros

_COLUMNS = (
    rollups.c.id,
    rollups.c.workspace_id,
    rollups.c.kind,
    rollups.c.owner_id,
    rollups.c.name,
    rollups.c.source,
    rollups.c.generation,
)
_BY_ID = sa.select(*_COLUMNS).where(rollups.c.id == sa.bindparam("id"))
_BY_OWNER = (
    sa.select(*_COLUMNS).where(rollups.c.owner_id == sa.bindparam("owner_id")).order_by(rollups.c.name)
)
_BY_WORKSPACE = (
    sa.select(*_COLUMNS)
    .where(rollups.c.workspace_id == sa.bindparam("workspace_id"))
    .order_by(rollups.c.kind, rollups.c.name)
)


class Rollups(RollupVersions, Definitions):
    """The part of a catalog that holds rollups."""

    def create_rollup(
        self,
        workspace_id: str,
        kind: str,
        owner_id: str,
        name: str,
        source: str,
        spec: Mapping[str, Any],
        data_hash: str,
    ) -> Rollup:
        """Make a rollup with its first version, valid for all time.

        Parameters
        ----------
        workspace_id, kind, name
            What it is called.
        owner_id
            Id of the definition that it belongs to.
        source
            Name of the source that it is built from.
        spec, data_hash
            Of the first version.

        Raises
        ------
        NotFoundError
            There is no such workspace or definition.
        ConflictError
            The definition has a rollup of that name.
        """
        rollup = Rollup(str(uuid4()), workspace_id, kind, owner_id, name, source, 1)
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            owner = sa.select(definitions.c.id).where(definitions.c.id == owner_id)
            if connection.execute(owner).first() is None:
                raise NotFoundError("definition", owner_id)
            same = sa.select(rollups.c.id).where(rollups.c.owner_id == owner_id, rollups.c.name == name)
            if connection.execute(same).first() is not None:
                raise ConflictError(f"there is a rollup {name!r} already", hint="choose another name")
            connection.execute(
                rollups.insert().values(
                    id=rollup.id,
                    workspace_id=workspace_id,
                    kind=kind,
                    owner_id=owner_id,
                    name=name,
                    source=source,
                    generation=1,
                    last_version=0,
                    last_token=0,
                )
            )
            insert_version(connection, rollup.id, spec, data_hash, BEGINNING)
        return rollup

    def rollup(self, rollup_id: str) -> Rollup:
        """The rollup of an id.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        rows = self._read(_BY_ID, id=rollup_id)
        if not rows:
            raise NotFoundError("rollup", rollup_id)
        return Rollup(*rows[0])

    def rollup_of(self, owner_id: str) -> Rollup | None:
        """The only rollup of a definition, or None; the first by name where it has several."""
        return next(iter(self.rollups_of(owner_id)), None)

    def rollups_of(self, owner_id: str) -> tuple[Rollup, ...]:
        """The rollups of a definition, by name."""
        return tuple(Rollup(*row) for row in self._read(_BY_OWNER, owner_id=owner_id))

    def rollups(self, workspace_id: str) -> tuple[Rollup, ...]:
        """The rollups of a workspace, by kind and name."""
        return tuple(Rollup(*row) for row in self._read(_BY_WORKSPACE, workspace_id=workspace_id))

    def drop_rollup(self, rollup_id: str, now_us: Micros) -> None:
        """Drop a rollup with its versions and coverage; its files become garbage.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        with self._write() as connection:
            raise_generation(connection, rollup_id)
            _drop(connection, rollup_id, now_us)

    def rename_definition(self, definition_id: str, name: str, now_us: Micros) -> None:
        """Call a definition, and the rollup that is named as it is, by another name; its spec is left to the caller.

        Parameters
        ----------
        definition_id, name
            The definition, and its new name.
        now_us
            The present instant, in microseconds.

        Raises
        ------
        NotFoundError
            There is no such definition.
        ConflictError
            Another definition of its kind has that name.
        """
        this = definitions.c.id == definition_id
        with self._write() as connection:
            old = connection.execute(sa.select(definitions).where(this)).first()
            if old is None:
                raise NotFoundError("definition", definition_id)
            change_definitions(connection, old.workspace_id)
            values = {"name": name, "generation": definitions.c.generation + 1, "updated_us": now_us}
            connection.execute(definitions.update().where(this).values(values))
            namesake = (rollups.c.owner_id == definition_id, rollups.c.name == old.name)
            connection.execute(rollups.update().where(*namesake).values(name=name))

    def remove_definition(
        self,
        workspace_id: str,
        kind: str,
        name: str,
        now_us: Micros,
        *,
        dispatch: tuple[DispatchKind, str] | None = None,
        check: tuple[str, Callable[[tuple[Definition, ...]], None]] | None = None,
    ) -> None:
        """Remove a definition with its rollups; their files become garbage, its builds are cancelled.

        Parameters
        ----------
        workspace_id, kind, name
            What it is called.
        now_us
            The present instant, in microseconds.
        dispatch
            What the orchestration is to be told of the change: a kind, and a key, which is the
            definition's id where it is empty.
        check
            A kind, and what is given the definitions of that kind while nobody else changes them: by an
            error it keeps this one.

        Raises
        ------
        NotFoundError
            There is no such definition.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            if check is not None:
                check[1](definitions_of(connection, workspace_id, check[0]))
            same_kind = (definitions.c.workspace_id == workspace_id, definitions.c.kind == kind)
            this = sa.select(definitions.c.id).where(*same_kind, definitions.c.name == name)
            definition_id = connection.execute(this).scalar()
            if definition_id is None:
                known = connection.execute(sa.select(definitions.c.name).where(*same_kind)).scalars()
                raise NotFoundError(kind, name, list(known))
            change_definitions(connection, workspace_id)
            owned = sa.select(rollups.c.id).where(rollups.c.owner_id == definition_id).with_for_update()
            for rollup_id in connection.execute(owned).scalars().all():
                _drop(connection, rollup_id, now_us)
            _cancel_builds(connection, definition_id, now_us)
            connection.execute(definitions.delete().where(definitions.c.id == definition_id))
            if dispatch is not None:
                write_dispatch(connection, workspace_id, (dispatch[0], dispatch[1] or definition_id), now_us)


def _cancel_builds(connection: sa.Connection, owner_id: str, now_us: Micros) -> None:
    """Cancel what is built, or waits to be built, for a definition that goes."""
    of_owner = builds.c.owner_id == owner_id
    waiting = sa.select(builds.c.id).where(of_owner, builds.c.status == "pending")
    settle_dispatches(connection, "batch", connection.execute(waiting).scalars().all(), now_us)
    change_builds(connection, of_owner, {"status": "cancelled", "finished_us": now_us})


def _drop(connection: sa.Connection, rollup_id: str, now_us: Micros) -> None:
    drop_coverage(connection, rollup_id, now_us)
    for table in (leases, rollup_versions):
        connection.execute(table.delete().where(table.c.rollup_id == rollup_id))
    connection.execute(rollups.delete().where(rollups.c.id == rollup_id))
