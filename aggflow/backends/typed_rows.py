"""Typed rows: what a driver fetched as Python values, as Arrow with the types that Ibis says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from operator import index
from typing import Any

import ibis.expr.datatypes as dt
import pyarrow as pa

from aggflow.errors import SourceTypeError


def typed_rows(rows: Sequence[tuple[Any, ...]], schema: Any) -> pa.RecordBatch:
    """Rows as a record batch.

    Parameters
    ----------
    rows
        A tuple of values each.
    schema
        Ibis' names and types of their columns.

    Raises
    ------
    SourceTypeError
        A value is not of its column's type.
    """
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [_typed(values, type_) for values, type_ in zip(columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(schema.names))


def _typed(values: tuple[Any, ...], type_: Any) -> pa.Array:
    read = _reader(type_)
    if read is not None:
        values = tuple(None if value is None else _read(read, value, type_) for value in values)
    return pa.array(values, type=type_.to_pyarrow())


def _read(read: Callable[[Any], Any], value: Any, type_: Any) -> Any:
    try:
        return read(value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise SourceTypeError(
            f"the value {value!r} stands where the source declares {type_}",
            hint="correct it, or cast the column in the source's own SELECT",
        ) from error


def _reader(type_: Any) -> Callable[[Any], Any] | None:
    """How a value as it is stored becomes one of its type; None where Arrow can tell."""
    if isinstance(type_, dt.Timestamp):
        return _instant
    if isinstance(type_, dt.Date):
        return _day
    if isinstance(type_, dt.Decimal):
        # Where no scale is told, Arrow keeps more digits than none.
        unit = Decimal(1).scaleb(-type_.to_pyarrow().scale)
        return lambda number: Decimal(str(number)).quantize(unit)
    if isinstance(type_, dt.Boolean):
        return bool
    if isinstance(type_, dt.String):
        return _text
    if isinstance(type_, dt.Floating):
        return float
    return _whole if isinstance(type_, dt.Integer) else None


def _whole(number: Any) -> int:
    # Sums of whole numbers are decimals to some.
    if not isinstance(number, Decimal):
        return index(number)
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not whole")
    return int(number)


def _text(text: Any) -> Any:
    return text.decode() if isinstance(text, bytes) else text


def _day(day: Any) -> date:
    return day if isinstance(day, date) else date.fromisoformat(day[:10])


def _instant(text: Any) -> datetime:
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
