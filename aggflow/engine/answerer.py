"""An answerer: makes a question's values of states, ordered and limited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aggflow.catalog.coverage import Coverage
from aggflow.engine.plan import Piece, pieces
from aggflow.engine.question import Asked, Order, Question
from aggflow.engine.reader import Reader, completed
from aggflow.engine.slab import Grouped, Slab, grouped
from aggflow.engine.version import Version
from aggflow.errors import NotCoveredError
from aggflow.measures.cells import Cells
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.measures.state import Column, Groups, Int64s, Sketch, State, Values
from aggflow.measures.vocabulary import Codes, Vocabulary
from aggflow.spec.calculation import Calculation
from aggflow.timeline import Window

_COUNTS = (Calculation.COUNT, Calculation.APPROX_COUNT_DISTINCT)
# A grain of a question: the window, and the groupings at which its states are kept.
_Grain = tuple[Window, tuple[str, ...]]


@dataclass(frozen=True)
class Columns:
    """The values of an answer as columns, one entry a row.

    Attributes
    ----------
    buckets
        The start of every row's bucket in seconds, of a series.
    codes
        By path, the code of every row's grouping.
    fields
        By name, the values.
    count
        How many rows there are.
    """

    buckets: Int64s | None
    codes: Mapping[str, Codes]
    fields: Mapping[str, Values]
    count: int

    def take(self, rows: NDArray[np.intp]) -> Columns:
        """Some rows, in that order."""
        return Columns(
            None if self.buckets is None else self.buckets[rows],
            {path: codes[rows] for path, codes in self.codes.items()},
            {name: values.take(rows) for name, values in self.fields.items()},
            len(rows),
        )


@dataclass(frozen=True)
class _Merged:
    """The states of a field, one a group that has any.

    Attributes
    ----------
    asked, key, kind
        The field.
    state
        Its states.
    present
        The numbers of the groups that have one.
    count
        How many groups there are.
    """

    asked: Asked
    key: StateKey
    kind: Kind
    state: State
    present: Int64s
    count: int

    def values(self) -> Values:
        """The value of every group."""
        values = MEASURES[self.key.measure].finish(
            self.state, self.asked.calculation, self.kind, self.asked.percentile
        )
        return _spread(values, self.present, self.count, self.asked.calculation)

    def at(self, rows: NDArray[np.intp], level: Int64s, count: int) -> Values:
        """The values of coarser groups: of some groups, each a part of the coarser one named."""
        coarser = np.full(self.count, -1, dtype=np.int64)
        coarser[rows] = level
        codes = coarser[self.present]
        mine = np.flatnonzero(codes >= 0)
        present, local = np.unique(codes[mine], return_inverse=True)
        state = {name: _take(column, mine) for name, column in self.state.items()}
        merged = MEASURES[self.key.measure].merge(state, Groups(local, len(present)), self.kind)
        return _Merged(self.asked, self.key, self.kind, merged, present, count).values()


class Answerer:
    """Answers one question from one rollup.

    Parameters
    ----------
    question
        What is asked.
    versions
        The rollup's versions, by validity.
    coverage
        What is built of them.
    reader
        Where cells come from.
    """

    def __init__(
        self, question: Question, versions: Sequence[Version], coverage: Coverage, reader: Reader
    ) -> None:
        self._question = question
        self._versions = versions
        self._coverage = coverage
        self._reader = reader
        self._kinds: dict[StateKey, Kind] = {}
        self._states: dict[tuple[_Grain, StateKey], State] = {}
        self._vocabularies: Mapping[str, Vocabulary] = reader.vocabularies(versions[-1])

    def columns(self) -> Columns:
        """The answer.

        Raises
        ------
        NotCoveredError
            A part of the window is not built, and live reading was not wanted.
        """
        slabs = self._limited(self._slabs())
        columns = self._finished(slabs)
        columns = _filled(columns, self._question)
        order = self._ordered(columns)
        return columns.take(order if self._question.limit is None else order[: self._question.limit])

    def _slabs(self) -> dict[_Grain, Slab]:
        question = self._question
        keys: dict[_Grain, list[StateKey]] = {}
        for asked in question.fields:
            if asked.key is not None:
                keys.setdefault((asked.window, asked.key.groupings), []).append(asked.key)
        parts: dict[_Grain, list[Cells]] = {}
        for (window, groupings), wanted in keys.items():
            where = self._pieces(window)
            wanted[:] = dict.fromkeys(wanted)
            parts[window, groupings] = self._reader.cells(where, wanted, question.paths, self._kinds)
        slabs: dict[_Grain, Slab] = {}
        for grain, cells in parts.items():
            whole = [completed(part, keys[grain], self._kinds) for part in cells if len(part)]
            if whole:
                slab = Slab(grain[0], 0, Cells.concat(whole))
                slabs[grain] = slab.filtered(question.filters, self._vocabularies)
        return {grain: slab for grain, slab in slabs.items() if len(slab.cells)}

    def _pieces(self, window: Window) -> tuple[Piece, ...]:
        found = pieces(self._versions, self._coverage, window)
        live = [piece for piece in found if piece.is_live]
        if live and not self._question.live:
            gaps = ", ".join(str(piece.window) for piece in live[:3])
            raise NotCoveredError(f"not built: {gaps}", hint="build it, or let what is missing be read live")
        return found

    def _limited(self, slabs: dict[_Grain, Slab]) -> dict[_Grain, Slab]:
        """Keep the first values of each limited grouping within those kept of the one before it."""
        question = self._question
        if not question.limits or not slabs:
            return slabs
        paths = [question.groupings[name] for name, _ in question.limits]
        together = grouped(list(slabs.values()), paths, None)
        order = next((order for order in question.order if self._asked(order.by) is not None), None)
        ranking = None if order is None else self._merged_state(order.by, slabs, together)
        kept = np.ones(together.count, dtype=bool)
        for level, (_, limit) in enumerate(question.limits, start=1):
            kept &= self._first(together, paths[:level], kept, limit, order, ranking)
        limited = {
            grain: slab.keep(kept[numbers])
            for (grain, slab), numbers in zip(slabs.items(), together.numbers, strict=True)
        }
        return {grain: slab for grain, slab in limited.items() if len(slab.cells)}

    def _first(
        self,
        together: Grouped,
        paths: Sequence[str],
        kept: NDArray[np.bool_],
        limit: int,
        order: Order | None,
        ranking: _Merged | None,
    ) -> NDArray[np.bool_]:
        """For every group, whether its value at a level is among the first within its parent."""
        rows = np.flatnonzero(kept)
        stacked = np.stack([together.codes[path][rows] for path in paths])
        members, level = np.unique(stacked, axis=1, return_inverse=True)
        level = level.reshape(-1)
        ranks: list[NDArray[np.generic]] = [self._ranks(paths[-1])[members[-1]]]
        if ranking is not None and order is not None:
            values = ranking.at(rows, level, members.shape[1])
            ranks = [*_sort_keys(values, descending=order.descending), *ranks]
        parents = np.unique(members[:-1], axis=1, return_inverse=True)[1].reshape(-1)
        if len(paths) == 1:
            parents = np.zeros(members.shape[1], dtype=np.int64)
        chosen = np.zeros(len(kept), dtype=bool)
        chosen[rows] = _first_of(parents, ranks, limit)[level]
        return chosen

    def _finished(self, slabs: dict[_Grain, Slab]) -> Columns:
        question = self._question
        paths = list(question.groupings.values())
        series = None if question.series is None else (question.series, question.zone)
        if slabs:
            together = grouped(list(slabs.values()), paths, series)
        else:
            none = np.zeros(0, dtype=np.int64)
            codes = {path: none.astype(np.int32) for path in paths}
            together = Grouped((), 0, none if series is not None else None, codes)
        if not paths and series is None:
            # A total is one row, whether or not anything happened.
            together = replace(together, count=1)
        fields = {asked.name: self._merged(asked, slabs, together) for asked in question.fields}
        return Columns(together.buckets, together.codes, fields, together.count)

    def _merged(self, asked: Asked, slabs: dict[_Grain, Slab], together: Grouped) -> Values:
        """A field's value for every group."""
        grain = None if asked.key is None else (asked.window, asked.key.groupings)
        if asked.key is None or grain not in slabs:
            return _nothing(asked.calculation, together.count)
        key = asked.key
        groups, present = together.groups[list(slabs).index(grain)]
        if (grain, key) not in self._states:
            state = slabs[grain].cells.states[key]
            self._states[grain, key] = MEASURES[key.measure].merge(state, groups, self._kinds[key])
        merged = _Merged(asked, key, self._kinds[key], self._states[grain, key], present, together.count)
        return merged.values()

    def _merged_state(self, name: str, slabs: dict[_Grain, Slab], together: Grouped) -> _Merged | None:
        """A field's states for every group that has any, to be merged further."""
        asked = self._asked(name)
        if asked is None or asked.key is None or (asked.window, asked.key.groupings) not in slabs:
            return None
        grain, kind = (asked.window, asked.key.groupings), self._kinds[asked.key]
        groups, present = together.groups[list(slabs).index(grain)]
        state = MEASURES[asked.key.measure].merge(slabs[grain].cells.states[asked.key], groups, kind)
        return _Merged(asked, asked.key, kind, state, present, together.count)

    def _ordered(self, columns: Columns) -> NDArray[np.intp]:
        question = self._question
        # numpy's lexsort takes the strongest term last.
        terms: list[NDArray[np.generic]] = []
        for order in question.order:
            if order.by in columns.fields:
                terms += _sort_keys(columns.fields[order.by], descending=order.descending)
            else:
                term = self._place(columns, order.by)
                missing = term == np.iinfo(np.int64).max
                terms += [missing, -term if order.descending else term]
        if columns.buckets is not None:
            terms.append(columns.buckets)
        terms += [self._place(columns, name) for name in question.groupings]
        if not terms:
            return np.arange(columns.count)
        return np.lexsort(terms[::-1])

    def _place(self, columns: Columns, name: str) -> Int64s:
        """The place of every row by ``dt`` or a grouping, missing values last."""
        if name == "dt" and columns.buckets is not None:
            return columns.buckets
        path = self._question.groupings[name]
        vocabulary = self._vocabularies[path]
        places = self._ranks(path)[columns.codes[path]].astype(np.int64)
        missing = np.array([value is None for value in vocabulary.values], dtype=bool)
        places[missing[columns.codes[path]]] = np.iinfo(np.int64).max
        return places

    def _ranks(self, path: str) -> Codes:
        return self._vocabularies[path].ranks()

    def _asked(self, name: str) -> Asked | None:
        return next((asked for asked in self._question.fields if asked.name == name), None)


