"""Cell counts: how many cells rollups have or would have, without building them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from aggflow.backends.cell_count import CellCount, count_cells
from aggflow.engine.reader import OpenRows, cut
from aggflow.engine.reduction import numbered
from aggflow.engine.served import Served
from aggflow.engine.target import Target
from aggflow.measures.state import Int64s
from aggflow.measures.vocabulary import Codes
from aggflow.spec.rollup import Rollup
from aggflow.store import Resident
from aggflow.timeline import Interval, Micros, Window, WindowSet, Zone

_SECOND_US = 1_000_000


@dataclass(frozen=True)
class Counted:
    """How many cells, of how many source rows, a rollup has in each bucket.

    Attributes
    ----------
    count
        The numbers.
    width, zone
        What a bucket is.
    read
        What counting them took: rows of the source, or cells of a finer rollup.
    seconds
        How long it took.
    is_stored
        Whether they were counted from the states of a finer rollup, not from the source.
    """

    count: CellCount
    width: Interval
    zone: Zone
    read: int
    seconds: float
    is_stored: bool

    def cells_in(self, window: Window) -> int:
        """The cells of the buckets that lie in a window whole."""
        start, end = self.whole(window)
        low, high = np.searchsorted(self.count.buckets, [-(-start // _SECOND_US), -(-end // _SECOND_US)])
        return int(self._cells[high] - self._cells[low]) if high > low else 0

    def cut_cells(self, window: Window) -> int:
        """The cells of the buckets that the edges of a window cut."""
        start, end = self.width.floor(window.start, self.zone), self.width.ceil(window.end, self.zone)
        return self.cells_in(Window(start, end)) - self.cells_in(window)

    def cut_rows(self, window: Window) -> int:
        """About how many source rows lie in a window, but in buckets that its edges cut."""
        start, end = self.whole(window)
        if start >= end:
            return round(self._rows_before(window.end) - self._rows_before(window.start))
        before = self._rows_before(start) - self._rows_before(window.start)
        return round(before + self._rows_before(window.end) - self._rows_before(end))

    def whole(self, window: Window) -> tuple[Micros, Micros]:
        """From where to where a window has whole buckets; nothing where the end is not after the start."""
        return self.width.ceil(window.start, self.zone), self.width.floor(window.end, self.zone)

    def _rows_before(self, us: Micros) -> float:
        """Source rows before an instant; those of the bucket that it cuts by the part before it."""
        place = int(np.searchsorted(self.count.buckets, us // _SECOND_US, side="right")) - 1
        if place < 0:
            return 0.0
        start = int(self.count.buckets[place]) * _SECOND_US
        end = self.width.next(start, self.zone)
        share = min(1.0, (us - start) / (end - start))
        return float(self._rows[place] + share * self.count.rows[place])

    @cached_property
    def _cells(self) -> Int64s:
        return np.concatenate([[0], np.cumsum(self.count.cells)])

    @cached_property
    def _rows(self) -> Int64s:
        return np.concatenate([[0], np.cumsum(self.count.rows)])


class CellCounter:
    """Counts cells of rollups of one source, in one window, each only once.

    Parameters
    ----------
    targets
        The rollups of the source that are built, or may be.
    served
        Gives versions and coverage of a rollup.
    resident
        States in memory.
    open_rows
        Opens the source.
    window
        The time that is counted.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        served: Callable[[str], Served],
        resident: Resident,
        open_rows: OpenRows,
        window: Window,
    ) -> None:
        self._targets = targets
        self._served = served
        self._resident = resident
        self._open_rows = open_rows
        self._window = window
        self._known: dict[Hashable, Counted] = {}

    def of(self, rollup: Rollup) -> Counted:
        """The cells of a rollup; what is kept of them does not matter.

        Raises
        ------
        SourceError
            No finer rollup covers the window, and the source cannot be read.
        """
        key = (rollup.where, rollup.interval, rollup.time_zone, frozenset(rollup.groupings))
        if key not in self._known:
            self._known[key] = self._counted(rollup)
        return self._known[key]

    @property
    def all(self) -> Iterable[Counted]:
        """Everything that was counted."""
        return self._known.values()

    def _counted(self, rollup: Rollup) -> Counted:
        # A bucket that an edge of the window cuts is counted whole.
        window = WindowSet.of(self._window).snap_out(rollup.width, rollup.zone).span or self._window
        started = time.perf_counter()
        finer = min(self._finer(rollup, window), key=stored_cells, default=None)
        if finer is not None:
            count, read = _count_stored(finer, rollup, window, self._resident)
        else:
            with self._open_rows() as rows:
                count = count_cells(rows, replace(rollup, kept=()), window)
            read = int(count.rows.sum())
        seconds = time.perf_counter() - started
        return Counted(count, rollup.width, rollup.zone, read, seconds, finer is not None)

    def _finer(self, rollup: Rollup, window: Window) -> Iterator[Served]:
        """The rollups whose cells tell those of another exactly."""
        for target in self._targets:
            own = target.rollup
            same = (own.width, own.zone) == (rollup.width, rollup.zone)
            if (
                own.where == rollup.where
                and set(rollup.groupings) <= set(own.groupings)
                and (same or own.width.divides(rollup.width, own.zone, rollup.zone))
            ):
                served = self._served(target.rollup_id)
                if served.versions[-1].data_hash == target.data_hash and holds(served, window):
                    yield served


def holds(served: Served, window: Window) -> bool:
    """Whether the newest version of a rollup covers a window, but for what is younger than all it has."""
    version = served.versions[-1]
    covered = served.coverage.windows(version.number)
    if covered.span is None or version.layout is None or version.validity.start > window.start:
        return False
    return all(gap.start >= covered.span.end for gap in WindowSet.of(window) - covered)


def stored_cells(served: Served) -> int:
    """How many cells the newest version of a rollup stores."""
    return sum(row.rows for row in served.coverage.of(served.versions[-1].number))


def _count_stored(
    served: Served, rollup: Rollup, window: Window, resident: Resident
) -> tuple[CellCount, int]:
    """The cells of a coarser rollup, and how many finer ones were read for it; a segment at a time."""
    version = served.versions[-1]
    assert version.layout is not None  # noqa: S101 - a version with segments has been built
    parts: list[tuple[list[Int64s | Codes], Int64s]] = []
    read = 0
    for row in served.coverage.of(version.number):
        part = row.window & window
        if part is None or row.file is None:
            continue
        cells = cut(resident.grains(version.layout, row)[0], part)
        read += len(cells)
        buckets = rollup.width.floor_buckets(cells.buckets, rollup.zone)
        parts.append(_distinct([buckets, *(cells.codes[path] for path in rollup.groupings)], cells.rows))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return CellCount(nothing, nothing, nothing), read
    columns = [np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)]
    (buckets, *_), rows = _distinct(columns, np.concatenate([rows for _, rows in parts]))
    found, where = np.unique(buckets, return_inverse=True)
    counts = np.bincount(where, minlength=len(found)).astype(np.int64)
    return CellCount(found.astype(np.int64), counts, _summed(where, rows, len(found))), read


def _distinct(columns: Sequence[Int64s | Codes], rows: Int64s) -> tuple[list[Int64s | Codes], Int64s]:
    """The distinct rows of columns, and how many source rows each stands for."""
    numbers, first = numbered(columns)
    return [column[first] for column in columns], _summed(numbers, rows, len(first))


def _summed(numbers: Int64s, rows: Int64s, count: int) -> Int64s:
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, numbers, rows)
    return total
