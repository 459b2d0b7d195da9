"""A slab: the selected cells of one window and grain, ready to be merged by groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aggflow.measures.cells import Cells
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.measures.state import Groups, Int64s, State
from aggflow.measures.vocabulary import Codes, GroupingValue, Vocabulary
from aggflow.timeline import Interval, Window, Zone

_COMPRESS = 1 << 62


@dataclass(frozen=True)
class Slab:
    """The selected cells of one window and grain.

    Attributes
    ----------
    window
        The buckets' starts lie in it.
    grain
        Number of the grain in its layout.
    cells
        The cells, in any order; several may stand for one bucket and one value of each grouping.
    """

    window: Window
    grain: int
    cells: Cells

    def keep(self, mask: NDArray[np.bool_]) -> Slab:
        """Only some of its cells."""
        return self if bool(mask.all()) else Slab(self.window, self.grain, self.cells.take(mask))

    def filtered(
        self, filters: Mapping[str, Iterable[GroupingValue]], vocabularies: Mapping[str, Vocabulary]
    ) -> Slab:
        """Only cells whose groupings have one of the wanted values."""
        mask = np.ones(len(self.cells), dtype=bool)
        for path, wanted in filters.items():
            mask &= vocabularies[path].matching(wanted)[self.cells.codes[path]]
        return self.keep(mask)


@dataclass(frozen=True)
class Grouped:
    """Cells of several slabs, told apart by the same groups.

    Attributes
    ----------
    numbers
        For each slab, the number of every cell's group.
    count
        How many groups there are.
    buckets
        The start of every group's bucket in seconds, of a series; else None.
    codes
        By path, the code of every group's value.
    """

    numbers: tuple[Int64s, ...]
    count: int
    buckets: Int64s | None
    codes: Mapping[str, Codes]

    def merge(self, slab: int, cells: Cells, key: StateKey, kind: Kind) -> tuple[State, Int64s]:
        """One state a group that has cells in a slab, and the numbers of those groups."""
        present, local = np.unique(self.numbers[slab], return_inverse=True)
        groups = Groups(local, len(present))
        return MEASURES[key.measure].merge(cells.states[key], groups, kind), present


Column: TypeAlias = Int64s | Codes


def grouped(slabs: Sequence[Slab], paths: Sequence[str], series: tuple[Interval, Zone] | None) -> Grouped:
    """Tell the cells of slabs apart by groupings and, of a series, by its buckets.

    Groups are numbered by bucket, then by the groupings' codes in the order of ``paths``.
    """
    columns: list[Column] = []
    if series is not None:
        interval, zone = series
        columns.append(interval.floor_buckets(np.concatenate([slab.cells.buckets for slab in slabs]), zone))
    columns += [np.concatenate([slab.cells.codes[path] for slab in slabs]) for path in paths]
    ends = np.cumsum([len(slab.cells) for slab in slabs])[:-1]
    if not columns:
        numbers = tuple(np.zeros(len(slab.cells), dtype=np.int64) for slab in slabs)
        return Grouped(numbers, int(any(len(slab.cells) for slab in slabs)), None, {})
    numbers, first = _numbered(columns)
    buckets = columns[0][first].astype(np.int64) if series is not None else None
    by_path = columns[1:] if series is not None else columns
    codes = {path: column[first].astype(np.int32) for path, column in zip(paths, by_path, strict=True)}
    return Grouped(tuple(np.split(numbers, ends)), len(first), buckets, codes)


def _numbered(columns: Sequence[Column]) -> tuple[Int64s, NDArray[np.intp]]:
    """Number the distinct rows of columns; the first row of each number."""
    total = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        if len(column) == 0:
            break
        least = int(column.min())
        width = int(column.max()) - least + 1
        if size * width >= _COMPRESS:
            total = np.unique(total, return_inverse=True)[1].astype(np.int64)
            size = int(total.max()) + 1
        if size * width >= _COMPRESS:
            column = np.unique(column, return_inverse=True)[1]  # noqa: PLW2901 - the same, renumbered
            least, width = 0, int(column.max()) + 1
        total = total * width + (column.astype(np.int64) - least)
        size *= width
    _, first, numbers = np.unique(total, return_index=True, return_inverse=True)
    return numbers.astype(np.int64), first
