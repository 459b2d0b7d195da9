"""A quantile sketch: how many values fall into each bin of a logarithmic scale (DDSketch).

Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", PVLDB 12 (2019), section 2.

A value x falls into bin ceil(ln |x| / ln GAMMA); its sign is kept apart, and only 0 itself falls into
the bin of zero.  With GAMMA = 1.01 every percentile of every data set is within 0.4976 % of the
value at its rank, which is below the promised 0.5 % by more than floats can round.  A bin costs
8 to 12 bytes; a cell has at most as many bins as values, and some 700 for values from 1 to 1000.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.measures.kind import Kind
from aggflow.measures.state import Array, Groups, Int64s, Sketch, State, StateColumn, Values, sketch_of
from aggflow.spec.calculation import Calculation

GAMMA = 1.01
LN_GAMMA = math.log(GAMMA)
RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1)
# Above the largest |bin| of a 64-bit float (ln 5e-324 / ln GAMMA = -74,814), so that the key
# sign * (bin + OFFSET) is one whole number that ascends with the value.
OFFSET = 80_000
_MOST = np.finfo(np.float64).max
# Merged by a table of (group, key) where that is no longer than this, or some entries to be merged.
_DENSE = 1 << 18
_PART = 1 << 15
# As many numbers are computed one by one in less time than by numpy.
_FEW = 8


class Quantile:
    """Counts by bin."""

    name = "quantile"
    calculations = (Calculation.PERCENTILES,)

    def accepts(self, kind: Kind) -> bool:
        """Numbers."""
        return kind.is_number

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``keys`` int32 and ``counts`` int64, a list of each a cell."""
        return (StateColumn("keys", pa.int32(), None), StateColumn("counts", pa.int64(), None))

    def key(self, value: Any, kind: Kind) -> ir.Column:
        """sign(x) * (ceil(ln |x| / ln GAMMA) + OFFSET), and 0 for 0."""
        number: Any = value.cast("float64")
        # ln(0) raises on some backends and is minus infinity on others: it is never asked.
        size = number.abs().nullif(0.0)
        bins = ((size.ln() / LN_GAMMA).ceil() + OFFSET).cast("int32")
        zero: Any = ibis.literal(0, "int32")
        signed: Any = ibis.cases((number > 0, bins), (number < 0, -bins), else_=zero)
        return signed.cast("int32")

    def weigh(self, rows: ir.Table, value: ir.Column) -> ir.Scalar:
        """How many values fall into the bin."""
        return rows.count()

    def counts(self, weights: Array) -> Array:
        """The counts themselves."""
        return weights

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """Add the counts of equal bins."""
        return {"sketch": self.joined(sketch_of(state, "sketch"), groups)}

    def joined(self, sketch: Sketch, groups: Groups) -> Sketch:
        """A sketch's runs merged by group, the counts of equal keys added."""
        if len(sketch.keys) == 0:
            return Sketch(np.zeros(groups.count + 1, dtype=np.int64), sketch.keys, sketch.counts)
        least, most, gap = sketch.bounds
        least, most = least - _sign(least) * gap, most - _sign(most) * gap
        width = most - least + 1
        bases = np.arange(-least, groups.count * width - least, width)
        total = groups.count * width
        if total <= max(_DENSE, 16 * len(sketch.keys)):
            table = np.zeros(total, dtype=np.int64)
            for part, cells in _parts(sketch):
                base = bases if groups.count == 1 else np.repeat(bases[groups.codes[cells]], part.lengths)
                # Of other types than the table's and an index's it takes ten times as long.
                np.add.at(table, base + _closed(part.keys, gap), part.counts.astype(np.int64, copy=False))
            places = table.nonzero()[0]
            counts = table[places]
        else:
            place = np.repeat(bases[groups.codes], sketch.lengths) + _closed(sketch.keys, gap)
            order = np.argsort(place, kind="stable")
            ordered = place[order]
            starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
            places, counts = ordered[starts], np.add.reduceat(sketch.counts[order].astype(np.int64), starts)
        if groups.count == 1:
            return Sketch(np.array([0, len(places)]), _opened(places + least, gap), counts)
        offsets = places.searchsorted(np.arange(groups.count + 1) * width)
        return Sketch(offsets.astype(np.int64), _opened(places % width + least, gap), counts)

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """The value at rank max(1, ceil(n q)); null where there was no number."""
        sketch = sketch_of(state, "sketch")
        q = _fraction(percentile or "0.5")
        before = sketch.before
        n = before[sketch.offsets[1:]] - before[sketch.offsets[:-1]]
        valid = n > 0
        wanted = before[sketch.offsets[:-1]] + np.maximum(1, _ceil_times(n, q))
        at = np.searchsorted(before[1:], wanted, side="left")
        keys = np.zeros(len(n), dtype=np.int64)
        keys[valid] = sketch.keys[at[valid]]
        return Values(values_of(keys, kind), valid)


@lru_cache(256)
def _fraction(percentile: str) -> Fraction:
    return Fraction(Decimal(percentile))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _closed(keys: Array, gap: int) -> Array:
    """Keys without the gap around zero, so that a table of them is short; the order stays."""
    return keys - np.sign(keys) * gap if gap else keys


def _opened(keys: Int64s, gap: int) -> Array:
    """Keys with the gap around zero that :func:`_closed` took out."""
    return (keys + np.sign(keys) * gap if gap else keys).astype(np.int32)


def _parts(sketch: Sketch) -> Iterator[tuple[Sketch, slice]]:
    """The runs in parts that fit a processor's cache, and the cells of each part."""
    if len(sketch.keys) <= _PART:
        yield sketch, slice(0, sketch.cells)
        return
    edges = np.searchsorted(sketch.offsets, np.arange(0, len(sketch.keys) + _PART, _PART))
    edges[-1] = sketch.cells
    for start, stop in pairwise(edges.tolist()):
        if start < stop:
            yield sketch.slice(start, stop), slice(start, stop)


def values_of(keys: Int64s, kind: Kind) -> Array:
    """The value that stands for each bin: within RELATIVE_ERROR of all that fell into it."""
    values = np.sign(keys) * _sizes()[np.abs(keys)]
    return values / 10**kind.scale if kind.scale else values


@cache
def _sizes() -> Array:
    """By the absolute of a key, the absolute of the value that stands for it: 1.2 MB."""
    bins = np.arange(2 * OFFSET) - OFFSET
    with np.errstate(over="ignore", under="ignore"):
        sizes = np.minimum(np.exp(bins * LN_GAMMA + math.log(2 / (1 + GAMMA))), _MOST)
    sizes[0] = 0.0
    return sizes


def _ceil_times(n: Int64s, q: Fraction) -> Int64s:
    # In whole numbers: 0.07 of 100 is the 7th, whatever 0.07 is as a float.
    if len(n) <= _FEW or int(n.max()) * q.denominator >= 1 << 62:
        return np.array([-(-one * q.numerator // q.denominator) for one in n.tolist()], dtype=np.int64)
    return -((-n * q.numerator) // q.denominator)
