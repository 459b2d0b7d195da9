"""Measured rows: states built by a real backend or by hand, and exact values to compare them with.

Rows are (time, value) pairs of one cell; what is exact here is computed with Fractions.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.errors import TotalOverflowError
from aggflow.measures.cells import Cells, Layout
from aggflow.measures.distinct import hashed_states
from aggflow.measures.kind import Kind
from aggflow.measures.quantile import LN_GAMMA, OFFSET
from aggflow.measures.registry import MEASURES, StateKey, state_key
from aggflow.measures.state import Column, Groups, Sketch, State
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept, Rollup
from aggflow.spec.source import Source
from aggflow.timeline import BEGINNING, FOREVER, Window

HOUR = Window(0, 3_600_000_000)
OVERFLOW = "overflow"
INT64 = (-(2**63), 2**63 - 1)
NUMERIC = tuple(
    c
    for c in Calculation
    if c not in (Calculation.FIRST, Calculation.LAST, Calculation.APPROX_COUNT_DISTINCT, Calculation.COUNT)
)
ANY = (Calculation.FIRST, Calculation.LAST, Calculation.APPROX_COUNT_DISTINCT)
MOMENTS = (Calculation.VAR, Calculation.VAR_POP, Calculation.STDDEV, Calculation.STDDEV_POP)


# By a real backend


@dataclass(frozen=True)
class Built:
    """What a backend made of a table: the rollup, its layout, cells of each grain, vocabularies."""

    rollup: Rollup
    layout: Layout
    grains: tuple[Cells, ...]
    vocabularies: Mapping[str, Vocabulary]

    def key(self, kept: Kept) -> StateKey:
        return state_key(kept, self.rollup)

    def cells(self, key: StateKey) -> Cells:
        return self.grains[self.layout.grain_of(key)]

    def values(self, kept: Kept, percentile: str | None = None) -> dict[tuple[Any, ...], Any]:
        """The finished value of every cell, by the values of its groupings."""
        key = self.key(kept)
        cells, kind = self.cells(key), self.layout.kinds[key]
        finished = finish(cells.states[key], kept.calculation, kind, percentile)
        return dict(zip(self.names(cells, key.groupings), finished, strict=True))

    def names(self, cells: Cells, paths: Sequence[str]) -> list[tuple[Any, ...]]:
        columns = [self.vocabularies[path].decode(cells.codes[path]) for path in paths]
        return [tuple(row) for row in zip(*columns, strict=True)] if columns else [()] * len(cells)


def built(table: ir.Table, kept: Iterable[Kept], groupings: tuple[str, ...] = ()) -> Built:
    """Read a table's states as a build does; its times lie in the first hour of 1970, in column ``t``."""
    rollup = Rollup("rows", "", "1h", "UTC", groupings, tuple(kept))
    with session(Source(name="rows", url="", time="t"), table) as opened:
        rows = SourceRows(opened)
        layout = layout_of(rollup, rows)
        vocabularies = {path: Vocabulary() for path in groupings}
        read = read_states(rows, rollup, layout, HOUR, vocabularies)
    return Built(rollup, layout, read.grains, vocabularies)


def one(table: ir.Table, field: str, calculation: Calculation, percentile: str | None = None) -> Any:
    """One value of a whole table."""
    kept = Kept(field, "", calculation)
    return built(table, [kept]).values(kept, percentile)[()]


def asked(table: ir.Table, sql: str) -> Any:
    """The answer of the table's backend to SQL of its own."""
    con: Any = table.get_backend()
    return con.raw_sql(sql)


def duckdb_table(select: str) -> ir.Table:
    con = ibis.duckdb.connect()
    con.raw_sql(f"create table rows as {select}")
    return con.table("rows")


def sqlite_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> ir.Table:
    con = sqlite3.connect(":memory:", check_same_thread=False)
    con.execute(f"create table rows ({', '.join(columns)})")
    con.executemany(f"insert into rows values ({', '.join('?' * len(columns))})", rows)
    con.commit()
    return ibis.sqlite.from_connection(con).table("rows")


# By hand


