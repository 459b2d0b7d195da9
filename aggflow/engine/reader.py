"""A reader: brings the cells of a question's pieces together, from memory, segments and the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from aggflow.backends.extent import extent
from aggflow.backends.rollup_sql import Read, layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.statement import Statement
from aggflow.engine.at_hand import MOST_CELLS, NotAtHandError
from aggflow.engine.plan import Piece
from aggflow.engine.tail import Tail, TailKey, Tails
from aggflow.engine.version import Version
from aggflow.errors import QueryError, SourceTypeError
from aggflow.measures.cells import Cells, Layout
from aggflow.measures.kind import Kind
from aggflow.measures.registry import StateKey
from aggflow.measures.vocabulary import Codes
from aggflow.store.resident import Resident, Vocabularies
from aggflow.timeline import Interval, Window, Zone

OpenRows = Callable[[], AbstractContextManager[SourceRows]]


@dataclass
class Trace:
    """What an answer read, for ``explain``.

    Attributes
    ----------
    stored, live
        The windows that came from segments, and from the source.
    files
        The segments that were read.
    cells
        How many cells were merged, by version, window and grain.
    rows
        How many source rows the live part read.
    sql
        The statements that were sent.
    tail_age
        Seconds since the oldest live part was computed; None without one.
    live_seconds
        How long reading the source took.
    """

    stored: list[Window] = field(default_factory=list[Window])
    live: list[Window] = field(default_factory=list[Window])
    files: set[str] = field(default_factory=set[str])
    cells: dict[tuple[int, Window, int], int] = field(default_factory=dict[tuple[int, Window, int], int])
    rows: int = 0
    sql: list[Statement] = field(default_factory=list[Statement])
    tail_age: float | None = None
    live_seconds: float = 0.0


@dataclass(frozen=True)
class Part:
    """Cells of one piece and grain, not looked at yet.

    Attributes
    ----------
    keys
        The states that it speaks for: its cells have them, or, where the version keeps none of
        them, say only which groups had events.
    where
        Number of the version, window and grain.
    segment
        Names all cells of the segment and grain for good; None for live ones.
    buckets
        Which of the segment's buckets it is.
    width
        That of the buckets, and their zone.
    load
        Gives the cells of the whole segment, under the keys of the question.
    """

    keys: frozenset[StateKey]
    where: tuple[int, Window, int]
    segment: Hashable | None
    buckets: Window
    width: tuple[Interval, Zone]
    load: Callable[[], Cells]

    def cells(self) -> Cells:
        """Its cells."""
        return cut(self.load(), self.buckets)


class Reader:
    """Reads cells for one answer.

    Parameters
    ----------
    resident
        Segments in memory.
    tails
        Live tails.
    open_rows
        Opens the source.
    wait
        Whether an answer may take its time: read segments and the source, merge any number of cells.
    """

    def __init__(self, resident: Resident, tails: Tails, open_rows: OpenRows, *, wait: bool = True) -> None:
        self._resident = resident
        self._tails = tails
        self._open_rows = open_rows
        self._left = None if wait else MOST_CELLS
        self.trace = Trace()
        self._own = Vocabularies()
        self._read: dict[TailKey, tuple[Tail, float]] = {}

    def parts(
        self,
        pieces: Sequence[Piece],
        keys: Sequence[StateKey],
        paths: frozenset[str],
        kinds: dict[StateKey, Kind],
    ) -> Iterator[Part]:
        """The cells of pieces, a part a piece and grain, under the keys of the question.

        A grouping that a version lacks is missing there; a state that it lacks is not in its parts.

        Parameters
        ----------
        pieces
            Of one window, any versions.
        keys
            All states that are asked for in that window.
        paths
            The groupings that are returned or filtered.
        kinds
            The kind of each key's field; filled here by the first version that has it.

        Yields
        ------
        Part
            A part a piece and grain.
        """
        for piece in pieces:
            own = {key: mine for key in keys if (mine := piece.version.find(key, paths)) is not None}
            layout, grains = self._grains(piece, list(dict.fromkeys(own.values())))
            for key, mine in own.items():
                _same_kind(kinds, key, layout.kinds[mine])
            if grains:
                lacking = frozenset(key for key in keys if key not in own)
                yield from self._picked(piece, layout, grains, own, lacking, paths)

    def spend(self, cells: int) -> None:
        """Count cells that are merged.

        Raises
        ------
        NotAtHandError
            They are more than an answer may merge that must not take its time.
        """
        if self._left is not None:
            self._left -= cells
            if self._left < 0:
                raise NotAtHandError

    def _grains(self, piece: Piece, keys: list[StateKey]) -> tuple[Layout, Sequence[Cells]]:
        if piece.row is not None:
            layout = piece.version.layout
            assert layout is not None  # noqa: S101 - a version with segments has been built
            self.trace.stored.append(piece.window)
            if piece.row.file is None:
                return layout, ()
            self.trace.files.add(piece.row.file)
            if self._left is None:
                return layout, self._resident.grains(layout, piece.row)
            kept = self._resident.at_hand(piece.row.file)
            if kept is None:
                raise NotAtHandError
            return layout, kept
        self.trace.live.append(piece.window)
        version = piece.version
        key = (version.rollup_id, version.number, version.data_hash, piece.window, tuple(sorted(keys)))
        if key not in self._read:
            # Once an answer: all its values are of one moment of the source.
            self._read[key] = self._tail(key, version, piece.window, keys)
        tail, age = self._read[key]
        self.trace.tail_age = max(age, self.trace.tail_age or 0.0)
        return tail.layout, tail.read.grains

    def _tail(
        self, key: TailKey, version: Version, window: Window, keys: list[StateKey]
    ) -> tuple[Tail, float]:
        compute = partial(self._read_live, version, window, keys)
        if self._left is None:
            return self._tails.get(key if version.rollup_id else None, compute)
        kept = self._tails.at_hand(key, compute)
        if kept is None:
            raise NotAtHandError
        return kept

    def _read_live(self, version: Version, window: Window, keys: list[StateKey]) -> tuple[Read, Layout]:
        started = time.perf_counter()
        with self._open_rows() as rows:
            layout = checked_layout(version, rows)
            wanted = layout.only(keys)
            readable = _readable(window, version, rows)
            read = read_states(rows, version.rollup, wanted, readable, self.vocabularies(version))
        self.trace.live_seconds += time.perf_counter() - started
        self.trace.rows += read.rows
        self.trace.sql += read.sql
        return read, wanted

    def vocabularies(self, version: Version) -> Vocabularies:
        """The vocabularies of a version's groupings; this answer's own where there is no rollup."""
        return self._resident.vocabularies(version.rollup_id) if version.rollup_id else self._own

    def _picked(
        self,
        piece: Piece,
        layout: Layout,
        grains: Sequence[Cells],
        own: dict[StateKey, StateKey],
        lacking: frozenset[StateKey],
        paths: frozenset[str],
    ) -> Iterator[Part]:
        """The cells under the question's keys: those of one grain together, others apart."""
        by_grain: dict[int, dict[StateKey, StateKey]] = {}
        for key, mine in own.items():
            by_grain.setdefault(layout.grain_of(mine), {})[key] = mine
        for grain, mine in (by_grain or {0: {}}).items():
            where = (piece.version.number, piece.window, grain)
            version, row = piece.version, piece.row
            segment = None if row is None else (version.rollup_id, row.file, version.number, grain)
            width = (version.rollup.width, version.rollup.zone)
            for keys, states in ((frozenset(mine), mine), (lacking, dict[StateKey, StateKey]())):
                if keys:
                    load = partial(self._load, version, grains[grain], states, paths)
                    yield Part(keys, where, segment, piece.buckets, width, load)
            lacking = frozenset[StateKey]()

    def _load(
        self, version: Version, cells: Cells, mine: dict[StateKey, StateKey], paths: frozenset[str]
    ) -> Cells:
        codes = {path: self._codes(cells, path, version) for path in paths}
        return Cells(cells.buckets, codes, cells.rows, {key: cells.states[own] for key, own in mine.items()})

    def _codes(self, cells: Cells, path: str, version: Version) -> Codes:
        if path in cells.codes:
            return cells.codes[path]
        return np.full(len(cells), self.vocabularies(version)[path].code_of(None), dtype=np.int32)


