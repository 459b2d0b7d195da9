"""An answerer: makes a question's values of states, ordered and limited."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from aggflow.engine.bucket_sums import BucketSums
from aggflow.engine.columns import Columns
from aggflow.engine.output import computed
from aggflow.engine.plan import Piece
from aggflow.engine.question import Asked, Order, Question
from aggflow.engine.reader import Part, Reader, cut
from aggflow.engine.reduction import Kept, Reduced, Selection, Series, joined, merged, numbered, reduced
from aggflow.engine.reductions import Merged
from aggflow.errors import NotCoveredError, QueryError
from aggflow.language import Path
from aggflow.measures.cells import Cells
from aggflow.measures.kind import Kind
from aggflow.measures.registry import StateKey
from aggflow.measures.state import Int64s, Values
from aggflow.measures.vocabulary import Codes, Vocabulary
from aggflow.spec.calculation import Calculation
from aggflow.spec.endpoint import SERIES_ROWS
from aggflow.timeline import Window

_COUNTS = (Calculation.COUNT, Calculation.APPROX_COUNT_DISTINCT)
# Merging so many bucket sums takes longer than finding what they came to.
_MANY = 500
# A grain of a question: the window, and the groupings at which its states are kept.
_Grain = tuple[Window, tuple[str, ...]]


class Answerer:
    """Answers one question from one rollup.

    Parameters
    ----------
    question
        What is asked.
    find_pieces
        Where a window is read from.
    vocabularies
        The values of groupings, by path.
    reader
        Where cells come from.
    sums
        What was merged before.

    Attributes
    ----------
    kinds
        The kinds of the states' fields, as far as they were read.
    forms
        By state, the names of the bucket sums of all parts that it was made of; None of a part that was
        made of something else.
    """

    def __init__(
        self,
        question: Question,
        find_pieces: Callable[[Window], tuple[Piece, ...]],
        vocabularies: Mapping[str, Vocabulary],
        reader: Reader,
        sums: BucketSums,
    ) -> None:
        self._question = question
        self._sums = sums
        self._find_pieces = find_pieces
        self._reader = reader
        self.kinds: dict[StateKey, Kind] = {}
        self.forms: dict[StateKey, list[Hashable | None]] = {}
        self._vocabularies = vocabularies
        self._pieces = {window: self._read_from(window) for window in question.windows}
        self._keys: dict[_Grain, list[StateKey]] = {}
        for asked in question.fields:
            if asked.key is not None:
                self._keys.setdefault((asked.window, asked.key.groupings), []).append(asked.key)

    def columns(self) -> Columns:
        """The answer.

        Raises
        ------
        NotCoveredError
            A part of the window is not built, and live reading was not wanted.
        """
        columns = _filled(self._finished(self._kept()), self._question)
        columns = computed(columns, self._question, self._vocabularies)
        if columns.count == 1 and not self._question.exclude_empty:
            return columns
        order = self._ordered(columns)
        kept = self._limited(columns, order)
        return replace(columns.take(kept), cut=len(order) - len(kept))

    def _limited(self, columns: Columns, order: NDArray[np.intp]) -> NDArray[np.intp]:
        if self._question.exclude_empty:
            order = order[self._are_named(columns)[order]]
        most = self._question.per_bucket
        if most is not None and columns.buckets is not None:
            order = order[_first_of(columns.buckets[order], [np.arange(len(order))], most)]
        return order if self._question.limit is None else order[: self._question.limit]

    def _are_named(self, columns: Columns) -> NDArray[np.bool_]:
        """For every row, whether all of its groupings have a value that is not empty."""
        named = np.ones(columns.count, dtype=bool)
        for path in self._question.groupings.values():
            values = self._vocabularies[path].values
            named &= np.array([value not in (None, "") for value in values], dtype=bool)[columns.codes[path]]
        return named

    def _read_from(self, window: Window) -> tuple[Piece, ...]:
        found = self._find_pieces(window)
        live = [piece for piece in found if piece.is_live]
        if live and not self._question.live:
            gaps = ", ".join(str(piece.window) for piece in live[:3])
            raise NotCoveredError(f"not built: {gaps}", hint="build it, or let what is missing be read live")
        return found

    def _parts(
        self,
        grain: _Grain,
        keys: Container[StateKey],
        by: Sequence[str],
        series: Series | None,
        selection: Selection,
    ) -> Iterator[Cells]:
        """The selected cells of a window, with some states that are kept at some groupings, merged by part."""
        window, _ = grain
        of_window = [key for (of, _), keys in self._keys.items() if of == window for key in keys]
        mine = set(self._keys[grain])
        asked = list(dict.fromkeys(of_window))
        for part in self._reader.parts(self._pieces[window], asked, self._question.paths, self.kinds):
            if not mine & part.keys:
                continue
            wanted = [key for key in part.keys if key in mine and key in keys]
            found = self._part(part, wanted, by, series, selection)
            self._reader.spend(len(found.cells))
            self._reader.trace.cells[part.where] = found.read
            yield found.cells

    def _part(
        self,
        part: Part,
        wanted: Sequence[StateKey],
        by: Sequence[str],
        series: Series | None,
        selection: Selection,
    ) -> Merged:
        """One part merged: of the sums of its buckets where there are some, else of its cells."""
        form = self._form(part, wanted, by, selection)
        name = None if form is None else (form, part.buckets, series)
        kept = self._sums.kept.find(name)
        if kept is not None:
            return kept
        if form is not None:
            whole = partial(self._merged, part.load, wanted, by, part.width, selection)
            sums = self._sums.get(form, part.buckets, whole)
            if sums is not None:
                self._note(wanted, form)
                cells = cut(sums, part.buckets)
                found = Merged(merged(cells, by, series, self.kinds), len(cells))
                return found if found.read < _MANY else self._sums.kept.get(name, lambda: found)
        self._note(wanted, None)
        found = partial(self._merged, part.cells, wanted, by, series, selection)
        return self._sums.kept.get(name, found)

    def _note(self, keys: Sequence[StateKey], form: Hashable | None) -> None:
        for key in keys:
            self.forms.setdefault(key, []).append(form)

    def _merged(
        self,
        load: Callable[[], Cells],
        wanted: Sequence[StateKey],
        by: Sequence[str],
        series: Series | None,
        selection: Selection,
    ) -> Merged:
        cells = load()
        self._reader.spend(len(cells))
        selected = selection.of(cells.only(key for key in wanted if key in cells.states))
        return Merged(merged(self._with_stand_ins(selected), by, series, self.kinds), len(cells))

    def _with_stand_ins(self, cells: Cells) -> Cells:
        """Cells that say what a question says for missing values."""
        codes = dict(cells.codes)
        for path, stand_in in self._question.stand_ins.items():
            vocabulary = self._vocabularies[path]
            missing = codes[path] == vocabulary.code_of(None)
            codes[path] = np.where(missing, np.int32(vocabulary.code_of(stand_in)), codes[path])
        return replace(cells, codes=codes)

    def _form(
        self, part: Part, wanted: Sequence[StateKey], by: Sequence[str], selection: Selection
    ) -> Hashable | None:
        """Names what is made of a part's segment, whichever of its buckets are asked for; None where nothing does."""
        selected = selection.name
        if part.segment is None or selected is None:
            return None
        stand_ins = tuple(self._question.stand_ins.items())
        return (part.segment, frozenset(wanted), part.keys, tuple(by), selected, stand_ins)

    def _reduced(
        self, by: Sequence[str], series: Series | None, keys: Container[StateKey], selection: Selection
    ) -> dict[_Grain, Reduced]:
        """One cell a group, of each window and grain that has any."""
        found = {
            grain: joined(self._parts(grain, keys, by, series, selection), by, series, self.kinds)
            for grain in self._keys
        }
        return {grain: one for grain, one in found.items() if one is not None}

    def _selection(self, kept: Kept | None = None) -> Selection:
        return Selection(self._question.filters, self._vocabularies, kept, self._question.conditions)

    def _kept(self) -> Kept | None:
        """The first values of each limited grouping within those kept of the one before it."""
        question = self._question
        if not question.limits:
            return None
        paths = [question.groupings[name] for name, _ in question.limits]
        order = next((order for order in question.order if self._asked(order.by) is not None), None)
        asked = None if order is None else self._asked(order.by)
        grains = self._reduced(paths, None, () if asked is None else (asked.key,), self._selection())
        if not grains:
            return None
        columns = [np.concatenate([one.cells.codes[path] for one in grains.values()]) for path in paths]
        _, first = numbered(columns)
        codes = {path: column[first] for path, column in zip(paths, columns, strict=True)}
        ranking = (
            None if asked is None or asked.key is None else grains.get((asked.window, asked.key.groupings))
        )
        kept = np.ones(len(first), dtype=bool)
        for level, (_, limit) in enumerate(question.limits, start=1):
            kept &= self._first(codes, paths[:level], kept, limit, order, asked, ranking)
        return Kept(codes, kept)

    def _first(
        self,
        codes: Mapping[str, Codes],
        paths: Sequence[str],
        kept: NDArray[np.bool_],
        limit: int,
        order: Order | None,
        asked: Asked | None,
        ranking: Reduced | None,
    ) -> NDArray[np.bool_]:
        """For every combination, whether its value at a level is among the first within its parent."""
        rows = np.flatnonzero(kept)
        members, one = numbered([codes[path][rows] for path in paths])
        ranks: list[NDArray[np.generic]] = [self._ranks(paths[-1])[codes[paths[-1]][rows][one]]]
        if order is not None and asked is not None:
            values = self._ranked(Kept(codes, kept), paths, one, rows, asked, ranking)
            ranks = [*_sort_keys(values, descending=order.descending), *ranks]
        parents = np.zeros(len(one), dtype=np.int64)
        if len(paths) > 1:
            parents, _ = numbered([codes[path][rows][one] for path in paths[:-1]])
        chosen = np.zeros(len(kept), dtype=bool)
        chosen[rows] = _first_of(parents, ranks, limit)[members]
        return chosen

    def _ranked(
        self,
        kept: Kept,
        paths: Sequence[str],
        one: NDArray[np.intp],
        rows: NDArray[np.intp],
        asked: Asked,
        ranking: Reduced | None,
    ) -> Values:
        """The ranking field's value of every member of a level, merged at that level."""
        count = len(one)
        if ranking is None or asked.key not in ranking.cells.states:
            return _nothing(asked.calculation, count)
        cells = ranking.cells.take(kept.mask(ranking.cells))
        level = reduced([cells], paths, None, self.kinds)
        if level is None:
            return _nothing(asked.calculation, count)
        columns = [np.concatenate([kept.codes[path][rows][one], level.cells.codes[path]]) for path in paths]
        numbers, _ = numbered(columns)
        place = np.empty(len(numbers), dtype=np.int64)
        place[numbers[:count]] = np.arange(count)
        return _spread(
            asked.finished(level.cells.states, self.kinds), place[numbers[count:]], count, asked.calculation
        )

    def _finished(self, kept: Kept | None) -> Columns:
        question = self._question
        paths = list(question.groupings.values())
        series = None if question.series is None else (question.series, question.zone)
        every = {key for keys in self._keys.values() for key in keys}
        grains = self._reduced(paths, series, every, self._selection(kept))
        rows, places = _rows(grains, paths)
        # A total is one row, whether or not anything happened.
        count = len(rows) if paths or series is not None else 1
        fields = {asked.name: self._field(asked, grains, places, count) for asked in question.fields}
        fields |= {asked.name: _zeroed(fields[asked.name]) for asked in question.fields if asked.zero}
        return Columns(rows.buckets if series is not None else None, rows.codes, fields, count)

    def _field(
        self, asked: Asked, grains: Mapping[_Grain, Reduced], places: Mapping[_Grain, Int64s], count: int
    ) -> Values:
        """A field's value for every group; null, be it a count, where nothing kept its states."""
        if asked.key is None:
            return _null(count)
        grain = (asked.window, asked.key.groupings)
        if grain not in grains:
            return _nothing(asked.calculation, count)
        found = grains[grain]
        if asked.key not in found.cells.states:
            return _null(count)
        values = asked.finished(found.cells.states, self.kinds)
        if len(grains) > 1 or len(found.cells) < count:
            values = _spread(values, places[grain], count, asked.calculation)
        elif asked.calculation in _COUNTS:
            values = Values(values.data)
        if asked.key not in found.lacking:
            return values
        lacking = np.zeros(count, dtype=bool)
        lacking[places[grain]] = found.lacking[asked.key]
        return Values(values.data, ~lacking if values.valid is None else values.valid & ~lacking)

    def _ordered(self, columns: Columns) -> NDArray[np.intp]:
        question = self._question
        # numpy's lexsort takes the strongest term last.
        terms: list[NDArray[np.generic]] = []
        for order in question.order:
            if order.by in columns.fields:
                terms += _sort_keys(columns.fields[order.by], descending=order.descending)
            else:
                term = self._place(columns, order.by, as_text=order.as_text)
                missing = term == np.iinfo(np.int64).max
                terms += [missing, -term if order.descending else term]
        if columns.buckets is not None:
            terms.append(columns.buckets)
        by = {order.by for order in question.order}
        terms += [self._place(columns, name) for name in question.groupings if name not in by]
        if not terms or columns.count == 1:
            return np.arange(columns.count)
        return np.lexsort(terms[::-1])

    def _place(self, columns: Columns, name: str, *, as_text: bool = False) -> Int64s:
        """The place of every row by ``dt`` or a grouping, missing values last."""
        if name == "dt" and columns.buckets is not None:
            return columns.buckets
        path = self._question.groupings[name]
        vocabulary = self._vocabularies[path]
        places = vocabulary.ranks(as_text=as_text)[columns.codes[path]].astype(np.int64)
        places[columns.codes[path] == vocabulary.missing_code] = np.iinfo(np.int64).max
        return places

    def _ranks(self, path: str) -> Codes:
        return self._vocabularies[path].ranks()

    def _asked(self, name: str) -> Asked | None:
        """The field of a name; of an output that is a field as it is, that."""
        operand = next((output.operand for output in self._question.outputs if output.name == name), None)
        name = operand.parts[0] if isinstance(operand, Path) else name
        return next((asked for asked in self._question.fields if asked.name == name), None)


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


