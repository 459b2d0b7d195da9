"""A widget question: a widget query to an event source, made into what is asked of rollups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from aggflow.engine.event_reading import EventReading
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.question import Asked, Order, Question
from aggflow.engine.shape import QuestionError
from aggflow.errors import ConflictError, Problem, did_you_mean
from aggflow.language import (
    Compare,
    In,
    Literal,
    Path,
    Predicate,
    all_of,
    canonical_subject,
    read_subject,
    write_predicate,
    write_subject,
)
from aggflow.measures.registry import state_key
from aggflow.spec.calculation import Calculation
from aggflow.spec.event_source import ID_FIELDS
from aggflow.spec.rollup import Kept, Rollup, sorted_kept
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import Interval, Window

KEY: Final = "key"
VALUE: Final = "value"
SECONDARY: Final = "secondary"
UNKNOWN: Final = "unknown"
"""What stands for a key that is missing."""

_CENTURY: Final = Interval.of("36525d")
_ROLE_OF_GROUP: Final = {"event_type": "event_type", "session": "session_id", "product_id": "product_id"}
_CALCULATIONS: Final = {
    "count": Calculation.COUNT,
    "count_distinct": Calculation.APPROX_COUNT_DISTINCT,
    "sum": Calculation.SUM,
    "avg": Calculation.AVG,
}


@dataclass(frozen=True)
class WidgetQuestion:
    """A widget query to an event source.

    Attributes
    ----------
    query
        What is asked.
    events
        Of which event source.
    brand, catalog
        To what it is narrowed; None for all.
    grouping
        The path that it groups by, if it does.
    field
        The path of what is computed with; None for events as such.
    where
        Which events count.
    """

    query: WidgetQuery
    events: EventReading
    brand: str | None
    catalog: str | None
    grouping: str | None
    field: str | None
    where: str

    @classmethod
    def of(
        cls,
        query: WidgetQuery,
        events: EventReading,
        brand: str | None,
        catalog: str | None,
        grouped: Collection[str],
    ) -> WidgetQuestion:
        """What a query asks of an event source.

        Parameters
        ----------
        query, events, brand, catalog
            As the attributes have them.
        grouped
            The groupings of the rollups of its source: of two paths to a key, that which they know is taken.

        Raises
        ------
        QuestionError
            The event source lacks what is asked for: every problem.
        ConflictError
            It cannot tell brands or catalogs apart, and one is asked for.
        """
        parts = _Parts(query, events, [])
        grouping, field = parts.grouping(grouped), parts.field()
        narrowed = [parts.is_event_type(), parts.narrowed("brand", brand), parts.narrowed("catalog", catalog)]
        if parts.problems:
            raise QuestionError("the widget query", parts.problems)
        where = write_predicate(all_of(condition for condition in narrowed if condition is not None))
        return cls(query, events, brand, catalog, grouping, field, where)

    def inquiry(self, window: Window) -> Inquiry:
        """What is asked of the rollups of the source.

        Parameters
        ----------
        window
            The events that count.
        """
        query, calculation = self.query, _CALCULATIONS[self.query.aggregation]
        rows = Kept(None, "", Calculation.COUNT)
        wanted = {VALUE: Kept(self.field, "", calculation)}
        if calculation is not Calculation.COUNT:
            wanted[SECONDARY] = rows
        rollup = Rollup(
            source=self.events.source.name,
            where=self.where,
            interval=str(query.series or _CENTURY),
            time_zone="UTC",
            groupings=() if self.grouping is None else (self.grouping,),
            kept=sorted_kept(wanted.values()),
        )
        question = Question(
            fields=tuple(
                Asked(name, state_key(kept, rollup), kept.calculation, None, window, zero=_is_zero(kept))
                for name, kept in wanted.items()
            ),
            groupings={} if self.grouping is None else {KEY: self.grouping},
            series=query.series,
            order=() if self.grouping is None else (Order(VALUE, descending=True), Order(KEY, as_text=True)),
            # Averages of nothing are left out of the answer: in a series they stand among the others.
            limit=query.limit if query.series is None or calculation is not Calculation.AVG else None,
            stand_ins={} if self.grouping is None else {self.grouping: UNKNOWN},
        )
        return Inquiry("widget", self.events.source, rollup, question, self.events.plain)


def _is_zero(kept: Kept) -> bool:
    return kept.calculation is Calculation.SUM


@dataclass(frozen=True)
class _Parts:
    """Finds what plays the parts that a query names; what is lacking is a problem."""

    query: WidgetQuery
    events: EventReading
    problems: list[Problem]

    def grouping(self, grouped: Collection[str]) -> str | None:
        query = self.query
        if query.metadata_key is not None:
            return self._metadata(query.metadata_key, grouped)
        role = _ROLE_OF_GROUP.get(query.group_by)
        return None if role is None else self._role(role, "group_by")

    def field(self) -> str | None:
        match self.query.aggregation:
            case "count":
                return None
            case "count_distinct":
                return self._role("session_id", "aggregation")
            case _:
                return self._value(str(self.query.value_field))

    def is_event_type(self) -> Predicate | None:
        types = self.query.event_types or ()
        path = self._role("event_type", "event_types") if types else None
        return None if path is None else _is_one_of(path, types)

    def narrowed(self, role: str, value: str | None) -> Predicate | None:
        """The condition that events are of a brand or catalog.

        Raises
        ------
        ConflictError
            No column tells: what is asked for one brand must not be answered for all.
        """
        if value is None:
            return None
        path = self.events.spec.path(role)
        if path is None or role in self.events.problems:
            raise ConflictError(
                f"the event source names no {role} column, so events of one {role} cannot be told from others",
                hint=f"name it: ws.set_event_source(…, {role}=…)",
            )
        return _is_one_of(path, (value,))

    def _role(self, role: str, of: str) -> str | None:
        path = self.events.spec.path(role)
        if path is None:
            hint = f"name it: ws.set_event_source(…, {role}=…)"
            self.problems.append(Problem(of, f"the event source names no {role} column", hint))
        elif role in self.events.problems:
            self.problems.append(Problem(of, self.events.problems[role].message))
        return path

    def _value(self, field: str) -> str | None:
        events, path = self.events, self.events.spec.path(field)
        known = [*events.spec.values, *(one for one in ID_FIELDS if events.spec.path(one) is not None)]
        wrong = events.not_numbers.get(field) or events.problems.get(f"values.{field}")
        if path is None:
            message = f"the event source has no {field!r}"
            self.problems.append(Problem("value_field", message, did_you_mean(field, known)))
        elif wrong is not None:
            self.problems.append(Problem("value_field", wrong.message))
        return path

    def _metadata(self, key: str, grouped: Collection[str]) -> str | None:
        events, path = self.events, self.events.spec.metadata_path(key)
        if path is None:
            hint = "name it: ws.set_event_source(…, metadata=…)"
            self.problems.append(Problem("group_by", "the event source names no metadata column", hint))
        elif "metadata" in events.problems:
            self.problems.append(Problem("group_by", events.problems["metadata"].message))
        elif events.fields is not None and not events.fields.get(key):
            known = [name for name, single in events.fields.items() if single]
            message = f"the metadata has no single value {key!r}"
            self.problems.append(Problem("group_by", message, did_you_mean(key, known)))
        short = write_subject(Path((key,)))
        return short if short in grouped and self._is_short_for_metadata(key) else path

    def _is_short_for_metadata(self, key: str) -> bool:
        """Whether a key's bare name leads to it: into the source's JSON column, which the metadata is."""
        spec, source = self.events.spec, self.events.source
        return (
            source.json is not None
            and key not in self.events.columns
            and spec.metadata is not None
            and canonical_subject(spec.metadata) == write_subject(Path((source.json,)))
        )


def _is_one_of(path: str, values: Sequence[str]) -> Predicate:
    subject = read_subject(path)
    if len(values) == 1:
        return Compare("==", subject, Literal(values[0]))
    return In(subject, tuple(map(Literal, values)))
