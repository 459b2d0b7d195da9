"""An asked shape: what questions that differ only in time and in values have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aggflow.engine.plan import Need
from aggflow.engine.question import Question
from aggflow.language import paths, read_predicate, write_subject
from aggflow.measures.registry import StateKey
from aggflow.spec.declaration import digest
from aggflow.timeline import Interval, Zone


@dataclass(frozen=True)
class AskedShape:
    """What questions have in common, whatever their time and values.

    Attributes
    ----------
    name
        The endpoint, cube or other name that was asked.
    is_routed
        Whether any rollup of the source may answer, or only the endpoint's own.
    source, where
        Which events.
    groupings, filters
        The paths that are returned, and those that are filtered.
    keys
        The states; at which groupings they are kept does not matter.
    series, zone
        The interval of a series, and its zone; None for totals.
    plain
        The groupings on whose values conditions can be tested.
    """

    name: str
    is_routed: bool
    source: str
    where: str
    groupings: tuple[str, ...]
    filters: tuple[str, ...]
    keys: tuple[StateKey, ...]
    series: Interval | None
    zone: Zone
    plain: frozenset[str] = field(default=frozenset(), compare=False)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # One for all answers to an endpoint: it has many parts, and each answer is counted by it.
        parts = (self.name, self.is_routed, self.source, self.where, self.groupings, self.filters)
        return hash((*parts, self.keys, self.series, self.zone))

    @classmethod
    def of(cls, name: str, need: Need) -> AskedShape:
        """The shape of a question; made for every answer, so nothing is computed."""
        question = need.question
        return cls(
            name,
            # What may be cut at its edges is asked of the source, not of one rollup.
            need.cuts,
            need.source,
            need.where,
            tuple(question.groupings.values()),
            tuple(question.filters),
            need.keys,
            question.series,
            question.zone,
            need.plain,
        )

    @property
    def paths(self) -> frozenset[str]:
        """The groupings that are returned or filtered."""
        return frozenset([*self.groupings, *self.filters])

    @property
    def where_paths(self) -> tuple[str, ...]:
        """The paths that the predicate is about."""
        return tuple(sorted({write_subject(path) for path in paths(read_predicate(self.where))}))

    def need(self) -> Need:
        """What a rollup must have to answer questions of this shape, whenever they are about."""
        question = Question(
            fields=(),
            groupings={path: path for path in self.groupings},
            filters=dict.fromkeys(self.filters, ()),
            series=self.series,
            zone=self.zone,
        )
        return Need(self.source, self.where, self.keys, question, self.plain, cuts=self.is_routed)

    def __str__(self) -> str:
        by = f" by {', '.join(sorted(self.groupings))}" if self.groupings else ""
        only = f" of chosen {', '.join(sorted(self.filters))}" if self.filters else ""
        where = f" where {self.where}" if self.where else ""
        every = f" every {self.series}" if self.series is not None else ""
        return f"{self.name}{by}{every}{only}{where}"

    @property
    def digest(self) -> str:
        """Names it: equal for equal shapes."""
        plain = self.to_plain()
        del plain["plain"]
        return digest(plain)

    def to_plain(self) -> dict[str, Any]:
        """As JSON-ready data."""
        keys = sorted({(key.measure, key.field, key.where) for key in self.keys})
        return {
            "name": self.name,
            "is_routed": self.is_routed,
            "source": self.source,
            "where": self.where,
            "groupings": sorted(self.groupings),
            "filters": sorted(self.filters),
            "keys": [list(key) for key in keys],
            "series": None if self.series is None else str(self.series),
            "time_zone": self.zone.name,
            "plain": [path for path in self.where_paths if path in self.plain],
        }

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> AskedShape:
        """The shape of :meth:`to_plain`'s data."""
        return cls(
            name=data["name"],
            is_routed=data["is_routed"],
            source=data["source"],
            where=data["where"],
            groupings=tuple(data["groupings"]),
            filters=tuple(data["filters"]),
            keys=tuple(StateKey(measure, field, where, ()) for measure, field, where in data["keys"]),
            series=None if data["series"] is None else Interval.of(data["series"]),
            zone=Zone.of(data["time_zone"]),
            plain=frozenset(data["plain"]),
        )
