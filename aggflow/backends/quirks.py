"""Quirks: what one needs to know of backends to get the same number from each.

A function an oddity; which backend takes which road is said by the capability table.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from aggflow.backends.capability import Capability

_NUMBER = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$"


@cache
def function(name: str, *types: str, returns: str) -> Any:
    """A function that the backend has and Ibis does not know."""

    def call(*_args: Any) -> None:
        """Stand for the backend's function: Ibis reads the signature and never calls it."""

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(f"a{i}", kind, annotation=ibis.dtype(type_)) for i, type_ in enumerate(types)
    ]
    returned = ibis.dtype(returns)
    signed: Any = call
    signed.__signature__ = inspect.Signature(parameters, return_annotation=returned)
    signed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters} | {
        "return": returned
    }
    signed.__name__ = name
    return ibis.udf.scalar.builtin(signed, name=name)


def micros(time: ir.Column, can: Capability) -> ir.Column:
    """Microseconds since the epoch of a time in UTC, exact before 1970 as well."""
    plain = time.cast("timestamp")
    if can.micros == "function":
        return function(can.micros_function, "timestamp", returns="int64")(plain)
    if can.micros == "cast":
        return plain.cast("int64")
    fraction = _fraction_of_text(plain) if can.fraction == "text" else plain.microsecond().cast("int64")
    return civil_seconds(plain) * 1_000_000 + fraction


def civil_seconds(time: Any) -> ir.Column:
    """Whole seconds since the epoch by integer arithmetic on the calendar's parts.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", ``days_from_civil``.
    """
    year, month, day = (part().cast("int64") for part in (time.year, time.month, time.day))
    march = year - (month <= 2).ifelse(1, 0)
    era = floor_div(march, 400)
    of_era = march - era * 400
    of_year = floor_div(153 * ((month + 9) % 12) + 2, 5) + day - 1
    days = era * 146_097 + of_era * 365 + floor_div(of_era, 4) - floor_div(of_era, 100) + of_year - 719_468
    hour, minute, second = (part().cast("int64") for part in (time.hour, time.minute, time.second))
    return days * 86_400 + hour * 3600 + minute * 60 + second


def floor_div(number: Any, by: int) -> Any:
    """Whole division that floors, of numbers below 2**53."""
    return (number // by).cast("int64")


def floor_to(number: Any, width: int) -> Any:
    """The largest multiple of a width that is no larger: by remainders, so exact in 64 bits."""
    return number - ((number % width) + width) % width


def _fraction_of_text(time: Any) -> ir.Column:
    digits = time.cast("string").substr(20, 6)
    padded = digits.re_extract("^[0-9]*", 0).concat("000000").substr(0, 6)
    return (time.cast("string").length() > 20).ifelse(padded.cast("int64"), 0)


def number_of_text(text: Any, can: Capability) -> ir.Column:
    """The number that a text reads as, or null."""
    if can.number_of_text == "try_cast":
        return text.try_cast("float64")
    return text.re_search(_NUMBER).ifelse(text.cast("float64"), ibis.null("float64"))


def finite(number: Any) -> ir.Column:
    """A floating number, or null where it is NaN or infinite."""
    return (number.isnan() | number.isinf()).ifelse(ibis.null(number.type()), number)


def hashed(value: Any, can: Capability) -> ir.Column:
    """The backend's 64-bit hash as int64, null for null; integers as int64, all else as text."""
    plain = value.cast("int64" if value.type().is_integer() else "string")
    kind = "int64" if value.type().is_integer() else "string"
    raw = function(can.hash, kind, returns="uint64")(plain)
    # The upper half of an unsigned hash has no place in int64: its bits, not its value, are wanted.
    return plain.isnull().ifelse(ibis.null("uint64"), raw)


def json_text(document: Any, parts: tuple[str, ...], can: Capability) -> ir.Column:
    """The text at a path of a JSON document, null where there is none."""
    path = "$" + "".join('."' + part.replace('"', '\\"') + '"' for part in parts)
    return function(can.json, "string", "string", returns="string")(document.cast("string"), path)


def json_length(document: Any, parts: tuple[str, ...], can: Capability) -> ir.Column:
    """The length of the array at a path of a JSON document."""
    path = "$" + "".join('."' + part.replace('"', '\\"') + '"' for part in parts)
    return function(can.json_length, "string", "string", returns="int64")(document.cast("string"), path)


def is_json(type_: dt.DataType) -> bool:
    """Whether paths lead into a column of this type by way of JSON."""
    return type_.is_json() or type_.is_string()
