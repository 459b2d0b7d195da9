"""A status: what is built of one rollup, how large it is, how its last build went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aggflow.brief import brief
from aggflow.catalog import Build, Coverage
from aggflow.errors import SegmentDamagedError, SegmentMissingError
from aggflow.markup import nothing, table
from aggflow.store import SegmentStore
from aggflow.timeline import Interval, Micros, Window, WindowSet, Zone, format_instant


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

    def __repr__(self) -> str:
        told = dict(zip(HEADINGS[1:], _row(self)[1:], strict=True))
        return brief(f"rollup {self.name!r}", {"": told.pop("interval"), "source": self.source, **told})

    @property
    def extent(self) -> Window | None:
        """The time that is worth a look: all events, and all gaps between what is built; None without events."""
        if self.events is None or self.covered.span is None:
            return None
        gaps = WindowSet.of(self.covered.span) - self.covered
        return (WindowSet.of(self.events) | gaps).span


HEADINGS = ("rollup", "interval", "events", "built until", "gaps", "cells", "stored", "last build")


class StatusList(list[RollupStatus]):
    """What is built of the rollups of a workspace; shows itself as a table."""

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows of texts."""
        return list(HEADINGS), [_row(status) for status in self]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "there is no rollup yet"

    def _repr_html_(self) -> str:
        if not self:
            return nothing("there is no rollup yet: a filter, a task or a cube has them")
        return table(*self.table(), numeric=("gaps", "cells", "stored"), caption="times are UTC")


def _row(status: RollupStatus) -> list[str]:
    events, covered, last = status.events, status.covered.span, status.last_build
    return [
        status.name,
        status.interval,
        "" if events is None else f"{_time(events.start)} to {_time(events.end)}",
        "nothing is built" if covered is None else _time(covered.end),
        f"{len(status.covered) - 1:,}" if len(status.covered) > 1 else "",
        f"{status.cells:,}",
        f"{status.bytes / 1000:,.0f} kB",
        "" if last is None else f"{last.status}: {last.error['message']}" if last.error else last.status,
    ]


def _time(us: Micros) -> str:
    return format_instant(us - us % 60_000_000)[:16].replace("T", " ")


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
