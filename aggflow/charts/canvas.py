"""A canvas: the library, the theme and the size that a chart is drawn with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggflow.charts.number import SI_FROM
from aggflow.charts.table import Measured
from aggflow.charts.theme import Theme

WIDTH = 680
# The title of a vertical axis: over it and not turned.
ABOVE: Mapping[str, Any] = {
    "titleAngle": 0,
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -8,
    "titleY": -8,
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

    def value(self, channel: Any, field: Measured, title: str | None, **axis: Any) -> Any:
        """An axis of numbers, ``v`` in the data: SI suffixes where they are large."""
        alt = self.alt
        high = max((abs(number) for number in field.present), default=0.0)
        if high >= SI_FROM:
            axis["format"] = "~s"
        if field.counted:
            axis["tickMinStep"] = 1
        return channel(
            field="v",
            type="quantitative",
            title=title,
            axis=alt.Axis(tickCount=5, **axis),
            scale=alt.Scale(nice=True, zero=_reaches_zero(field), **({} if high else {"domain": [0, 1]})),
        )

    def sentence(self, text: str) -> Any:
        """A chart that says why there is nothing to see."""
        base = self.alt.Chart({"values": [{"text": text}]})
        return (
            base.mark_text(fontSize=15, color=self.theme.muted)
            .encode(text=self.alt.Text(field="text", type="nominal"))
            .properties(width=self.width or WIDTH, height=self.height or 120)
        )


def merged(fields: Sequence[Measured]) -> Measured:
    """Several fields as one, for an axis that they share."""
    numbers = tuple(number for field in fields for number in field.numbers)
    texts = tuple(text for field in fields for text in field.texts)
    return Measured(numbers, texts, all(field.counted for field in fields))


def _reaches_zero(field: Measured) -> bool:
    """Whether an axis begins at zero: counts do, and values that are not all far from it."""
    present = field.present
    if field.counted or not present:
        return True
    low, high = min(present), max(present)
    return low < 0 < high or min(abs(low), abs(high)) <= 0.5 * max(abs(low), abs(high))
