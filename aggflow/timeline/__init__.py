"""Pure time: instants, windows, intervals, zones; no clock is read here."""

from __future__ import annotations

from aggflow.timeline.duration import Duration
from aggflow.timeline.instant import (
    BEGINNING,
    FOREVER,
    Micros,
    format_instant,
    format_seconds,
    from_datetime,
    parse_instant,
    to_datetime,
)
from aggflow.timeline.interval import Interval
from aggflow.timeline.lookback import lookback
from aggflow.timeline.span import Unit
from aggflow.timeline.window import ALWAYS, Window, WindowSet
from aggflow.timeline.zone import UTC, Zone

__all__ = [
    "ALWAYS",
    "BEGINNING",
    "FOREVER",
    "UTC",
    "Duration",
    "Interval",
    "Micros",
    "Unit",
    "Window",
    "WindowSet",
    "Zone",
    "format_instant",
    "format_seconds",
    "from_datetime",
    "lookback",
    "parse_instant",
    "to_datetime",
]
