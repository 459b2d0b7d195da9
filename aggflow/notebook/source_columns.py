"""Source columns: what the columns of a source offer to those who choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aggflow.errors import AggflowError
from aggflow.measures.kind import BOOLEAN, FLOAT, INTEGER, TEXT, Kind
from aggflow.measures.registry import measure_of
from aggflow.spec.calculation import Calculation
from aggflow.workspace import Workspace


def columns_of(ws: Workspace, source: str) -> Mapping[str, Any]:
    """The columns of a source and their types; none where it cannot be read: that is said elsewhere."""
    try:
        return ws.columns(source) if source else {}
    except AggflowError:
        return {}


def calculations_for(ws: Workspace, source: str, field: str | None) -> list[Calculation]:
    """What can be computed of a column; all of a path, whose type is not known."""
    if not field:
        return [one for one in Calculation if not one.needs_field]
    type_ = columns_of(ws, source).get(field)
    if type_ is None:
        return list(Calculation)
    return [one for one in Calculation if _takes(one, type_)]


def _takes(calculation: Calculation, type_: Any) -> bool:
    if not calculation.needs_field:
        return True
    is_time = type_.is_timestamp() or type_.is_date()
    if is_time and calculation in (Calculation.MIN, Calculation.MAX):
        return True
    return not type_.is_nested() and measure_of(calculation).accepts(_kind(type_))


def _kind(type_: Any) -> Kind:
    if type_.is_boolean():
        return BOOLEAN
    if type_.is_integer():
        return INTEGER
    return FLOAT if type_.is_floating() or type_.is_decimal() else TEXT


def kind_word(type_: Any) -> str:
    """A column's type in a word for people, and as it is: ``number · int64``."""
    words = (
        ("truth value", type_.is_boolean()),
        ("number", type_.is_numeric()),
        ("time", type_.is_timestamp() or type_.is_date() or type_.is_time()),
        ("text", type_.is_string()),
    )
    word = next((word for word, holds in words if holds), "")
    return word if type_.is_string() else f"{word} · {type_}" if word else str(type_)


def first_source(ws: Workspace) -> str:
    """What has to be done before anything reads a source; empty where there is one."""
    if ws.sources:
        return ""
    return (
        "This workspace has no source yet. Add the table of your events first, then look again:\n"
        'ws.add_source("flights", "duckdb://flights.ddb", table="flights", time="time_hour")'
    )
