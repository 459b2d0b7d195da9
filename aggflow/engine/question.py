"""A question: what is asked of one rollup, resolved: fields, groupings, windows, order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from aggflow.language import Named, Predicate
from aggflow.measures.kind import Kind
from aggflow.measures.registry import MEASURES, StateKey
from aggflow.measures.state import State, Values
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.calculation import Calculation
from aggflow.timeline import UTC, Interval, Window, Zone


@dataclass(frozen=True)
class Asked:
    """A value that is asked for.

    Attributes
    ----------
    name
        What the answer calls it.
    key
        The state that it is made of; None where the rollup keeps no such state any more.
    calculation, percentile
        What is made of the state; the percentile as the decimal text it was written in.
    window
        The buckets that it is made of, by their starts.
    zero
        Whether it is 0, not missing, where there is nothing to compute.
    """

    name: str
    key: StateKey | None
    calculation: Calculation
    percentile: str | None
    window: Window
    zero: bool = False

    def finished(self, states: Mapping[StateKey, State], kinds: Mapping[StateKey, Kind]) -> Values:
        """Its values, of states that hold its own."""
        assert self.key is not None  # noqa: S101 - states have it
        measure = MEASURES[self.key.measure]
        return measure.finish(states[self.key], self.calculation, kinds[self.key], self.percentile)


def distinct(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows, each once, in order of time."""
    # As most questions have it: one for all fields.
    if windows and all(window is windows[0] for window in windows):
        return (windows[0],)
    return tuple(sorted(set(windows)))


@dataclass(frozen=True)
class Order:
    """One term of an order: by ``dt``, a grouping's name or a field's name.

    Attributes
    ----------
    by
        The name.
    descending
        Whether the greatest comes first.
    as_text
        Whether a grouping's values are compared by their texts, whatever their type.
    """

    by: str
    descending: bool = False
    as_text: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked of a rollup.

    Attributes
    ----------
    fields
        The values asked for, in the order of the answer.
    groupings
        By the name that answers use, the path of each returned grouping, in the answer's order.
    filters
        By path, the values to keep.
    series
        The interval of a series, None for one total.
    zone
        The zone of the series' buckets.
    order
        Terms of the order, the first is the strongest.
    limit
        How many rows at most; None for all.
    per_bucket
        How many rows at most of each bucket of a series, the first in the order; None for all.
    exclude_empty
        Whether rows are left out in which a returned grouping has no value, or an empty text.
    limits
        How many values of which returned grouping to keep, outermost first.
    fill
        What stands for buckets of a series that have no events.
    live
        Whether what no state covers may be read from the source.
    conditions
        By path, a predicate said of ``value`` that the values to keep fulfil.
    outputs
        What is answered instead of the fields, computed of them and of groupings; a path of one part
        is the name of a field, of a grouping, or ``eventdate``, the start of the bucket.
    stand_ins
        By path, what stands for a missing value of a returned grouping: both are one group.  Not
        together with ``limits``.
    """

    fields: tuple[Asked, ...]
    groupings: Mapping[str, str] = field(default_factory=dict[str, str])
    filters: Mapping[str, tuple[GroupingValue, ...]] = field(
        default_factory=dict[str, tuple[GroupingValue, ...]]
    )
    series: Interval | None = None
    zone: Zone = UTC
    order: tuple[Order, ...] = ()
    limit: int | None = None
    per_bucket: int | None = None
    exclude_empty: bool = False
    limits: tuple[tuple[str, int], ...] = ()
    fill: Literal["none", "null", "zero"] = "none"
    live: bool = True
    conditions: Mapping[str, Predicate] = field(default_factory=dict[str, Predicate])
    outputs: tuple[Named, ...] = ()
    stand_ins: Mapping[str, str] = field(default_factory=dict[str, str])

    @cached_property
    def paths(self) -> frozenset[str]:
        """The groupings that are returned, filtered or tested."""
        return frozenset([*self.groupings.values(), *self.filters, *self.conditions])

    @property
    def keys(self) -> tuple[StateKey, ...]:
        """The states of all fields, each once."""
        return tuple(dict.fromkeys(asked.key for asked in self.fields if asked.key is not None))

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The windows of all fields, each once, in order of time."""
        return distinct([asked.window for asked in self.fields])