def by_hand(measure: str, kind: Kind, rows: Sequence[tuple[int, Any]]) -> State:
    """The state of one cell, made in plain Python."""
    there = [(time, value) for time, value in rows if value is not None]
    plain = [unscaled(value, kind) for _, value in there]
    if measure == "count":
        return _columns(rows=len(there))
    if measure == "total":
        if not kind.is_exact:
            return _columns(n=len(plain), sum=math.fsum(plain))
        return _columns(
            n=len(plain), high=sum(v >> 32 for v in plain), low=sum(v & (2**32 - 1) for v in plain)
        )
    if measure == "extremes":
        if kind.is_exact:
            return _columns(min=min(plain, default=INT64[1]), max=max(plain, default=INT64[0]))
        return _columns(min=min(plain, default=math.nan), max=max(plain, default=math.nan))
    if measure == "moments":
        exact = [Fraction(value) for _, value in there]
        mean = sum(exact) / len(exact) if exact else Fraction(0)
        return _columns(n=len(exact), mean=float(mean), m2=float(sum((v - mean) ** 2 for v in exact)))
    if measure in ("first", "last"):
        return _ordered_by_hand(kind, there, latest=measure == "last")
    if measure == "quantile":
        keys = sorted(_bin(value) for value in plain)
        found, counts = np.unique(np.array(keys, dtype=np.int32), return_counts=True)
        return {"sketch": Sketch(np.array([0, len(found)], dtype=np.int64), found, counts)}
    hashes = np.array([_hash(value) for value in plain], dtype=np.uint64).view(np.int64)
    return {"sketch": hashed_states(np.zeros(len(hashes), dtype=np.int64), hashes, 1)}


def joined(states: Sequence[State]) -> State:
    """Cells of several states, one behind the other."""
    return {name: _concat([state[name] for state in states]) for name in states[0]}


def taken(state: State, rows: Any) -> State:
    index = np.asarray(rows, dtype=np.intp)
    return {n: c.take(index) if isinstance(c, Sketch) else c[index] for n, c in state.items()}


def merged(measure: str, kind: Kind, state: State, codes: Sequence[int]) -> State:
    """States merged by groups that are numbered from 0 without gaps."""
    groups = Groups(np.array(codes, dtype=np.int64), max(codes) + 1)
    return MEASURES[measure].merge(state, groups, kind)


def finish(state: State, calculation: Calculation, kind: Kind, percentile: str | None = None) -> list[Any]:
    """Finished values, each cell for itself, so that one that overflows is only one."""
    measure = next(m for m in MEASURES.values() if calculation in m.calculations)
    found: list[Any] = []
    for cell in range(cells_of(state)):
        try:
            found += measure.finish(taken(state, [cell]), calculation, kind, percentile).to_list()
        except TotalOverflowError:
            found.append(OVERFLOW)
    return found


def cells_of(state: State) -> int:
    column = next(iter(state.values()))
    return column.cells if isinstance(column, Sketch) else len(column)


def same(left: State, right: State, *, relative: float = 0.0) -> bool:
    """Whether two states are equal, their floats up to a relative difference."""
    return left.keys() == right.keys() and all(_same(left[n], right[n], relative) for n in left)


# What is exact


def exact(
    calculation: Calculation, kind: Kind, rows: Sequence[tuple[int, Any]], percentile: str | None = None
) -> Any:
    """The value itself, None for none, OVERFLOW where it does not fit."""
    there = [(time, value) for time, value in rows if value is not None]
    values = [value for _, value in there]
    if calculation is Calculation.COUNT:
        return len(rows)
    if calculation is Calculation.APPROX_COUNT_DISTINCT:
        return len(set(values))
    if len(values) < (2 if calculation in (Calculation.VAR, Calculation.STDDEV) else 1):
        return None
    if calculation in (Calculation.FIRST, Calculation.LAST):
        return (max if calculation is Calculation.LAST else min)(there)[1]
    if calculation in (Calculation.MIN, Calculation.MAX):
        return (max if calculation is Calculation.MAX else min)(values)
    if calculation is Calculation.PERCENTILES:
        rank = max(1, math.ceil(len(values) * Fraction(percentile or "0.5")))
        return sorted(values)[rank - 1]
    return _exact_sums(calculation, kind, [Fraction(value) for value in values])


