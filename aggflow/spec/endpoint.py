"""An endpoint: a saved question to a filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, PlainSerializer
from pydantic import Field as PydanticField

from aggflow.errors import Problem
from aggflow.spec.choice import Choice
from aggflow.spec.declaration import Declared, Many, declaration
from aggflow.spec.field import Field
from aggflow.spec.text import Name
from aggflow.spec.timing import TimeSeries, Timing

LOOKBACK_LIMIT = 1000
SERIES_ROWS = 100_000


@declaration
class Sort(Declared):
    """An order: by a returned grouping, a return field, or ``dt`` in a series."""

    by: Name
    direction: Literal["asc", "desc"] = "asc"


@declaration
class GroupingLimit(Declared):
    """The first ``limit`` values of a grouping within each value of the limits before it."""

    grouping: Name
    limit: Annotated[int, PydanticField(ge=1)]


def _limit_from_pair(value: Any) -> Any:
    if not isinstance(value, tuple | list):
        return value
    pair = cast("Sequence[Any]", value)
    return {"grouping": pair[0], "limit": pair[1]} if len(pair) == 2 else pair


def _sort_from_text(value: Any) -> Any:
    return {"by": value} if isinstance(value, str) else value


def _limit_to_pair(limit: GroupingLimit) -> list[str | int]:
    return [limit.grouping, limit.limit]


SortText = Annotated[Sort, BeforeValidator(_sort_from_text)]
LimitPair = Annotated[GroupingLimit, BeforeValidator(_limit_from_pair), PlainSerializer(_limit_to_pair)]


@declaration
class Endpoint(Declared):
    """A saved question to a filter.

    Attributes
    ----------
    name
        Its name in the workspace.
    filter
        Name of the filter.
    timing
        A :class:`Lookback` or a :class:`TimeSeries`.
    fields
        What is returned, at least one.
    groupings
        A choice a grouping of the filter; those not named are aggregated.
    sort
        The order; ties, and the default, by ``dt``, then groupings in the filter's order.
    limit
        At most so many rows; None for 1000 of a Lookback, all of a series.
    grouping_limits
        How many values of which grouping, outermost first (``[("team", 10), ("player", 5)]``).
    description
        For people.
    """

    name: Name
    filter: Name
    timing: Annotated[Timing, PydanticField(discriminator="kind")]
    fields: Many[Field]
    groupings: Mapping[str, Choice] = PydanticField(default_factory=dict[str, Choice])
    sort: Many[SortText] = ()
    limit: Annotated[int, PydanticField(ge=1)] | None = None
    grouping_limits: Many[LimitPair] = ()
    description: str = ""

    def problems(self) -> Iterator[Problem]:
        """What is wrong without looking at the filter."""
        if not self.fields:
            yield Problem("fields", "at least one return field is needed")
        for name, times in Counter(field.name for field in self.fields).items():
            if times > 1:
                yield Problem("fields", f"{name!r} stands here {times} times; names are unique")
        if isinstance(self.timing, TimeSeries):
            for i, field in enumerate(self.fields):
                if field.has_own_window:
                    yield Problem(f"fields[{i}]", "only fields of a Lookback have time settings of their own")
