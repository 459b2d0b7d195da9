"""Schedules of a workspace: when cubes are built by themselves, and what orchestration is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aggflow.catalog import Definition, Dispatch, ScheduleState
from aggflow.collection import Collection
from aggflow.engine.definition_kind import KindName
from aggflow.engine.stored_cube import StoredCube
from aggflow.engine.stored_schedule import Execution, StoredSchedule
from aggflow.errors import NotFoundError
from aggflow.spec.declaration import read
from aggflow.spec.definitions import Definitions
from aggflow.spec.schedule import Schedule
from aggflow.timeline import Micros, format_instant
from aggflow.workspace.batches import BatchesPart

_TOLD = ("schedules", "")


class SchedulesPart(BatchesPart):
    """The part of a workspace that holds schedules, and what is still to be told to orchestration."""

    # -- schedules

    def add_schedule(
        self,
        cube: str,
        time_expression: str,
        *,
        timezone: str = "UTC",
        full_build: bool = True,
        created_by: str = "",
    ) -> StoredSchedule:
        """Build a cube at times; a cube may have several schedules, and has each but once.

        Parameters
        ----------
        cube
            Its name, or its id.
        time_expression
            Six fields, seconds first: ``0 25 06 ? * *`` is every day at 06:25.
        timezone
            The zone of its clock.
        full_build
            Whether everything is built anew each time, or what is missing.
        created_by
            Who makes it; of a schedule that is there already, who made it stays.

        Raises
        ------
        NotFoundError
            There is no such cube.
        SpecError
            The expression cannot be read, or never fires; there is no such zone.
        """
        name = self.cube(cube).name
        return self._put_schedule(Schedule(name, time_expression, timezone, full_build, created_by))

    def _put_schedule(self, spec: Schedule) -> StoredSchedule:
        there = self._declarations.find("schedule", spec.name)
        if there is not None:
            spec = replace(spec, created_by=there.created_by)
        return self.schedule(self._declarations.put("schedule", spec, _TOLD).id)

    @property
    def schedules(self) -> Collection[StoredSchedule]:
        """The schedules, by job id, oldest first."""
        return Collection(
            "schedule",
            self._schedules,
            {
                "job": lambda s: s.job_id,
                "cube": lambda s: s.cube,
                "expression": lambda s: s.time_expression,
                "when": lambda s: s.spec.sentence,
                "kind": lambda s: "full" if s.full_build else "incremental",
                "paused": lambda s: "paused" if s.paused else "",
                "last": lambda s: (
                    "" if s.latest_execution is None else format_instant(s.latest_execution.executed_us)
                ),
            },
        )

    def schedule(self, job_id: str) -> StoredSchedule:
        """The schedule of a job id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        found = self._catalog.definition_by_id(job_id)
        if found is None or (found.workspace_id, found.kind) != (self._id, "schedule"):
            known = self._catalog.list_definitions(self._id, "schedule")
            raise NotFoundError("schedule", job_id, [definition.id for definition in known])
        return self._stored_schedule(found, self._cubes(), self._catalog.schedule_state(job_id))

    def schedule_history(self, job_id: str, *, limit: int | None = 100) -> list[Execution]:
        """The batches that a schedule began, newest first; also of one that was removed.

        Parameters
        ----------
        job_id
            The schedule.
        limit
            How many at most.
        """
        return [
            Execution(batch.started_us, batch.id, job_id)
            for batch in self._batches.all(job_id=job_id, limit=limit)
            if batch.started_us is not None
        ]

    def missed_fire(self, job_id: str, now_us: Micros) -> Micros | None:
        """The latest time of a schedule up to an instant, if nothing was begun for it and nothing noted of it.

        Times before the schedule was added are none of its.

        Raises
        ------
        NotFoundError
            There is no such schedule.
        """
        stored = self.schedule(job_id)
        since_us = max(stored.created_us, stored.fired_us or 0)
        latest = self._batches.all(job_id=job_id, limit=1)
        if latest:
            since_us = max(since_us, latest[0].created_us)
        return stored.spec.latest_fire(since_us, now_us)

    def note_schedule(
        self,
        job_id: str,
        *,
        paused: bool | None = None,
        prefect_id: str | None = None,
        fired_us: Micros | None = None,
    ) -> None:
        """Note what orchestration made of a schedule; None leaves what was noted.

        Parameters
        ----------
        job_id
            The schedule.
        paused
            Whether it is kept from firing; times during a pause are not made up for after it.
        prefect_id
            What Prefect calls it.
        fired_us
            A time of the schedule that was seen to.
        """
        state = self._catalog.schedule_state(job_id)
        if paused is False and state is not None and state.paused and fired_us is None:
            fired_us = self._clock()
        self._catalog.put_schedule_state(
            job_id, self._clock(), paused=paused, prefect_id=prefect_id, fired_us=fired_us
        )

    def _schedules(self) -> dict[str, StoredSchedule]:
        cubes = self._cubes()
        states = {state.definition_id: state for state in self._catalog.schedule_states(self._id)}
        found = sorted(
            self._catalog.list_definitions(self._id, "schedule"), key=lambda one: (one.created_us, one.name)
        )
        return {one.id: self._stored_schedule(one, cubes, states.get(one.id)) for one in found}

    def _stored_schedule(
        self, found: Definition, cubes: Mapping[str, StoredCube], state: ScheduleState | None
    ) -> StoredSchedule:
        spec = read(Schedule, found.spec)
        cube = cubes.get(spec.cube)
        latest = self.schedule_history(found.id, limit=2)
        return StoredSchedule(
            found.id,
            spec,
            generation=found.generation,
            cube_id="" if cube is None else cube.id,
            project_id="" if cube is None else cube.project_id,
            created_us=found.created_us,
            paused=state is not None and state.paused,
            prefect_id=None if state is None else state.prefect_id,
            fired_us=None if state is None else state.fired_us,
            latest_execution=latest[0] if latest else None,
        )

    # -- what orchestration is told

    def dispatches(self) -> list[Dispatch]:
        """What is still to be told to orchestration, oldest first."""
        return list(self._catalog.pending_dispatches(self._id))

    def dispatched(self, dispatch: Dispatch) -> bool:
        """Note that a dispatch was carried out, or is: whether nobody noted it before."""
        return self._catalog.finish_dispatch(dispatch.number, self._clock())

    def dispatch_failed(self, dispatch: Dispatch, error: str) -> None:
        """Note that a dispatch could not be carried out; it stays to be tried again."""
        self._catalog.fail_dispatch(dispatch.number, error)

    # -- definitions

    def remove(self, kind: KindName, name: str) -> None:
        """Remove a definition, and what was built for it; a cube with its schedules.

        Parameters
        ----------
        kind, name
            Which; a schedule by its job id.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind == "schedule":
            self._declarations.remove(kind, self.schedule(name).spec.name, _TOLD)
            return
        if kind == "cube":
            self._declarations.get(kind, name)
            for schedule in self.schedules.values():
                if schedule.cube == name:
                    self._declarations.remove("schedule", schedule.spec.name, _TOLD)
        super().remove(kind, name)

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        """
        applied = super().apply_definitions(found, base)
        for schedule in applied.schedules:
            self._put_schedule(schedule)
        return applied

    def declared(self) -> Definitions:
        """All definitions."""
        schedules = tuple(stored.spec for stored in self.schedules.values())
        return replace(super().declared(), schedules=schedules)
