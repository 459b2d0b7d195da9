"""An endpoint: a saved question to a filter, task or cube."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic import Field as PydanticField
from pydantic_core import ArgsKwargs

from aggflow.errors import Problem
from aggflow.spec.choice import Choice
from aggflow.spec.declaration import Declared, Many, ProblemsError, declaration
from aggflow.spec.field import Field
from aggflow.spec.text import Name
from aggflow.spec.timing import TimeSeries, Timing

Subject: TypeAlias = Literal["filter", "task", "cube"]
SUBJECTS: Final[tuple[Subject, ...]] = ("filter", "task", "cube")
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


_NOTHING: Final = object()
_UNASKED: Final = Problem("", "is required", "or a task, or a cube")


def _required(value: Any) -> Any:
    if value is _NOTHING:
        raise ProblemsError([_UNASKED])
    return value


@declaration
class Endpoint(Declared):
    """A saved question to a filter, a task or a cube.

    Attributes
    ----------
    name
        Its name in the workspace.
    filter, task, cube
        Name of what is asked: one of the three.
    timing
        A :class:`Lookback` or a :class:`TimeSeries`.
    fields
        What is returned, at least one.
    groupings
        A choice a grouping: of the filter, a key of the task, a dimension of the cube; those not named
        are aggregated.
    sort
        The order; ties, and the default, by ``dt``, then groupings in the order of what is asked.
    limit
        At most so many rows; None for 1000 of a Lookback, all of a series.
    grouping_limits
        How many values of which grouping, outermost first (``[("team", 10), ("player", 5)]``).
    description
        For people.
    """

    name: Name
    filter: Annotated[Name | None, BeforeValidator(_required)] = None
    timing: Annotated[Timing, PydanticField(discriminator="kind")] = PydanticField(default=...)
    fields: Many[Field] = PydanticField(default=...)
    groupings: Mapping[str, Choice] = PydanticField(default_factory=dict[str, Choice])
    sort: Many[SortText] = ()
    limit: Annotated[int, PydanticField(ge=1)] | None = None
    grouping_limits: Many[LimitPair] = ()
    description: str = ""
    task: Name | None = None
    cube: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _asks(cls, given: Any) -> Any:
        """What is given, so that it is told with all else where nothing is asked."""
        named = given.kwargs if isinstance(given, ArgsKwargs) else given
        args = given.args if isinstance(given, ArgsKwargs) else ()
        if not isinstance(named or {}, Mapping) or len(args) > 1 or set(SUBJECTS) & set(named or {}):
            return given
        named = {**(named or {}), "filter": _NOTHING}
        return ArgsKwargs(args, named) if isinstance(given, ArgsKwargs) else named

    def problems(self) -> Iterator[Problem]:
        """What is wrong without looking at what is asked."""
        yield from self._subject_problems()
        if not self.fields:
            yield Problem("fields", "at least one return field is needed")
        for name, times in Counter(field.name for field in self.fields).items():
            if times > 1:
                yield Problem("fields", f"{name!r} stands here {times} times; names are unique")
        if isinstance(self.timing, TimeSeries):
            for i, field in enumerate(self.fields):
                if field.has_own_window:
                    yield Problem(f"fields[{i}]", "only fields of a Lookback have time settings of their own")

    def _subject_problems(self) -> Iterator[Problem]:
        named = [kind for kind in SUBJECTS if getattr(self, kind) is not None]
        if not named:
            yield replace(_UNASKED, path="filter")
        for kind in named[1:]:
            yield Problem(kind, f"an endpoint asks one thing, and {named[0]} is given")

    @property
    def subject(self) -> tuple[Subject, str]:
        """What it asks: the kind of definition, and its name."""
        return next((kind, name) for kind in SUBJECTS if (name := getattr(self, kind)) is not None)

    @model_serializer(mode="wrap")
    def _asked_alone(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Of filter, task and cube only the one that is asked is written, beside the name."""
        whole = serialize(self)
        first = {key: whole[key] for key in ("name", *SUBJECTS) if whole.get(key) is not None}
        return {**first, **{key: value for key, value in whole.items() if key not in SUBJECTS}}
