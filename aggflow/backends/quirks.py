"""Quirks: what one needs to know of backends to get the same number from each.

A function an oddity; which backend takes which road is said by the capability table.
"""

from __future__ import annotations

import inspect
import math
import sys
from functools import cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from aggflow.backends.capability import Capability
from aggflow.backends.regex_dialect import DIALECTS, RegexDialect, pattern_for, replacement_for
from aggflow.backends.row_function import (
    python_function,
    read_length,
    read_number,
    read_part,
    read_size,
    read_text,
)
from aggflow.errors import UnsupportedError

# Of whole numbers of 64 bits without a sign.
_DIGITS = 20
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
    builtin: Any = ibis.udf.scalar.builtin
    schema, _, plain = name.rpartition(".")
    return builtin(signed, name=plain, database=schema or None)


def micros(time: Any, can: Capability) -> ir.Column:
    """Microseconds since the epoch of a time in UTC, exact before 1970 as well."""
    if can.micros == "function":
        # Of the column as it is: a cast of a time with a zone would go by the session's zone.
        return function(can.micros_function, str(time.type()), returns="int64")(time)
    if can.micros == "instant":
        # The session's zone is UTC, in which a time without one is taken.
        instant = "timestamp('UTC')"
        return function(can.micros_function, instant, returns="int64")(time.cast(instant))
    if can.micros == "text":
        return _micros_of_text(time.cast("string"), can)
    if can.micros == "seconds":
        seconds: Any = function(can.micros_function, str(time.type()), returns="int64")(time)
        fraction: Any = time.microsecond().cast("int64") if time.type().is_timestamp() else 0
        return (seconds - can.micros_origin) * 1_000_000 + fraction
    if can.micros == "cast":
        # Nanoseconds, which some take where nothing is said, end in 2262.
        micros: Any = time.cast("timestamp(6)")
        return micros.cast("int64")
    plain: Any = time.cast("timestamp")
    return civil_seconds(plain) * 1_000_000 + plain.microsecond().cast("int64")


def civil_seconds(time: Any) -> Any:
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


def floor_to(micros: Any, width: int, can: Capability) -> Any:
    """The largest multiple of a width, itself a multiple of a second, that is no larger.

    By remainders, so exact in 64 bits; where those are floats, of the 64th part of both.
    """
    if can.remainder == "integer":
        return micros - ((micros % width) + width) % width
    part, of = micros >> 6, width >> 6
    floored: Any = part - ((part % of) + of) % of
    # Ibis takes it for an integer: only by way of a float is it cast to one.
    return floored.cast("float64").cast("int64") * 64


def _micros_of_text(text: Any, can: Capability) -> ir.Column:
    """Microseconds of ``2026-01-01 12:00:00.123456+02:00``, with ``T`` or blank, any part left out."""
    strip = function("ltrim", "string", "string", returns="string")
    seconds = function(can.micros_function, "string", "string", returns="string")
    # Taken without its fraction, which would round the second up.
    whole = seconds("%s", text.substr(0, 19).concat(strip(text.substr(19), ".0123456789"))).cast("int64")
    # A text is read as a number as far as it is one: the 0 of "0" + "Z", the 0.5 of "0" + ".5+02:00".
    zero: Any = ibis.literal("0")
    fraction = zero.concat(text.substr(19, 7)).cast("float64")
    return whole * 1_000_000 + (fraction * 1e6 + 0.5).cast("int64")


def adapted(expression: Any, can: Capability) -> Any:
    """An expression with what this backend computes in another way written as it has to be.

    Shifts to the right become divisions, where whole numbers are taken for unsigned ones; times say how
    fine they are, where else they would be too fine; literal days are cast from texts; regular expressions
    mean what they mean to RE2.
    """
    if (can.shifts, can.times, can.regex) == ("bits", "plain", "re2"):
        return expression
    functions = {operation: (name, before) for operation, name, before in can.functions}

    def replaced(node: Any, arguments: Any) -> Any:
        node = node.__recreate__(arguments) if arguments else node
        if can.shifts == "remainder" and isinstance(node, ops.BitwiseRightShift):
            return _divided(node)
        if can.regex != "re2" and isinstance(node, ops.RegexSearch | ops.RegexExtract | ops.RegexReplace):
            node = _spelled(node, DIALECTS[can.regex])
        if can.part_of_text and isinstance(node, ops.ArrayIndex) and isinstance(node.arg, ops.StringSplit):
            return _part_of_text(node, can)
        if can.counts_bytes and isinstance(node, ops.StringLength):
            return python_function(read_size, can, returns="int32")(node.arg.to_expr()).op()
        if type(node).__name__ in functions:
            return _by_function(node, *functions[type(node).__name__])
        return node if can.times == "plain" else _with_micros(node)

    return expression.op().replace(replaced).to_expr()


