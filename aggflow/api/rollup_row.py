"""A rollup row: what is built of a rollup, drawn over time, for the status page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aggflow.api.coverage_picture import Bar, bars_of
from aggflow.engine.status import RollupStatus
from aggflow.figure import ago, counted, instant, size
from aggflow.timeline import BEGINNING, Interval, Micros

_SECOND_US: Final = 1_000_000
_LATE_US: Final = 15 * 60 * _SECOND_US


@dataclass(frozen=True)
class RollupRow:
    """One rollup: what is built of it, drawn over time.

    Attributes
    ----------
    kind, name
        ``filter``, ``task`` or ``cube``, and what it is called.
    about
        Its source and its interval.
    bars, start, end
        The picture, and the times at its ends; no bars where there is nothing to draw.
    built
        Up to when, and how long ago that is.
    is_late
        Whether that is longer ago than its interval explains.
    stored
        How much there is.
    """

    kind: str
    name: str
    about: str
    bars: Sequence[Bar]
    start: str
    end: str
    built: str
    is_late: bool
    stored: str

    @classmethod
    def of(cls, status: RollupStatus, now_us: Micros) -> RollupRow:
        """The row of a rollup."""
        kind, name = _kind_and_name(status.name)
        shown = status.extent
        return cls(
            kind=kind,
            name=name,
            about=f"every {status.interval} of {status.source}",
            bars=() if shown is None else bars_of(status, shown),
            start="" if shown is None else instant(shown.start),
            end="" if shown is None else instant(shown.end),
            built=_built(status, now_us),
            is_late=_is_late(status, now_us),
            stored=f"{counted(status.cells, 'cell')} · {counted(status.segments, 'segment')} · {size(status.bytes)}",
        )


def _kind_and_name(reference: str) -> tuple[str, str]:
    """The kind and the name of a rollup's status, which calls filters by their name alone.

    Examples
    --------
    >>> _kind_and_name("delays"), _kind_and_name("cube flights/hourly")
    (('filter', 'delays'), ('cube', 'flights/hourly'))
    """
    kind, _, name = reference.partition(" ")
    return (kind, name) if kind in ("task", "cube") and name else ("filter", reference)


def _built(status: RollupStatus, now_us: Micros) -> str:
    span = status.covered.span
    if span is None:
        return "nothing is built yet"
    start = "" if span.start <= BEGINNING else f"from {instant(span.start)} "
    gaps = len(status.covered) - 1
    holes = f", with {counted(gaps, 'gap')}" if gaps else ""
    if status.events is None:
        holes += ", without any event"
    return f"built {start}until {instant(span.end)}, {ago(span.end, now_us)}{holes}"


def _is_late(status: RollupStatus, now_us: Micros) -> bool:
    span = status.covered.span
    if span is None:
        return True
    interval_us = Interval.of(status.interval).seconds_at_most * _SECOND_US
    return now_us - span.end > max(2 * interval_us, _LATE_US)
