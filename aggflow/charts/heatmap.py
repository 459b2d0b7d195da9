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
    across = sides.panels_across
    wide = (canvas.width or WIDTH) / across / len(sides.columns())
    wide = wide if canvas.width else min(_WIDEST, max(_NARROWEST, wide))
    tall = canvas.height / len(sides.rows()) if canvas.height else _TALL
    low, high = min(field.present), max(field.present)
    layers = [_cells(sides, name, (low, high), canvas)]
    if wide >= _WRITTEN:
        layers.append(_numbers(sides, (low, high), canvas))
    rows = _rows(sides, field)
    size = {"width": alt.Step(wide), "height": alt.Step(tall)}
    if not sides.facets:
        return Panel(alt.layer(*layers).properties(**size), rows)
    facet = alt.Facet(
        field="f", type="nominal", sort=sides.panels(), title=None, header=alt.Header(labelAnchor="start")
    )
    maps = alt.layer(*layers).properties(**size)
    return Panel(maps.facet(facet=facet, data=alt.NamedData(name="rows"), columns=across, spacing=26), rows)


def _cells(sides: Sides, name: str, span: tuple[float, float], canvas: Canvas) -> Any:
    alt, theme = canvas.alt, canvas.theme
    low, high = span
    if low < 0 < high:
        end = max(-low, high)
        scale = alt.Scale(
            domain=[-end, -end / 2, 0, end / 2, end], range=list(theme.diverging), interpolate="rgb"
        )
    else:
        scale = alt.Scale(
            domain=[low, high if high > low else low + 1], range=list(theme.ramp), interpolate="rgb"
        )
    legend = alt.Legend(title=name, **({"labelExpr": SI_LABEL} if max(-low, high) >= SI_FROM else {}))
    mark = alt.Chart().mark_rect(cornerRadius=3, stroke=theme.background, strokeWidth=2)
    return _placed(mark, sides, canvas).encode(
        color=alt.Color(field="v", type="quantitative", scale=scale, legend=legend),
        tooltip=canvas.tooltips(sides.table.shown(name)),
    )


def _numbers(sides: Sides, span: tuple[float, float], canvas: Canvas) -> Any:
    alt, theme = canvas.alt, canvas.theme
    low, high = span
    end = max(-low, high)
    # Where cells are far from the ground, text takes the colour that is read on them.
    strong = (
        f"abs(datum.v) > {theme.turn * end}"
        if low < 0 < high
        else f"datum.v > {low + theme.turn * (high - low)}"
    )
    colour = alt.condition(strong, alt.value(theme.on_strong), alt.value(theme.on_weak))
    return _placed(alt.Chart().mark_text(fontSize=11), sides, canvas).encode(
        text=alt.Text(field="label", type="nominal"), color=colour
    )


def _placed(mark: Any, sides: Sides, canvas: Canvas) -> Any:
    alt = canvas.alt
    steep = max(map(len, sides.columns())) * 7 > (canvas.width or WIDTH) / len(sides.columns())
    bare = {"grid": False, "domain": False, "labelColor": canvas.theme.text}
    return mark.encode(
        x=alt.X(
            field="x",
            type="nominal",
            sort=sides.columns(),
            title=sides.across,
            axis=alt.Axis(orient="bottom" if sides.facets else "top", labelAngle=-45 if steep else 0, **bare),
        ),
        y=alt.Y(
            field="y", type="nominal", sort=sides.rows(), title=sides.down, axis=alt.Axis(**ABOVE, **bare)
        ),
    )


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
            "label": "" if number is None else field.labels[i],
            **sides.table.told(i),
        }
        for i, number in enumerate(field.numbers)
    ]
