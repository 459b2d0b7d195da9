"""A series: values over time as lines, or as an area where one number is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aggflow.charts.bands import bands, percentile, rows_of_bands, without_percentile
from aggflow.charts.canvas import ABOVE, WIDTH, Canvas, merged
from aggflow.charts.colours import Colours
from aggflow.charts.library import altair
from aggflow.charts.lines import rows_of_lines
from aggflow.charts.panel import Panel, arranged
from aggflow.charts.table import Table

# Above this many points none is searched for while the mouse moves: lines only say whose they are.
_SEARCHED = 5_000
_DAY = 86_400
_MONTHS = 70 * _DAY
_TICK = 85  # pixels from one label of time to the next, about
_LINE: Mapping[str, Any] = {"strokeWidth": 2, "strokeJoin": "round", "strokeCap": "round", "clip": True}
_DASH = [5, 4]


@dataclass(frozen=True)
class _Strip:
    """What one panel draws.

    Attributes
    ----------
    number
        Its place, from above.
    fields
        What is drawn in it.
    is_last
        Whether it carries the axis of time.
    colours
        Of its lines; None where there is only one.
    rows
        Its data.
    """

    number: int
    fields: tuple[str, ...]
    is_last: bool
    colours: Colours | None
    rows: list[dict[str, Any]]

    @property
    def is_open(self) -> bool:
        """Whether it has buckets that are not complete."""
        return any(row.get("part") == "open" for row in self.rows)

    @property
    def is_searched(self) -> bool:
        """Whether the nearest point is searched for while the mouse moves."""
        return len(self.rows) <= _SEARCHED


def series(table: Table, canvas: Canvas) -> Any:
    """A chart of values over time: a panel a field, percentiles of one value in one panel."""
    strips = _strips(table, canvas)
    height = (canvas.height or (300 if len(strips) == 1 else 150 * len(strips))) // len(strips)
    size = {"width": canvas.width or WIDTH, "height": height}
    panels = [Panel(_drawn(table, strip, canvas).properties(**size), strip.rows) for strip in strips]
    chart = arranged(panels, canvas.alt)
    if len(panels) > 1:
        chart.resolve = canvas.alt.Resolve(scale={"color": "shared" if table.labels else "independent"})
    # Selections stand beside the panels, as those for zoom and legend belong to all of them.
    chart.params = _selections(strips, canvas.alt)
    return chart


def _strips(table: Table, canvas: Canvas) -> list[_Strip]:
    """Fields by strip: one each, but percentiles with the same rest of their names together."""
    shared: dict[tuple[str, str], list[str]] = {}
    for name in table.drawable:
        rest = without_percentile(name)
        # With groups, colours already say the group.
        together = percentile(name) is not None and not table.labels
        shared.setdefault(("percentiles", rest) if together else ("field", name), []).append(name)
    of_groups = Colours.of_groups(table, canvas.theme) if table.labels else None
    strips: list[_Strip] = []
    for number, names in enumerate(shared.values()):
        colours = of_groups or (Colours.of_names(names, canvas.theme) if len(names) > 1 else None)
        rows = rows_of_lines(table, names, colours)
        if len(names) > 1:
            rows += rows_of_bands(names, rows)
        rows += _unbuilt(table)
        strips.append(_Strip(number, tuple(names), number == len(shared) - 1, colours, rows))
    return strips


def _selections(strips: Sequence[_Strip], alt: Any) -> list[Any]:
    """Pan and zoom of all strips together, a click in the legend, and the moment under the mouse."""
    views = [f"marks_{strip.number}" for strip in strips]
    zoom = {"type": "interval", "encodings": ["x"]}
    found = [{"name": "zoom", "select": zoom, "bind": "scales", "views": views}]
    # One legend a scale: of groups for all strips, of percentiles for each.
    legends = {id(strip.colours): strip for strip in reversed(strips) if strip.colours is not None}
    for strip in legends.values():
        together = [f"marks_{other.number}" for other in strips if other.colours is strip.colours]
        click = {"type": "point", "fields": ["key"]}
        found.append({"name": _chosen(strip), "select": click, "bind": "legend", "views": together})
    over = {"type": "point", "on": "mouseover", "clear": "mouseout", "nearest": True, "encodings": ["x"]}
    found += [
        {"name": _pointed(strip), "select": over, "views": [f"points_{strip.number}"]}
        for strip in strips
        if strip.is_searched
    ]
    return [alt.TopLevelSelectionParameter.from_dict(selection) for selection in found]


def _chosen(strip: _Strip) -> str:
    colours = strip.colours
    return "chosen" if colours is None or colours.title is not None else f"chosen_{strip.number}"


def _pointed(strip: _Strip) -> str:
    return f"pointed_{strip.number}"


def _drawn(table: Table, strip: _Strip, canvas: Canvas) -> Any:
    alt = canvas.alt
    of_line = table.shown() if len(strip.fields) == 1 else {"line": "field"}
    value = strip.fields[0] if len(strip.fields) == 1 else "value"
    tooltips = canvas.tooltips({"when": "time", **of_line, "text": value})
    *under, marks, dots = _marks(table, strip, canvas)
    dots = dots.encode(tooltip=tooltips).transform_filter("datum.part !== 'join'")
    if not strip.is_searched and of_line:
        marks = marks.encode(tooltip=canvas.tooltips(of_line))
    layers = [
        *under,
        marks.properties(name=f"marks_{strip.number}"),
        dots.transform_filter("datum.alone === true"),
    ]
    if strip.is_searched:
        layers += _pointers(dots, _time(table, strip, canvas), strip, canvas)
    if table.unbuilt:
        layers.insert(0, _shade(_time(table, strip, canvas), canvas))
    return alt.layer(*layers).transform_calculate(when=_when(table))


def _when(table: Table) -> str:
    """How tooltips write a moment."""
    moment = f"utcFormat(datum.t, '{_written(table)}') + ' UTC'"
    return moment if table.open_from is None else f"{moment} + (datum.part ? ', not complete yet' : '')"


def _unbuilt(table: Table) -> list[dict[str, Any]]:
    """Data of what is shaded: a part that was not built begins at ``t`` and ends at ``to``."""
    return [{"t": start * 1000, "to": end * 1000, "part": "unbuilt"} for start, end in table.unbuilt]


def _shade(x: Any, canvas: Canvas) -> Any:
    """What lies under the parts that were not built."""
    alt = canvas.alt
    shade = alt.Chart().mark_rect(color=canvas.theme.muted, opacity=0.13, clip=True)
    return shade.encode(x=x, x2=alt.X2(field="to")).transform_filter("datum.part === 'unbuilt'")


def _marks(table: Table, strip: _Strip, canvas: Canvas) -> list[Any]:
    """What lies under the lines of a panel, the lines, and last the dots of single values."""
    alt = canvas.alt
    joined = merged([table.fields[name] for name in strip.fields])
    above: dict[str, Any] = {**ABOVE, "titleAlign": "left", "titleX": 0, "titleY": -10}
    y = canvas.value(alt.Y, joined, " · ".join(strip.fields), room=0.06, minExtent=34, **above)
    base = alt.Chart().encode(x=_time(table, strip, canvas), y=y)
    hue = canvas.theme.palette[strip.number % len(canvas.theme.palette)]
    dots = base.mark_point(filled=True, size=34, opacity=1, clip=True, color=hue)
    if strip.colours is not None:
        colour = _colour(strip.colours, alt)
        dots = dots.encode(color=colour, opacity=_opacity(strip))
        lines = _lines(base.encode(color=colour), strip, strip.colours, alt)
        under = [bands(base, canvas.theme.palette[0], alt)] if len(strip.fields) > 1 else []
        return [*under, *_dashed(lines, strip, alt), dots]
    line = base.mark_line(color=hue, **_LINE)
    under = [_complete(_area(base, alt, hue))] if joined.counted else []
    return [*under, *_dashed(line, strip, alt), dots]


def _dashed(lines: Any, strip: _Strip, alt: Any) -> list[Any]:
    """Lines; the parts of them that are not complete, if there are any, under them and dashed."""
    if not strip.is_open:
        return [_complete(lines)]
    dashed = lines.copy()
    dashed.mark = alt.MarkDef(**lines.mark.to_dict() | {"strokeDash": _DASH})
    return [dashed.transform_filter("datum.part === 'open' || datum.part === 'join'"), _complete(lines)]


def _complete(marks: Any) -> Any:
    return marks.transform_filter("!datum.part")


def _area(base: Any, alt: Any, hue: str) -> Any:
    stops = [alt.GradientStop(color=f"{hue}0d", offset=0), alt.GradientStop(color=f"{hue}73", offset=1)]
    fade = alt.Gradient(gradient="linear", stops=stops, x1=1, x2=1, y1=1, y2=0)
    return base.mark_area(color=fade, clip=True)


def _lines(base: Any, strip: _Strip, colours: Colours, alt: Any) -> Any:
    lines = base.mark_line(**_LINE).encode(
        detail=alt.Detail(field="line", type="nominal"), opacity=_opacity(strip)
    )
    if colours.rest is None:
        return lines
    test = alt.FieldEqualPredicate(field="key", equal=colours.rest)
    return lines.encode(size=alt.condition(test, alt.value(1), alt.value(2)))


def _opacity(strip: _Strip) -> Any:
    """A click in the legend brings its lines to the front."""
    return _seen_where(_chosen(strip), 0.12)


@lru_cache(maxsize=64)
def _seen_where(param: str, else_: float, *, empty: bool = True) -> Any:
    # Read by Altair once for all charts: that takes as long as the rest of a panel.
    condition = {"param": param, "value": 1} | ({} if empty else {"empty": False})
    return altair().OpacityValue.from_dict({"condition": condition, "value": else_})


def _pointers(dots: Any, x: Any, strip: _Strip, canvas: Canvas) -> list[Any]:
    """What follows the mouse: the points of a moment, a rule through them, values of the nearest."""
    alt = canvas.alt
    points = dots.transform_filter("isValid(datum.v)").properties(name=f"points_{strip.number}")
    pointed = {"param": _pointed(strip), "empty": False}
    rule = alt.Chart().mark_rule(color=canvas.theme.muted, strokeWidth=1, opacity=0.5).encode(x=x)
    seen = _seen_where(_pointed(strip), 0, empty=False)
    return [rule.transform_filter(alt.ParameterPredicate(**pointed)), points.encode(opacity=seen)]


def _colour(colours: Colours, alt: Any) -> Any:
    return alt.Color(
        field="key",
        type="nominal",
        title=colours.title,
        scale=alt.Scale(domain=list(colours.scale), range=list(colours.scale.values())),
        legend=alt.Legend(orient="right", symbolType="stroke", symbolOpacity=1),
    )


def _time(table: Table, strip: _Strip, canvas: Canvas) -> Any:
    """The axis of time: labels with hours of 24 and only as much of a date as changes between ticks."""
    alt = canvas.alt
    buckets = table.buckets or (0,)
    first, last = min(buckets), max(buckets)
    years = sorted({datetime.fromtimestamp(bucket, UTC).year for bucket in (first, last)})
    first_of_month = "%b" if last - first > _MONTHS else "%b %-d"
    new_year = "%Y" if len(years) > 1 else first_of_month
    labels = (
        "utcseconds(datum.value) ? utcFormat(datum.value, '%H:%M:%S')"
        " : utchours(datum.value) || utcminutes(datum.value) ? utcFormat(datum.value, '%H:%M')"
        " : utcdate(datum.value) > 1 ? utcFormat(datum.value, '%b %-d')"
        f" : utcFormat(datum.value, utcmonth(datum.value) ? '{first_of_month}' : '{new_year}')"
    )
    # As many as have room: of labels that overlap every other one is left out, and with it what says the day.
    ticks = max(3, (canvas.width or WIDTH) // _TICK)
    axis = {"labelExpr": labels, "labelOverlap": True, "tickCount": ticks, "labels": strip.is_last}
    return alt.X(
        field="t",
        type="temporal",
        title=f"{' to '.join(map(str, years))}, UTC" if strip.is_last else None,
        axis=alt.Axis(titleAnchor="start", titlePadding=8, **axis),
        scale=alt.Scale(type="utc", **({} if first == last else {"domain": [first * 1000, last * 1000]})),
    )


def _written(table: Table) -> str:
    """How moments are written in tooltips: as far as buckets need."""
    buckets = table.buckets or ()
    if all(bucket % _DAY == 0 for bucket in buckets):
        return "%Y-%m-%d"
    return "%Y-%m-%d %H:%M" if all(bucket % 60 == 0 for bucket in buckets) else "%Y-%m-%d %H:%M:%S"
