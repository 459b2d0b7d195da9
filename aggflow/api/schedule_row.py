"""A schedule row: when a cube is built, as the status page tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.engine.stored_schedule import StoredSchedule
from aggflow.figure import ago
from aggflow.timeline import Micros

_SECOND_US: Final = 1_000_000
_UNKEPT: Final = "does not fire: no Prefect"


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule.

    Attributes
    ----------
    cube, sentence, kind
        What it builds, when, and how.
    next, last
        When it fires next, or why it does not; and when it did last.
    """

    cube: str
    sentence: str
    kind: str
    next: str
    last: str

    @classmethod
    def of(cls, schedule: StoredSchedule, now_us: Micros, *, fires: bool) -> ScheduleRow:
        """The row of a schedule; ``fires``: whether there is a Prefect that keeps it."""
        latest = schedule.latest_execution
        return cls(
            cube=schedule.cube,
            sentence=schedule.spec.sentence,
            kind="full" if schedule.full_build else "incremental",
            next=_next(schedule, now_us) if fires or schedule.paused else _UNKEPT,
            last="never" if latest is None else ago(latest.executed_us, now_us),
        )


def _next(schedule: StoredSchedule, now_us: Micros) -> str:
    if schedule.paused:
        return "paused"
    coming = schedule.spec.next_fires(now_us, 1)
    return f"in {_ahead(coming[0] - now_us)}" if coming else "never"


def _ahead(us: Micros) -> str:
    """A time that is to pass, in its two largest units.

    Examples
    --------
    >>> _ahead(42_000_000), _ahead(3_700_000_000), _ahead(200_000_000_000)
    ('1 min', '1 h 1 min', '2 d 7 h')
    """
    minutes = max(1, -(-us // (60 * _SECOND_US)) if us < 60 * _SECOND_US else us // (60 * _SECOND_US))
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
