"""A task request: what clients of the tasks API send to make a task, to change it, or to start it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from aggflow.api.failure import invalid
from aggflow.errors import ParseError, Problem, SpecError

# The attributes of a task, by what clients call them.
_FIELDS: Final = {
    "linq": "query.linq",
    "time_zone": "query.timeZone",
    "locale": "query.locale",
    "from_date": "fromDate",
    "min_grain": "minGrain",
}
# The two spellings of one parameter: of answers, and of the table of parameters.
_SPELLINGS: Final = (("linq", "LINQ"), ("timeZone", "timezone"))


def _scalar(value: Any) -> Any:
    """Text or a number: what else has to be is known where tasks are declared."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be text or a number")  # noqa: TRY004 - what pydantic makes a problem of
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _optional(value: Any) -> Any:
    return None if value is None else _scalar(value)


_TIME: Final = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
_PERIOD: Final = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1000}]})
_SECONDS: Final = WithJsonSchema({"type": "integer", "minimum": 0})
Time = Annotated[Any, BeforeValidator(_scalar), _TIME]


class _AnyQuery(BaseModel):
    time_zone: str | None = Field(None, validation_alias=AliasChoices("timeZone", "timezone"))
    locale: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _said_once(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for one, other in _SPELLINGS:
                if one in data and other in data and data[one] != data[other]:
                    raise ValueError(f"{one} and {other} are one parameter, and differ")
        return data


class NewQuery(_AnyQuery):
    """The query of a new task."""

    linq: str = Field(validation_alias=AliasChoices("linq", "LINQ"))


class QueryChange(_AnyQuery):
    """What is to change of a task's query."""

    linq: str | None = Field(None, validation_alias=AliasChoices("linq", "LINQ"))


class _AnyTask(BaseModel):
    description: str | None = None
    delay: Annotated[Any, BeforeValidator(_optional), _SECONDS] = None
    min_grain: Annotated[Any, BeforeValidator(_optional), _PERIOD] = Field(None, validation_alias="minGrain")


class NewTask(_AnyTask):
    """A task that is to be made."""

    name: str
    query: NewQuery
    from_date: Time = Field(validation_alias="fromDate")


class TaskChange(_AnyTask):
    """What is to change of a task: all that is given, and not null."""

    name: str | None = None
    query: QueryChange | None = None
    from_date: Annotated[Any, BeforeValidator(_optional), _TIME] = Field(None, validation_alias="fromDate")


class Start(BaseModel):
    """From when on a task is to aggregate again."""

    from_date: Time = Field(validation_alias="fromDate")


def attributes(body: NewTask | TaskChange) -> dict[str, Any]:
    """What a request gives, by the attributes of a task.

    Examples
    --------
    >>> attributes(TaskChange.model_validate({"delay": 5, "query": {"timezone": "UTC"}, "minGrain": None}))
    {'delay': 5, 'time_zone': 'UTC'}
    """
    given = body.model_dump(exclude_none=True)
    query: dict[str, Any] = given.pop("query", {})
    return given | query


@contextmanager
def naming_fields() -> Iterator[None]:
    """Tell mistakes of a task by what clients call its attributes.

    Raises
    ------
    Refused
        400, each field named; a mistake of the query with its place.
    """
    try:
        yield
    except SpecError as error:
        raise invalid([_detail(problem) for problem in error.problems]) from None
    except ParseError as error:
        raise invalid([(_FIELDS["linq"], str(error))]) from None


def _detail(problem: Problem) -> tuple[str, str]:
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return _FIELDS.get(problem.path, problem.path), message
