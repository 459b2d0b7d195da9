"""Rollup SQL: source rows to states, by one GROUP BY a family of measures, where the rows are.

The window's rows are staged once, with the bucket and every field already computed and filtered
(null where a sub-filter leaves a row out, or where no number stands); each family of measures then
groups the staged rows.  Every family carries a count of rows by which it is checked against the
others before anything is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas.util
import pyarrow as pa

from aggflow.backends import quirks
from aggflow.backends.bucket import BucketExpression, bucket_of
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.stage import stage
from aggflow.backends.state_query import (
    CELL,
    COUNTED,
    KEY,
    ORDERED,
    SKETCH,
    WEIGHT,
    StateQueries,
    conditions_of,
    projection,
    selected,
)
from aggflow.backends.statement import Statement
from aggflow.errors import SourceChangedError
from aggflow.measures.cells import Cells, Layout, empty_cells
from aggflow.measures.distinct import hashed_states
from aggflow.measures.moments import shift_of
from aggflow.measures.registry import (
    StateKey,
    state_keys,
)
from aggflow.measures.state import Array, Groups, Int64s, Sketch, SketchMeasure, State
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.declaration import digest
from aggflow.spec.rollup import Rollup
from aggflow.timeline import ALWAYS, BEGINNING, Window, WindowSet

# Composite numbers of (bucket, groupings) up to which a table finds a cell faster than a search.
_TABLE = 1 << 26
_HOUR_US = 3_600_000_000
DAY_US = 24 * _HOUR_US


@dataclass(frozen=True)
class Extent:
    """How many rows of a source a rollup would take, by day.

    Attributes
    ----------
    days
        UTC days since the epoch that have rows, rising.
    rows
        How many rows each has.
    """

    days: Int64s
    rows: Int64s

    @property
    def window(self) -> Window | None:
        """From the first day that has rows to the end of the last."""
        if not len(self.days):
            return None
        return Window(int(self.days[0]) * DAY_US, (int(self.days[-1]) + 1) * DAY_US)

    def rows_in(self, window: Window) -> int:
        """About how many rows a window has: days that it cuts count by the part that it has."""
        starts = self.days * DAY_US
        shared = np.minimum(starts + DAY_US, window.end) - np.maximum(starts, window.start)
        return int((self.rows * (np.clip(shared, 0, None) / DAY_US)).sum())


@dataclass(frozen=True)
class Read:
    """What was read of one window.

    Attributes
    ----------
    grains
        The cells of every grain of the layout.
    rows
        How many source rows they sum up.
    sql
        The statements that were sent, for ``explain``.
    """

    grains: tuple[Cells, ...]
    rows: int
    sql: tuple[Statement, ...]


def layout_of(rollup: Rollup, rows: SourceRows) -> Layout:
    """Where the states of a rollup stand, as the source's columns are today.

    Raises
    ------
    NotFoundError, SourceTypeError
        A field is not there, or is nothing that its calculations can be made of.
    """
    kinds = {key: rows.kind(key) for key in state_keys(rollup)}
    hashed = any(key.measure == "distinct" for key in kinds)
    return Layout.of(rollup, kinds, hash_name(rows) if hashed else "")


def hash_name(rows: SourceRows) -> str:
    """Names the hash of distinct states: who computes it, and what it gives for fixed values.

    By what it gives, not by a version: an engine may change its hash in any release, and mostly does not.
    """
    if rows.can.hash:
        return f"{rows.can.name} {_fingerprint(rows)}"
    return "pandas hash_array 1"


_fingerprints: dict[tuple[str, str], str] = {}


def _fingerprint(rows: SourceRows) -> str:
    known = (rows.can.name, str(rows.con.version))
    if known not in _fingerprints:
        values = [ibis.literal(value) for value in ("", "JFK", "a text of more than sixteen characters", 7)]
        tables = [quirks.hashed(value, rows.can).name("hash").as_table() for value in values]
        hashes = [rows.fetch(table)["hash"][0].as_py() for table in tables]
        _fingerprints[known] = digest(hashes)
    return _fingerprints[known]


def extent(rows: SourceRows, rollup: Rollup, window: Window) -> Extent:
    """How many rows a rollup would take of a window, by day; it may have no beginning or end."""
    table = selected(rows, conditions_of(rows, rollup, window))
    day: Any = quirks.floor_to(rows.time_us(window), DAY_US, rows.can)
    counted = table.select(day=day).group_by("day").aggregate(n=lambda t: t.count())
    found = rows.fetch(counted.filter(counted.day.notnull()).order_by("day"))
    return Extent(found["day"].to_numpy() // DAY_US, found["n"].to_numpy())


def null_times(rows: SourceRows, rollup: Rollup) -> int:
    """How many rows of a rollup have no time, and so belong to no window."""
    timeless = rows.table.filter([rows.timeless(), *conditions_of(rows, rollup, ALWAYS)])
    return int(rows.fetch(timeless.aggregate(n=timeless.count()))["n"][0].as_py())


def newest_arrival(rows: SourceRows) -> int | None:
    """When the newest row arrived, in microseconds; the beginning of time if there is none.

    Returns
    -------
    int or None
        None where the source does not say when rows arrive.
    """
    ingested: Any = rows.ingested_us()
    if ingested is None:
        return None
    newest = rows.fetch(rows.table.aggregate(at=ingested.max()))["at"][0].as_py()
    return BEGINNING if newest is None else int(newest)


def touched_since(rows: SourceRows, rollup: Rollup, since_us: int) -> WindowSet:
    """The hours that got rows of a rollup at an instant of ingestion or later.

    Hours of UTC, whatever the interval: the plan snaps them to its buckets.
    """
    ingested: Any = rows.ingested_us()
    conditions = [*conditions_of(rows, rollup, ALWAYS), ingested >= since_us]
    hour = quirks.floor_to(rows.time_us(ALWAYS), _HOUR_US, rows.can)
    found = rows.fetch(rows.table.filter(conditions).select(hour=hour).distinct())["hour"]
    hours = [int(us) for us in found.to_pylist() if us is not None]
    return WindowSet(Window(us, us + _HOUR_US) for us in hours)


def read_states(
    rows: SourceRows,
    rollup: Rollup,
    layout: Layout,
    window: Window,
    vocabularies: Mapping[str, Vocabulary],
) -> Read:
    """The states of all rows of a window.

    Parameters
    ----------
    rows
        The open source.
    rollup, layout
        What to keep.
    window
        Whole buckets, or cut at the end; bounded where the interval needs it.
    vocabularies
        By grouping path; new values are added.

    Raises
    ------
    SourceChangedError
        Families of measures counted different rows: the source changed in between.
    """
    bucket = bucket_of(rows.time_us(window), rollup.width, rollup.zone, window, rows.can)
    sql: list[Statement] = []
    projected = projection(rows, rollup, layout, window, bucket)
    if (grain := _only_grain(layout)) is not None:
        cells = _Reader(rows, rollup, layout, bucket, vocabularies, projected, sql).grain(grain)
        grains = tuple(cells if i == grain else empty_cells(layout, i) for i in range(len(layout.grains)))
        return Read(grains, int(cells.rows.sum()), tuple(sql))
    with _staged(rows, projected, sql) as staged:
        reader = _Reader(rows, rollup, layout, bucket, vocabularies, staged, sql)
        total = reader.survey()
        if total == 0:
            return Read(tuple(empty_cells(layout, i) for i in range(len(layout.grains))), 0, tuple(sql))
        read = {i: reader.grain(i) for i, keys in enumerate(layout.keys) if keys} or {0: reader.grain(0)}
    for cells in read.values():
        _agree(total, int(cells.rows.sum()), "a rollup's cells")
    grains = tuple(read[i] if i in read else empty_cells(layout, i) for i in range(len(layout.grains)))
    return Read(grains, total, tuple(sql))


def _only_grain(layout: Layout) -> int | None:
    """The grain that one statement reads all of, so that nothing can change between two; None where it takes several."""
    grains = [i for i, keys in enumerate(layout.keys) if keys]
    # Moments are taken from a number in the middle of the values, which has to be found first.
    at_once = all(key.measure in CELL and key.measure != "moments" for key in layout.kinds)
    return (grains or [0])[0] if at_once and len(grains) <= 1 else None


def _agree(expected: int, counted: int, what: str) -> None:
    if expected != counted:
        raise SourceChangedError(
            f"the source changed while a batch was read: {what} hold {counted:,} rows of {expected:,}",
            hint="the batch is read again",
        )


@contextmanager
def _staged(rows: SourceRows, projected: ir.Table, sql: list[Statement]) -> Iterator[ir.Table]:
    """The projected rows, copied once where the backend can, so that all statements read the same."""
    if rows.can.snapshot == "none":
        yield projected
        return
    sql.append(Statement(projected, rows.can.name))
    with stage(rows.con, rows.can, quirks.adapted(projected, rows.can)) as staged:
        yield staged


class _Reader:
    """Reads the states of one window, grain by grain, from staged rows."""

    def __init__(
        self,
        rows: SourceRows,
        rollup: Rollup,
        layout: Layout,
        bucket: BucketExpression,
        vocabularies: Mapping[str, Vocabulary],
        staged: ir.Table,
        sql: list[Statement],
    ) -> None:
        self.rows = rows
        self.layout = layout
        self.bucket = bucket
        self.vocabularies = vocabularies
        self.staged = staged
        self.sql = sql
        self.asked = StateQueries(rollup, layout, staged, rows.can)
        self.names = self.asked.names
        self.shifts: dict[str, float] = {}

    def survey(self) -> int:
        """Count the rows, and find from where each field's moments are taken."""
        (found,) = self.fetch(self.asked.survey()).to_pylist()
        fields = self.asked.moment_fields()
        self.shifts = {field: shift_of(found[f"least_{field}"], found[f"most_{field}"]) for field in fields}
        return int(found["n"])

    def fetch(self, expression: ir.Table) -> pa.Table:
        self.sql.append(Statement(expression, self.rows.can.name))
        return self.rows.fetch(expression)

    def grain(self, grain: int) -> Cells:
        paths = self.layout.grains[grain]
        keys = self.layout.keys[grain]
        table = self.fetch(self.asked.cells(grain, self.shifts))
        index = _Index(table, self.asked.by(grain), paths, self.vocabularies)
        states: dict[StateKey, State] = {}
        for key in keys:
            if key.measure in CELL:
                states[key] = self._cell_state(key, table, index)
            elif key.measure in ORDERED:
                states[key] = self._ordered_state(key, index)
            else:
                states[key] = self._sketch_state(key, index)
        buckets = self.bucket.starts(index.buckets)
        rows = _filled(table[COUNTED], 0)[index.order]
        cells = Cells(buckets, index.codes, rows, states)
        # Two zoned buckets never share a start, but a calendar may give rows out of order.
        return (
            cells
            if bool(np.all(buckets[1:] >= buckets[:-1]))
            else cells.take(np.argsort(buckets, kind="stable"))
        )

    def _cell_state(self, key: StateKey, table: pa.Table, index: _Index) -> State:
        kind = self.layout.kinds[key]
        columns = CELL[key.measure].columns(kind)
        if key not in self.names:
            return {columns[0].name: _filled(table[COUNTED], 0)[index.order]}
        i = self.layout.keys[self.layout.grain_of(key)].index(key)
        return {
            column.name: _filled(table[f"state{i}_{column.name}"], column.neutral)[index.order]
            for column in columns
        }

    def _ordered_state(self, key: StateKey, index: _Index) -> State:
        measure, kind = ORDERED[key.measure], self.layout.kinds[key]
        table = self.fetch(self.asked.outermost(key))
        cell = index.cells_of(table)
        found: dict[str, Array] = {}
        for column in measure.columns(kind):
            entries = _filled(table[column.name], column.neutral)
            whole = np.full(index.count, column.neutral, dtype=entries.dtype)
            whole[cell] = entries
            found[column.name] = whole
        return found

    def _sketch_state(self, key: StateKey, index: _Index) -> State:
        measure, field = SKETCH[key.measure], self.names[key]
        table = self.fetch(self.asked.sketch(key))
        if key.measure == "distinct" and not self.rows.can.hash:
            return self._hashed_here(table[field], index.cells_of(table), index.count)
        self._check_sketch(key, table, index)
        weights = measure.counts(table[WEIGHT].to_numpy())
        return {"sketch": _runs(index.cells_of(table), table[KEY].to_numpy(), weights, index.count, measure)}

    def _check_sketch(self, key: StateKey, table: pa.Table, index: _Index) -> None:
        i = self.layout.keys[self.layout.grain_of(key)].index(key)
        seen = int(_filled(index.table[f"seen{i}"], 0).sum())
        _agree(seen, int(_filled(table[COUNTED], 0).sum()), f"the sketches of {key.text}")

    def _hashed_here(self, found: pa.ChunkedArray, cells: Int64s, count: int) -> State:
        values = found.to_pandas()
        plain = values.astype("int64") if pa.types.is_integer(found.type) else values.astype(object)
        hash_array: Any = pandas.util.hash_array
        hashes = hash_array(plain.to_numpy(), categorize=False).view(np.int64)
        return {"sketch": hashed_states(cells, hashes, count)}


