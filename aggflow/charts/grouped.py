"""Grouped bars: three groupings, the first as panels, the second as rows, the third as colours."""

from __future__ import annotations

from typing import Any

from aggflow.charts.canvas import ABOVE, WIDTH, Canvas
from aggflow.charts.panel import Panel, arranged
from aggflow.charts.sides import Sides
from aggflow.charts.table import Measured, Table

COLOURS = 6
_ROWS = 20
_BAR = 13


def grouped_bars(sides: Sides, canvas: Canvas) -> Any:
    """Panels side by side, a row of them for each field."""
    return arranged([_panel(sides, name, canvas) for name in sides.table.drawable], canvas.alt)


def sides_of_bars(table: Table) -> Sides | None:
    """The sides of a table whose last grouping has few enough values to be colours; else None."""
    sides = Sides.of(table, down=_ROWS, across=COLOURS + 1)
    return sides if len(sides.columns()) <= COLOURS else None


def _panel(sides: Sides, name: str, canvas: Canvas) -> Panel:
    alt, field = canvas.alt, sides.table.fields[name]
    colours = sides.columns()
    columns = sides.panels_across
    width = (canvas.width or WIDTH) // columns - 24
    room = canvas.height / len(sides.rows()) if canvas.height else _BAR * len(colours) + 10
    labelled = alt.Axis(**ABOVE, grid=False, labelColor=canvas.theme.text)
    scale = alt.Scale(domain=colours, range=list(canvas.theme.palette[: len(colours)]))
    bars = (
        alt.Chart()
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=canvas.value(alt.X, field, name, grid=True, domain=False, titleAnchor="start", from_zero=True),
            y=alt.Y(
                field="y",
                type="nominal",
                sort=sides.rows(),
                title=sides.down,
                axis=labelled,
                scale=alt.Scale(paddingInner=0.22),
            ),
            yOffset=alt.YOffset(field="x", type="nominal", sort=colours),
            color=alt.Color(
                field="x",
                type="nominal",
                title=sides.across,
                scale=scale,
                legend=alt.Legend(symbolType="square"),
            ),
            tooltip=canvas.tooltips(sides.table.shown(name)),
        )
        .properties(width=width, height=alt.Step(room, **{"for": "position"}))
    )
    facet = alt.Facet(
        field="f", type="nominal", sort=sides.panels(), title=None, header=alt.Header(labelAnchor="start")
    )
    panels = bars.facet(facet=facet, data=alt.NamedData(name="rows"), columns=columns, spacing=30)
    return Panel(panels, _rows(sides, field))


def _rows(sides: Sides, field: Measured) -> list[dict[str, Any]]:
    labels, panels = sides.table.labels, sides.panel_labels()
    return [
        {
            "f": panels[i],
            "y": labels[sides.down][i],
            "x": labels[sides.across][i],
            "v": number,
            "text": field.texts[i],
            **sides.table.told(i),
        }
        for i, number in enumerate(field.numbers)
    ]
