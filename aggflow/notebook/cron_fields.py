"""Cron fields: the six parts of an expression as a form asks for them, in step with its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.errors import ParseError, Problem
from aggflow.language import Cron
from aggflow.notebook.entry import Option


@dataclass(frozen=True)
class CronEntry:
    """One of the six, as an entry of a form.

    Attributes
    ----------
    name
        Of its entry.
    label
        What people read beside it.
    start
        Its value in a new schedule.
    options
        What is often chosen.
    help
        What can be typed.
    """

    name: str
    label: str
    start: str
    options: tuple[Option, ...]
    help: str


CRON_FIELDS: Final = (
    CronEntry(
        "second",
        "Second",
        "0",
        (Option("0", help="at the full minute"), Option("*/30", help="every 30 seconds")),
        "0 to 59",
    ),
    CronEntry(
        "minute",
        "Minute",
        "0",
        (
            Option("0", help="at the full hour"),
            Option("30", help="at half past"),
            Option("*/15", help="every quarter of an hour"),
            Option("*/5", help="every 5 minutes"),
            Option("*", help="every minute"),
        ),
        "0 to 59",
    ),
    CronEntry(
        "hour",
        "Hour",
        "6",
        (
            Option("*", help="every hour"),
            Option("0", help="at midnight"),
            Option("*/6", help="every 6 hours"),
            Option("8-18", help="from 8 to 18 o'clock"),
        ),
        "0 to 23",
    ),
    CronEntry(
        "day_of_month",
        "Day of the month",
        "?",
        (
            Option("?", help="any: the day of the week says it"),
            Option("*", help="every day"),
            Option("1", help="the first"),
            Option("1,15", help="the first and the fifteenth"),
            Option("L", help="the last day"),
        ),
        "1 to 31, L for the last, ? for any",
    ),
    CronEntry(
        "month",
        "Month",
        "*",
        (
            Option("*", help="every month"),
            Option("1,4,7,10", help="the first of each quarter"),
            Option("JAN", help="January only"),
        ),
        "1 to 12, or JAN to DEC",
    ),
    CronEntry(
        "day_of_week",
        "Day of the week",
        "*",
        (
            Option("*", help="every day"),
            Option("?", help="any: the day of the month says it"),
            Option("MON-FRI", help="on working days"),
            Option("SUN", help="on Sundays"),
            Option("L5", help="the last Friday of the month"),
            Option("1#1", help="the first Monday of the month"),
        ),
        "0 to 7 (Sunday twice), or SUN to SAT",
    ),
)

#: Expressions that are often wanted.
COMMON: Final = tuple(
    Option(text, help=Cron.of(text).sentence())
    for text in (
        "0 0 6 ? * *",
        "0 0 * * * *",
        "0 0/15 * * * *",
        "0 0 6 ? * MON-FRI",
        "0 30 2 ? * SUN",
        "0 0 3 1 * ?",
        "0 0 3 L * ?",
    )
)
# What stands around a field that is looked at by itself: it goes with any value of it.
_AROUND: Final = ("0", "0", "0", "?", "*", "?")


def fields_of(text: str) -> dict[str, str]:
    """The fields of an expression, by name, in the order in which they are written; empty where one is missing.

    Examples
    --------
    >>> list(fields_of("0 25 06 ? * *").values()), list(fields_of("25 06").values())
    (['0', '25', '06', '?', '*', '*'], ['25', '06', '', '', '', ''])
    """
    parts = text.split()
    return {field.name: parts[i] if i < len(parts) else "" for i, field in enumerate(CRON_FIELDS)}


def text_of(fields: dict[str, str]) -> str:
    """Fields as an expression; those that are empty are left out.

    Examples
    --------
    >>> text_of({"second": "0", "minute": "25", "hour": " 06 "})
    '0 25 06'
    """
    return " ".join(part for field in CRON_FIELDS if (part := fields.get(field.name, "").strip()))


def field_problems(fields: dict[str, str]) -> list[Problem]:
    """What is wrong with fields, each looked at by itself.

    Examples
    --------
    >>> [str(problem) for problem in field_problems(fields_of("0 75 25 ? * *"))]
    ['minute: a minute is 0 to 59, not 75', 'hour: an hour is 0 to 23, not 25']
    """
    found = [
        (field.name, _problem(i, fields.get(field.name, "").strip())) for i, field in enumerate(CRON_FIELDS)
    ]
    return [Problem(name, problem.message, problem.hint) for name, problem in found if problem is not None]


def _problem(index: int, value: str) -> Problem | None:
    if not value:
        return Problem("", "nothing stands here", "* is every one")
    if len(value.split()) > 1:
        return Problem("", "a field has no spaces", "commas join several values")
    parts = [*_AROUND]
    parts[index] = value
    try:
        Cron.of(" ".join(parts))
    except ParseError as error:
        return Problem("", error.message, error.hint)
    return None
