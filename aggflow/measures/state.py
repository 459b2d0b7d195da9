"""A state: numbers that sum up source rows and can be merged with others of their kind.

Laws, held by every measure (``tests/laws``):

- merge is associative and commutative, and the neutral state changes nothing;
- ``finish(merge(build(A), build(B))) == finish(build(A + B))``.

States are columns: one entry a cell (a bucket and one value a grouping).  A sketch has many
numbers a cell; they stand in one long column, cell after cell.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeAlias

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aggflow.measures.kind import Kind
from aggflow.spec.calculation import Calculation

Int64s: TypeAlias = NDArray[np.int64]
Array: TypeAlias = NDArray[Any]
_FIRST: Int64s = np.zeros(1, dtype=np.int64)
# Cells a stretch from which on stretches are copied one by one.
_FEW = 8


@dataclass(frozen=True)
class StateColumn:
    """One column of a state.

    Attributes
    ----------
    name
        Its name within the state.
    type
        Its Arrow type in segments; of a sketch, the type of its list's items.
    neutral
        What stands in a cell in which nothing was counted.
    """

    name: str
    type: pa.DataType
    neutral: Any


class Bounds(NamedTuple):
    """Between what keys lie: no key is smaller or larger, and but for 0 none is nearer to 0 than the gap.

    Attributes
    ----------
    least, most
        The smallest key and the largest.
    gap
        How many whole numbers on either side of zero are no keys.
    """

    least: int
    most: int
    gap: int

    @classmethod
    def of(cls, keys: Array) -> Bounds:
        """The bounds of some keys; those of none hold any."""
        if not len(keys):
            return cls(0, 0, 0)
        least, most = int(keys.min()), int(keys.max())
        if least > 0 or most < 0:
            return cls(least, most, 0)
        sizes = np.abs(keys)
        nearest = int(np.min(sizes, where=sizes > 0, initial=max(-least, most, 1)))
        return cls(least, most, nearest - 1)


@dataclass(frozen=True)
class Sketch:
    """Runs of (key, count), one run a cell, keys ascending within a run.

    Attributes
    ----------
    offsets
        Where each run begins, and at the end where the last one ends: cells + 1 entries from 0.
    keys, counts
        The runs, one behind the other; int32 keys, integer counts.
    """

    offsets: Int64s
    keys: Array
    counts: Array

    @property
    def cells(self) -> int:
        """How many runs there are."""
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Int64s:
        """The length of each run."""
        return np.diff(self.offsets)

    @cached_property
    def bounds(self) -> Bounds:
        """Between what its keys lie; of a slice, between what those of the whole lie."""
        return Bounds.of(self.keys)

    @cached_property
    def before(self) -> Int64s:
        """The sum of all counts before each entry, and at the end of all of them."""
        before = np.zeros(len(self.counts) + 1, dtype=np.int64)
        np.cumsum(self.counts, out=before[1:])
        return before

    def __getitem__(self, cells: slice | NDArray[np.intp]) -> Sketch:
        """The runs of some cells, as arrays give entries."""
        return self.slice(cells.start, cells.stop) if isinstance(cells, slice) else self.take(cells)

    def take(self, rows: NDArray[np.intp]) -> Sketch:
        """The runs of the given cells, in that order."""
        lengths = self.lengths[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        if len(breaks) * _FEW < len(rows):
            # Long stretches of neighbours, as a filter leaves them: copied as they stand.
            firsts, lasts = np.concatenate(([0], breaks)), np.concatenate((breaks, [len(rows)])) - 1
            low, high = self.offsets[rows[firsts]].tolist(), self.offsets[rows[lasts] + 1].tolist()
            stretches = [slice(start, stop) for start, stop in zip(low, high, strict=True)]
            keys, counts = (np.concatenate([c[s] for s in stretches]) for c in (self.keys, self.counts))
            return Sketch(offsets, keys, counts)
        # Index of every entry: its run's begin in the old order plus its place in the run.
        index = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Sketch(offsets, self.keys[index], self.counts[index])

    def slice(self, start: int, stop: int) -> Sketch:
        """The runs of the cells ``start`` to ``stop``, without a copy of keys and counts."""
        low, high = self.offsets[start], self.offsets[stop]
        part = Sketch(self.offsets[start : stop + 1] - low, self.keys[low:high], self.counts[low:high])
        # The whole is sliced again and again: looked through once, none of its slices has to be.
        part.__dict__["bounds"] = self.bounds
        return part

    @classmethod
    def concat(cls, parts: list[Sketch]) -> Sketch:
        """Several sketches' runs, one behind the other."""
        if len(parts) == 1:
            return parts[0]
        ends = np.cumsum([0] + [int(part.offsets[-1]) for part in parts])
        offsets = [part.offsets[:-1] + end for part, end in zip(parts, ends[:-1], strict=True)]
        return cls(
            np.concatenate([*offsets, ends[-1:]]),
            np.concatenate([part.keys for part in parts]),
            np.concatenate([part.counts for part in parts]),
        )


