"""An instant: a point in time, as whole microseconds since 1970-01-01T00:00:00Z.

Integers compare, hash and travel without a time zone going astray, and mean the same
in Python, numpy, Arrow and every database.  Text and ``datetime`` are for the edges.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from numbers import Integral
from typing import Final, TypeAlias

import numpy as np

from aggflow.errors import QueryError
from aggflow.quote import quoted
from aggflow.timeline.civil import civil_of_day

Micros: TypeAlias = int
"""Microseconds: since the epoch where it names an instant, else a length."""

SECOND_US: Final = 1_000_000
DAY_SECONDS: Final = 86_400
DAY_US: Final = DAY_SECONDS * SECOND_US

BEGINNING: Final[Micros] = -(2**62)
"""Stands for minus infinity: 146,000 years before the epoch."""

FOREVER: Final[Micros] = 2**62
"""Stands for plus infinity: 146,000 years after the epoch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HINT = "give RFC 3339 such as 2025-01-31T12:00:00Z, a date, or epoch milliseconds"
_YEAR_0, _YEAR_10000 = -62_167_219_200, 253_402_300_800
_DIGITS = re.compile(r"[+-]?[0-9]{1,18}")
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"\s?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_instant(value: str | datetime | date | float) -> Micros:
    """The instant that a value from outside names.

    Parameters
    ----------
    value
        RFC 3339 text with any offset (none means UTC; digits below a microsecond are cut),
        a date as text or object (its midnight in UTC), a ``datetime`` (naive means UTC), or
        milliseconds since the epoch as a number or as digits.

    Returns
    -------
    int
        Microseconds since the epoch.

    Raises
    ------
    QueryError
        The value is none of these.

    Examples
    --------
    >>> parse_instant("1970-01-01T00:00:01.5Z")
    1500000
    >>> parse_instant("1970-01-01T01:00:00+01:00"), parse_instant("1970-01-02"), parse_instant("1000")
    (0, 86400000000, 1000000)
    """
    if isinstance(value, str):
        return _parse_text(value.strip())
    if isinstance(value, datetime):
        return from_datetime(value)
    if isinstance(value, date):
        return (value.toordinal() - _EPOCH.toordinal()) * DAY_US
    # True is an int to Python; as a time it can only be a mistake.
    if not isinstance(value, bool):
        if isinstance(value, Integral):
            return _within(int(value) * 1000, value)
        if isinstance(value, float) and math.isfinite(value * 1000):
            return _within(round(value * 1000), value)
    raise QueryError(f"{quoted(value)} is not a time", hint=_HINT)


def _within(us: Micros, value: object) -> Micros:
    if not BEGINNING < us < FOREVER:
        raise QueryError(f"{quoted(value)} milliseconds is a time too far away", hint=_HINT)
    return us


# A request's times are read to check it and to answer it, and many requests ask about the same.
@lru_cache(1024)
def _parse_text(text: str) -> Micros:
    if _DIGITS.fullmatch(text):
        return _within(int(text) * 1000, text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise QueryError(f"{quoted(text)} is not a time", hint=_HINT)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    # A leap second is written 60; the epoch does not count it, so it is the next second.
    leap = second == "60"
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            59 if leap else int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=_parse_offset(offset),
        )
    except ValueError as error:
        raise QueryError(f"{quoted(text)} is not a time: {error}", hint=_HINT) from None
    return from_datetime(moment) + (SECOND_US if leap else 0)


def _parse_offset(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError("minutes of an offset are 00 to 59")
    length = timedelta(hours=hours, minutes=minutes)
    return timezone(-length if text[0] == "-" else length)


def from_datetime(moment: datetime) -> Micros:
    """The instant of a ``datetime``; a naive one is read as UTC.

    Examples
    --------
    >>> from_datetime(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int((aware - _EPOCH) // _MICROSECOND)


def to_datetime(us: Micros) -> datetime:
    """The instant as an aware ``datetime`` in UTC.

    Raises
    ------
    QueryError
        The instant lies outside the years 1 to 9999, which is all that ``datetime`` holds.

    Examples
    --------
    >>> to_datetime(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    try:
        return _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        raise QueryError(
            f"{format_instant(us)} is no calendar time", hint="times lie between the years 1 and 9999"
        ) from None


def format_instant(us: Micros) -> str:
    """The instant as RFC 3339 text in UTC, with a fraction only where there is one.

    Years outside 0 to 9999 are written with their sign; the two infinities in words.

    Examples
    --------
    >>> format_instant(0), format_instant(1_500_000), format_instant(BEGINNING)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500Z', 'beginning')
    """
    if us <= BEGINNING:
        return "beginning"
    if us >= FOREVER:
        return "forever"
    days, rest = divmod(us, DAY_US)
    seconds, fraction = divmod(rest, SECOND_US)
    year, month, day = civil_of_day(days)
    years = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+06d}"
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{years}-{month:02d}-{day:02d}T{clock}{_format_fraction(fraction)}Z"


def format_seconds(seconds: Sequence[int]) -> list[str]:
    """Many instants in whole seconds since the epoch, as `format_instant` writes each; ten times as fast.

    Examples
    --------
    >>> format_seconds([3600, 0, 3600])
    ['1970-01-01T01:00:00Z', '1970-01-01T00:00:00Z', '1970-01-01T01:00:00Z']
    """
    if not seconds:
        return []
    # Rows of several groups share their buckets.
    found, places = np.unique(np.array(seconds, dtype=np.int64), return_inverse=True)
    if found[0] >= _YEAR_0 and found[-1] < _YEAR_10000:
        texts: list[str] = np.datetime_as_string(found.astype("datetime64[s]"), timezone="UTC").tolist()
    else:
        texts = [format_instant(second * SECOND_US) for second in found.tolist()]
    return [texts[place] for place in places.tolist()]


def _format_fraction(us: int) -> str:
    if us == 0:
        return ""
    return f".{us // 1000:03d}" if us % 1000 == 0 else f".{us:06d}"
