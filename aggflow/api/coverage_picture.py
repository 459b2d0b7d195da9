"""A coverage picture: what is built of a rollup, as bars over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from aggflow.engine.status import RollupStatus
from aggflow.timeline import Window, WindowSet

_WIDTH: Final = 1000.0
# What is narrower cannot be seen, and what is nearer looks like one.
_NARROWEST: Final = 1.5
_NEAR: Final = 0.5

BarKind = Literal["events", "empty", "gap"]


@dataclass(frozen=True)
class Bar:
    """A piece of the time that a picture shows, of 1000 units from left to right.

    Attributes
    ----------
    x, width
        Where it is.
    kind
        ``events`` are built, and there are some; ``empty``: built, without any; ``gap``: not built.
    """

    x: float
    width: float
    kind: BarKind


def bars_of(status: RollupStatus, shown: Window) -> list[Bar]:
    """The bars of a rollup.

    Parameters
    ----------
    status
        What is built.
    shown
        The time from the left end to the right.
    """
    whole = WindowSet.of(shown)
    events = status.data & (WindowSet.of(status.events) if status.events else WindowSet()) & whole
    covered = status.covered & whole
    kinds: tuple[tuple[BarKind, WindowSet], ...] = (
        ("empty", covered - events),
        ("events", events),
        # Last, so that a short gap is not drawn over.
        ("gap", whole - covered),
    )
    return [bar for kind, windows in kinds for bar in _bars(kind, windows, shown)]


def _bars(kind: BarKind, windows: WindowSet, shown: Window) -> Iterator[Bar]:
    scale = _WIDTH / shown.microseconds
    last: Bar | None = None
    for window in windows:
        x, width = (window.start - shown.start) * scale, window.microseconds * scale
        bar = Bar(round(min(x, _WIDTH - _NARROWEST), 2), round(max(width, _NARROWEST), 2), kind)
        if last is not None and bar.x - (last.x + last.width) < _NEAR:
            last = Bar(last.x, round(bar.x + bar.width - last.x, 2), kind)
        else:
            if last is not None:
                yield last
            last = bar
    if last is not None:
        yield last
