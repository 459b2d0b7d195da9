"""A row function of LINQ: one row each, with its arguments, its meaning in Ibis and its sentence.

A meaning takes Ibis values, made ready by the kind of each argument, and is written so that every
engine gives the same: what an engine would refuse for one row (the root of a negative number) is
missing in that row, and ends no build.  What LINQ knows and Ibis lacks is in ``REFUSED``.
"""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import ibis

from aggflow.language.kind import Kind

Takes = Literal["text", "number", "time", "any", "written", "whole", "regex"]

#: What an argument must be, for people.
TAKES: dict[Takes, str] = {
    "text": "a text",
    "number": "a number",
    "time": "a time",
    "any": "a value",
    "written": "a text written out",
    "whole": "a whole number written out, from 0 on",
    "regex": 're("…")',
}


@dataclass(frozen=True)
class Function:
    """One row function.

    Attributes
    ----------
    name
        As LINQ writes it.
    takes
        What its arguments are.  A ``text`` may come from whole numbers, a ``number`` from texts that
        read as one; ``written``, ``whole`` and ``regex`` stand in the query itself.
    gives
        The kind of what it gives; None: that of its first argument.
    meaning
        From Ibis values, and written arguments as they are, to an Ibis value.
    sentence
        What it gives, for people.
    optional
        How many of the last arguments may be left out.
    """

    name: str
    takes: tuple[Takes, ...]
    gives: Kind | None
    meaning: Callable[..., Any]
    sentence: str
    optional: int = 0

    @property
    def fewest(self) -> int:
        """How many arguments it needs."""
        return len(self.takes) - self.optional


def _bounded(number: Any) -> Any:
    """A number that fits 64 bits; one that does not, and NaN, is missing."""
    if not number.type().is_floating():
        return number
    return (number.abs() < ibis.literal(float(2**63))).ifelse(number, ibis.null("float64"))


def _whole(number: Any) -> Any:
    if number.type().is_integer():
        return number
    number = _bounded(number)
    return (number < 0).ifelse(number.ceil(), number.floor()).cast("int64")


def _floor(number: Any) -> Any:
    return number if number.type().is_integer() else _bounded(number).floor().cast("int64")


def _ceil(number: Any) -> Any:
    return number if number.type().is_integer() else _bounded(number).ceil().cast("int64")


def _round(number: Any, digits: int = 0) -> Any:
    if number.type().is_integer():
        return number
    number = number.cast("float64") if digits else _bounded(number)
    size = number.abs() * 10.0**digits if digits else number.abs()
    # From there on floats are whole numbers; some engines floor to 64 bits.
    broken = size < 2.0**52
    small = broken.ifelse(size, ibis.null("float64"))
    # Halves go away from zero: engines' own rounding has them go to even numbers, or either way.
    whole = small.floor().cast("float64")
    up = (small - whole >= 0.5).ifelse(1, 0)
    rounded = (whole + up) * (number < 0).ifelse(-1, 1)
    result = broken.ifelse(rounded / 10.0**digits if digits else rounded, number)
    return result if digits else result.cast("int64")


def _positive(number: Any) -> Any:
    number = number.cast("float64")
    return (number > 0).ifelse(number, ibis.null("float64"))


def _root(number: Any) -> Any:
    number = number.cast("float64")
    return (number >= 0).ifelse(number, ibis.null("float64")).sqrt()


def _substring(text: Any, start: int, length: int | None = None) -> Any:
    return text.substr(start) if length is None else text.substr(start, length)


def _peek(text: Any, pattern: str, group: int = 0) -> Any:
    # Where nothing is found engines give an empty text or none.  The empty group at the end is for
    # those that know groups only up to the one that closed last.
    flags = re.match(r"(\(\?[a-zA-Z]+\))?", pattern)
    start = flags.end() if flags else 0
    grouped = f"{pattern[:start]}(?:{pattern[start:]})()"
    found = ibis.coalesce(text.re_extract(grouped, group), "")
    return text.re_search(pattern).ifelse(found, ibis.null("string"))


def _part(name: str) -> Callable[[Any], Any]:
    def part(time: Any) -> Any:
        return getattr(time.cast("timestamp") if time.type().is_date() else time, name)()

    return part