class _Index:
    """Finds a row's cell: the place of its bucket and groupings among a grain's cells."""

    def __init__(
        self, table: pa.Table, by: list[str], paths: tuple[str, ...], vocabularies: Mapping[str, Vocabulary]
    ) -> None:
        self.table = table
        self._by = by
        self._paths = paths
        self._vocabularies = vocabularies
        self.count = table.num_rows
        buckets, codes = self._decoded(table)
        self._known = np.unique(buckets)
        self._sizes = [len(vocabularies[path]) for path in paths]
        composite = self._composite(buckets, codes)
        self.order = np.argsort(composite, kind="stable")
        self._sorted = composite[self.order]
        self.buckets = buckets[self.order]
        self.codes = {path: code[self.order] for path, code in zip(paths, codes, strict=True)}
        self._places = self._table_of_places()

    def cells_of(self, table: pa.Table) -> Int64s:
        """The cell of each row of another table that is grouped in the same way."""
        composite = self._composite(*self._decoded(table))
        if len(composite) and int(composite.max()) > self._sorted[-1]:
            _agree(0, 1, "cells that were not there before")
        cells = np.searchsorted(self._sorted, composite) if self._places is None else self._places[composite]
        if not bool(np.array_equal(self._sorted[cells], composite)):
            _agree(0, 1, "cells that were not there before")
        return cells

    def _decoded(self, table: pa.Table) -> tuple[Int64s, list[Array]]:
        codes = [
            self._vocabularies[path].encode(table[column])
            for path, column in zip(self._paths, self._by[1:], strict=True)
        ]
        return table[self._by[0]].to_numpy(), codes

    def _composite(self, buckets: Int64s, codes: list[Array]) -> Int64s:
        composite = np.searchsorted(self._known, buckets).astype(np.int64)
        for size, code in zip(self._sizes, codes, strict=True):
            composite = composite * size + code
        return composite

    def _table_of_places(self) -> Array | None:
        most = len(self._known) * int(np.prod(self._sizes, dtype=np.float64))
        if most > _TABLE:
            return None
        places = np.zeros(most, dtype=np.int64)
        places[self._sorted] = np.arange(self.count)
        return places


def _runs(cells: Int64s, keys: Array, counts: Array, count: int, measure: SketchMeasure) -> Sketch:
    """Rows of (cell, key, count) as a sketch: runs in the order of cells, keys ascending."""
    keys = keys.astype(np.int64)
    least = int(keys.min()) if len(keys) else 0
    width = (int(keys.max()) - least + 1) if len(keys) else 1
    place = cells * width + (keys - least)
    order = np.argsort(place)
    place = place[order]
    offsets = np.searchsorted(place, np.arange(count + 1) * width).astype(np.int64)
    sketch = Sketch(offsets, keys[order].astype(np.int32), counts[order])
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
