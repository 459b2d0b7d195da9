"""A task: a rollup written as LINQ, and built continually."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer, StringConstraints

from aggflow.errors import ParseError, Problem, QueryError
from aggflow.language import Query, parse_linq, to_linq
from aggflow.quote import quoted
from aggflow.spec.declaration import Declared, as_validator_error, declaration
from aggflow.spec.reading import reading_of
from aggflow.spec.rollup import Rollup
from aggflow.spec.text import IntervalText, Name, ZoneText
from aggflow.timeline import (
    BEGINNING,
    UTC,
    Duration,
    Interval,
    Micros,
    Zone,
    format_instant,
    parse_instant,
)

#: Of a task whose query has no period and that does not say how fine it is to be.
DEFAULT_GRAIN: Final = "30m"


# A tree takes some kilobytes, parsing 0.3 ms: as many are kept as a workspace may well have tasks.
@lru_cache(maxsize=32_768)
def query_of(linq: str) -> Query:
    """The tree of a task's text; parsed once."""
    return parse_linq(linq)


def _linq(value: Any) -> str:
    if not isinstance(value, str):
        raise ParseError(f"a text is needed, not {quoted(value)}", text=str(value), position=0)
    return to_linq(query_of(value))


def _milliseconds(value: Any) -> int:
    return parse_instant(value) // 1000


def _date(milliseconds: int) -> int | str:
    return format_instant(milliseconds * 1000) if milliseconds else 0


def _delay(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise QueryError(f"{quoted(value)} is no whole number of seconds", hint="0 is no delay")
    Duration.of(f"{text}s")
    return int(text)


LinqText = Annotated[str, BeforeValidator(as_validator_error(_linq))]
FromDate = Annotated[int, BeforeValidator(as_validator_error(_milliseconds)), PlainSerializer(_date)]
Seconds = Annotated[int, BeforeValidator(as_validator_error(_delay))]


@declaration
class Task(Declared):
    """A rollup written as LINQ, and built continually.

    Attributes
    ----------
    name
        Its name in the workspace.
    linq
        A grouped query, held as its canonical text; its table is the name of a source.
    from_date
        From when on events are aggregated, in milliseconds since the epoch; any form of a time is
        taken, and 0 is the beginning of the data.  What is built of the time before it stays.
    delay
        Nothing younger than so many seconds before now is aggregated.
    time_zone
        The zone whose calendar buckets of a day and longer follow: ``GMT+01:00``, ``UTC``, an IANA name.
    locale
        The language of the client that made it, for clients.
    min_grain
        Width of the finest bucket that is stored, which divides the query's period; None is the
        period itself, or 30 minutes for a query without one.
    description
        For people.
    owner_email
        Who made it, for people.
    """

    name: Name
    linq: LinqText
    from_date: FromDate
    delay: Seconds = 0
    time_zone: ZoneText = "UTC"
    locale: Annotated[str, StringConstraints(min_length=1, max_length=35)] = "en"
    min_grain: IntervalText | None = None
    description: str = ""
    owner_email: str = ""

    def problems(self) -> Iterator[Problem]:
        """A grain that does not divide the period."""
        if self.min_grain is None or self.period is None:
            return
        if not Interval.of(self.min_grain).divides(self.period, self.zone, self.zone):
            of = f" of {self.zone}" if self.period.unit != "second" else ""
            yield Problem(
                "min_grain",
                f"{self.min_grain} does not divide the query's period, {self.period}{of}",
                "a bucket of the query has to be made of whole buckets that are stored",
            )

    @property
    def query(self) -> Query:
        """What its text says."""
        return query_of(self.linq)

    @property
    def source(self) -> str:
        """The name of the source that it reads: the table of its query."""
        return self.query.table

    @property
    def wheres(self) -> tuple[str, ...]:
        """The conditions of its query, each as a function."""
        return tuple(to_linq(where) for where in self.query.wheres)

    @property
    def zone(self) -> Zone:
        """The zone whose calendar its buckets follow."""
        return Zone.of(self.time_zone)

    @property
    def period(self) -> Interval | None:
        """The width of the query's buckets; None where it has one for the whole range."""
        return None if self.query.period_ms is None else Interval.of(self.query.period_ms)

    @property
    def grain(self) -> Interval:
        """The width of the buckets that are stored."""
        return Interval.of(self.min_grain or self.period or DEFAULT_GRAIN)

    @property
    def rollup(self) -> Rollup:
        """What it materialises; its zone matters where buckets are days or longer."""
        return reading_of(self.query).rollup(self.grain, self.zone if self.grain.is_calendar else UTC)

    @property
    def from_us(self) -> Micros:
        """The start of the first bucket that is wanted; the beginning of time for ``from_date`` 0."""
        return self.grain.floor(self.from_date * 1000, self.zone) if self.from_date else BEGINNING

    @property
    def wait(self) -> Duration:
        """How long before now what is aggregated ends."""
        return Duration.of(f"{self.delay}s")