def _take(column: Column, rows: NDArray[np.intp]) -> Column:
    return column.take(rows) if isinstance(column, Sketch) else column[rows]


def _sort_keys(values: Values, *, descending: bool) -> list[NDArray[np.generic]]:
    """Values as terms of an order, the strongest first: nulls last, then up or down."""
    null = np.zeros(len(values.data), dtype=bool) if values.valid is None else ~values.valid
    data = values.data
    if data.dtype == object:
        present = sorted({value for value, gone in zip(data, null, strict=True) if not gone})
        rank = {value: i for i, value in enumerate(present)}
        data = np.array([rank.get(value, 0) for value in data], dtype=np.int64)
    plain = np.where(null, 0, data)
    return [null, -plain if descending else plain]


def _first_of(parents: Int64s, ranks: Sequence[NDArray[np.generic]], limit: int) -> NDArray[np.bool_]:
    """For every group, whether it is among the first within its parent."""
    order = np.lexsort([*reversed(ranks), parents])
    ordered = parents[order]
    starts = np.searchsorted(ordered, ordered)
    kept = np.zeros(len(parents), dtype=bool)
    kept[order[np.arange(len(order)) - starts < limit]] = True
    return kept


def _nothing(calculation: Calculation, count: int) -> Values:
    if calculation in _COUNTS:
        return Values(np.zeros(count, dtype=np.int64))
    return Values(np.zeros(count), np.zeros(count, dtype=bool))


