"""A panel: one of the areas of a chart, with its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Panel:
    """A chart of one area, and the rows that it draws.

    The rows are put in at the very end: Altair checks and copies whatever it is given at every
    step, which takes seconds where a series is long.
    """

    chart: Any
    rows: Sequence[Mapping[str, Any]]


def arranged(
    panels: Sequence[Panel], alt: Any, direction: Literal["down", "across"] = "down", spacing: int = 30
) -> Any:
    """Panels as one chart, called ``panel_0`` and so on."""
    charts = [panel.chart.properties(name=f"panel_{i}") for i, panel in enumerate(panels)]
    if len(charts) == 1:
        chart, parts = charts[0], charts
    elif direction == "down":
        chart = alt.vconcat(*charts, spacing=spacing)
        parts = chart.vconcat
    else:
        chart = alt.hconcat(*charts, spacing=spacing)
        parts = chart.hconcat
    for part, panel in zip(parts, panels, strict=True):
        part.data = {"values": list(panel.rows)}
    return chart


def specification(chart: Any) -> dict[str, Any]:
    """What Vega-Lite is told of a chart of panels, made in a fraction of the time of ``chart.to_dict()``.

    Rows are not copied, and not looked at.
    """
    ways = (getattr(chart, way, None) for way in ("vconcat", "hconcat"))
    parts = next((found for found in ways if isinstance(found, list)), [chart])
    rows = [part.data for part in parts]
    try:
        for i, part in enumerate(parts):
            part.data = {"name": f"rows_{i}"}
        made = chart.to_dict(validate=False)
    finally:
        for part, data in zip(parts, rows, strict=True):
            part.data = data
    made["datasets"] = {f"rows_{i}": data["values"] for i, data in enumerate(rows)}
    return made
