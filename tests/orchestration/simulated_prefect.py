"""A Prefect without a server: its own schedule gives the times, a run is what a test makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from prefect.server.schemas.schedules import CronSchedule

from aggflow.timeline import to_datetime

DEPLOYMENT = SimpleNamespace(id=uuid4(), paused=False)


@dataclass
class Run:
    """A run, with what the code under test looks at."""

    expected_start_time: datetime
    parameters: dict[str, Any]
    created_by: Any = None
    auto_scheduled: bool = False
    idempotency_key: str = ""
    state_name: str = "Scheduled"
    message: str = ""
    deployment_id: UUID = DEPLOYMENT.id
    id: UUID = field(default_factory=uuid4)


class SimulatedPrefect:
    """The part of Prefect's client that fires need, over runs in memory.

    Parameters
    ----------
    cron, timezone, job_id
        Its one schedule.
    """

    def __init__(self, cron: str, timezone: str, job_id: str) -> None:
        self.schedule_id = uuid4()
        self.runs: list[Run] = []
        self._schedule = CronSchedule(cron=cron, timezone=timezone)
        self._job_id = job_id
        self._scheduled: set[float] = set()

    def schedule_runs(self, start: datetime, end: datetime) -> None:
        """Do what Prefect's scheduler does: a run for each of its times, made once."""
        for found in asyncio.run(self._schedule.get_dates(1000, start, end)):
            moment = to_datetime(round(found.timestamp()) * 1_000_000)
            if moment.timestamp() not in self._scheduled:
                self._scheduled.add(moment.timestamp())
                by = SimpleNamespace(id=self.schedule_id)
                self.runs.append(Run(moment, {"job_id": self._job_id}, by, auto_scheduled=True))

    def begin_due(self, now: datetime) -> Iterator[Run]:
        """Do what a runner does: begin what is due, oldest first."""
        for run in sorted(self.runs, key=lambda one: one.expected_start_time):
            if run.state_name == "Scheduled" and run.expected_start_time <= now:
                run.state_name = "Completed"
                yield run

    # -- as the code under test calls it

    def read_flow_runs(self, *, flow_run_filter: Any, sort: Any, limit: int) -> list[Run]:
        assert str(sort).endswith("EXPECTED_START_TIME_DESC")
        between, state = flow_run_filter.expected_start_time, flow_run_filter.state
        names = state.name.any_ if state else None
        found: Iterable[Run] = (
            run
            for run in self.runs
            if (between.after_ is None or run.expected_start_time >= between.after_)
            and run.expected_start_time <= between.before_
            and (names is None or run.state_name in names)
        )
        return sorted(found, key=lambda run: run.expected_start_time, reverse=True)[:limit]

    def set_flow_run_state(self, run_id: UUID, state: Any, *, force: bool) -> None:
        assert force
        (run,) = [run for run in self.runs if run.id == run_id]
        run.state_name, run.message = state.name, state.message

    def create_flow_run_from_deployment(
        self,
        deployment_id: UUID,
        *,
        parameters: dict[str, Any],
        idempotency_key: str,
        now: Any = None,
        **_: Any,
    ) -> None:
        assert deployment_id == DEPLOYMENT.id
        if all(run.idempotency_key != idempotency_key for run in self.runs):
            at = to_datetime(int(idempotency_key.rpartition(":")[2])) + timedelta(0)
            self.runs.append(Run(at, parameters, idempotency_key=idempotency_key))
