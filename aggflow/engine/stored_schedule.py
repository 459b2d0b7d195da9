"""A stored schedule: a schedule as the workspace holds it, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from aggflow.engine.stored import Stored
from aggflow.spec.schedule import Schedule
from aggflow.timeline import Micros


@dataclass(frozen=True)
class Execution:
    """One batch that a schedule began.

    Attributes
    ----------
    executed_us
        When, in microseconds.
    id
        The batch.
    job_id
        The schedule.
    """

    executed_us: Micros
    id: str
    job_id: str


@dataclass(frozen=True, repr=False)
class StoredSchedule(Stored[Schedule]):
    """A schedule as the workspace holds it; the attributes of its spec are its own.

    Attributes
    ----------
    cube_id, project_id
        Of its cube; empty where the cube is gone.
    created_us
        When it was added, in microseconds.
    paused
        Whether it is kept from firing.
    prefect_id
        What Prefect calls it, once it does.
    fired_us
        The latest time of it that was seen to, in microseconds, or None.
    latest_execution
        The last batch that it began, or None.
    """

    cube_id: str = field(default="", compare=False)
    project_id: str = field(default="", compare=False)
    created_us: Micros = field(default=0, compare=False)
    paused: bool = field(default=False, compare=False)
    prefect_id: str | None = field(default=None, compare=False)
    fired_us: Micros | None = field(default=None, compare=False)
    latest_execution: Execution | None = field(default=None, compare=False)

    @property
    def _state(self) -> str:
        return "paused" if self.paused else ""

    @property
    def job_id(self) -> str:
        """Its id, a UUID."""
        return self.id