def checked_layout(version: Version, rows: SourceRows) -> Layout:
    """The layout of a version, as its source is today.

    Raises
    ------
    SourceTypeError
        The states that are stored were made of columns of other types, or by another hash.
    """
    layout = layout_of(version.rollup, rows)
    if version.layout is not None and layout.to_text() != version.layout.to_text():
        raise SourceTypeError(
            f"source {rows.source.name!r}: its columns, or the hash of its backend, are no longer what the "
            f"states were made of",
            hint="build the rollup anew with full=True",
        )
    return layout


def _readable(window: Window, version: Version, rows: SourceRows) -> Window:
    """A window with both ends, where calendars need them: what of it has rows."""
    if window.is_bounded or not version.rollup.width.is_calendar:
        return window
    there = extent(rows, version.rollup, window).window
    return (there and there & window) or Window(0, version.rollup.width.next(0, version.rollup.zone))


def cut(cells: Cells, window: Window) -> Cells:
    """The cells whose buckets start in a window."""
    return cells.slice(*run_of(cells, window))


def run_of(cells: Cells, window: Window) -> tuple[int, int]:
    """From where to where the cells are whose buckets start in a window; cells are sorted by bucket."""
    low, high = -(-window.start // 1_000_000), -(-window.end // 1_000_000)
    find = cells.buckets.searchsorted
    return int(find(low)), int(find(high))


def _same_kind(kinds: dict[StateKey, Kind], key: StateKey, kind: Kind) -> None:
    known = kinds.setdefault(key, kind)
    if known != kind:
        raise QueryError(
            f"{key.text} was {kind} in one version of the rollup and {known} in another",
            hint="save the filter with rebuild=True",
        )
