"""The rollup versions of a catalog: the part of it that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.coverages import Coverages, cut_coverage, drop_coverage, raise_generation
from aggflow.catalog.rollup_version import RollupVersion
from aggflow.catalog.tables import leases, rollup_versions, rollups
from aggflow.errors import ConflictError, NotFoundError
from aggflow.timeline.instant import BEGINNING, FOREVER, Micros, format_instant
from aggflow.timeline.window import Window

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


def _is_version(rollup_id: str, number: int) -> sa.ColumnElement[bool]:
    return sa.and_(rollup_versions.c.rollup_id == rollup_id, rollup_versions.c.number == number)


def insert_version(
    connection: sa.Connection, rollup_id: str, spec: Mapping[str, Any], data_hash: str, valid_from_us: Micros
) -> RollupVersion:
    """Add a version that is valid from an instant on, in a transaction that has locked the rollup.

    Raises
    ------
    ConflictError
        No version can be valid from that instant on.
    """
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


class RollupVersions(Coverages):
    """The part of a catalog that holds the versions of rollups."""

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
            return insert_version(connection, rollup_id, spec, data_hash, valid_from_us)

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
            return insert_version(connection, rollup_id, spec, data_hash, BEGINNING)

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