def _rows(grains: Mapping[_Grain, Reduced], paths: Sequence[str]) -> tuple[Cells, Mapping[_Grain, Int64s]]:
    """The cells of all grains without their states, each group once and in order; of each grain, where its are."""
    found = [one.cells for one in grains.values()] or [_no_cells(paths)]
    if len(found) == 1:
        # Each group once, and in order already.
        cells = found[0]
        return cells.only(()), {grain: np.arange(len(cells)) for grain in grains}
    columns = [np.concatenate([cells.buckets for cells in found])]
    columns += [np.concatenate([cells.codes[path] for cells in found]) for path in paths]
    numbers, first = numbered(columns)
    ends = np.cumsum([len(cells) for cells in found])[:-1]
    codes = {path: column[first].astype(np.int32) for path, column in zip(paths, columns[1:], strict=True)}
    rows = Cells(columns[0][first].astype(np.int64), codes, first, {})
    return rows, dict(zip(grains, np.split(numbers, ends), strict=True))


def _no_cells(paths: Sequence[str]) -> Cells:
    none = np.zeros(0, dtype=np.int64)
    return Cells(none, {path: none.astype(np.int32) for path in paths}, none, {})


def _nothing(calculation: Calculation, count: int) -> Values:
    if calculation in _COUNTS:
        return Values(np.zeros(count, dtype=np.int64))
    return _null(count)


