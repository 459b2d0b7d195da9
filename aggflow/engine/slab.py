"""A slab: the selected cells of one window and grain, ready to be merged by groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aggflow.measures.cells import Cells
from aggflow.measures.state import Groups, Int64s
from aggflow.measures.vocabulary import Codes, GroupingValue, Vocabulary
from aggflow.timeline import Interval, Window, Zone

_COMPRESS = 1 << 62
_TABLE = 1 << 20


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

    @cached_property
    def groups(self) -> tuple[tuple[Groups, Int64s], ...]:
        """For each slab, the groups that have cells in it, and their numbers."""
        return tuple(_present(numbers, self.count) for numbers in self.numbers)


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
    if size <= max(_TABLE, 4 * len(total)):
        # A table of all numbers there can be: cheaper than sorting.
        seen = np.flatnonzero(np.bincount(total, minlength=size))
        place = np.zeros(size, dtype=np.int64)
        place[seen] = np.arange(len(seen))
        numbers = place[total]
        first = np.empty(len(seen), dtype=np.intp)
        first[numbers[::-1]] = np.arange(len(total) - 1, -1, -1)
        return numbers, first
    _, first, numbers = np.unique(total, return_index=True, return_inverse=True)
    return numbers.astype(np.int64), first


def _present(numbers: Int64s, count: int) -> tuple[Groups, Int64s]:
    counts = np.bincount(numbers, minlength=count)
    present = np.flatnonzero(counts)
    if len(present) == count:
        return Groups(numbers, count), present
    place = np.zeros(count, dtype=np.int64)
    place[present] = np.arange(len(present))
    return Groups(place[numbers], len(present)), present
