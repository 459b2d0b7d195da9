"""A reduction: many cells become one cell a group, their states merged, a part at a time.

Merge is associative, so parts (segments, live tails, versions) are reduced one after the other and
then together: what is in memory at once is one part and small cells.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aggflow.engine.residual import fulfilling
from aggflow.language import Predicate
from aggflow.measures.cells import Cells, neutral_state
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.measures.state import Groups, Int64s
from aggflow.measures.vocabulary import Codes, GroupingValue, Vocabulary, canonical
from aggflow.timeline import Interval, Zone

Series: TypeAlias = tuple[Interval, Zone]
_COMPRESS = 1 << 62
_TABLE = 1 << 20
_MOST_NAMED = 10_000


@dataclass(frozen=True)
class Kept:
    """Which values of some groupings are kept, together.

    Attributes
    ----------
    codes
        By path, the codes of every combination that there is.
    kept
        Whether it is kept.
    """

    codes: Mapping[str, Codes]
    kept: NDArray[np.bool_]

    @cached_property
    def name(self) -> Hashable:
        """Names what is kept."""
        return tuple((path, codes.tobytes()) for path, codes in self.codes.items()), self.kept.tobytes()

    def mask(self, cells: Cells) -> NDArray[np.bool_]:
        """For every cell, whether its combination is kept."""
        here = len(self.kept)
        columns = [np.concatenate([codes, cells.codes[path]]) for path, codes in self.codes.items()]
        numbers, first = numbered(columns)
        keeps = np.zeros(len(first), dtype=bool)
        keeps[numbers[:here]] = self.kept
        return keeps[numbers[here:]]


@dataclass(frozen=True)
class Selection:
    """Which cells count.

    Attributes
    ----------
    filters
        By path, the values to keep.
    vocabularies
        The values' codes.
    kept
        The combinations that limits leave, if there are any.
    conditions
        By path, what the values to keep fulfil.
    """

    filters: Mapping[str, tuple[GroupingValue, ...]]
    vocabularies: Mapping[str, Vocabulary]
    kept: Kept | None = None
    conditions: Mapping[str, Predicate] = field(default_factory=dict[str, Predicate])

    @cached_property
    def name(self) -> Hashable | None:
        """Names what is selected; None where that would be too long."""
        if self.kept is not None and len(self.kept.kept) > _MOST_NAMED:
            return None
        filters = tuple((path, tuple(map(canonical, values))) for path, values in self.filters.items())
        kept = None if self.kept is None else self.kept.name
        return filters, kept, tuple(self.conditions.items())

    def of(self, cells: Cells) -> Cells:
        """The cells that count."""
        masks = [self.vocabularies[path].matching(v)[cells.codes[path]] for path, v in self.filters.items()]
        masks += [
            fulfilling(self.vocabularies[path], predicate)[cells.codes[path]]
            for path, predicate in self.conditions.items()
        ]
        if self.kept is not None:
            masks.append(self.kept.mask(cells))
        if not masks:
            return cells
        mask = np.logical_and.reduce(masks)
        return cells if bool(mask.all()) else cells.take(mask)


@dataclass(frozen=True)
class Reduced:
    """One cell a group.

    Attributes
    ----------
    cells
        Sorted by bucket.
    lacking
        By states that some parts lack: for every cell, whether all of its parts do.
    """

    cells: Cells
    lacking: Mapping[StateKey, NDArray[np.bool_]]


def reduced(
    parts: Iterable[Cells], by: Sequence[str], series: Series | None, kinds: Mapping[StateKey, Kind]
) -> Reduced | None:
    """One cell a group, of all parts together.

    Parameters
    ----------
    parts
        Cells; a state that a part lacks is neutral there.
    by
        Paths of the groupings that tell groups apart.
    series
        Interval and zone of the buckets that tell them apart, too; None for all buckets together.
    kinds
        The kind of every state's field, filled while the parts are read.

    Returns
    -------
    Reduced or None
        None where there is no cell.
    """
    return joined([merged(part, by, series, kinds) for part in parts], by, series, kinds)


def merged(cells: Cells, by: Sequence[str], series: Series | None, kinds: Mapping[StateKey, Kind]) -> Cells:
    """One cell a group, of one part."""
    return _merged(cells, by, series, kinds)[0] if len(cells) else cells


def joined(
    parts: Iterable[Cells], by: Sequence[str], series: Series | None, kinds: Mapping[StateKey, Kind]
) -> Reduced | None:
    """One cell a group, of parts that were merged each on its own."""
    found = [part for part in parts if len(part)]
    if len(found) <= 1:
        return Reduced(found[0], {}) if found else None
    keys = dict.fromkeys(key for cells in found for key in cells.states)
    whole = [
        Cells(
            cells.buckets,
            cells.codes,
            cells.rows,
            {key: cells.states.get(key) or neutral_state(key, kinds[key], len(cells)) for key in keys},
        )
        for cells in found
    ]
    cells, groups = _merged(Cells.concat(whole), by, series, kinds)
    lacks = {key: [np.full(len(part), key not in part.states) for part in found] for key in keys}
    lacking = {
        key: groups.reduce(np.logical_and, np.concatenate(masks))
        for key, masks in lacks.items()
        if any(mask.any() for mask in masks)
    }
    return Reduced(cells, lacking)


def _merged(
    cells: Cells, by: Sequence[str], series: Series | None, kinds: Mapping[StateKey, Kind]
) -> tuple[Cells, Groups]:
    columns: list[Int64s | Codes] = (
        [] if series is None else [series[0].floor_buckets(cells.buckets, series[1])]
    )
    columns += [cells.codes[path] for path in by]
    if columns:
        numbers, first = numbered(columns)
        groups = Groups(numbers, len(first))
    else:
        groups, first = Groups.single(len(cells)), np.zeros(1, dtype=np.intp)
    merged = Cells(
        np.zeros(len(first), dtype=np.int64) if series is None else columns[0][first].astype(np.int64),
        {path: cells.codes[path][first] for path in by},
        groups.reduce(np.add, cells.rows),
        {key: MEASURES[key.measure].merge(state, groups, kinds[key]) for key, state in cells.states.items()},
    )
    return merged, groups


def numbered(columns: Sequence[Int64s | Codes]) -> tuple[Int64s, NDArray[np.intp]]:
    """Number the distinct rows of columns, in ascending order; the first row of each number."""
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