def _by_function(node: Any, name: str, before: tuple[str, ...]) -> Any:
    types = [*["string"] * len(before), *(str(argument.dtype) for argument in node.args)]
    arguments = [argument.to_expr() for argument in node.args]
    return function(name, *types, returns=str(node.dtype))(*before, *arguments).op()


def _part_of_text(node: Any, can: Capability) -> Any:
    """A part of a text that was split, null where there are fewer."""
    text: Any = node.arg.arg.to_expr()
    by, index = node.arg.delimiter.value, node.index.value
    if can.part_of_text == "python":
        return python_function(read_part, can, by, str(index), returns="string")(text).op()
    if can.part_of_text not in ("split_part", "substring_index"):
        return function(can.part_of_text, "string", "string", "int64", returns="string")(text, by, index).op()
    cut = function(can.part_of_text, "string", "string", "int64", returns="string")
    part = cut(text, by, index + 1)
    if can.part_of_text == "substring_index":
        # All parts up to this one, and the last of them.
        part = cut(part, by, -1)
    one: Any = ibis.literal(by)
    enough = text.length() - text.replace(by, "").length() >= one.length() * index
    return enough.ifelse(part, ibis.null("string")).op()


def _spelled(node: Any, dialect: RegexDialect) -> Any:
    only_found = isinstance(node, ops.RegexSearch)
    pattern = pattern_for(node.pattern.value, dialect, only_found=only_found)
    changed: dict[str, Any] = {"pattern": ops.Literal(pattern, dt.string)}
    if isinstance(node, ops.RegexReplace):
        replacement: Any = node.replacement
        changed["replacement"] = ops.Literal(replacement_for(replacement.value, dialect), dt.string)
    return node.copy(**changed)


def _with_micros(node: Any) -> Any:
    """A time that Ibis would let an engine take for nanoseconds, which end in 2262."""
    if isinstance(node, ops.Literal | ops.Cast) and _is_unsized(node.dtype):
        fine = dt.Timestamp(timezone=node.dtype.timezone, scale=6)
        return ops.Literal(node.value, fine) if isinstance(node, ops.Literal) else ops.Cast(node.arg, fine)
    if isinstance(node, ops.Literal) and node.dtype.is_date() and node.value is not None:
        return ops.Cast(ops.Literal(node.value.isoformat(), dt.string), dt.date)
    return node


def _is_unsized(type_: Any) -> bool:
    return type_.is_timestamp() and type_.scale is None


def _divided(shift: ops.BitwiseRightShift) -> Any:
    number: Any = shift.left.to_expr()
    right: Any = shift.right
    by = 1 << int(right.value)
    lower = ((number % by) + by) % by
    # A multiple of the divisor: the quotient is exact, whatever it is computed in.
    return ((number - lower) / by).cast("int64").op()


def number_of_text(text: Any, can: Capability) -> ir.Column:
    """The finite number that a text reads as, or null."""
    if can.number_of_text == "try_cast":
        # Digits in groups (1_000) are a number to some backends only.
        return finite(text.contains("_").ifelse(ibis.null("float64"), text.try_cast("float64")), can)
    if can.number_of_text == "python":
        return python_function(read_number, can, returns="float64")(text)
    if can.number_of_text != "regex":
        return finite(function(can.number_of_text, "string", returns="float64")(text), can)
    if not can.has_infinity:
        # What is too large for a float is cut to the largest.
        number: Any = text.re_search(_NUMBER).ifelse(text.cast("float64"), ibis.null("float64"))
        return (number.abs() < sys.float_info.max).ifelse(number, ibis.null("float64"))
    return finite(text.re_search(_NUMBER).ifelse(text.cast("float64"), ibis.null("float64")), can)


def finite(number: Any, can: Capability) -> ir.Column:
    """A floating number, or null where it is NaN or infinite.

    By one comparison, which every backend has: NaN is above all numbers or compares as false.
    """
    if not can.has_infinity:
        return number
    if not can.has_nan:
        # Looks at the number once: such backends compute what is written twice twice.
        return number.nullif(math.inf).nullif(-math.inf)
    return (number.abs() <= sys.float_info.max).ifelse(number, ibis.null(number.type()))


def checked(number: Any, can: Capability) -> ir.Column:
    """A number of a column; an error where its column holds something else, and the backend would take it for 0."""
    if not can.number:
        return number
    refused: Any = function(can.number, "string", returns=str(number.type()))(number.cast("string"))
    return number.typeof().isin(("integer", "real", "null")).ifelse(number, refused)


def narrowed(number: Any, can: Capability) -> ir.Column:
    """A whole number, or a decimal without a fraction, as one of 64 bits; what has no place there is an error.

    Where a cast would make another number of it, that is added to itself: sums are watched everywhere.
    """
    cut = number.cast("int64")
    if can.casts == "checked" or not (number.type().is_decimal() or number.type().is_unsigned_integer()):
        return cut
    wide = number.cast(f"decimal({_DIGITS}, 0)") if number.type().is_integer() else number
    cut = wide.cast("int64")
    return wide.between(-(2**63), 2**63 - 1).ifelse(cut, cut + cut)


