"""A state reader: reads the states of some buckets, grain by grain, from the rows of a window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas.util
import pyarrow as pa

from aggflow.backends.agreement import agree
from aggflow.backends.bucket import BucketExpression
from aggflow.backends.cell_index import CellIndex
from aggflow.backends.slice import whole_buckets
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.state_query import BUCKET, CELL, COUNTED, KEY, ORDERED, SKETCH, WEIGHT, StateQueries
from aggflow.backends.statement import Statement
from aggflow.measures.cells import Cells, neutral_state
from aggflow.measures.distinct import hashed_states
from aggflow.measures.registry import StateKey
from aggflow.measures.state import Array, Groups, Int64s, Sketch, SketchMeasure, State
from aggflow.measures.vocabulary import Vocabulary


class StateReader:
    """Reads the states of some rows.

    A sketch arrives by record batches, each of which is given up for a few narrow numbers a row before the
    next is taken.

    Parameters
    ----------
    rows
        The open source.
    asked
        What is asked of the rows, staged or not.
    bucket
        Of the number by which they are grouped.
    vocabularies
        By grouping path; new values are added.
    shifts
        By the field of moments, the number from which they are taken.
    """

    def __init__(
        self,
        rows: SourceRows,
        asked: StateQueries,
        bucket: BucketExpression,
        vocabularies: Mapping[str, Vocabulary],
        shifts: Mapping[str, float],
    ) -> None:
        self._rows = rows
        self._asked = asked
        self._layout = asked.layout
        self._bucket = bucket
        self._vocabularies = vocabularies
        self._shifts = shifts
        self.sql: list[Statement] = []

    def grain(self, grain: int) -> Cells:
        """The cells of a grain.

        Raises
        ------
        SourceChangedError
            Two statements counted different rows.
        """
        expression = self._asked.cells(grain, self._shifts)
        self._note(expression)
        return self._cells(grain, self._rows.fetch(expression))

    def stream_grain(self, grain: int, most: int) -> Iterator[Cells]:
        """The cells of a grain that one statement reads all of, about so many at a time, whole buckets."""
        expression = self._asked.cells(grain, self._shifts).order_by(BUCKET)
        self._note(expression)
        for table in whole_buckets(self._rows.stream(expression), BUCKET, most):
            yield self._cells(grain, table)

    def _cells(self, grain: int, table: pa.Table) -> Cells:
        """The cells of a grain whose few numbers a cell were read already."""
        index = CellIndex(table, self._asked.by(grain), self._layout.grains[grain], self._vocabularies)
        states = {key: self._state(key, table, index) for key in self._layout.keys[grain]}
        buckets = self._bucket.starts(index.buckets)
        rows = _filled(table[COUNTED], 0)[index.order]
        cells = Cells(buckets, index.codes, rows, states)
        # Two zoned buckets never share a start, but a calendar may give rows out of order.
        return (
            cells
            if bool(np.all(buckets[1:] >= buckets[:-1]))
            else cells.take(np.argsort(buckets, kind="stable"))
        )

    def _note(self, expression: ir.Table) -> None:
        self.sql.append(Statement(expression, self._rows.can.name))

    def _streamed(self, expression: ir.Table) -> Iterator[pa.Table]:
        self._note(expression)
        return (pa.Table.from_batches([batch]) for batch in self._rows.stream(expression))

    def _state(self, key: StateKey, table: pa.Table, index: CellIndex) -> State:
        if key.measure in CELL:
            return self._cell_state(key, table, index)
        return self._ordered_state(key, index) if key.measure in ORDERED else self._sketch_state(key, index)

    def _cell_state(self, key: StateKey, table: pa.Table, index: CellIndex) -> State:
        columns = CELL[key.measure].columns(self._layout.kinds[key])
        if key not in self._asked.names:
            return {columns[0].name: _filled(table[COUNTED], 0)[index.order]}
        i = self._place(key)
        return {
            column.name: _filled(table[f"state{i}_{column.name}"], column.neutral)[index.order]
            for column in columns
        }

    def _ordered_state(self, key: StateKey, index: CellIndex) -> State:
        expression = self._asked.outermost(key)
        self._note(expression)
        table = self._rows.fetch(expression)
        cell = index.cells_of(table)
        found: dict[str, Array] = {}
        for column in ORDERED[key.measure].columns(self._layout.kinds[key]):
            entries = _filled(table[column.name], column.neutral)
            whole = np.full(index.count, column.neutral, dtype=entries.dtype)
            whole[cell] = entries
            found[column.name] = whole
        return found

    def _sketch_state(self, key: StateKey, index: CellIndex) -> State:
        if key.measure == "distinct" and not self._rows.can.hash:
            return self._hashed_here(key, index)
        measure, counted = SKETCH[key.measure], 0
        parts: list[tuple[Array, Array, Array]] = []
        for table in self._streamed(self._asked.sketch(key)):
            counted += int(_filled(table[COUNTED], 0).sum())
            # Copies: an array that looks into a record batch would keep it.
            weights = np.array(measure.counts(table[WEIGHT].to_numpy()))
            parts.append(
                (index.cells_of(table).astype(np.int32), table[KEY].to_numpy().astype(np.int32), weights)
            )
        seen = int(_filled(index.table[f"seen{self._place(key)}"], 0).sum())
        agree(seen, counted, f"the sketches of {key.text}")
        if not parts:
            return neutral_state(key, self._layout.kinds[key], index.count)
        return {"sketch": _runs(parts, index.count, measure)}

    def _hashed_here(self, key: StateKey, index: CellIndex) -> State:
        field = self._asked.names[key]
        cells, hashes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for table in self._streamed(self._asked.sketch(key)):
            cells.append(index.cells_of(table))
            hashes.append(_hashes(table[field]))
        return {"sketch": hashed_states(np.concatenate(cells), np.concatenate(hashes), index.count)}

    def _place(self, key: StateKey) -> int:
        return self._layout.keys[self._layout.grain_of(key)].index(key)


def _hashes(found: pa.ChunkedArray) -> Int64s:
    values = found.to_pandas()
    plain = values.astype("int64") if pa.types.is_integer(found.type) else values.astype(object)
    hash_array: Any = pandas.util.hash_array
    return hash_array(plain.to_numpy(), categorize=False).view(np.int64)


def _runs(parts: list[tuple[Array, Array, Array]], count: int, measure: SketchMeasure) -> Sketch:
    """Rows of (cell, key, count) as a sketch: runs in the order of cells, keys ascending."""
    cells, keys, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    parts.clear()
    least = int(keys.min()) if len(keys) else 0
    width = (int(keys.max()) - least + 1) if len(keys) else 1
    place = cells.astype(np.int64) * width + (keys - np.int64(least))
    order = np.argsort(place)
    place = place[order]
    offsets = np.searchsorted(place, np.arange(count + 1) * width).astype(np.int64)
    sketch = Sketch(offsets, keys[order], counts[order])
    if len(place) > 1 and bool(np.any(place[1:] == place[:-1])):
        # Two values of a grouping that are one here (a NaN and a null) gave a key twice.
        return measure.joined(sketch, Groups(np.arange(count), count))
    return sketch


def _filled(column: pa.ChunkedArray, neutral: Any) -> Array:
    if pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return np.array(column.to_pylist(), dtype=object)
    if column.null_count and neutral is not None:
        column = column.fill_null(pa.scalar(neutral, column.type))
    return column.to_numpy()
