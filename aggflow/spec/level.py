"""A level: one step of a dimension's hierarchy: a column, an expression, or a width of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from aggflow.errors import AggflowError, Problem
from aggflow.language import canonical_subject
from aggflow.quote import quoted
from aggflow.spec.declaration import Declared, ProblemsError, declaration
from aggflow.spec.text import IntervalText, Name, PathText
from aggflow.timeline import Interval

_WIDTHS: Final = {"year": "1y", "quarter": "1q", "month": "1mo", "week": "1w", "day": "1d", "hour": "1h"}

TIME_LEVELS: Final = tuple(_WIDTHS)
"""The levels of time that are known by their names, coarsest first."""


def _without_dot(name: str) -> str:
    # A dot stands between a dimension and its level where a question names them.
    if "." in name:
        raise ProblemsError(
            [Problem("", f"{quoted(name)} has a dot", "choose a name, and give the column as path")]
        )
    return name


LevelName = Annotated[Name, AfterValidator(_without_dot)]


@declaration
class Level(Declared):
    """One step of a hierarchy.

    Attributes
    ----------
    name
        Its name, unique in the dimension.
    path
        A column, a path (``@.a.b``) or an expression (``=lower(city)``).
    interval
        A width of time (``1d``), instead of a path.  With neither, the name says which it is: ``year``,
        ``quarter``, ``month``, ``week``, ``day`` and ``hour`` are of time, any other is a column.
    """

    name: LevelName
    path: PathText | None = None
    interval: IntervalText | None = None

    def problems(self) -> Iterator[Problem]:
        """It is of one thing, and its name is a column where nothing else says what it is."""
        if self.path is not None and self.interval is not None:
            yield Problem("interval", "a level is a column or a width of time, not both")
        elif not self.is_time and self.path is None:
            yield from name_problems(self.name)

    @property
    def is_time(self) -> bool:
        """Whether it is a width of time."""
        return self.interval is not None or (self.path is None and self.name in _WIDTHS)

    @property
    def width(self) -> Interval:
        """The width of a level of time."""
        return Interval.of(self.interval or _WIDTHS[self.name])

    @property
    def column(self) -> str:
        """The canonical text of what a level that is none of time groups by."""
        return canonical_subject(self.path or self.name)


def name_problems(name: str) -> Iterator[Problem]:
    """Why a name cannot stand for a column by itself."""
    try:
        canonical_subject(name)
    except AggflowError:
        yield Problem("path", f"{quoted(name)} is no path by itself", "say which column it is: path=…")


def _from_text(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _to_text(level: Level) -> str | Mapping[str, str]:
    if level.path is not None:
        return {"name": level.name, "path": level.path}
    return level.name if level.interval is None else {"name": level.name, "interval": level.interval}


LevelText = Annotated[Level, BeforeValidator(_from_text), PlainSerializer(_to_text)]