def unscaled(number: Any, scale: int, can: Capability) -> ir.Column:
    """The whole number that is a decimal times a power of ten.

    Whole and fraction apart: the product of a full DECIMAL(18) would not fit its type.  The fraction
    is rounded: where decimals are kept as floats, 0.29 * 100 is 28.999999999999996.
    """
    if not scale:
        return narrowed(number, can)
    # Of the size, whose floor always fits the type.
    size, sign = number.abs(), (number < 0).ifelse(-1, 1)
    whole = size.floor()
    fraction = ((size - whole) * 10**scale).round().cast("int64")
    return (whole.cast("int64") * 10**scale + fraction) * sign


def hashed(value: Any, can: Capability) -> ir.Column:
    """The backend's 64-bit hash as int64, null for null; integers as int64, all else as text."""
    kind = "int64" if value.type().is_integer() else "string"
    # A floating zero has two signs, which are one value and two texts.
    plain = (value + 0.0 if value.type().is_floating() else value).cast(kind)
    # The upper half of an unsigned hash has no place in int64: its bits, not its value, are wanted.
    raw = function(can.hash, kind, returns=can.hash_type)(plain)
    if (can.shifts, can.hash_type) == ("remainder", "uint64"):
        # 63 bits of it: what is divided has to be a signed number.
        raw = (raw % ibis.literal(2**63, "uint64")).cast("int64")
    return value.isnull().ifelse(ibis.null(raw.type()), raw)


def json_text(document: Any, parts: tuple[str, ...], can: Capability) -> ir.Column:
    """The text at a path of a JSON document, null where there is none, or no JSON at all."""
    text = document.cast("string")
    _must_have(can.json or can.json_python, "paths into JSON", can)
    if can.json_python:
        return python_function(read_text, can, *parts, returns="string")(text)
    found = _at(can.json, text, parts, can, returns="string")
    if can.json_type:
        kind = _at(can.json_type, text, parts, can, returns="string")
        # Joined to nothing, a number becomes the text that its column says it is.
        found = kind.isin(("true", "false")).ifelse(kind, found.concat(""))
    if can.json_unquote:
        # Before it is unquoted: a JSON null and the text "null" are not the same.
        unquoted = function(can.json_unquote, "string", returns="binary")(found.nullif("null"))
        # Cast to a text, it gets the session's collation.
        found = unquoted.cast("string")
    return _of_json(text, found, can)


def json_length(document: Any, parts: tuple[str, ...], can: Capability) -> Any:
    """The length of the array at a path of a JSON document: 0 of what is no array, null where nothing is."""
    text = document.cast("string")
    _must_have(can.json_length or can.json_python, "the length of an array in JSON", can)
    if can.json_python:
        return python_function(read_length, can, *parts, returns="int64")(text)
    if can.json_length_of == "path":
        length = _of_json(text, _at(can.json_length, text, parts, can, returns="int64"), can)
        return json_text(document, parts, can).isnull().ifelse(ibis.null("int64"), length)
    found: Any = _of_json(text, _at(can.json, text, parts, can, returns="string"), can)
    length = function(can.json_length, "string", returns="int64")(found)
    # Some count the fields of an object, and 1 for a number.
    counted = (found.substr(0, 1) == "[").ifelse(ibis.coalesce(length, 0), 0)
    return (found.isnull() | (found == "null")).ifelse(ibis.null("int64"), counted)


def _must_have(function_: str, what: str, can: Capability) -> None:
    if not function_:
        raise UnsupportedError(
            f"{can.name} is not asked for {what}", hint="make a column of it in the source's own SELECT"
        )


def _at(name: str, text: Any, parts: tuple[str, ...], can: Capability, *, returns: str) -> Any:
    """What a function of the backend gives for a JSON text and a path."""
    path = parts if can.json_path == "parts" else (_json_path(parts, can),)
    return function(name, *["string"] * (1 + len(path)), returns=returns)(text, *path)


def _of_json(text: Any, found: Any, can: Capability) -> ir.Column:
    if not can.json_valid:
        return found
    # Backends raise at a text that is no JSON: one such row would end every build.
    is_json = function(can.json_valid, "string", returns="boolean")(text)
    return is_json.ifelse(found, ibis.null(found.type()))


def _json_path(parts: tuple[str, ...], can: Capability) -> str:
    mark = '"' if can.json_path == "quoted" else "'"
    for part in parts:
        # Backends differ in how these are escaped, if they are at all.
        if part in ("", "*") or mark in part or "\\" in part:
            raise UnsupportedError(f"a JSON path cannot lead through the name {part!r}")
    form = '."{}"' if can.json_path == "quoted" else "['{}']"
    return "$" + "".join(form.format(part) for part in parts)


def is_json(type_: dt.DataType) -> bool:
    """Whether paths lead into a column of this type by way of JSON."""
    return type_.is_json() or type_.is_string()
