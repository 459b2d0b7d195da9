"""Schedule state: what the orchestration made of a schedule: paused or not, known as what, last fired when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import definitions, schedule_states
from aggflow.errors import NotFoundError
from aggflow.timeline.instant import Micros


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """What is known of a schedule beside its definition.

    Attributes
    ----------
    definition_id
        Of the schedule.
    paused
        Whether it is kept from firing.
    prefect_id
        What the orchestration calls it, once it does.
    seen_us
        When this was noted.
    fired_us
        The latest time of the schedule that was seen to, or None.
    """

    definition_id: str
    paused: bool
    prefect_id: str | None
    seen_us: Micros
    fired_us: Micros | None


_STATE = sa.select(schedule_states).where(schedule_states.c.definition_id == sa.bindparam("definition_id"))
_STATES = (
    sa.select(schedule_states)
    .join(definitions)
    .where(definitions.c.workspace_id == sa.bindparam("workspace_id"))
    .order_by(definitions.c.name)
)


class ScheduleStates(Database):
    """The part of a catalog that holds the states of schedules."""

    def schedule_state(self, definition_id: str) -> ScheduleState | None:
        """The state of a schedule, or None where nothing was noted."""
        rows = self._read(_STATE, definition_id=definition_id)
        return ScheduleState(*rows[0]) if rows else None

    def schedule_states(self, workspace_id: str) -> tuple[ScheduleState, ...]:
        """The states of a workspace's schedules, by the name of the schedule."""
        return tuple(ScheduleState(*row) for row in self._read(_STATES, workspace_id=workspace_id))

    def put_schedule_state(
        self,
        definition_id: str,
        now_us: Micros,
        *,
        paused: bool | None = None,
        prefect_id: str | None = None,
        fired_us: Micros | None = None,
    ) -> ScheduleState:
        """Note the state of a schedule; None leaves what was noted.

        Parameters
        ----------
        definition_id
            Of the schedule.
        now_us
            The present instant, in microseconds.
        paused
            Whether it is kept from firing; not so at first.
        prefect_id
            What the orchestration calls it.
        fired_us
            A time of the schedule that was seen to; an earlier one than is noted changes nothing.

        Returns
        -------
        ScheduleState
            As it is now.

        Raises
        ------
        NotFoundError
            There is no such schedule.
        """
        with self._write() as connection:
            # The definition's row is locked: its state may not be there yet.
            owner = sa.select(definitions.c.id).where(definitions.c.id == definition_id).with_for_update()
            if connection.execute(owner).first() is None:
                raise NotFoundError("schedule", definition_id)
            row = connection.execute(_STATE, {"definition_id": definition_id}).first()
            old = (
                ScheduleState(definition_id, False, None, now_us, None)
                if row is None
                else ScheduleState(*row)
            )
            fired = [us for us in (old.fired_us, fired_us) if us is not None]
            values: dict[str, Any] = {
                "paused": old.paused if paused is None else paused,
                "prefect_id": old.prefect_id if prefect_id is None else prefect_id,
                "seen_us": now_us,
                "fired_us": max(fired, default=None),
            }
            this = schedule_states.c.definition_id == definition_id
            if row is None:
                connection.execute(schedule_states.insert().values(definition_id=definition_id, **values))
            else:
                connection.execute(schedule_states.update().where(this).values(values))
            return ScheduleState(definition_id, **values)
