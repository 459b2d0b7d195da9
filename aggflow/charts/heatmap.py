"""A heat map: values of two groupings as the colour of cells; with more, a map for each of the others' values."""

from __future__ import annotations

from typing import Any

from aggflow.charts.canvas import ABOVE, SI_LABEL, WIDTH, Canvas
from aggflow.charts.number import SI_FROM
from aggflow.charts.panel import Panel, arranged
from aggflow.charts.sides import Sides
from aggflow.charts.table import Measured, Table

_ROWS, _COLUMNS = 40, 30
_WIDEST, _NARROWEST, _TALL = 96, 22, 30
# A narrower cell has no place for its number.
_WRITTEN = 40
_LETTER = 7


def heatmap(sides: Sides, canvas: Canvas) -> Any:
    """A map a field."""
    panels = [_map(sides, name, canvas) for name in sides.table.drawable]
    chart = arranged(panels, canvas.alt)
    if len(panels) > 1:
        chart.resolve = canvas.alt.Resolve(scale={"color": "independent"})
    return chart


def sides_of_map(table: Table) -> Sides:
    """The sides of a table that is drawn as a heat map."""
    return Sides.of(table, down=_ROWS, across=_COLUMNS)


def _map(sides: Sides, name: str, canvas: Canvas) -> Panel:
    alt, field = canvas.alt, sides.table.fields[name]
    wide = (canvas.width or WIDTH) / sides.panels_across / len(sides.columns())
    wide = wide if canvas.width else min(_WIDEST, max(_NARROWEST, wide))
    tall = canvas.height / len(sides.rows()) if canvas.height else _TALL
    base = alt.Chart().encode(**_axes(sides, wide, tall, canvas))
    layers = [
        base.mark_rect(cornerRadius=3).encode(
            color=_colour(field, name, canvas), tooltip=canvas.tooltips(sides.table.shown(name))
        )
    ]
    if wide >= _WRITTEN:
        text = alt.Text(field="label", type="nominal")
        layers.append(base.mark_text(fontSize=11).encode(text=text, color=_read_on(field, canvas)))
    maps = alt.layer(*layers).properties(width=alt.Step(wide), height=alt.Step(tall))
    if sides.facets:
        header = alt.Header(labelAnchor="start")
        facet = alt.Facet(field="f", type="nominal", sort=sides.panels(), title=None, header=header)
        rows = alt.NamedData(name="rows")
        maps = maps.facet(facet=facet, data=rows, columns=sides.panels_across, spacing=26)
    return Panel(maps, _rows(sides, field))


def _axes(sides: Sides, wide: float, tall: float, canvas: Canvas) -> dict[str, Any]:
    """Rows and columns, two pixels between cells."""
    alt = canvas.alt
    columns, rows = sides.columns(), sides.rows()
    bare = {"grid": False, "domain": False, "labelColor": canvas.theme.text}
    steep = max(map(len, columns)) * _LETTER > wide
    across = alt.Axis(orient="bottom" if sides.facets else "top", labelAngle=-45 if steep else 0, **bare)
    return {
        "x": alt.X(
            field="x",
            type="nominal",
            title=sides.across,
            axis=across,
            scale=alt.Scale(domain=columns, paddingInner=2 / wide),
        ),
        "y": alt.Y(
            field="y",
            type="nominal",
            title=sides.down,
            axis=alt.Axis(**ABOVE, **bare),
            scale=alt.Scale(domain=rows, paddingInner=2 / tall),
        ),
    }


def _colour(field: Measured, name: str, canvas: Canvas) -> Any:
    """From small to large; where numbers lie on both sides of zero, two colours that part there."""
    alt, theme = canvas.alt, canvas.theme
    low, high = min(field.present), max(field.present)
    end = max(-low, high)
    if low < 0 < high:
        domain, colours = [-end, -end / 2, 0, end / 2, end], theme.diverging
    else:
        domain, colours = [low, high if high > low else low + 1], theme.ramp
    legend = alt.Legend(title=name, **({"labelExpr": SI_LABEL} if end >= SI_FROM else {}))
    scale = alt.Scale(domain=domain, range=list(colours), interpolate="rgb")
    return alt.Color(field="v", type="quantitative", scale=scale, legend=legend)


def _read_on(field: Measured, canvas: Canvas) -> Any:
    """The colour of text that is read on a cell."""
    alt, theme = canvas.alt, canvas.theme
    low, high = min(field.present), max(field.present)
    if low < 0 < high:
        strong = f"abs(datum.v) > {theme.turn * max(-low, high)}"
    else:
        strong = f"datum.v > {low + theme.turn * (high - low)}"
    return alt.condition(strong, alt.value(theme.on_strong), alt.value(theme.on_weak))


def _rows(sides: Sides, field: Measured) -> list[dict[str, Any]]:
    """Data of the cells that have a value; the others stay empty."""
    labels = sides.table.labels
    panels = sides.panel_labels()
    return [
        {
            "x": labels[sides.across][i],
            "y": labels[sides.down][i],
            **({"f": panels[i]} if sides.facets else {}),
            "v": number,
            "text": field.texts[i],
            "label": field.labels[i],
            **sides.table.told(i),
        }
        for i, number in enumerate(field.numbers)
        if number is not None
    ]
