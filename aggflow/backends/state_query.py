"""State queries: what is asked of the rows of a window, one query a family of measures.

Pure expressions: who sends them, and what becomes of their rows, is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

from aggflow.backends import quirks
from aggflow.backends.bucket import BucketExpression, bucket_of
from aggflow.backends.capability import Capability
from aggflow.backends.source_rows import SourceRows
from aggflow.measures.cells import Layout
from aggflow.measures.kind import ROWS, Kind
from aggflow.measures.registry import CELL_MEASURES, ORDERED_MEASURES, SKETCH_MEASURES, StateKey
from aggflow.spec.rollup import Rollup
from aggflow.timeline import Window

CELL = {measure.name: measure for measure in CELL_MEASURES}
ORDERED = {measure.name: measure for measure in ORDERED_MEASURES}
SKETCH = {measure.name: measure for measure in SKETCH_MEASURES}
BUCKET, TIME, COUNTED, KEY, WEIGHT = "bucket", "time_us", "rows_", "key_", "weight_"


class StateQueries:
    """The queries to staged rows.

    Parameters
    ----------
    rollup, layout
        What to keep.
    staged
        The rows, as :func:`projection` made them.
    can
        The backend.
    """

    def __init__(self, rollup: Rollup, layout: Layout, staged: ir.Table, can: Capability) -> None:
        self._rollup = rollup
        self.layout = layout
        self.staged = staged
        self.can = can
        self.names = field_names(layout)
        self.columns = {path: by_column(i) for i, path in enumerate(rollup.groupings)}

    def by(self, grain: int) -> list[str]:
        """The columns by which the cells of a grain are told apart."""
        return [BUCKET, *(self.columns[path] for path in self.layout.grains[grain])]

    def moment_fields(self) -> list[str]:
        """The staged columns of which moments are kept."""
        return sorted({self.names[key] for key in self.layout.kinds if key.measure == "moments"})

    def survey(self) -> ir.Table:
        """How many rows there are, and between which numbers the fields of moments lie."""
        aggregates: dict[str, Any] = {"n": self.staged.count()}
        for field in self.moment_fields():
            value: Any = self.staged[field]
            aggregates |= {f"least_{field}": value.min(), f"most_{field}": value.max()}
        return self.staged.aggregate(**aggregates)

    def buckets(self) -> ir.Table:
        """How many rows each bucket has."""
        return self.staged.group_by(BUCKET).aggregate(**{COUNTED: self.staged.count()})

    def within(self, first: int, last: int) -> StateQueries:
        """The queries to the rows of buckets from a number to another, both included."""
        number: Any = self.staged[BUCKET]
        return StateQueries(
            self._rollup, self.layout, self.staged.filter(number.between(first, last)), self.can
        )

    def cells(self, grain: int, shifts: Mapping[str, float]) -> ir.Table:
        """All that has a few numbers a cell."""
        return self.staged.group_by(self.by(grain)).aggregate(
            **self._aggregates(self.layout.keys[grain], shifts)
        )

    def _aggregates(self, keys: tuple[StateKey, ...], shifts: Mapping[str, float]) -> dict[str, ir.Scalar]:
        found: dict[str, ir.Scalar] = {COUNTED: self.staged.count()}
        for i, key in enumerate(keys):
            if key in self.names and key.measure in CELL:
                field = self.names[key]
                built = CELL[key.measure].build(
                    self.staged[field], self.layout.kinds[key], shifts.get(field, 0)
                )
                found |= {f"state{i}_{name}": aggregate for name, aggregate in built.items()}
            elif key.measure in SKETCH:
                # The same column counted beside the sketch, to compare the two.
                found[f"seen{i}"] = self.staged[self.names[key]].count()
        return found

    def outermost(self, key: StateKey) -> ir.Table:
        """The earliest or latest time of each cell, and the smallest or largest value of that time."""
        by, latest = self.by(self.layout.grain_of(key)), ORDERED[key.measure].latest
        there = self._there(key).select(*by, TIME, value_=self.names[key])
        if not self.can.windows:
            order = [ibis.desc(TIME), ibis.desc("value_")] if latest else [TIME, "value_"]
            # Groups keep the order of their rows.
            ranked: Any = there.order_by(order)
            return ranked.group_by(by).aggregate(time=ranked[TIME].first(), value=ranked.value_.first())
        time: Any = there[TIME]
        best = (time.max() if latest else time.min()).over(ibis.window(group_by=by))
        there = there.mutate(best_=best)
        there = there.filter(there[TIME] == there.best_)
        value: Any = there.value_
        return there.group_by(by).aggregate(
            time=there[TIME].max(), value=value.max() if latest else value.min()
        )

    def sketch(self, key: StateKey) -> ir.Table:
        """The weight of each key of each cell; of values that are hashed elsewhere, the distinct ones."""
        by, field = self.by(self.layout.grain_of(key)), self.names[key]
        there = self._there(key)
        if key.measure == "distinct" and not self.can.hash:
            return there.group_by([*by, field]).aggregate(**{COUNTED: there.count()})
        measure = SKETCH[key.measure]
        keyed = there.mutate(**{KEY: measure.key(there[field], self.layout.kinds[key])})
        return keyed.group_by([*by, KEY]).aggregate(
            **{WEIGHT: measure.weigh(keyed, keyed[field]), COUNTED: keyed.count()}
        )

    def _there(self, key: StateKey) -> ir.Table:
        return self.staged.filter(self.staged[self.names[key]].notnull())


def queries(
    rows: SourceRows, rollup: Rollup, layout: Layout, window: Window, *, staged_as: str = ""
) -> Iterator[tuple[str, ir.Table]]:
    """Every query for the states of a window, by a name, as this backend has to be given it.

    With the name of a table of staged rows, those that group ask that table, not the source.
    """
    bucket = bucket_of(rows.time_us(window), rollup.width, rollup.zone, window, rows.can)
    staged = projection(rows, rollup, layout, window, bucket)
    asked_of = ibis.table(staged.schema(), name=staged_as) if staged_as else staged
    asked = StateQueries(rollup, layout, asked_of, rows.can)
    found = [("rows", staged), ("survey", asked.survey())]
    found += [(f"cells {i}", asked.cells(i, {})) for i, keys in enumerate(layout.keys) if keys]
    for key in layout.kinds:
        if key.measure in ORDERED:
            found.append((key.text, asked.outermost(key)))
        elif key.measure in SKETCH:
            found.append((key.text, asked.sketch(key)))
    yield from ((name, quirks.adapted(query, rows.can)) for name, query in found)


def projection(
    rows: SourceRows,
    rollup: Rollup,
    layout: Layout,
    window: Window,
    bucket: BucketExpression,
) -> ir.Table:
    """The rows of a window as they are staged: bucket, groupings, time and every field, computed and filtered."""
    conditions = conditions_of(rows, rollup, window)
    columns: dict[str, Any] = {BUCKET: bucket.number.cast("int64")}
    columns |= {by_column(i): rows.grouping(path) for i, path in enumerate(rollup.groupings)}
    if any(key.measure in ORDERED for key in layout.kinds):
        columns[TIME] = rows.time_us(window)
    for key, name in field_names(layout).items():
        columns[name] = _field(rows, key, layout.kinds[key])
    return selected(rows, conditions).select(**columns)


def selected(rows: SourceRows, conditions: list[ir.BooleanValue]) -> ir.Table:
    """The rows that meet all conditions."""
    # Ibis refuses a filter without conditions.
    return rows.table.filter(conditions) if conditions else rows.table


def conditions_of(rows: SourceRows, rollup: Rollup, window: Window) -> list[ir.BooleanValue]:
    """What makes rows be of a rollup and a window."""
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


def field_names(layout: Layout) -> dict[StateKey, str]:
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


def by_column(i: int) -> str:
    """The staged column of a grouping."""
    return f"by{i}"
