"""A span: a count of one unit, the text in which durations and intervals are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from aggflow.errors import ParseError
from aggflow.quote import quoted
from aggflow.timeline.instant import DAY_SECONDS

Unit: TypeAlias = Literal["second", "day", "week", "month", "quarter", "year"]

MONTHS: Final[dict[Unit, int]] = {"month": 1, "quarter": 3, "year": 12}
"""Months that a calendar unit lasts."""

EXPECTED: Final = ("30s", "15m", "1h", "1d", "1w", "1mo", "1q", "1y")

_UNITS: Final[dict[str, tuple[int, Unit]]] = {
    "s": (1, "second"),
    "m": (60, "second"),
    "h": (3600, "second"),
    "d": (1, "day"),
    "w": (1, "week"),
    "mo": (1, "month"),
    "q": (1, "quarter"),
    "y": (1, "year"),
}
_TEXT = re.compile(r"([0-9]{1,18})\s*([A-Za-z]*)")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """So many of one unit, in the one form that equal spans share.

    Whole days of seconds are days, twelve months a year, three a quarter.
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        if self.unit == "second":
            for width, letter in ((3600, "h"), (60, "m")):
                if self.count and self.count % width == 0:
                    return f"{self.count // width}{letter}"
            return f"{self.count}s"
        return f"{self.count}{'mo' if self.unit == 'month' else self.unit[0]}"


def canonical(count: int, unit: Unit) -> Span:
    """The one form of a span.

    Examples
    --------
    >>> canonical(172800, "second"), canonical(24, "month"), canonical(6, "month")
    (Span(count=2, unit='day'), Span(count=2, unit='year'), Span(count=2, unit='quarter'))
    """
    if unit == "second" and count and count % DAY_SECONDS == 0:
        return Span(count // DAY_SECONDS, "day")
    if unit in MONTHS and count:
        months = count * MONTHS[unit]
        if months % 12 == 0:
            return Span(months // 12, "year")
        if months % 3 == 0:
            return Span(months // 3, "quarter")
    return Span(count, unit)


def parse_span(value: str | int | timedelta, noun: str) -> Span:
    """The span that a value names, in its one form.

    Parameters
    ----------
    value
        A number and a unit (``s m h d w mo q y``), milliseconds as a number or as digits, or
        a ``timedelta``.
    noun
        What it is called in an error: ``interval``, ``duration``.

    Raises
    ------
    ParseError
        It is none of these, negative, or no whole number of seconds.

    Examples
    --------
    >>> str(parse_span("24h", "interval")), str(parse_span(1_800_000, "interval"))
    ('1d', '30m')
    """
    if isinstance(value, str):
        return _parse_text(value, noun)
    if isinstance(value, timedelta):
        seconds, rest = divmod(value, _SECOND)
        return _whole(seconds, rest, str(value), noun)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ParseError(f"{quoted(value)} is no {noun}", text=str(value), position=0, expected=EXPECTED)
    milliseconds = int(value)
    return _whole(milliseconds // 1000, milliseconds % 1000, str(value), noun)


def _whole(seconds: int, rest: int | timedelta, text: str, noun: str) -> Span:
    if seconds < 0 or rest:
        why = "negative" if seconds < 0 else "no whole number of seconds"
        raise ParseError(f"the {noun} is {why}", text=text, position=0, hint="a number is milliseconds")
    return canonical(seconds, "second")


def _parse_text(text: str, noun: str) -> Span:
    stripped = text.strip()
    match = _TEXT.fullmatch(stripped)
    if match is None:
        raise ParseError(f"the {noun} is not a number with a unit", text=text, position=0, expected=EXPECTED)
    number, letters = int(match[1]), match[2]
    if not letters:
        return _whole(number // 1000, number % 1000, text, noun)
    if letters not in _UNITS:
        raise ParseError(
            f"the {noun} has no unit {quoted(letters)}",
            text=text,
            position=text.index(stripped) + match.start(2),
            expected=tuple(_UNITS),
            hint="s seconds, m minutes, h hours, d days, w weeks, mo months, q quarters, y years",
        )
    factor, unit = _UNITS[letters]
    return canonical(number * factor, unit)
