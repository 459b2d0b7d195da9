"""A kind: what sort of value a column or expression has, coarser than its type."""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import ibis.expr.datatypes as dt

from aggflow.language.predicate import Path

Kind: TypeAlias = Literal["text", "number", "boolean", "time", "scalar", "nested"]
"""``scalar`` is an identifier or address, compared as text; ``nested`` has fields or elements."""

Columns: TypeAlias = Mapping[str, dt.DataType]
"""The columns of a table, each with its Ibis type."""
TypeOf: TypeAlias = Callable[[Path], Any]
"""The Ibis type of a path, or None where it is not known."""


class OpenColumns(dict[str, Any]):
    """The columns of a table one of which holds JSON: any other name is a key in it, of an unknown type."""


def kind_of_type(type_: dt.DataType) -> Kind:
    """The kind of an Ibis type.

    Examples
    --------
    >>> kind_of_type(dt.int8), kind_of_type(dt.uuid), kind_of_type(dt.date)
    ('number', 'scalar', 'time')
    """
    if type_.is_boolean():
        return "boolean"
    if type_.is_numeric():
        return "number"
    if type_.is_string():
        return "text"
    if type_.is_timestamp() or type_.is_date():
        return "time"
    if type_.is_uuid() or type_.is_time() or type_.is_inet() or type_.is_macaddr():
        return "scalar"
    return "nested"
