"""Bars: values of groups side by side; one grouping, or three of which the first makes panels."""

from __future__ import annotations

from typing import Any

from aggflow.charts.canvas import ABOVE, WIDTH, Canvas
from aggflow.charts.panel import Panel, arranged
from aggflow.charts.table import Measured, Table

_MOST = 40
_STEP = 26


def bars(table: Table, canvas: Canvas) -> Any:
    """A panel a field, side by side."""
    names = list(table.drawable)
    spacing = 56
    width = (canvas.width or WIDTH) // len(names) - (spacing if len(names) > 1 else 0)
    panels = [_panel(table, name, i, canvas, max(width, 120)) for i, name in enumerate(names)]
    return arranged(panels, canvas.alt, "across", spacing)


def rows_of_bars(table: Table) -> Table:
    """The rows that are drawn as bars: the first, in the order of the answer."""
    return table.first(_MOST)


def _panel(table: Table, name: str, number: int, canvas: Canvas, width: int) -> Panel:
    alt, field = canvas.alt, table.fields[name]
    hue = canvas.theme.palette[number % len(canvas.theme.palette)]
    # Labels once, left of the first panel.
    grouping = " · ".join(table.labels) if number == 0 else None
    axis = alt.Axis(**ABOVE, grid=False, labelPadding=8, labelColor=canvas.theme.text) if grouping else None
    step = canvas.height / table.count if canvas.height else _STEP
    y = alt.Y(
        field="g", type="nominal", sort=None, title=grouping, axis=axis, scale=alt.Scale(paddingInner=0.28)
    )
    x = canvas.value(
        alt.X, field, name, orient="top", grid=True, domain=False, titleAnchor="start", from_zero=True
    )
    tooltip = canvas.tooltips(table.shown(name))
    base = alt.Chart().encode(x=x, y=y, tooltip=tooltip)
    chart = alt.layer(base.mark_bar(color=hue, cornerRadiusEnd=3), *_values(base, field, canvas))
    return Panel(chart.properties(width=width, height=alt.Step(step)), _rows(table, field))


def _values(base: Any, field: Measured, canvas: Canvas) -> list[Any]:
    """The number at the end of every bar; a dash where there is none."""
    alt, style = canvas.alt, {"baseline": "middle", "fontSize": 11, "color": canvas.theme.text}
    text = alt.Text(field="label", type="nominal")
    right = base.mark_text(align="left", dx=5, **style).encode(text=text)
    layers = [right.transform_filter("datum.v >= 0 && isValid(datum.v)")]
    if any(number < 0 for number in field.present):
        left = base.mark_text(align="right", dx=-5, **style).encode(text=text)
        layers.append(left.transform_filter("datum.v < 0"))
    if None in field.numbers:
        nothing = base.mark_text(align="left", dx=5, **{**style, "color": canvas.theme.muted})
        layers.append(nothing.encode(x=alt.datum(0), text=text).transform_filter("!isValid(datum.v)"))
    return layers


def _rows(table: Table, field: Measured) -> list[dict[str, Any]]:
    return [
        {
            "g": group,
            "v": number,
            "text": text,
            "label": field.labels[i],
            **table.told(i),
        }
        for i, (group, number, text) in enumerate(
            zip(table.groups(), field.numbers, field.texts, strict=True)
        )
    ]
