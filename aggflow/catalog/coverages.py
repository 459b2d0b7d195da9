"""The coverage of all rollups of a catalog: the part of it that holds coverage, and the files that fell out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.coverage import Coverage
from aggflow.catalog.coverage_row import CoverageRow
from aggflow.catalog.database import Lookup, Mark
from aggflow.catalog.leases import Lease, Leases, check_lease
from aggflow.catalog.new_segment import NewSegment
from aggflow.catalog.tables import coverage, garbage, rollup_versions, rollups, workspaces
from aggflow.errors import CatalogError, ConflictError, NotFoundError
from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window, WindowSet

# Databases limit how many values one statement may carry.
_BATCH = 1000


_COLUMNS = (
    coverage.c.id,
    coverage.c.rollup_id,
    coverage.c.version,
    coverage.c.start_us,
    coverage.c.end_us,
    coverage.c.file,
    coverage.c.rows,
    coverage.c.bytes,
    coverage.c.checksum,
    coverage.c.built_us,
    coverage.c.build_id,
)
_GENERATION = Lookup(sa.select(rollups.c.generation).where(rollups.c.id == sa.bindparam("key")))
_GENERATIONS = Lookup(
    sa.select(workspaces.c.generation, rollups.c.generation)
    .join_from(rollups, workspaces, workspaces.c.id == rollups.c.workspace_id)
    .where(rollups.c.id == sa.bindparam("key"))
)
_SNAPSHOT = Lookup(
    sa.select(rollups.c.generation, *_COLUMNS)
    .select_from(rollups.outerjoin(coverage, coverage.c.rollup_id == rollups.c.id))
    .where(rollups.c.id == sa.bindparam("key"))
    .order_by(coverage.c.version, coverage.c.start_us)
)
_LIVE_FILES = sa.select(coverage.c.file).where(coverage.c.file.is_not(None)).distinct()
_A_LIVE_FILE = sa.select(coverage.c.file).where(coverage.c.file.is_not(None)).limit(1)
_GARBAGE = sa.select(garbage.c.file).where(garbage.c.since_us <= sa.bindparam("before_us"))


def _row(values: Sequence[Any]) -> CoverageRow:
    number, rollup_id, version, start, end, *rest = values
    return CoverageRow(number, rollup_id, version, Window(start, end), *rest)


def raise_generation(connection: sa.Connection, rollup_id: str) -> int:
    """Raise a rollup's generation, which locks its row until the transaction ends.

    Raises
    ------
    NotFoundError
        There is no such rollup.
    """
    this = rollups.c.id == rollup_id
    raised = rollups.update().where(this).values(generation=rollups.c.generation + 1)
    if connection.execute(raised).rowcount == 0:
        raise NotFoundError("rollup", rollup_id)
    return connection.execute(sa.select(rollups.c.generation).where(this)).scalar_one()


def cut_coverage(
    connection: sa.Connection, rollup_id: str, version: int, window: Window, now_us: Micros
) -> None:
    """Cut a window out of a version's coverage, in a transaction that has locked the rollup."""
    overlapping = sa.select(*_COLUMNS).where(
        coverage.c.rollup_id == rollup_id,
        coverage.c.version == version,
        coverage.c.start_us < window.end,
        coverage.c.end_us > window.start,
    )
    old = [_row(row) for row in connection.execute(overlapping)]
    _delete(connection, [row.id for row in old])
    _insert(connection, [part for row in old for part in _outside(row, window)])
    _discard(connection, [row.file for row in old], now_us)


def drop_coverage(connection: sa.Connection, rollup_id: str, now_us: Micros) -> None:
    """Drop all coverage of a rollup, in a transaction that has locked it."""
    this = coverage.c.rollup_id == rollup_id
    files = connection.execute(sa.select(coverage.c.file).where(this)).scalars().all()
    connection.execute(coverage.delete().where(this))
    _discard(connection, files, now_us)


def _outside(row: CoverageRow, window: Window) -> Iterator[dict[str, Any]]:
    """What a window leaves of a row, as values of new rows."""
    for part in WindowSet.of(row.window) - WindowSet.of(window):
        segment = NewSegment(part, row.file, row.rows, row.bytes, row.checksum)
        yield _values(row.rollup_id, row.version, segment, row.built_us, row.build_id)


def _values(
    rollup_id: str, version: int, segment: NewSegment, built_us: Micros, build_id: str | None
) -> dict[str, Any]:
    return {
        "rollup_id": rollup_id,
        "version": version,
        "start_us": segment.window.start,
        "end_us": segment.window.end,
        "file": segment.file,
        "rows": segment.rows,
        "bytes": segment.bytes,
        "checksum": segment.checksum,
        "built_us": built_us,
        "build_id": build_id,
    }


