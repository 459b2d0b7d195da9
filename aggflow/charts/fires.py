"""A chart of fires: the next times of a schedule on a line of its own clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aggflow.charts.canvas import WIDTH, Canvas
from aggflow.charts.library import altair
from aggflow.charts.renderer import bring
from aggflow.charts.theme import Theme, ThemeName
from aggflow.spec.fire import Fire, clock_changes
from aggflow.timeline import Micros, Zone, format_instant

_DAY_MS: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
# Weekends are told apart on lines of days; on longer ones they would be stripes.
_WEEKENDS: Final = (2 * _DAY_MS, 45 * _DAY_MS)
_SATURDAY: Final = 5
# How the axis writes times, by how long it is at most.
_FORMATS: Final = (
    (180_000, "%H:%M:%S"),
    (_DAY_MS, "%H:%M"),
    (4 * _DAY_MS, "%a %H:%M"),
    (60 * _DAY_MS, "%a %d %b"),
    (900 * _DAY_MS, "%d %b %Y"),
)


def draw_fires(
    fires: Sequence[Fire],
    zone: Zone,
    now_us: Micros,
    *,
    theme: ThemeName = "light",
    width: int = WIDTH,
    height: int = 54,
) -> Any:
    """Draw the next times of a schedule.

    Parameters
    ----------
    fires
        The times, rising.
    zone
        The zone of the schedule's clock, which the axis shows.
    now_us
        The present, in microseconds since the epoch.
    theme
        ``light`` or ``dark``, each with its ground; ``auto`` has none and is read on both.
    width, height
        Of the area inside the axes, in pixels.

    Returns
    -------
    altair.TopLevelMixin
        A chart that uses nothing newer than Vega-Lite 5.6: a dot a time, weekends shaded, a rule where
        the clock is put forward or back.

    Raises
    ------
    AggflowError
        Altair is not installed.
    """
    alt = altair()
    canvas = Canvas(alt, Theme.of(theme), width, height)
    bring()
    if not fires:
        chart = canvas.sentence("no times to show")
    else:
        layers = [*_weekends(fires, zone, now_us, canvas), *_changes(fires, zone, now_us, canvas)]
        chart = alt.layer(*layers, _now(zone, now_us, canvas), *_dots(fires, zone, now_us, canvas))
        chart = chart.properties(width=width, height=height)
    chart.config = canvas.config
    return chart


def _x(fires: Sequence[Fire], zone: Zone, now_us: Micros, canvas: Canvas) -> Any:
    """The axis: what the clock of the zone shows, whatever the zone of the browser is."""
    alt = canvas.alt
    first, last = _span(fires, zone, now_us)
    scale = alt.Scale(type="utc", domain=[first, last], nice=False)
    written = next((text for longest, text in _FORMATS if last - first <= longest), "%b %Y")
    axis = alt.Axis(
        format=written, tickCount=6, labelOverlap=True, domain=True, ticks=True, tickColor=canvas.theme.grid
    )
    return alt.X(field="t", type="temporal", scale=scale, axis=axis, title=None)


def _span(fires: Sequence[Fire], zone: Zone, now_us: Micros) -> tuple[int, int]:
    """Where the axis begins and ends, in milliseconds on the clock of the zone."""
    first, last = _wall(now_us, zone), fires[-1].wall_us // 1000
    room = max(1000, (last - first) // 40)
    return first - room, last + room


def _dots(fires: Sequence[Fire], zone: Zone, now_us: Micros, canvas: Canvas) -> Iterator[Any]:
    alt, theme = canvas.alt, canvas.theme
    rows = [
        {
            "t": fire.wall_us // 1000,
            "next": i == 0,
            "when": str(fire),
            "utc": format_instant(fire.at_us),
            "note": fire.note or "none",
        }
        for i, fire in enumerate(fires)
    ]
    shown = {"when": f"time ({zone.name})", "utc": "UTC"}
    if any(fire.note for fire in fires):
        shown["note"] = "daylight saving"
    y = alt.YDatum(0.5, type="quantitative", scale=alt.Scale(domain=[0, 1]), axis=None)
    base = alt.Chart({"values": rows}).encode(x=_x(fires, zone, now_us, canvas), y=y)
    is_next = alt.FieldEqualPredicate(field="next", equal=True)
    yield base.mark_point(
        filled=True, opacity=1, stroke=theme.background, strokeWidth=1, color=theme.palette[0]
    ).encode(
        size=alt.condition(is_next, alt.value(170), alt.value(85)),
        tooltip=canvas.tooltips(shown),
    )


def _now(zone: Zone, now_us: Micros, canvas: Canvas) -> Any:
    alt, theme = canvas.alt, canvas.theme
    base = alt.Chart({"values": [{"t": _wall(now_us, zone), "text": "now"}]})
    rule = base.mark_rule(color=theme.muted, strokeDash=[2, 3]).encode(x=alt.X(field="t", type="temporal"))
    text = base.mark_text(color=theme.muted, fontSize=10.5, align="center", baseline="bottom", dy=-4)
    return alt.layer(
        rule,
        text.encode(
            x=alt.X(field="t", type="temporal"), y=alt.value(0), text=alt.Text(field="text", type="nominal")
        ),
    )


def _changes(fires: Sequence[Fire], zone: Zone, now_us: Micros, canvas: Canvas) -> Iterator[Any]:
    """Rules where the clock is put forward or back."""
    alt, hue = canvas.alt, canvas.theme.palette[1]
    rows = [
        {"t": change.wall_us // 1000, "text": str(change)}
        for change in clock_changes(zone, now_us, fires[-1].at_us + 1)
    ]
    if not rows:
        return
    base = alt.Chart({"values": rows}).encode(x=alt.X(field="t", type="temporal"))
    yield base.mark_rule(color=hue, strokeWidth=1.5)
    yield base.mark_text(color=hue, fontSize=10.5, align="center", baseline="bottom", dy=-4).encode(
        y=alt.value(0), text=alt.Text(field="text", type="nominal")
    )


def _weekends(fires: Sequence[Fire], zone: Zone, now_us: Micros, canvas: Canvas) -> Iterator[Any]:
    """Shades behind Saturdays and Sundays, on lines of days."""
    first, last = _span(fires, zone, now_us)
    if not _WEEKENDS[0] <= last - first <= _WEEKENDS[1]:
        return
    rows = [
        {"t": max(day * _DAY_MS, first), "to": min((day + 1) * _DAY_MS, last)}
        for day in range(first // _DAY_MS, last // _DAY_MS + 1)
        if (_EPOCH + timedelta(days=day)).weekday() >= _SATURDAY
    ]
    if rows:
        alt = canvas.alt
        base = alt.Chart({"values": rows}).mark_rect(color=canvas.theme.muted, opacity=0.12)
        yield base.encode(x=alt.X(field="t", type="temporal"), x2=alt.X2(field="to"))


def _wall(us: Micros, zone: Zone) -> int:
    """Milliseconds on the clock of a zone."""
    return us // 1000 + zone.offset(us) * 1000
