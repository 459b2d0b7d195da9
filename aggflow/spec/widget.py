"""A widget query: an ad hoc question to the event source, as the widgets of a dashboard ask it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic import Field as PydanticField

from aggflow.errors import Problem
from aggflow.quote import quoted
from aggflow.spec.declaration import Declared, ProblemsError, declaration
from aggflow.timeline import Interval, Micros, Window

METADATA: Final = "metadata."
GROUPS: Final = ("none", "event_type", "session", "day", "hour", "product_id")
MOST_EVENT_TYPES: Final = 50
_SERIES: Final = {"day": Interval.of("1d"), "hour": Interval.of("1h")}
_METADATA_KEY = re.compile(r"metadata\.[a-z_][a-z0-9_]{0,62}")
_DAY_US: Final = 86_400_000_000

WidgetAggregation: TypeAlias = Literal["count", "count_distinct", "sum", "avg"]
ValueField: TypeAlias = Literal[
    "value",
    "amount",
    "price",
    "quantity",
    "duration_ms",
    "score",
    "rating",
    "session_id",
    "product_id",
    "agent_id",
    "customer_id",
]


def _distinct(values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(sorted(set(values or ())))


def _group(value: str) -> str:
    if value not in GROUPS and not _METADATA_KEY.fullmatch(value):
        hint = f"one of {', '.join(GROUPS)}, or metadata.<key> with a key of [a-z_][a-z0-9_]{{0,62}}"
        raise ProblemsError([Problem("", f"{quoted(value)} is nothing to group by", hint)])
    return value


def _whole(value: Any) -> Any:
    """A whole number; JSON writes one with a fraction of zero as well."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


EventType = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]{1,62}$")]
EventTypes = Annotated[
    Annotated[Sequence[EventType], PydanticField(max_length=MOST_EVENT_TYPES)] | None,
    AfterValidator(_distinct),
]
GroupText = Annotated[str, StringConstraints(strict=True), AfterValidator(_group)]
Days = Annotated[int, PydanticField(strict=True, ge=1, le=365), BeforeValidator(_whole)]
Limit = Annotated[int, PydanticField(strict=True, ge=1, le=1000), BeforeValidator(_whole)]


@declaration
class WidgetQuery(Declared):
    """An ad hoc question to the event source.

    Attributes
    ----------
    event_types
        The types of event that count; none, or None, for all.
    group_by
        ``none``, ``event_type``, ``session``, ``day``, ``hour``, ``product_id``, or ``metadata.<key>``.
    aggregation
        ``count`` of events, ``count_distinct`` of sessions, ``sum`` or ``avg`` of a value.
    time_window_days
        How many times 24 hours before now events count, 1 to 365.
    value_field
        What is summed or averaged; not looked at by the counts.
    limit
        How many rows at most, 1 to 1000.
    """

    event_types: EventTypes
    group_by: GroupText
    aggregation: WidgetAggregation
    time_window_days: Days
    value_field: ValueField | None = None
    limit: Limit = 100

    def problems(self) -> Iterator[Problem]:
        """Sums and averages need a value."""
        if self.is_of_values and self.value_field is None:
            yield Problem("value_field", f"is required for {self.aggregation}")

    @property
    def is_of_values(self) -> bool:
        """Whether it is about a value, not about how many there are."""
        return self.aggregation in ("sum", "avg")

    @property
    def metadata_key(self) -> str | None:
        """The key of the metadata that it groups by, if it does."""
        return self.group_by.removeprefix(METADATA) if self.group_by.startswith(METADATA) else None

    @property
    def series(self) -> Interval | None:
        """The width of the buckets that it groups by, in UTC, if it does."""
        return _SERIES.get(self.group_by)

    @property
    def normal(self) -> tuple[object, ...]:
        """Equal for questions that mean the same.

        Examples
        --------
        >>> a = WidgetQuery(["view", "buy"], "none", "count", 7, "price")
        >>> a.normal == WidgetQuery(["buy", "view", "buy"], "none", "count", 7).normal
        True
        """
        value_field = self.value_field if self.is_of_values else None
        return (
            tuple(self.event_types or ()),
            self.group_by,
            self.aggregation,
            self.time_window_days,
            value_field,
            self.limit,
        )

    def window(self, now_us: Micros) -> Window:
        """The events that count.

        Examples
        --------
        >>> window = WidgetQuery(None, "none", "count", 1).window(1_700_000_000_000_000)
        >>> str(window)
        '[2023-11-13T22:13:20Z, 2023-11-14T22:13:20Z)'
        """
        return Window(now_us - self.time_window_days * _DAY_US, now_us)
