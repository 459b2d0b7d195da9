"""A status: what is built of one rollup, how large it is, how its last build went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aggflow.catalog import Build, Coverage
from aggflow.errors import SegmentDamagedError, SegmentMissingError
from aggflow.store import SegmentStore
from aggflow.timeline import Interval, Window, WindowSet, Zone


@dataclass(frozen=True)
class RollupStatus:
    """What is built of a rollup.

    Attributes
    ----------
    name, source, interval
        Which rollup.
    covered
        The windows that are built.
    data
        Those of them that have events.
    events
        From the first bucket with events to the end of the last; None without any.
    segments, cells, bytes
        How much is stored.
    versions
        How many forms it has had.
    last_build
        The newest build, if there was one.
    """

    name: str
    source: str
    interval: str
    covered: WindowSet
    data: WindowSet
    events: Window | None
    segments: int
    cells: int
    bytes: int
    versions: int
    last_build: Build | None

    @property
    def extent(self) -> Window | None:
        """The time that is worth a look: all events, and all gaps between what is built; None without events."""
        if self.events is None or self.covered.span is None:
            return None
        gaps = WindowSet.of(self.covered.span) - self.covered
        return (WindowSet.of(self.events) | gaps).span


def events_of(coverage: Coverage, store: SegmentStore, width: Interval, zone: Zone) -> Window | None:
    """From the first bucket with events to the end of the last, read from the segments' footers.

    A segment that is missing or damaged is left out: it is not the status that finds it.
    """
    windows = sorted((row.window, row.file) for row in coverage.rows if row.file is not None)
    first = next(_spans([file for _, file in windows], store), None)
    last = next(_spans([file for _, file in reversed(windows)], store), None)
    if first is None or last is None:
        return None
    # A file may hold more than its live part.
    start = max(windows[0][0].start, first[0] * 1_000_000)
    end = min(windows[-1][0].end, width.next(last[1] * 1_000_000, zone))
    return Window(start, end) if start < end else None


def _spans(files: list[str], store: SegmentStore) -> Iterator[tuple[int, int]]:
    for file in files:
        try:
            yield store.span(file)
        except (SegmentMissingError, SegmentDamagedError):
            continue
