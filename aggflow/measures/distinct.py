"""A distinct sketch: the highest rank that a hash reached in each of 4096 slots (HyperLogLog).

Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
arXiv:1702.01284, section 4, algorithm 6.  Standard error 1.6 %.

A hash's low 12 bits name its slot; its rank is one more than the number of zeros at the low end of
the other 52 bits.  A state counts only with the hash that made it: its name belongs to the rollup's
version, and states of two hashes are never merged.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.measures.kind import Kind
from aggflow.measures.state import Array, Groups, Int64s, Sketch, State, StateColumn, Values, sketch_of
from aggflow.spec.calculation import Calculation

SLOT_BITS = 12
SLOTS = 1 << SLOT_BITS
REST_BITS = 64 - SLOT_BITS
_REST = (1 << REST_BITS) - 1
_NO_BIT = 1 << REST_BITS
_RANKS = 64
_DENSE = 1 << 22
_CELLS_AT_ONCE = 4096
_FEW = 8


class Distinct:
    """The highest rank by slot."""

    name = "distinct"
    calculations = (Calculation.APPROX_COUNT_DISTINCT,)

    def accepts(self, kind: Kind) -> bool:
        """Any field."""
        return kind.name != "rows"

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``keys`` (slots) int16 and ``counts`` (ranks) int8, a list of each a cell."""
        return (StateColumn("keys", pa.int16(), None), StateColumn("counts", pa.int8(), None))

    def key(self, value: Any, kind: Kind) -> ir.Column:
        """The slot of a 64-bit hash."""
        return (value & (SLOTS - 1)).cast("int16")

    def weigh(self, rows: ir.Table, value: Any) -> ir.Scalar:
        """The lowest set bit of the hashes in the slot: the higher, the higher their rank.

        A whole number compares faster than its logarithm is taken, and no backend's rounding of
        logarithms can matter; :meth:`counts` makes ranks of them.
        """
        rest = ((value >> SLOT_BITS) & ibis.literal(_REST, value.type())).cast("int64")
        bit: Any = ibis.coalesce((rest & -rest).nullif(0), _NO_BIT)
        return bit.max()

    def counts(self, weights: Array) -> Array:
        """The ranks of lowest set bits."""
        return (np.log2(weights.astype(np.float64)) + 1).astype(np.int8)

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """The higher rank of equal slots."""
        return {"sketch": self.joined(sketch_of(state, "sketch"), groups)}

    def joined(self, sketch: Sketch, groups: Groups) -> Sketch:
        """A sketch's runs merged by group, the highest count of equal keys kept."""
        if groups.count * SLOTS > max(_DENSE, 16 * len(sketch.keys)):
            return _sorted_out(sketch, groups)
        # A table of all slots: cheaper than sorting the entries, while it is not much larger.
        table = np.zeros(groups.count * SLOTS, dtype=np.int8)
        place = sketch.keys if groups.count == 1 else groups.spread(sketch) * SLOTS + sketch.keys
        np.maximum.at(table, place, sketch.counts)
        places = np.flatnonzero(table)
        return _by_group(places, table[places], groups.count)

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """Ertl's estimate, rounded to a whole number; 0 where there was no value."""
        return Values(estimates(sketch_of(state, "sketch")))


def _sorted_out(sketch: Sketch, groups: Groups) -> Sketch:
    packed = np.sort((groups.spread(sketch) * SLOTS + sketch.keys) * _RANKS + sketch.counts)
    places = packed // _RANKS
    last = np.flatnonzero(np.append(places[1:] != places[:-1], np.ones(min(len(places), 1), dtype=bool)))
    return _by_group(places[last], (packed[last] % _RANKS).astype(np.int8), groups.count)


def _by_group(places: Int64s, ranks: Array, count: int) -> Sketch:
    offsets = np.searchsorted(places, np.arange(count + 1) * SLOTS).astype(np.int64)
    return Sketch(offsets, (places % SLOTS).astype(np.int16), ranks)


def hashed_states(cells: Int64s, hashes: Int64s, count: int) -> Sketch:
    """The sketch of hashes that were computed here: for backends that have no 64-bit hash.

    Parameters
    ----------
    cells
        The cell of every hash, 0 to ``count - 1``.
    hashes
        64-bit hashes of distinct values.
    count
        How many cells there are.
    """
    rest = (hashes >> SLOT_BITS) & _REST
    ranks = Distinct().counts(np.where(rest == 0, _NO_BIT, rest & -rest))
    order = np.argsort(cells, kind="stable")
    offsets = np.searchsorted(cells[order], np.arange(count + 1)).astype(np.int64)
    slots = (hashes & (SLOTS - 1)).astype(np.int16)
    return Distinct().joined(Sketch(offsets, slots[order], ranks[order]), Groups(np.arange(count), count))


def estimates(sketch: Sketch) -> Int64s:
    """Ertl's improved raw estimate of each run, rounded."""
    # Some at a time: a histogram is longer than most runs.
    starts = range(0, sketch.cells, _CELLS_AT_ONCE)
    parts = [sketch.slice(at, min(at + _CELLS_AT_ONCE, sketch.cells)) for at in starts]
    return np.concatenate([np.zeros(0, dtype=np.int64), *(_estimates(part) for part in parts)])


def _estimates(sketch: Sketch) -> Int64s:
    run = np.repeat(np.arange(sketch.cells), sketch.lengths)
    histogram = np.bincount(run * _RANKS + sketch.counts, minlength=sketch.cells * _RANKS)
    histogram = histogram.reshape(sketch.cells, _RANKS)
    # Of a few cells one by one: a step of plain numbers takes a tenth of a step of arrays.
    few = sketch.cells <= _FEW
    z = np.array([_folded(cell) for cell in histogram.tolist()]) if few else _folded(histogram.T)
    z += SLOTS * _by_slots(_sigma)[SLOTS - sketch.lengths]
    return np.rint(SLOTS * SLOTS / (2 * math.log(2) * z)).astype(np.int64)


def _folded(slots_by_rank: Any) -> Any:
    """The slots of every rank, weighed by how rarely it is reached; of one cell, or of many as arrays."""
    top = REST_BITS + 1
    z = SLOTS * _by_slots(_tau)[SLOTS - slots_by_rank[top]]
    for rank in range(top - 1, 0, -1):
        z = 0.5 * (z + slots_by_rank[rank])
    return z


@cache
def _by_slots(function: Callable[[float], float]) -> Array:
    """A function's values for every share of slots that there can be."""
    return np.array([function(slots / SLOTS) for slots in range(SLOTS + 1)])


def _sigma(x: float) -> float:
    # Ertl (2017), algorithm 6: sum of x**(2**k) * 2**(k-1), for the slots that no hash reached.
    if x == 1:
        return math.inf
    y, z = 1.0, x
    while True:
        x *= x
        before = z
        z += x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    # Ertl (2017), algorithm 6: the counterpart for slots whose hashes ran out of bits.
    if x in (0, 1):
        return 0.0
    y, z = 1.0, 1 - x
    while True:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
        if z == before:
            return z / 3