def _null(count: int) -> Values:
    return Values(np.zeros(count), np.zeros(count, dtype=bool))


def _zeroed(values: Values) -> Values:
    """Values with 0 where there is none."""
    if values.valid is None:
        return values
    return Values(np.where(values.valid, values.data, np.zeros(1, dtype=values.data.dtype)))


def _spread(values: Values, present: Int64s, count: int, calculation: Calculation) -> Values:
    """Values of some groups as values of all; the others have nothing to compute."""
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
    paths = list(columns.codes)
    combos, which = _combos(columns, paths)
    # At least so many: refused before they are made.
    least = window.microseconds // (question.series.seconds_at_most * 1_000_000) * len(combos)
    if least > SERIES_ROWS:
        raise QueryError(
            f"the series has {least:,} rows or more with its empty buckets; at most {SERIES_ROWS:,} are answered",
            hint="shorten the duration, widen the interval, limit a grouping, or do without fill",
        )
    edges = np.array(question.series.edges(window, question.zone), dtype=np.int64) // 1_000_000
    wanted = np.stack([np.repeat(edges, len(combos)), np.tile(np.arange(len(combos)), len(edges))])
    have = {(int(b), int(w)): i for i, (b, w) in enumerate(zip(columns.buckets, which, strict=True))}
    place = np.array([have.get((int(b), int(w)), -1) for b, w in wanted.T], dtype=np.int64)
    found = place >= 0
    fields = {
        asked.name: _fill(
            columns.fields[asked.name],
            place,
            found,
            zero=asked.key is not None and (question.fill == "zero" or asked.calculation in _COUNTS),
        )
        for asked in question.fields
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
    # What is no number has no zero.
    zero = zero and (values.data.dtype != object or any(isinstance(v, Decimal) for v in values.data))
    if not len(values.data):
        return Values(np.zeros(len(place), dtype=values.data.dtype), np.full(len(place), zero))
    nothing = Decimal(0) if values.data.dtype == object else 0
    data = np.where(found, values.data[np.maximum(place, 0)], np.array(nothing, dtype=values.data.dtype))
    was = np.ones(len(place), dtype=bool) if values.valid is None else values.valid[np.maximum(place, 0)]
    return Values(data, np.where(found, was, zero))
