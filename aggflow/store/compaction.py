"""Compaction: many small segments of a rollup become few large ones, of a day or a month each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TypeAlias

from aggflow.catalog import Catalog, CoverageRow, NewSegment
from aggflow.errors import QueryError
from aggflow.store.segment import buckets_of
from aggflow.store.store import SegmentStore
from aggflow.timeline.instant import Micros, to_datetime
from aggflow.timeline.window import Window

SMALL_BYTES = 32_000_000
"""A file that is not smaller is left alone."""

_RUN_BYTES = 128_000_000  # of files that are read for one new segment, to bound memory

_Period: TypeAlias = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What a compaction did.

    Attributes
    ----------
    segments_read, segments_written
        How many live segments there were of what was compacted, and are now.
    superseded
        Runs that were given up, because a build replaced some of their segments meanwhile.
    """

    segments_read: int = 0
    segments_written: int = 0
    superseded: int = 0


def choose(rows: Sequence[CoverageRow], *, least: int) -> tuple[tuple[CoverageRow, ...], ...]:
    """The runs of small segments that should become one each.

    Segments of one UTC month become one when a later month has begun, those of one UTC day
    when a later day has, and those of the last day at any time; but nothing is done before
    there are enough small segments, so that a segment is not written again for each new one.

    Parameters
    ----------
    rows
        Coverage of one rollup version.
    least
        How many small segments it takes.

    Returns
    -------
    tuple of tuple of CoverageRow
        Runs of two or more rows, whose windows follow one another without a gap.
    """
    small = [row for row in sorted(rows, key=lambda row: row.window) if _month(row.window) and _is_small(row)]
    if len(small) < least:
        return ()
    last_month = _month(small[-1].window)
    runs: list[tuple[CoverageRow, ...]] = []
    for month, of_month in groupby(small, key=lambda row: _month(row.window)):
        if month != last_month:
            runs += _adjacent(of_month)
        else:
            for day, of_day in groupby(of_month, key=lambda row: _day(row.window)):
                runs += _adjacent(of_day) if day else ()
    return tuple(runs)


def compact(
    catalog: Catalog, store: SegmentStore, rollup_id: str, *, least: int, now_us: Micros
) -> CompactionReport:
    """Make few segments of many small ones, for all versions of a rollup; answers stay the same.

    Safe beside builds: what a build replaces meanwhile is left to it.  Files that are superseded
    become garbage.

    Parameters
    ----------
    catalog, store
        Where the segments are.
    rollup_id
        The rollup.
    least
        How many small segments of a version start a compaction.
    now_us
        The present instant, in microseconds.

    Raises
    ------
    NotFoundError
        There is no such rollup.
    SegmentMissingError, SegmentDamagedError
        A segment cannot be read; what was compacted before stays.
    StoreFullError, StoreReadOnlyError
        A segment cannot be written; likewise.
    """
    coverage = catalog.coverage(rollup_id)
    read = written = superseded = 0
    for version in sorted({row.version for row in coverage.rows}):
        for run in choose(coverage.of(version), least=least):
            segment = _join(store, run)
            if catalog.compact(rollup_id, version, run, segment, now_us) is None:
                superseded += 1
                store.delete([segment.file] if segment.file else [])
            else:
                read += len(run)
                written += 1
    return CompactionReport(read, written, superseded)


def _join(store: SegmentStore, run: Sequence[CoverageRow]) -> NewSegment:
    """One segment with the live parts of a run, which are in order as the run is."""
    window = Window(run[0].window.start, run[-1].window.end)
    with store.draft(rollup_id=run[0].rollup_id, version=run[0].version, window=window) as draft:
        for row in run:
            part = None if row.file is None else store.read(row.file, row.checksum, buckets_of(row.window))
            if part is not None and part.num_rows:
                draft.add(part)
        if not draft.rows:
            return NewSegment(window, None)
        made = store.keep(draft)
    return NewSegment(window, made.file, made.rows, made.bytes, made.checksum)


def _is_small(row: CoverageRow) -> bool:
    return row.bytes < SMALL_BYTES


def _adjacent(rows: Iterable[CoverageRow]) -> Iterator[tuple[CoverageRow, ...]]:
    """Runs of two or more rows that follow one another, none with too many bytes."""
    run: list[CoverageRow] = []
    size = 0
    for row in rows:
        if run and (run[-1].window.end != row.window.start or size + row.bytes > _RUN_BYTES):
            if len(run) > 1:
                yield tuple(run)
            run, size = [], 0
        run.append(row)
        size += row.bytes
    if len(run) > 1:
        yield tuple(run)


def _ends(window: Window) -> tuple[datetime, datetime] | None:
    """First and last instant of a window; None where no calendar has them."""
    try:
        return to_datetime(window.start), to_datetime(window.end - 1)
    except QueryError:
        return None


def _month(window: Window) -> _Period:
    """The UTC month that a window lies in, or None."""
    ends = _ends(window)
    if ends is None or (ends[0].year, ends[0].month) != (ends[1].year, ends[1].month):
        return None
    return ends[0].year, ends[0].month


def _day(window: Window) -> _Period:
    """The UTC day that a window lies in, or None."""
    ends = _ends(window)
    if ends is None or ends[0].date() != ends[1].date():
        return None
    return ends[0].year, ends[0].month, ends[0].day
