"""An extent: how many rows of a source a rollup would take, by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aggflow.backends import quirks
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.state_query import conditions_of, selected
from aggflow.measures.state import Int64s
from aggflow.spec.rollup import Rollup
from aggflow.timeline import Window

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True)
class Extent:
    """How many rows of a source a rollup would take, by day.

    Attributes
    ----------
    days
        UTC days since the epoch that have rows, rising.
    rows
        How many rows each has.
    """

    days: Int64s
    rows: Int64s

    @property
    def window(self) -> Window | None:
        """From the first day that has rows to the end of the last."""
        if not len(self.days):
            return None
        return Window(int(self.days[0]) * DAY_US, (int(self.days[-1]) + 1) * DAY_US)

    def rows_in(self, window: Window) -> int:
        """About how many rows a window has: days that it cuts count by the part that it has."""
        starts = self.days * DAY_US
        shared = np.minimum(starts + DAY_US, window.end) - np.maximum(starts, window.start)
        return int((self.rows * (np.clip(shared, 0, None) / DAY_US)).sum())


def extent(rows: SourceRows, rollup: Rollup, window: Window) -> Extent:
    """How many rows a rollup would take of a window, by day; it may have no beginning or end."""
    table = selected(rows, conditions_of(rows, rollup, window))
    day: Any = quirks.floor_to(rows.time_us(window), DAY_US, rows.can)
    counted = table.select(day=day).group_by("day").aggregate(n=lambda t: t.count())
    found = rows.fetch(counted.filter(counted.day.notnull()).order_by("day"))
    return Extent(found["day"].to_numpy() // DAY_US, found["n"].to_numpy())