Column: TypeAlias = Array | Sketch
State: TypeAlias = Mapping[str, Column]


def array_of(state: State, name: str) -> Array:
    """A column of a state that is one number a cell."""
    column = state[name]
    if isinstance(column, Sketch):
        raise TypeError(f"{name} is a sketch")
    return column


def sketch_of(state: State, name: str) -> Sketch:
    """A column of a state that is a sketch."""
    column = state[name]
    if not isinstance(column, Sketch):
        raise TypeError(f"{name} is no sketch")
    return column


class Groups:
    """Which group each cell belongs to, for merging.

    Parameters
    ----------
    codes
        A group's number for every cell, each of 0 to ``count - 1`` at least once.
    count
        How many groups there are.
    """

    def __init__(self, codes: Int64s, count: int) -> None:
        self.codes = codes
        self.count = count

    @classmethod
    def single(cls, cells: int) -> Groups:
        """All of so many cells in one group."""
        return cls(np.zeros(cells, dtype=np.int64), 1)

    @cached_property
    def _order(self) -> NDArray[np.intp] | None:
        # Cells that already stand in the order of their groups need no sorting.
        if self.count <= 1 or bool(np.all(self.codes[1:] >= self.codes[:-1])):
            return None
        return np.argsort(self.codes, kind="stable")

    @cached_property
    def _starts(self) -> Int64s:
        if self.count == 1:
            return _FIRST
        codes = self.codes if self._order is None else self.codes[self._order]
        return np.searchsorted(codes, np.arange(self.count)).astype(np.int64)

    def in_order(self, column: Array) -> Array:
        """A column's entries, sorted by group."""
        return column if self._order is None else column[self._order]

    def reduce(self, ufunc: np.ufunc, column: Array) -> Array:
        """One entry a group: its entries joined by a ufunc (``np.add``, ``np.fmin``)."""
        if self.count == 0:
            return column[:0]
        return ufunc.reduceat(self.in_order(column), self._starts)

    def spread(self, sketch: Sketch) -> Int64s:
        """The group of every entry of a sketch."""
        return np.repeat(self.codes, sketch.lengths)


@dataclass(frozen=True)
class Values:
    """Finished values, one an entry, some of them null.

    Attributes
    ----------
    data
        float64, int64 or object (Decimal, text, truth values).
    valid
        False where there is nothing to compute; None where every value is there.
    """

    data: Array
    valid: NDArray[np.bool_] | None = None

    def to_list(self) -> list[int | float | Decimal | str | bool | None]:
        """As Python values, None for null."""
        values = self.data.tolist()
        if self.valid is None:
            return values
        return [value if ok else None for value, ok in zip(values, self.valid.tolist(), strict=True)]

    def take(self, rows: Array) -> Values:
        """The values of some rows, in that order."""
        return Values(self.data[rows], None if self.valid is None else self.valid[rows])

    @classmethod
    def floats(cls, data: Array) -> Values:
        """Floating values of which those that are no number are null."""
        bad = np.isnan(data)
        return cls(data, None if not bad.any() else ~bad)


class Measure(Protocol):
    """How one sort of state is built, merged and finished; each side written once.

    ``build`` gives Ibis aggregates of a column whose nulls are to be skipped (a value that is no
    number, or that a sub-filter leaves out, is null there already).
    """

    @property
    def name(self) -> str:
        """Its name, part of the names of columns in segments."""
        ...

    @property
    def calculations(self) -> tuple[Calculation, ...]:
        """What can be finished from its states."""
        ...

    def accepts(self, kind: Kind) -> bool:
        """Whether fields of this kind can be kept."""
        ...

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """The columns of its states."""
        ...

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """One state a group."""
        ...

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """One value a state."""
        ...


class CellMeasure(Measure, Protocol):
    """A measure with a few numbers a cell, all built by one GROUP BY."""

    def build(self, value: Any, kind: Kind, shift: float) -> dict[str, ir.Scalar]:
        """Aggregates, by the name of their column; the shift is for moments, see ``shift_of``."""
        ...


class OrderedMeasure(Measure, Protocol):
    """A measure that keeps one row's value: the earliest or the latest."""

    @property
    def latest(self) -> bool:
        """Whether it is the latest row."""
        ...


class SketchMeasure(Measure, Protocol):
    """A measure with many numbers a cell, built by a GROUP BY of its own, by cell and key."""

    def key(self, value: ir.Column, kind: Kind) -> ir.Column:
        """The key of a value; of a distinct sketch, the value is a 64-bit hash."""
        ...

    def weigh(self, rows: ir.Table, value: ir.Column) -> ir.Scalar:
        """What is kept for a key, of all rows that have it."""
        ...

    def counts(self, weights: Array) -> Array:
        """The sketch's counts, of the numbers that :meth:`weigh` gave."""
        ...

    def joined(self, sketch: Sketch, groups: Groups) -> Sketch:
        """Runs merged by group, each key once."""
        ...
