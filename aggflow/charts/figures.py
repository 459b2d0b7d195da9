"""Figures: the numbers of one row, written large."""

from __future__ import annotations

from typing import Any

from aggflow.charts.canvas import Canvas
from aggflow.charts.number import short
from aggflow.charts.panel import Panel, arranged
from aggflow.charts.table import NOTHING, Table

_STEP, _HEIGHT = 205, 84
_LONGEST = 11


def figures(table: Table, canvas: Canvas) -> Any:
    """One number, or a row of numbers, each over the name of its field."""
    alt, theme = canvas.alt, canvas.theme
    names = list(table.fields)
    width = canvas.width or max(320, _STEP * len(names))
    size = min(44, round(width / len(names) / 4))
    rows = [
        {"place": i, "name": name, "figure": _figure(table, name), "text": table.fields[name].texts[0]}
        for i, name in enumerate(names)
    ]
    base = alt.Chart().encode(
        x=alt.X(
            field="place",
            type="quantitative",
            axis=None,
            scale=alt.Scale(domain=[0, len(names)], nice=False, zero=False),
        ),
        tooltip=canvas.tooltips({"name": "field", "text": "value"}),
    )
    layers = [
        base.mark_text(
            align="left", baseline="alphabetic", fontSize=size, fontWeight=600, color=theme.text, dy=2
        ).encode(text=alt.Text(field="figure", type="nominal")),
        base.mark_text(align="left", baseline="alphabetic", fontSize=13, color=theme.muted, dy=28).encode(
            text=alt.Text(field="name", type="nominal")
        ),
    ]
    chart = alt.layer(*layers).properties(width=width, height=canvas.height or _HEIGHT)
    return arranged([Panel(chart, rows)], alt)


def _figure(table: Table, name: str) -> str:
    """A number with all its digits while they fit, then in short; a text cut where it gets too long."""
    field = table.fields[name]
    text = field.texts[0]
    if not field.numbers:
        return text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST - 1] + "…"
    number = field.numbers[0]
    if number is None:
        return NOTHING
    return text if len(text) <= _LONGEST else short(number)