def agree(
    calculation: Calculation, kind: Kind, ours: Any, true: Any, rows: Sequence[tuple[int, Any]]
) -> bool:
    """Whether a finished value is as near to the exact one as is promised."""
    values = [value for _, value in rows if value is not None]
    if ours is None or true is None or true == OVERFLOW:
        return ours == true
    if calculation is Calculation.APPROX_COUNT_DISTINCT:
        return abs(ours - true) <= max(2, 5 * 0.016 * true)
    if calculation is Calculation.PERCENTILES:
        return abs(Fraction(ours) - Fraction(true)) <= Fraction("0.005") * abs(Fraction(true))
    if calculation in MOMENTS:
        # Relative to the variance, and to what floats can tell apart at such a size.
        size = max(Fraction(value) ** 2 for value in values)
        spread = float(Fraction(1, 10**9) * true + Fraction(len(values) * 4, 2**52) * size)
        squared = ours * ours if calculation in (Calculation.STDDEV, Calculation.STDDEV_POP) else ours
        return abs(squared - float(true)) <= spread * 1.01 + 5e-324
    if calculation is Calculation.AVG or (calculation is Calculation.SUM and not kind.is_exact):
        size = sum(abs(Fraction(value)) for value in values)
        n = len(values) if calculation is Calculation.AVG else 1
        return abs(Fraction(ours) - true) <= size * Fraction(len(values) + 4, 2**52) / n + Fraction(5e-324)
    return type(ours) is type(true) and ours == true


def unscaled(value: Any, kind: Kind) -> Any:
    """The whole number by which a decimal is kept; other values as they are."""
    return int(Fraction(value) * 10**kind.scale) if kind.name == "decimal" else value


def _exact_sums(calculation: Calculation, kind: Kind, values: Sequence[Fraction]) -> Any:
    total, n = sum(values, Fraction(0)), len(values)
    if calculation is Calculation.SUM:
        if kind.name == "integer":
            return int(total) if INT64[0] <= total <= INT64[1] else OVERFLOW
        if kind.name == "decimal":
            digits = int(total * 10**kind.scale)
            return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -kind.scale))
        return total
    mean = total / n
    if calculation is Calculation.AVG:
        return mean
    squares = sum(((value - mean) ** 2 for value in values), Fraction(0))
    # Of standard deviations the variance: agree() squares.
    return squares / (n - 1 if calculation in (Calculation.VAR, Calculation.STDDEV) else n)


def _ordered_by_hand(kind: Kind, there: Sequence[tuple[int, Any]], *, latest: bool) -> State:
    names = {"float": (np.float64, math.nan), "text": (object, None), "boolean": (object, None)}
    dtype, nothing = names.get(kind.name, (np.int64, 0))
    if not there:
        time, value = (BEGINNING if latest else FOREVER), nothing
    else:
        time, value = (max if latest else min)(there)
        value = unscaled(value, kind)
    return {"time": np.array([time], dtype=np.int64), "value": np.array([value], dtype=dtype)}


def _bin(value: float) -> int:
    if value == 0:
        return 0
    size = math.ceil(math.log(abs(value)) / LN_GAMMA) + OFFSET
    return size if value > 0 else -size


def _hash(value: Any) -> int:
    # Any 64 well-mixed bits will do (splitmix64, S. Vigna 2015).
    x = (hash(value) + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def _columns(**numbers: float) -> State:
    return {
        name: np.array([number], dtype=np.float64 if isinstance(number, float) else np.int64)
        for name, number in numbers.items()
    }


def _concat(columns: Sequence[Column]) -> Column:
    sketches = [column for column in columns if isinstance(column, Sketch)]
    return Sketch.concat(sketches) if sketches else np.concatenate([np.asarray(c) for c in columns])


def _same(left: Column, right: Column, relative: float) -> bool:
    if isinstance(left, Sketch) or isinstance(right, Sketch):
        assert isinstance(left, Sketch)
        assert isinstance(right, Sketch)
        return all(
            np.array_equal(getattr(left, name), getattr(right, name))
            for name in ("offsets", "keys", "counts")
        )
    if left.dtype == np.float64:
        return bool(np.allclose(left, right, rtol=relative, atol=0, equal_nan=True))
    return bool(np.array_equal(left, right))


def arrow(columns: Mapping[str, tuple[pa.DataType, Any]]) -> ir.Table:
    """A table on DuckDB of columns with Arrow types."""
    con = ibis.duckdb.connect()
    table = pa.table({name: pa.array(values, type=type_) for name, (type_, values) in columns.items()})
    return con.create_table("rows", table)
