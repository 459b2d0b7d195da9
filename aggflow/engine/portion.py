"""A portion: a window of a rollup that a build reads, writes and commits at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from aggflow.backends.extent import DAY_US, Extent
from aggflow.engine.coarsen import Share
from aggflow.engine.version import Version
from aggflow.timeline import Window


@dataclass(frozen=True)
class Portion:
    """A window that is read, written and committed at once.

    Attributes
    ----------
    version
        Whose window.
    window
        What is replaced.
    read
        What of it may have rows; None where it has none.
    rows
        About how many rows.
    share
        The finer rollup whose states it is made of, instead of source rows.
    """

    version: Version
    window: Window
    read: Window | None
    rows: int
    share: Share | None = None


def portions_of(version: Version, window: Window, found: Extent, batch_rows: int) -> Iterator[Portion]:
    """A missing window cut into portions of whole buckets, each of about so many rows.

    Parameters
    ----------
    version
        Whose window.
    window
        What is missing; may have no beginning.
    found
        Where its rows are.
    batch_rows
        How many rows a portion should have at most; a single bucket may have more.

    Yields
    ------
    Portion
        Together exactly the window, oldest first.
    """
    has_rows = found.window and found.window & window
    if has_rows is None:
        yield Portion(version, window, None, 0)
        return
    width, zone = version.rollup.width, version.rollup.zone
    # Calendars need a window with both ends to be read: that which has rows, in whole buckets.
    readable = Window(width.floor(has_rows.start, zone), width.ceil(has_rows.end, zone)) & window
    cuts = [width.floor(us, zone) for us in _cuts(found, has_rows, batch_rows)]
    edges = [window.start, *sorted({us for us in cuts if window.start < us < window.end}), window.end]
    for start, end in pairwise(edges):
        part = Window(start, end)
        yield Portion(version, part, readable and readable & part, found.rows_in(part))


def _cuts(found: Extent, window: Window, batch_rows: int) -> Iterator[int]:
    """Instants at which about so many rows have passed."""
    passed = 0
    for day, rows in zip(found.days.tolist(), found.rows.tolist(), strict=True):
        start = day * DAY_US
        if start + DAY_US <= window.start or start >= window.end:
            continue
        if passed and passed + rows > batch_rows:
            yield start
            passed = 0
        # A day with more rows than a portion is cut into equal parts.
        parts = -(-rows // batch_rows)
        yield from (start + DAY_US * part // parts for part in range(1, parts))
        passed += -(-rows // parts)
