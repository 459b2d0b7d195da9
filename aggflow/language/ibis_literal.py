"""An Ibis literal: a literal of a predicate, as engines are given it."""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any, Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from aggflow.errors import QueryError
from aggflow.language.literal import Literal, read_number
from aggflow.timeline import to_datetime

_MOST_DIGITS: Final = 38


def constant_literal(literal: Literal) -> Any:
    """A literal that stands for itself, compared with nothing."""
    if literal.kind == "null":
        return ibis.null("string")
    if literal.kind == "number":
        return numeric_literal(literal.number, dt.float64)
    return text_literal(literal) if isinstance(literal.value, str) else ibis.literal(literal.value)


def number_of(literal: Literal) -> int | Decimal | None:
    """The number that a literal is, or reads as."""
    match literal.value:
        case bool():
            return int(literal.value)
        case str():
            return read_number(literal.value)
        case _:
            return literal.number


def text_literal(literal: Literal) -> ir.Scalar:
    """A literal as a text.

    Raises
    ------
    QueryError
        It holds the character NUL.
    """
    text = literal.value if isinstance(literal.value, str) else str(literal)
    return ibis.literal(without_nul(text), type="string")


def without_nul(text: str) -> str:
    """A text as it can be said in SQL, which ends at a NUL on some engines and has none on others."""
    if "\x00" in text:
        raise QueryError(
            "a text to compare with cannot hold the character NUL", hint="most engines keep no text with it"
        )
    return text


def numeric_literal(number: int | Decimal, type_: dt.DataType) -> ir.Value:
    """A literal that no engine rounds before it compares."""
    if number == int(number) and abs(number) < 2**63:
        return ibis.literal(int(number))
    if isinstance(type_, dt.Decimal):
        common = _common_decimal(number, type_)
        if common is not None:
            return ibis.literal(Decimal(number), type=common)
    # Written with its decimals, some engines would take it as a decimal and round that twice.
    return ibis.literal(repr(float(number))).cast("float64")


def _common_decimal(number: int | Decimal, type_: dt.Decimal) -> Any:
    """The decimal type that holds a number and all of a column's; None where no engine has one so wide."""
    if type_.precision is None or type_.scale is None:
        return None
    scale = max(type_.scale, -int(Decimal(number).as_tuple().exponent))
    whole = max(type_.precision - type_.scale, Decimal(number).adjusted() + 1)
    return dt.Decimal(whole + scale, scale) if whole + scale <= _MOST_DIGITS else None


def beyond_the_type(value: Any, literal: Literal) -> int | Decimal | None:
    """The number of a literal that is beyond what the integer type of a value holds."""
    type_ = value.type()
    number = number_of(literal) if type_.is_integer() and literal.kind != "null" else None
    if number is None or type_.bounds.lower <= number <= type_.bounds.upper:
        return None
    return number


def time_literal(us: int, type_: Any) -> ir.Value:
    """An instant, in microseconds since the epoch, as a time with a zone or without, as a column's type is."""
    moment = to_datetime(us)
    if type_.timezone is None:
        return ibis.literal(moment.replace(tzinfo=None), type="timestamp")
    return ibis.literal(moment.astimezone(UTC), type="timestamp('UTC')")