_ROWS = (
    Function("str", ("text",), "text", lambda text: text, "the value as a text"),
    Function("int", ("number",), "number", _whole, "the whole number, cut towards zero"),
    Function("float", ("number",), "number", operator.methodcaller("cast", "float64"), "the number"),
    Function("lower", ("text",), "text", operator.methodcaller("lower"), "the text in small letters"),
    Function("upper", ("text",), "text", operator.methodcaller("upper"), "the text in capital letters"),
    Function("trim", ("text",), "text", operator.methodcaller("strip"), "the text without spaces around it"),
    Function("length", ("text",), "number", operator.methodcaller("length"), "how many characters it has"),
    Function(
        "substring",
        ("text", "whole", "whole"),
        "text",
        _substring,
        "the text from a position on, counted from 0, and how many characters of it",
        optional=1,
    ),
    Function(
        "split",
        ("text", "written", "whole"),
        "text",
        lambda text, by, index: text.split(by)[index],
        "the part of that number, counted from 0, of the text cut at a separator",
    ),
    Function(
        "peek",
        ("text", "regex", "whole"),
        "text",
        _peek,
        "what a regular expression finds, or its group of that number",
        optional=1,
    ),
    Function(
        "subsall",
        ("text", "regex", "written"),
        "text",
        lambda text, pattern, by: text.re_replace(pattern, by),
        "the text with all that a regular expression finds replaced",
    ),
    Function("abs", ("number",), "number", operator.methodcaller("abs"), "the number without its sign"),
    Function("signum", ("number",), "number", operator.methodcaller("sign"), "-1, 0 or 1"),
    Function("floor", ("number",), "number", _floor, "the largest whole number that is not above"),
    Function("ceil", ("number",), "number", _ceil, "the smallest whole number that is not below"),
    Function("round", ("number", "whole"), "number", _round, "the number to so many decimals", optional=1),
    Function("sqrt", ("number",), "number", _root, "the square root; of a negative number none"),
    Function("log", ("number",), "number", lambda n: _positive(n).ln(), "the natural logarithm"),
    Function("log10", ("number",), "number", lambda n: _positive(n).log10(), "the logarithm to base 10"),
    Function("log2", ("number",), "number", lambda n: _positive(n).log2(), "the logarithm to base 2"),
    Function("nvl", ("any", "any"), None, ibis.coalesce, "the first, or the second where it is missing"),
    *(
        Function(name, ("time",), "number", _part(name), f"the {name} of the time, as it is stored")
        for name in ("year", "month", "day", "hour", "minute", "second")
    ),
)

FUNCTIONS: dict[str, Function] = {row.name: row for row in _ROWS}

_NO_IPS = 'Ibis knows no addresses; they compare as texts, as in startswith(ip, "10.")'
_NO_PLACES = "Ibis knows no places; join them in the source's table"
_NO_NOW = "a build must give the same whenever it runs; the window is given with the question"
_NO_FORMATS = "engines write dates each their own way; year(), month(), day(), hour() are there"
_NO_JSON = "a field in JSON is written as a path: payload.user"

#: What LINQ has and aggflow has not, with the reason.
REFUSED: dict[str, str] = {
    **dict.fromkeys(("ip4", "ip6", "net4", "isprivate", "ispublic"), _NO_IPS),
    **dict.fromkeys(("mmcountry", "mmlatitude", "mmlongitude", "mmcity", "countrycode"), _NO_PLACES),
    **dict.fromkeys(("now", "today"), _NO_NOW),
    **dict.fromkeys(("formatdate", "parsedate"), _NO_FORMATS),
    **dict.fromkeys(("timestamp", "epoch"), "times compare with texts and milliseconds as they are"),
    **dict.fromkeys(("jsonparse", "jqeval"), _NO_JSON),
    "lu": "there are no lookup tables; join them in the source's table",
    "subs": 'Ibis replaces all that is found, not the first only: subsall(text, re("…"), "by")',
    "period": "buckets of time are made by group every",
    "re": 're("…") stands in matches(), peek() and subsall(), and after ~',
    "nameglob": 'nameglob("…") stands in matches() and after ~',
}