def _spread(values: Values, present: Int64s, count: int, calculation: Calculation) -> Values:
    """Values of some groups as values of all; the others have nothing to compute."""
    if len(present) == count:
        return values
    data = np.zeros(count, dtype=values.data.dtype)
    data[present] = values.data
    if calculation in _COUNTS:
        return Values(data)
    valid = np.zeros(count, dtype=bool)
    valid[present] = True if values.valid is None else values.valid
    return Values(data, valid)


def _filled(columns: Columns, question: Question) -> Columns:
    """With rows for the buckets of a series that have no events, if they are wanted."""
    if question.series is None or question.fill == "none" or columns.buckets is None:
        return columns
    window = question.windows[0]
    edges = np.array(question.series.edges(window, question.zone), dtype=np.int64) // 1_000_000
    paths = list(columns.codes)
    combos, which = _combos(columns, paths)
    wanted = np.stack([np.repeat(edges, len(combos)), np.tile(np.arange(len(combos)), len(edges))])
    have = {(int(b), int(w)): i for i, (b, w) in enumerate(zip(columns.buckets, which, strict=True))}
    place = np.array([have.get((int(b), int(w)), -1) for b, w in wanted.T], dtype=np.int64)
    found = place >= 0
    fields = {
        name: _fill(values, place, found, zero=question.fill == "zero")
        for name, values in columns.fields.items()
    }
    codes = {path: combos[wanted[1], i].astype(np.int32) for i, path in enumerate(paths)}
    return Columns(wanted[0], codes, fields, wanted.shape[1])


def _combos(columns: Columns, paths: Sequence[str]) -> tuple[Int64s, Int64s]:
    if not paths:
        return np.zeros((1, 0), dtype=np.int64), np.zeros(columns.count, dtype=np.int64)
    stacked = np.stack([columns.codes[path] for path in paths], axis=1).astype(np.int64)
    combos, which = np.unique(stacked, axis=0, return_inverse=True)
    return combos, which.reshape(-1).astype(np.int64)


def _fill(values: Values, place: Int64s, found: NDArray[np.bool_], *, zero: bool) -> Values:
    if len(values.data):
        data = np.where(found, values.data[np.maximum(place, 0)], 0)
        was = np.ones(len(place), dtype=bool) if values.valid is None else values.valid[np.maximum(place, 0)]
    else:
        data, was = np.zeros(len(place), dtype=values.data.dtype), np.zeros(len(place), dtype=bool)
    counted = values.valid is None and values.data.dtype == np.int64
    return Values(data, np.where(found, was, zero or counted))
