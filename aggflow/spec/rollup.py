"""A rollup: what is materialised, whoever declared it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aggflow.language import canonical_subject
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import digest
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.timeline import Interval, Zone


@dataclass(frozen=True, order=True)
class Kept:
    """What is kept of one field: a field (None for rows), a sub-filter, a calculation.

    Calculations of one field that share states (SUM and AVG) are kept once; which states those
    are is the registry of measures' to say.

    Attributes
    ----------
    field
        Canonical text of a column, path or expression; None counts rows.
    where
        Canonical text of the sub-filter; empty for none.
    calculation
        What is computed.
    groupings
        Canonical texts of the groupings at which it is kept; None for all of the rollup's.
    """

    field: str | None
    where: str
    calculation: Calculation
    groupings: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Rollup:
    """What is materialised: source, predicate, interval, groupings, what is kept, time zone.

    Attributes
    ----------
    source
        Name of the source.
    where
        Canonical text of the predicate; empty for all events.
    interval, time_zone
        Width of a bucket, and the zone of its calendar.
    groupings
        Canonical texts of columns, paths or expressions, in the order of the declaration.
    kept
        What is kept of which field, sorted, each once.
    """

    source: str
    where: str
    interval: str
    time_zone: str
    groupings: tuple[str, ...]
    kept: tuple[Kept, ...]

    @property
    def zone(self) -> Zone:
        """The zone of its calendar."""
        return Zone.of(self.time_zone)

    @property
    def width(self) -> Interval:
        """The width of its buckets."""
        return Interval.of(self.interval)

    def data_hash(self, source: Source) -> str:
        """Names the data: two rollups of one hash have the same states."""
        return digest({"rollup": self.to_plain(), "source": source.data()})

    def to_plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {
            "source": self.source,
            "where": self.where,
            "interval": self.interval,
            "time_zone": self.time_zone,
            "groupings": list(self.groupings),
            "kept": [
                {
                    "field": kept.field,
                    "where": kept.where,
                    "calculation": kept.calculation.value,
                    "groupings": None if kept.groupings is None else list(kept.groupings),
                }
                for kept in self.kept
            ],
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Rollup:
        """The rollup of :meth:`to_plain`'s data."""
        kept = (
            Kept(
                field=item["field"],
                where=item["where"],
                calculation=Calculation(item["calculation"]),
                groupings=None if item["groupings"] is None else tuple(item["groupings"]),
            )
            for item in data["kept"]
        )
        return cls(
            source=data["source"],
            where=data["where"],
            interval=data["interval"],
            time_zone=data["time_zone"],
            groupings=tuple(data["groupings"]),
            kept=tuple(kept),
        )


def rollup_of(filter: Filter) -> Rollup:  # noqa: A002 - the field's word
    """What a filter materialises."""
    kept = {item for aggregation in filter.aggregations for item in kept_by(aggregation, filter)}
    return Rollup(
        source=filter.source,
        where=filter.where,
        interval=filter.interval,
        time_zone=filter.time_zone,
        groupings=tuple(canonical_subject(grouping.path) for grouping in filter.groupings),
        kept=sorted_kept(kept),
    )


def kept_by(aggregation: Aggregation, filter: Filter) -> list[Kept]:  # noqa: A002 - the word of what it is
    """What one aggregation of a filter keeps, in the order of its calculations."""
    return [kept_for(aggregation, calculation, filter) for calculation in aggregation.calculations]


def kept_for(aggregation: Aggregation, calculation: Calculation, filter: Filter) -> Kept:  # noqa: A002 - the word of what it is
    """What is kept for one calculation of an aggregation."""
    coarse = aggregation.sketch_groupings if calculation.is_sketch else None
    groupings = None
    if coarse is not None:
        wanted = {filter.grouping(name).path for name in coarse}
        # In the filter's order, so that two spellings of one set are one grain.
        groupings = tuple(canonical_subject(g.path) for g in filter.groupings if g.path in wanted)
        if len(groupings) == len(filter.groupings):
            groupings = None
    needed = aggregation.field if calculation.needs_field else None
    field = None if needed is None else canonical_subject(needed)
    return Kept(field=field, where=aggregation.where, calculation=calculation, groupings=groupings)


def sorted_kept(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """What is kept as rollups hold it: sorted, each once."""
    return tuple(sorted(set(kept), key=_order))


def _order(kept: Kept) -> tuple[str, str, str, tuple[str, ...]]:
    return (kept.field or "", kept.where, kept.calculation.value, kept.groupings or ())
