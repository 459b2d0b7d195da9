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
from aggflow.backends.capability import Capability
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.stage import stage
from aggflow.backends.statement import Statement
from aggflow.errors import SourceChangedError
from aggflow.measures.cells import Cells, Layout, empty_cells
from aggflow.measures.distinct import hashed_states
from aggflow.measures.kind import ROWS, Kind
from aggflow.measures.moments import shift_of
from aggflow.measures.registry import (
    CELL_MEASURES,
    ORDERED_MEASURES,
    SKETCH_MEASURES,
    StateKey,
    state_keys,
)
from aggflow.measures.state import Array, Groups, Int64s, Sketch, SketchMeasure, State
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.declaration import digest
from aggflow.spec.rollup import Rollup
from aggflow.timeline import ALWAYS, BEGINNING, Window, WindowSet

_CELL = {measure.name: measure for measure in CELL_MEASURES}
_ORDERED = {measure.name: measure for measure in ORDERED_MEASURES}
_SKETCH = {measure.name: measure for measure in SKETCH_MEASURES}
_BUCKET, _TIME, _ROWS, _KEY, _WEIGHT = "bucket", "time_us", "rows_", "key_", "weight_"
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
    table = _selected(rows, _conditions(rows, rollup, window))
    day: Any = quirks.floor_to(rows.time_us(window), DAY_US, rows.can)
    counted = table.select(day=day).group_by("day").aggregate(n=lambda t: t.count())
    found = rows.fetch(counted.filter(counted.day.notnull()).order_by("day"))
    return Extent(found["day"].to_numpy() // DAY_US, found["n"].to_numpy())


def null_times(rows: SourceRows, rollup: Rollup) -> int:
    """How many rows of a rollup have no time, and so belong to no window."""
    timeless = rows.table.filter([rows.timeless(), *_conditions(rows, rollup, ALWAYS)])
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
    conditions = [*_conditions(rows, rollup, ALWAYS), ingested >= since_us]
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
    projection = _projection(rows, rollup, layout, window, bucket)
    if (grain := _only_grain(layout)) is not None:
        cells = _Reader(rows, rollup, layout, bucket, vocabularies, projection, sql).grain(grain)
        grains = tuple(cells if i == grain else empty_cells(layout, i) for i in range(len(layout.grains)))
        return Read(grains, int(cells.rows.sum()), tuple(sql))
    with _staged(rows, projection, sql) as staged:
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
    at_once = all(key.measure in _CELL and key.measure != "moments" for key in layout.kinds)
    return (grains or [0])[0] if at_once and len(grains) <= 1 else None


def _agree(expected: int, counted: int, what: str) -> None:
    if expected != counted:
        raise SourceChangedError(
            f"the source changed while a batch was read: {what} hold {counted:,} rows of {expected:,}",
            hint="the batch is read again",
        )


def _projection(
    rows: SourceRows,
    rollup: Rollup,
    layout: Layout,
    window: Window,
    bucket: BucketExpression,
) -> ir.Table:
    conditions = _conditions(rows, rollup, window)
    columns: dict[str, Any] = {_BUCKET: bucket.number.cast("int64")}
    columns |= {_by(i): rows.grouping(path) for i, path in enumerate(rollup.groupings)}
    if any(key.measure in _ORDERED for key in layout.kinds):
        columns[_TIME] = rows.time_us(window)
    for key, name in _field_names(layout).items():
        columns[name] = _field(rows, key, layout.kinds[key])
    return _selected(rows, conditions).select(**columns)


def _selected(rows: SourceRows, conditions: list[ir.BooleanValue]) -> ir.Table:
    # Ibis refuses a filter without conditions.
    return rows.table.filter(conditions) if conditions else rows.table


def _conditions(rows: SourceRows, rollup: Rollup, window: Window) -> list[ir.BooleanValue]:
    conditions = rows.within(window)
    return [*conditions, rows.predicate(rollup.where)] if rollup.where else conditions


def _field(rows: SourceRows, key: StateKey, kind: Kind) -> ir.Column:
    if kind == ROWS:
        value: Any = ibis.literal(1, "int8")
    else:
        value = rows.field(key, kind)
        if key.measure == "distinct" and rows.can.hash:
            value = quirks.hashed(value, rows.can)
    if not key.where:
        return value
    where: Any = rows.predicate(key.where)
    return where.ifelse(value, ibis.null(value.type()))


def _field_names(layout: Layout) -> dict[StateKey, str]:
    """A staged column for every state; states of one field, sub-filter and form share it."""
    names: dict[tuple[str, str, str], str] = {}
    found: dict[StateKey, str] = {}
    for key, kind in layout.kinds.items():
        if key.measure == "count" and not key.where:
            continue  # the cell's own count of rows
        # Totals of integers take the column as it is: its width decides how it is added up.
        wide = kind.name == "integer" and key.measure != "total"
        form = "hash" if key.measure == "distinct" else f"{kind}{' wide' if wide else ''}"
        found[key] = names.setdefault((key.field, key.where, form), f"field{len(names)}")
    return found


def _by(i: int) -> str:
    return f"by{i}"


@contextmanager
def _staged(rows: SourceRows, projection: ir.Table, sql: list[Statement]) -> Iterator[ir.Table]:
    """The projected rows, copied once where the backend can, so that all statements read the same."""
    if rows.can.snapshot == "none":
        yield projection
        return
    sql.append(Statement(projection, rows.can.name))
    with stage(rows.con, rows.can, quirks.adapted(projection, rows.can)) as staged:
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
        self.names = _field_names(layout)
        self.columns = {path: _by(i) for i, path in enumerate(rollup.groupings)}
        self.shifts: dict[str, float] = {}

    def survey(self) -> int:
        """Count the rows, and find from where each field's moments are taken."""
        fields = sorted({self.names[key] for key in self.layout.kinds if key.measure == "moments"})
        aggregates: dict[str, Any] = {"n": self.staged.count()}
        for field in fields:
            value: Any = self.staged[field]
            aggregates |= {f"least_{field}": value.min(), f"most_{field}": value.max()}
        (found,) = self.fetch(self.staged.aggregate(**aggregates)).to_pylist()
        self.shifts = {field: shift_of(found[f"least_{field}"], found[f"most_{field}"]) for field in fields}
        return int(found["n"])

    def fetch(self, expression: ir.Table) -> pa.Table:
        self.sql.append(Statement(expression, self.rows.can.name))
        return self.rows.fetch(expression)

    def grain(self, grain: int) -> Cells:
        paths = self.layout.grains[grain]
        keys = self.layout.keys[grain]
        by = [_BUCKET, *(self.columns[path] for path in paths)]
        table = self.fetch(self.staged.group_by(by).aggregate(**self._aggregates(keys)))
        index = _Index(table, by, paths, self.vocabularies)
        states: dict[StateKey, State] = {}
        for key in keys:
            if key.measure in _CELL:
                states[key] = self._cell_state(key, table, index)
            elif key.measure in _ORDERED:
                states[key] = self._ordered_state(key, by, index)
            else:
                states[key] = self._sketch_state(key, by, index)
        buckets = self.bucket.starts(index.buckets)
        rows = _filled(table[_ROWS], 0)[index.order]
        cells = Cells(buckets, index.codes, rows, states)
        # Two zoned buckets never share a start, but a calendar may give rows out of order.
        return (
            cells
            if bool(np.all(buckets[1:] >= buckets[:-1]))
            else cells.take(np.argsort(buckets, kind="stable"))
        )

    def _aggregates(self, keys: tuple[StateKey, ...]) -> dict[str, ir.Scalar]:
        found: dict[str, ir.Scalar] = {_ROWS: self.staged.count()}
        for i, key in enumerate(keys):
            if key in self.names and key.measure in _CELL:
                field = self.names[key]
                built = _CELL[key.measure].build(
                    self.staged[field], self.layout.kinds[key], self.shifts.get(field, 0)
                )
                found |= {f"state{i}_{name}": aggregate for name, aggregate in built.items()}
            elif key.measure in _SKETCH:
                # The same column counted beside the sketch, to compare the two.
                found[f"seen{i}"] = self.staged[self.names[key]].count()
        return found

    def _cell_state(self, key: StateKey, table: pa.Table, index: _Index) -> State:
        kind = self.layout.kinds[key]
        columns = _CELL[key.measure].columns(kind)
        if key not in self.names:
            return {columns[0].name: _filled(table[_ROWS], 0)[index.order]}
        i = self.layout.keys[self.layout.grain_of(key)].index(key)
        return {
            column.name: _filled(table[f"state{i}_{column.name}"], column.neutral)[index.order]
            for column in columns
        }

    def _ordered_state(self, key: StateKey, by: list[str], index: _Index) -> State:
        measure, kind = _ORDERED[key.measure], self.layout.kinds[key]
        field = self.names[key]
        there = self.staged.filter(self.staged[field].notnull()).select(*by, _TIME, value_=field)
        table = self.fetch(_outermost(there, by, latest=measure.latest, can=self.rows.can))
        cell = index.cells_of(table)
        found: dict[str, Array] = {}
        for column in measure.columns(kind):
            entries = _filled(table[column.name], column.neutral)
            whole = np.full(index.count, column.neutral, dtype=entries.dtype)
            whole[cell] = entries
            found[column.name] = whole
        return found

    def _sketch_state(self, key: StateKey, by: list[str], index: _Index) -> State:
        measure, kind, field = _SKETCH[key.measure], self.layout.kinds[key], self.names[key]
        there = self.staged.filter(self.staged[field].notnull())
        if key.measure == "distinct" and not self.rows.can.hash:
            return self._hashed_here(there, field, by, index)
        keyed = there.mutate(**{_KEY: measure.key(there[field], kind)})
        table = self.fetch(
            keyed.group_by([*by, _KEY]).aggregate(
                **{_WEIGHT: measure.weigh(keyed, keyed[field]), _ROWS: keyed.count()}
            )
        )
        self._check_sketch(key, table, index)
        weights = measure.counts(table[_WEIGHT].to_numpy())
        return {"sketch": _runs(index.cells_of(table), table[_KEY].to_numpy(), weights, index.count, measure)}

    def _check_sketch(self, key: StateKey, table: pa.Table, index: _Index) -> None:
        i = self.layout.keys[self.layout.grain_of(key)].index(key)
        seen = int(_filled(index.table[f"seen{i}"], 0).sum())
        _agree(seen, int(_filled(table[_ROWS], 0).sum()), f"the sketches of {key.text}")

    def _hashed_here(self, there: ir.Table, field: str, by: list[str], index: _Index) -> State:
        table = self.fetch(there.group_by([*by, field]).aggregate(**{_ROWS: there.count()}))
        values = table[field].to_pandas()
        plain = values.astype("int64") if pa.types.is_integer(table[field].type) else values.astype(object)
        hash_array: Any = pandas.util.hash_array
        hashes = hash_array(plain.to_numpy(), categorize=False).view(np.int64)
        return {"sketch": hashed_states(index.cells_of(table), hashes, index.count)}


def _outermost(there: ir.Table, by: list[str], *, latest: bool, can: Capability) -> ir.Table:
    """The earliest or latest time of each cell, and the smallest or largest value of that time."""
    if not can.windows:
        order = [ibis.desc(_TIME), ibis.desc("value_")] if latest else [_TIME, "value_"]
        # Groups keep the order of their rows.
        ranked: Any = there.order_by(order)
        return ranked.group_by(by).aggregate(time=ranked[_TIME].first(), value=ranked.value_.first())
    time: Any = there[_TIME]
    best = (time.max() if latest else time.min()).over(ibis.window(group_by=by))
    there = there.mutate(best_=best)
    there = there.filter(there[_TIME] == there.best_)
    value: Any = there.value_
    return there.group_by(by).aggregate(time=there[_TIME].max(), value=value.max() if latest else value.min())


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