def _insert(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(coverage.insert(), rows)


def _delete(connection: sa.Connection, ids: Iterable[int]) -> int:
    """Delete rows; how many there were."""
    return sum(
        connection.execute(coverage.delete().where(coverage.c.id.in_(some))).rowcount
        for some in _batches(ids)
    )


def _discard(connection: sa.Connection, files: Iterable[str | None], now_us: Micros) -> None:
    """Note as garbage those files that no row names any more."""
    for some in _batches({file for file in files if file is not None}):
        named = sa.select(coverage.c.file).where(coverage.c.file.in_(some))
        unnamed = set(some).difference(connection.execute(named).scalars())
        if unnamed:
            values = [{"file": file, "since_us": now_us} for file in sorted(unnamed)]
            connection.execute(garbage.insert(), values)


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = list(values)
    for i in range(0, len(rest), _BATCH):
        yield rest[i : i + _BATCH]


def _check_tiles(window: Window, parts: Iterable[Window]) -> None:
    """Make sure that parts fill a window without a gap or an overlap."""
    tiles = sorted(parts)
    whole = tiles and (tiles[0].start, tiles[-1].end) == (window.start, window.end)
    if not whole or any(left.end != right.start for left, right in pairwise(tiles)):
        raise CatalogError(
            f"{len(tiles)} segments do not fill {window} exactly",
            hint="an empty stretch is a segment without a file",
        )


class Coverages(Leases):
    """The part of a catalog that holds coverage, and the files that fell out of it."""

    def coverage(self, rollup_id: str) -> Coverage:
        """The live segments of a rollup and its generation: one statement, so one moment.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        rows = self._looked_up(_SNAPSHOT, "rollup", rollup_id)
        return Coverage(rows[0][0], tuple(_row(row[1:]) for row in rows if row[1] is not None))

    def generation(self, rollup_id: str) -> int:
        """The generation of a rollup, which every change of it raises; takes microseconds.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        return self._looked_up(_GENERATION, "rollup", rollup_id)[0][0]

    def generations(self, rollup_id: str, as_of: Mark | None = None) -> tuple[int, int] | None:
        """The generations of its workspace's definitions and of a rollup, of one moment; None where it is gone.

        Parameters
        ----------
        rollup_id
            The rollup.
        as_of
            They have to be as new as this; None for now.
        """
        rows = self._look_up(_GENERATIONS, rollup_id, as_of)
        return tuple(rows[0]) if rows else None

    def replace_window(
        self,
        rollup_id: str,
        version: int,
        window: Window,
        segments: Sequence[NewSegment],
        lease: Lease,
        now_us: Micros,
        *,
        build_id: str | None = None,
    ) -> int:
        """Put new segments in place of whatever a window held, in one transaction.

        Parameters
        ----------
        rollup_id, version, window
            What is replaced.
        segments
            What takes its place: they fill the window exactly.
        lease
            Held on the window or on more.
        now_us
            The present instant, in microseconds.
        build_id
            The build that made them.

        Returns
        -------
        int
            The rollup's new generation.

        Raises
        ------
        LeaseLostError
            The lease was taken over, or the definition changed; nothing is written.
        ConflictError
            There is no such version, or it is not valid for the whole window.
        CatalogError
            The segments do not fill the window exactly.
        """
        _check_tiles(window, [segment.window for segment in segments])
        with self._write() as connection:
            generation = raise_generation(connection, rollup_id)
            check_lease(connection, lease, window)
            _check_validity(connection, rollup_id, version, window)
            cut_coverage(connection, rollup_id, version, window, now_us)
            _insert(connection, [_values(rollup_id, version, s, now_us, build_id) for s in segments])
            return generation

    def drop_window(self, rollup_id: str, version: int, window: Window, now_us: Micros) -> int:
        """Make a window missing, so that the next build makes it again.

        Returns
        -------
        int
            The rollup's new generation.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        """
        with self._write() as connection:
            generation = raise_generation(connection, rollup_id)
            cut_coverage(connection, rollup_id, version, window, now_us)
            return generation

    def compact(
        self, rollup_id: str, version: int, rows: Sequence[CoverageRow], segment: NewSegment, now_us: Micros
    ) -> int | None:
        """Put one segment in place of exactly the rows that it was made of.

        Parameters
        ----------
        rollup_id, version
            Whose segments they are.
        rows
            The rows that were read, which fill the segment's window.
        segment
            What takes their place.
        now_us
            The present instant, in microseconds.

        Returns
        -------
        int or None
            The rollup's new generation; None, and nothing is changed, where one of the rows
            was replaced meanwhile.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        CatalogError
            The rows do not fill the segment's window.
        """
        _check_tiles(segment.window, [row.window for row in rows])
        try:
            with self._write() as connection:
                generation = raise_generation(connection, rollup_id)
                if _delete(connection, [row.id for row in rows]) != len(rows):
                    raise _SupersededError
                # As old as its oldest part: what is due again is due by that.
                built_us = min(row.built_us for row in rows)
                _insert(connection, [_values(rollup_id, version, segment, built_us, None)])
                _discard(connection, [row.file for row in rows], now_us)
                return generation
        except _SupersededError:
            return None

    def live_files(self) -> frozenset[str]:
        """The files that coverage names, of all rollups."""
        return frozenset(row.file for row in self._read(_LIVE_FILES))

    def has_live_files(self) -> bool:
        """Whether coverage names any file."""
        return bool(self._read(_A_LIVE_FILE))

    def garbage(self, before_us: Micros) -> tuple[str, ...]:
        """The files that no coverage names since an instant or longer."""
        return tuple(row.file for row in self._read(_GARBAGE, before_us=before_us))

    def forget_garbage(self, files: Iterable[str]) -> None:
        """Forget files that were deleted."""
        with self._write() as connection:
            for some in _batches(files):
                connection.execute(garbage.delete().where(garbage.c.file.in_(some)))


class _SupersededError(Exception):
    """Rolls a compaction back."""


def _check_validity(connection: sa.Connection, rollup_id: str, version: int, window: Window) -> None:
    validity = sa.select(rollup_versions.c.valid_from_us, rollup_versions.c.valid_to_us).where(
        rollup_versions.c.rollup_id == rollup_id, rollup_versions.c.number == version
    )
    row = connection.execute(validity).first()
    if row is None or window.start < row.valid_from_us or window.end > row.valid_to_us:
        raise ConflictError(
            f"version {version} of the rollup is not valid for the whole of {window}", hint="build again"
        )
