"""A fire: one time at which a schedule builds, as the clock of its zone shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from aggflow.language import Cron
from aggflow.timeline import Micros, Window, Zone

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
_MOVED: Final = "the clock leaves its time out that day"
_FIRST: Final = "the clock shows this time twice: the first one"
_SECOND: Final = "the clock shows this time twice: the second one"


@dataclass(frozen=True)
class Fire:
    """One time of a schedule.

    Attributes
    ----------
    at_us
        The instant, in microseconds since the epoch.
    offset
        Seconds that the clock is ahead of UTC then.
    note
        What daylight saving makes of it; empty on other days.
    """

    at_us: Micros
    offset: int
    note: str = ""

    @property
    def wall_us(self) -> Micros:
        """What the clock shows, as microseconds from 1970-01-01T00:00:00 on that clock."""
        return self.at_us + self.offset * _SECOND_US

    def __str__(self) -> str:
        shown = _EPOCH + timedelta(microseconds=self.wall_us)
        return f"{shown:%a %d %b %Y %H:%M:%S} {_offset(self.offset)}"


@dataclass(frozen=True)
class ClockChange:
    """An instant at which the clock of a zone is put forward or back.

    Attributes
    ----------
    at_us
        The instant, in microseconds since the epoch.
    before, after
        Seconds ahead of UTC.
    """

    at_us: Micros
    before: int
    after: int

    @property
    def wall_us(self) -> Micros:
        """What the clock shows from then on, as microseconds on that clock."""
        return self.at_us + self.after * _SECOND_US

    def __str__(self) -> str:
        minutes = abs(self.after - self.before) // 60
        by = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
        return f"clocks go {'forward' if self.after > self.before else 'back'} {by}"


def next_fires(cron: Cron, zone: Zone, after_us: Micros, count: int = 10) -> tuple[Fire, ...]:
    """The first times of an expression after an instant, rising, with what daylight saving makes of them.

    Parameters
    ----------
    cron, zone
        The expression, and the zone of its clock.
    after_us
        Microseconds since the epoch.
    count
        How many.

    Raises
    ------
    QueryError
        The instant is before 1970 or in thousands of years.

    Examples
    --------
    >>> from aggflow.timeline import parse_instant
    >>> (fire,) = next_fires(Cron.of("0 30 2 * * *"), Zone.of("Europe/Berlin"), parse_instant("2025-03-29T12:00Z"), 1)
    >>> print(fire, "-", fire.note)
    Sun 30 Mar 2025 03:00:00 +02:00 - the clock leaves its time out that day
    """
    fires: list[Fire] = []
    for at_us in cron.next_fires(after_us, zone, count=count):
        offset = zone.offset(at_us)
        fires.append(Fire(at_us, offset, _note(cron, zone, at_us, offset)))
    return tuple(fires)


def clock_changes(zone: Zone, start_us: Micros, end_us: Micros) -> tuple[ClockChange, ...]:
    """Where the clock of a zone is put forward or back between two instants.

    Examples
    --------
    >>> from aggflow.timeline import parse_instant
    >>> start, end = parse_instant("2025-03-01"), parse_instant("2025-04-01")
    >>> [str(change) for change in clock_changes(Zone.of("Europe/Berlin"), start, end)]
    ['clocks go forward 1 h']
    """
    if start_us >= end_us:
        return ()
    steps: Sequence[tuple[Micros, int]] = zone.shifts(Window(start_us, end_us))
    return tuple(ClockChange(at, before, after) for (_, before), (at, after) in pairwise(steps))


def _note(cron: Cron, zone: Zone, at_us: Micros, offset: int) -> str:
    wall = at_us + offset * _SECOND_US
    others = {zone.offset(at_us + days * _DAY_US) for days in (-1, 1)} - {offset}
    for other in others:
        again = wall - other * _SECOND_US
        if zone.offset(again) == other:
            return _FIRST if at_us < again else _SECOND
    # Moved where the clock goes on: it does not show a time that the expression names.
    before = wall - _SECOND_US
    named = cron.next_fires(before, count=1)[0] == wall if before >= 0 else True
    return "" if named else _MOVED


def _offset(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
