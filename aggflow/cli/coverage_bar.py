"""A coverage bar: what is built of a rollup, drawn over time in blocks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rich.text import Text

from aggflow.timeline import Window, WindowSet

if TYPE_CHECKING:
    from aggflow.engine.status import RollupStatus

# By how much of its time is built: a gap, eighths, all of it.
_BLOCKS = "·▁▂▃▄▅▆▇█"


def coverage_bar(rollup: RollupStatus, shown: Window, width: int) -> Text:
    """The bar: a block a cell, as high as the part of its time that is built; bright where events are.

    Parameters
    ----------
    rollup
        What is built.
    shown
        The time from the left end to the right.
    width
        How many characters.
    """
    bar = Text()
    events = WindowSet.of(rollup.events) if rollup.events else WindowSet()
    for cell in _cells(shown, width):
        built = _share(rollup.covered, cell)
        has_events = bool(rollup.data & events & WindowSet.of(cell))
        style = "green" if has_events else "dim green" if built else "red"
        # Rounded inwards: a full block is full, an empty one empty.
        level = 0 if built == 0 else len(_BLOCKS) - 1 if built == 1 else 1 + int(built * (len(_BLOCKS) - 2))
        bar.append(_BLOCKS[min(level, len(_BLOCKS) - 1)], style=style)
    return bar


def _cells(shown: Window, width: int) -> list[Window]:
    edges = [shown.start + shown.microseconds * i // width for i in range(width + 1)]
    return [Window(start, end) for start, end in pairwise(edges) if start < end]


def _share(covered: WindowSet, cell: Window) -> float:
    return (covered & WindowSet.of(cell)).microseconds / cell.microseconds
