"""A canvas: the library, the theme and the size that a chart is drawn with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aggflow.charts.library import altair
from aggflow.charts.number import SI_FROM
from aggflow.charts.table import Measured
from aggflow.charts.theme import Theme

WIDTH = 680
# Each label with its own suffix: 0, 500k, 1M.
SI_LABEL = "format(datum.value, '.4~s')"
# The title of a vertical axis: over it and not turned.
ABOVE: Mapping[str, Any] = {
    "titleAngle": 0,
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -8,
    "titleY": -7,
    "titleAlign": "right",
}


@dataclass(frozen=True)
class Canvas:
    """What every chart is drawn with.

    Attributes
    ----------
    alt
        Altair.
    theme
        The colours.
    width, height
        Of the area inside the axes, in pixels; None for what suits the chart.
    """

    alt: Any
    theme: Theme
    width: int | None
    height: int | None

    @property
    def config(self) -> Any:
        """How everything looks, in the theme."""
        return _config(self.theme)

    def value(
        self,
        channel: Any,
        field: Measured,
        title: str | None,
        *,
        room: float = 0,
        from_zero: bool = False,
        **axis: Any,
    ) -> Any:
        """An axis of numbers, ``v`` in the data: SI suffixes where they are large.

        ``room`` is left above the numbers, and below those that do not begin at zero, as a part of all.
        What is as long as its number has to begin at zero.
        """
        alt = self.alt
        low, high = _span(field, room, from_zero=from_zero)
        if max(-low, high) >= SI_FROM:
            axis["labelExpr"] = SI_LABEL
        if field.counted:
            axis["tickMinStep"] = 1
        scale = alt.Scale(domain=[low, high], nice=False, zero=False)
        axis = {"tickCount": 5, **axis}
        return channel(field="v", type="quantitative", title=title, axis=alt.Axis(**axis), scale=scale)

    def tooltips(self, shown: Mapping[str, str]) -> list[Any]:
        """What is shown under the mouse: titles, by the text in the data that stands behind each."""
        titles: dict[str, str] = {}
        for field, title in shown.items():
            # What is shown is kept by title: a field may be called like a grouping, but not here.
            titles[field] = title + " (value)" * (title in titles.values())
        return [self.alt.Tooltip(field=field, type="nominal", title=title) for field, title in titles.items()]

    def sentence(self, text: str) -> Any:
        """A chart that says why there is nothing to see."""
        base = self.alt.Chart({"values": [{"text": text}]}, name="panel_0")
        return (
            base.mark_text(fontSize=15, color=self.theme.muted)
            .encode(text=self.alt.Text(field="text", type="nominal"))
            .properties(width=self.width or WIDTH, height=self.height or 120)
        )


@lru_cache(maxsize=8)
def _config(theme: Theme) -> Any:
    # Altair checks every key of it: as long as drawing a short series takes.
    return altair().Config.from_dict(theme.config())


def merged(fields: Sequence[Measured]) -> Measured:
    """Several fields as one, for an axis that they share."""
    numbers = tuple(number for field in fields for number in field.numbers)
    texts = tuple(text for field in fields for text in field.texts)
    return Measured(numbers, texts, all(field.counted for field in fields))


def _span(field: Measured, room: float, *, from_zero: bool) -> tuple[float, float]:
    """Where an axis begins and ends: at zero for counts, and for values that are not all far from it."""
    present = field.present or [0.0]
    low, high = min(present), max(present)
    if low == high == 0:
        return 0.0, 1.0
    near = min(abs(low), abs(high)) <= 0.5 * max(abs(low), abs(high))
    if from_zero or field.counted or near or low == high or low < 0 < high:
        low, high = min(low, 0.0), max(high, 0.0)
    space = room * (high - low)
    return (low if low == 0 else low - space), (high if high == 0 else high + space)
