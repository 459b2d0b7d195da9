"""A theme: the colours of charts on a light ground, a dark one, or one that is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aggflow.errors import NotFoundError

ThemeName = Literal["light", "dark", "auto"]
THEME_NAMES: Final[tuple[ThemeName, ...]] = ("light", "dark", "auto")
_FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class Theme:
    """The colours of a chart.

    Attributes
    ----------
    background
        Behind everything; ``transparent`` where the ground is not known.
    text, muted, grid
        Titles and values; axes and subtitles; lines of the grid.
    palette
        Ten colours that are told apart, also by most who see fewer of them.
    others
        Groups without a colour of their own.
    shades
        One hue from near the ground to far from it, for what has an order.
    ramp
        Small to large, in a heat map.
    diverging
        Far below zero, below, zero, above, far above, in a heat map.
    on_weak, on_strong
        Text on the near and on the far end of ramps.
    turn
        The part of a ramp from which on text is read better as on its far end.
    """

    background: str
    text: str
    muted: str
    grid: str
    palette: tuple[str, ...]
    others: str
    shades: tuple[str, ...]
    ramp: tuple[str, ...]
    diverging: tuple[str, ...]
    on_weak: str
    on_strong: str
    turn: float

    @classmethod
    def of(cls, name: str) -> Theme:
        """The theme of a name.

        Raises
        ------
        NotFoundError
            There is none of that name.
        """
        if name not in _THEMES:
            raise NotFoundError("theme", name, _THEMES)
        return _THEMES[name]

    def shaded(self, count: int) -> Sequence[str]:
        """So many shades, as far from each other as they can be."""
        last = len(self.shades) - 1
        return [self.shades[round(i * last / max(1, count - 1))] for i in range(count)]

    def config(self) -> dict[str, Any]:
        """The ``config`` of a Vega-Lite chart.

        Every colour is said, so that the theme of whoever shows the chart changes nothing.
        """
        return {
            "background": self.background,
            "font": _FONT,
            "padding": 12,
            "view": {"stroke": None, "continuousWidth": 300, "continuousHeight": 300},
            "title": {
                "anchor": "start",
                "frame": "bounds",
                "color": self.text,
                "fontSize": 16,
                "fontWeight": 600,
                "subtitleColor": self.muted,
                "subtitleFontSize": 11.5,
                "subtitlePadding": 5,
                "subtitleLineHeight": 15,
                "offset": 18,
            },
            "axis": {
                "domain": False,
                "ticks": False,
                "grid": True,
                "gridColor": self.grid,
                "gridWidth": 1,
                "labelColor": self.muted,
                "labelFontSize": 11,
                "labelPadding": 6,
                "labelLimit": 220,
                "titleColor": self.muted,
                "titleFontSize": 11.5,
                "titleFontWeight": 600,
            },
            "axisX": {"grid": False, "domain": True, "domainColor": self.grid, "labelFlush": False},
            "legend": {
                "labelColor": self.text,
                "labelFontSize": 11.5,
                "labelLimit": 180,
                "titleColor": self.muted,
                "titleFontSize": 11.5,
                "titleFontWeight": 600,
                "titlePadding": 8,
                "rowPadding": 4,
                "symbolStrokeWidth": 3,
                "symbolSize": 130,
                "gradientThickness": 10,
            },
            "header": {
                "labelColor": self.text,
                "labelFontSize": 12,
                "labelFontWeight": 600,
                "titleColor": self.muted,
                "titleFontSize": 11.5,
                "titleFontWeight": 600,
            },
        }


_THEMES: dict[str, Theme] = {
    "light": Theme(
        background="#ffffff",
        text="#1f2430",
        muted="#667080",
        grid="#e6e9ee",
        palette=(
            "#4269d0", "#e8a317", "#f2634f", "#4fb3a0", "#8c55d9",
            "#3f9a4c", "#f07fae", "#84aef2", "#9c6b4e", "#a8ad2e",
        ),
        others="#c4cad3",
        shades=("#a9c1f5", "#7397e6", "#4269d0", "#2b479b", "#172a63"),
        ramp=("#edf3fd", "#b9cff6", "#7ba0ea", "#4269d0", "#22397f"),
        diverging=("#b53f2c", "#eea08d", "#f5f4f1", "#8fb0f0", "#3258b8"),
        on_weak="#1f2430",
        on_strong="#ffffff",
        turn=0.64,
    ),
    "dark": Theme(
        background="#14171f",
        text="#eceff4",
        muted="#98a2b3",
        grid="#2a303c",
        palette=(
            "#6f93f5", "#f2bb4b", "#ff8370", "#6fd0bd", "#b088f5",
            "#66c274", "#ff9fc8", "#a9c8fa", "#c79a7d", "#c8cd5a",
        ),
        others="#4a5261",
        shades=("#3c5599", "#5577d1", "#7b9cf7", "#abc2fc", "#dde7ff"),
        ramp=("#1c2536", "#2a4278", "#3f66bd", "#6f93f5", "#bcd0ff"),
        diverging=("#ff9d88", "#8f4537", "#232833", "#35508f", "#8fb0ff"),
        on_weak="#eceff4",
        on_strong="#0e1118",
        turn=0.55,
    ),
    # Read on white and on black alike: nothing at either end, and no ground of its own.
    "auto": Theme(
        background="transparent",
        text="#7a8597",
        muted="#7f899a",
        grid="rgba(127,137,154,0.25)",
        palette=(
            "#5079e6", "#e0a021", "#f26d58", "#45ad9b", "#9a68e6",
            "#47a656", "#ec7cab", "#76a5ee", "#a9785b", "#a3a935",
        ),
        others="rgba(127,137,154,0.5)",
        shades=("rgba(80,121,230,0.4)", "rgba(80,121,230,0.7)", "#5079e6"),
        ramp=("#e3ebfb", "#b3caf5", "#7ba0ea", "#4269d0", "#263f8a"),
        diverging=("#b53f2c", "#eea08d", "#efeeeb", "#8fb0f0", "#3258b8"),
        on_weak="#1f2430",
        on_strong="#ffffff",
        turn=0.64,
    ),
}  # fmt: skip
