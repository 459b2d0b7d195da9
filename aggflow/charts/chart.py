"""A chart: an answer drawn as its shape asks for."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from aggflow.charts.bars import bars, rows_of_bars
from aggflow.charts.canvas import WIDTH, Canvas
from aggflow.charts.figures import figures
from aggflow.charts.grouped import grouped_bars, sides_of_bars
from aggflow.charts.heatmap import heatmap, sides_of_map
from aggflow.charts.library import altair
from aggflow.charts.renderer import bring, enabled_theme
from aggflow.charts.series import series
from aggflow.charts.table import Table
from aggflow.charts.theme import Theme, ThemeName
from aggflow.engine.answer import Answer

_SUBTITLE_LETTER = 5.6  # pixels, about, of one letter of a subtitle
_TITLE_LETTER = 8.6


def draw(
    answer: Answer,
    *,
    fields: Sequence[str] | None = None,
    title: str | None = None,
    theme: ThemeName | None = None,
    width: int | None = None,
    height: int | None = None,
    explained: bool = True,
) -> Any:
    """Draw an answer; its shape says as what.

    A series is drawn as lines over time in UTC, one a group, or as an area where one number is
    counted; percentiles of one value share a panel, other fields have one each. Without time, one
    grouping makes bars, two a heat map, three panels of bars or heat maps, and no grouping large
    figures. Bands lie between percentiles; buckets that are not complete are dashed; what was not built
    is shaded. A null is a gap, never a zero; a bucket or group without a row is one too.

    The first chart of a process registers the renderer ``aggflow``, which needs no network, and
    enables it unless another one was chosen with ``altair.renderers.enable``.

    Parameters
    ----------
    answer
        What is drawn.
    fields
        Names of fields, in this order; None for all.
    title
        Over the chart; by default the answer's name.
    theme
        ``light`` or ``dark``, each with its ground; ``auto`` has none and is read on both.  By default
        what ``altair.theme.enable("aggflow_dark")`` chose for all charts, else ``light``.
    width, height
        Of the area inside the axes of all panels together, in pixels; None for what suits the shape.
    explained
        Whether it is said under the title which rollup the numbers come from.

    Returns
    -------
    altair.TopLevelMixin
        A chart that uses nothing newer than Vega-Lite 5.6.

    Raises
    ------
    NotFoundError
        A field or a theme of that name is not there.
    QueryError
        No field is wanted.
    AggflowError
        Altair is not installed.
    """
    bring()
    canvas = Canvas(altair(), Theme.of(theme or enabled_theme()), width, height)
    table = Table.of(answer, fields)
    chart, notes = _drawn(table, canvas)
    lines = [answer.explanation.provenance, *notes] if explained else notes
    return _titled(chart, answer.name if title is None else title, lines, canvas)


def _drawn(table: Table, canvas: Canvas) -> tuple[Any, Sequence[str]]:
    """The chart, and what has to be said about it."""
    if table.count == 0:
        return canvas.sentence("no rows"), ()
    if table.buckets is None and not table.labels:
        # One row; figures show texts as well.
        return figures(table, canvas), table.notes
    if not table.drawable:
        empty = any(field.numbers for field in table.fields.values())
        return canvas.sentence("no values: all are null" if empty else "no numbers to draw"), ()
    left_out = [name for name in table.fields if name not in table.drawable]
    if left_out:
        table = table.noted("not drawn, as they hold no numbers: " + ", ".join(left_out))
    if table.buckets is not None:
        return series(table, canvas), table.notes
    return _of_groups(table, canvas)


def _of_groups(table: Table, canvas: Canvas) -> tuple[Any, Sequence[str]]:
    if len(table.labels) == 1:
        table = rows_of_bars(table)
        return bars(table, canvas), table.notes
    few = sides_of_bars(table) if len(table.labels) > 2 else None
    if few is not None:
        return grouped_bars(few, canvas), few.table.notes
    sides = sides_of_map(table)
    return heatmap(sides, canvas), sides.table.notes


def _titled(chart: Any, title: str, lines: Sequence[str], canvas: Canvas) -> Any:
    """With a title and what stands under it, broken where the chart ends, and the theme."""
    width = canvas.width or WIDTH
    subtitle = [
        part for line in lines for part in textwrap.wrap(line, max(24, int(width / _SUBTITLE_LETTER)))
    ]
    text = textwrap.wrap(title, max(16, int(width / _TITLE_LETTER))) or [""]
    chart.title = canvas.alt.TitleParams(text=text if len(text) > 1 else text[0], subtitle=subtitle)
    chart.config = canvas.config
    return chart
