"""Rollup: what is materialised for a definition, as a chain of versions, each valid for a range of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.builds import change_builds
from aggflow.catalog.coverage import Coverages, cut_coverage, drop_coverage, raise_generation
from aggflow.catalog.definitions import Definitions, change_definitions, lock_workspace
from aggflow.catalog.dispatches import DispatchKind, settle_dispatches, write_dispatch
from aggflow.catalog.tables import builds, definitions, leases, rollup_versions, rollups
from aggflow.errors import ConflictError, NotFoundError
from aggflow.timeline.instant import BEGINNING, FOREVER, Micros, format_instant
from aggflow.timeline.window import Window


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is materialised for a definition.

    Attributes
    ----------
    owner_id
        Id of the definition that it belongs to.
    source
        Name of the source that it is built from.
    generation
        Raised by every change of its versions or coverage.
    """

    id: str
    workspace_id: str
    kind: str
    owner_id: str
    name: str
    source: str
    generation: int


@dataclass(frozen=True, slots=True)
class RollupVersion:
    """One form that a rollup has, or had.

    Attributes
    ----------
    number
        From 1, never used twice.
    spec
        Ready for JSON.
    layout
        What its states look like, as text: kinds of fields, the hash of distinct states; None until the
        source was looked at for the first time.
    validity
        The bucket starts that it is valid for; ``BEGINNING`` and ``FOREVER`` where it is open.
    """

    rollup_id: str
    number: int
    spec: Mapping[str, Any]
    data_hash: str
    layout: str | None
    validity: Window


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
_VERSIONS = (
    sa.select(rollup_versions)
    .where(rollup_versions.c.rollup_id == sa.bindparam("rollup_id"))
    .order_by(rollup_versions.c.valid_from_us)
)


def _version(row: sa.Row[Any]) -> RollupVersion:
    return RollupVersion(
        row.rollup_id,
        row.number,
        row.spec,
        row.data_hash,
        row.layout,
        Window(row.valid_from_us, row.valid_to_us),
    )


class Rollups(Coverages, Definitions):
    """The part of a catalog that holds rollups and their versions."""

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
            _insert_version(connection, rollup.id, spec, data_hash, BEGINNING)
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

    def versions(self, rollup_id: str) -> tuple[RollupVersion, ...]:
        """The versions of a rollup, by validity; together they are valid for all time."""
        return tuple(_version(row) for row in self._read(_VERSIONS, rollup_id=rollup_id))

    def add_version(
        self,
        rollup_id: str,
        spec: Mapping[str, Any],
        data_hash: str,
        valid_from_us: Micros,
        now_us: Micros,
    ) -> RollupVersion:
        """Add a version that is valid from an instant on; what was valid from there on ends there.

        Versions that become empty are dropped, coverage and leases beyond the instant too:
        a build that was at work there finds its lease lost, and plans anew.

        Parameters
        ----------
        rollup_id
            The rollup.
        spec, data_hash
            Of the new version.
        valid_from_us
            The instant of the change, floored to the rollup's interval.
        now_us
            The present instant.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        with self._write() as connection:
            raise_generation(connection, rollup_id)
            for row in connection.execute(_VERSIONS, {"rollup_id": rollup_id}).all():
                if row.valid_to_us <= valid_from_us:
                    continue
                cut_coverage(connection, rollup_id, row.number, Window(valid_from_us, FOREVER), now_us)
                this = _is_version(rollup_id, row.number)
                if row.valid_from_us >= valid_from_us:
                    connection.execute(rollup_versions.delete().where(this))
                else:
                    values = {"valid_to_us": valid_from_us}
                    connection.execute(rollup_versions.update().where(this).values(values))
            _drop_leases(connection, rollup_id, valid_from_us)
            return _insert_version(connection, rollup_id, spec, data_hash, valid_from_us)

    def reset_versions(
        self,
        rollup_id: str,
        spec: Mapping[str, Any],
        data_hash: str,
        now_us: Micros,
        *,
        source: str | None = None,
    ) -> RollupVersion:
        """Leave one new version, valid for all time, and no coverage: everything is to be built again.

        Parameters
        ----------
        rollup_id
            The rollup.
        spec, data_hash
            Of the version.
        now_us
            The present instant.
        source
            Name of the source that it is built from now; None leaves it.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        with self._write() as connection:
            raise_generation(connection, rollup_id)
            drop_coverage(connection, rollup_id, now_us)
            connection.execute(rollup_versions.delete().where(rollup_versions.c.rollup_id == rollup_id))
            _drop_leases(connection, rollup_id, BEGINNING)
            if source is not None:
                connection.execute(rollups.update().where(rollups.c.id == rollup_id).values(source=source))
            return _insert_version(connection, rollup_id, spec, data_hash, BEGINNING)

    def set_layout(self, rollup_id: str, version: int, layout: str) -> str:
        """Note what a version's states look like, if it is not noted yet.

        Returns
        -------
        str
            What is noted now; states of another layout must not be stored.

        Raises
        ------
        NotFoundError
            There is no such rollup, or no such version.
        """
        with self._write() as connection:
            raise_generation(connection, rollup_id)
            this = _is_version(rollup_id, version)
            unset = rollup_versions.c.layout.is_(None)
            connection.execute(rollup_versions.update().where(this, unset).values(layout=layout))
            noted = connection.execute(sa.select(rollup_versions.c.layout).where(this)).scalar()
            if noted is None:
                raise NotFoundError("rollup version", str(version))
            return noted

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

        Raises
        ------
        NotFoundError
            There is no such definition.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
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


def _is_version(rollup_id: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(rollup_versions.c.rollup_id == rollup_id, rollup_versions.c.number == number)


def _insert_version(
    connection: sa.Connection, rollup_id: str, spec: Mapping[str, Any], data_hash: str, valid_from_us: Micros
) -> RollupVersion:
    if not BEGINNING <= valid_from_us < FOREVER:
        raise ConflictError(f"a version cannot be valid from {format_instant(valid_from_us)} on")
    this = rollups.c.id == rollup_id
    connection.execute(rollups.update().where(this).values(last_version=rollups.c.last_version + 1))
    number = connection.execute(sa.select(rollups.c.last_version).where(this)).scalar_one()
    version = RollupVersion(rollup_id, number, dict(spec), data_hash, None, Window(valid_from_us, FOREVER))
    connection.execute(
        rollup_versions.insert().values(
            rollup_id=rollup_id,
            number=number,
            spec=version.spec,
            data_hash=data_hash,
            layout=None,
            valid_from_us=valid_from_us,
            valid_to_us=FOREVER,
        )
    )
    return version


def _drop_leases(connection: sa.Connection, rollup_id: str, from_us: Micros) -> None:
    connection.execute(leases.delete().where(leases.c.rollup_id == rollup_id, leases.c.end_us > from_us))


def _drop(connection: sa.Connection, rollup_id: str, now_us: Micros) -> None:
    drop_coverage(connection, rollup_id, now_us)
    for table in (leases, rollup_versions):
        connection.execute(table.delete().where(table.c.rollup_id == rollup_id))
    connection.execute(rollups.delete().where(rollups.c.id == rollup_id))
