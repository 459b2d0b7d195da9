"""A figure: a number as people read it: of things, of bytes, of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from aggflow.timeline import BEGINNING, FOREVER, Micros

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_STEPS: Final = (("y", 365 * 86_400), ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def size(count: int) -> str:
    """Bytes, for people.

    Examples
    --------
    >>> size(0), size(999), size(1_234_567), size(52_000)
    ('0 B', '999 B', '1.2 MB', '52 kB')
    """
    number, unit = float(count), 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit and number < 9.95 else f"{number:.0f} {_UNITS[unit]}"


def plural(count: int, noun: str) -> str:
    """A noun, as it is said of so many.

    Examples
    --------
    >>> plural(1, "row"), plural(0, "row")
    ('row', 'rows')
    """
    return noun if count == 1 else f"{noun}s"


def with_article(noun: str) -> str:
    """A noun, with its article.

    Examples
    --------
    >>> with_article("filter"), with_article("endpoint")
    ('a filter', 'an endpoint')
    """
    return f"an {noun}" if noun[:1].lower() in tuple("aeiou") else f"a {noun}"


def counted(count: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "row"), counted(336_776, "row")
    ('1 row', '336,776 rows')
    """
    return f"{count:,} {plural(count, noun)}"


def took(seconds: float) -> str:
    """A time that something took, for people.

    Examples
    --------
    >>> took(0.000045), took(0.00123), took(0.25), took(4.26), took(75), took(7384)
    ('45 us', '1.2 ms', '250 ms', '4.3 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 0.000_999_5:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def ago(us: Micros, now_us: Micros) -> str:
    """How long ago an instant was, in its largest unit.

    Examples
    --------
    >>> ago(0, 400), ago(0, 90_000_000), ago(0, 200_000_000_000), ago(10, 0)
    ('just now', '1 min ago', '2 d ago', 'just now')
    """
    seconds = (now_us - us) // 1_000_000
    for noun, step in _STEPS:
        if seconds >= step:
            return f"{seconds // step:,} {noun} ago"
    return "just now"


def instant(us: Micros) -> str:
    """An instant to the minute, UTC.

    Examples
    --------
    >>> instant(0), instant(BEGINNING)
    ('1970-01-01 00:00', 'the beginning')
    """
    if us <= BEGINNING:
        return "the beginning"
    if us >= FOREVER:
        return "the end of time"
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")
