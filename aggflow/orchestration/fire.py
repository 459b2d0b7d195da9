"""A fire: one instant of a schedule: each is one run, neither missed nor made up for many times.

Prefect's own times differ from ours where clocks are set, and it knows no time at which nobody ran it.
So a pass looks: of the runs that are late one is kept, runs at times that are none of ours are skipped,
and a fire that has no run gets one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aggflow.timeline import format_instant, to_datetime

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

    from aggflow.spec.schedule import Schedule
    from aggflow.workspace import Workspace

GRACE: Final = timedelta(seconds=20)
"""For how long a run may be late, as any is while the process that runs it starts."""
AHEAD: Final = timedelta(minutes=10)
"""How far ahead runs at wrong times are looked for; passes come more often than that."""
_PAGE: Final = 200
_SKIPPED: Final = "Skipped"
_LATE_NAMES: Final = ["Scheduled", "Late"]


def skip_late(client: SyncPrefectClient, deployments: Iterable[DeploymentResponse], now: datetime) -> int:
    """Of the runs of a schedule that are late, keep the newest: it does the work of all; how many were skipped."""
    newest: set[tuple[UUID | None, UUID | None]] = set()
    skipped = 0
    for run in _scheduled(client, [deployment.id for deployment in deployments], None, now - GRACE):
        schedule = run.created_by.id if run.created_by else None
        if (run.deployment_id, schedule) in newest:
            _skip(client, run, "a later run of the same schedule does its work")
            skipped += 1
        newest.add((run.deployment_id, schedule))
    return skipped


def skip_wrong(
    client: SyncPrefectClient, deployment: DeploymentResponse, specs: Mapping[UUID, Schedule], now: datetime
) -> int:
    """Skip coming runs at times at which a schedule does not fire, as where an hour is left out; how many.

    Parameters
    ----------
    client
        Of Prefect.
    deployment
        The one that builds cubes.
    specs
        Its schedules, by what Prefect calls them.
    now
        The present instant.
    """
    skipped = 0
    for run in _scheduled(client, [deployment.id], now, now + AHEAD):
        spec = specs.get(run.created_by.id) if run.created_by and run.created_by.id else None
        if spec is None or run.expected_start_time is None:
            continue
        # Whole seconds, in whatever class of times Prefect has.
        at = round(run.expected_start_time.timestamp()) * 1_000_000
        if spec.next_fires(at - 1, 1) != (at,):
            _skip(client, run, f"{spec.sentence} is not at {format_instant(at)}: the clock is set there")
            skipped += 1
    return skipped


def catch_up(
    ws: Workspace, client: SyncPrefectClient, deployment: DeploymentResponse, stored: Mapping[str, Any]
) -> list[str]:
    """Give a run to the latest fire of each schedule that has none.

    Parameters
    ----------
    ws
        Whose schedules.
    client
        Of Prefect.
    deployment
        The one that builds cubes.
    stored
        The schedules, by job id.

    Returns
    -------
    list of str
        What was done, in words.
    """
    now_us = ws.now_us()
    grace_us = GRACE // timedelta(microseconds=1)
    done: list[str] = []
    for job_id, one in stored.items():
        if one.paused:
            # What would have fired during a pause is not made up for after it.
            fired = ws.missed_fire(job_id, now_us)
            if fired is not None:
                ws.note_schedule(job_id, fired_us=fired)
            continue
        fired = ws.missed_fire(job_id, now_us - grace_us)
        if fired is None:
            continue
        if not _has_run(client, deployment, job_id, fired, now_us):
            client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"cube": one.cube, "full": one.full_build, "job_id": job_id},
                name=f"{one.cube} · of {format_instant(fired)}",
                tags=["aggflow", ws.name, f"cube:{one.cube}", "catch-up"],
                idempotency_key=f"{job_id}:{fired}",
            )
            done.append(f"the run of {format_instant(fired)} of schedule {job_id} is made up for")
        ws.note_schedule(job_id, fired_us=fired)
    return done


def _has_run(
    client: SyncPrefectClient, deployment: DeploymentResponse, job_id: str, fired_us: int, now_us: int
) -> bool:
    """Whether a fire has a run: its own, one of a later fire, or one that is late and still to be made."""
    second, now = timedelta(seconds=1), to_datetime(now_us)
    since = _runs(client, [deployment.id], to_datetime(fired_us) - second, now + second)
    late = _scheduled(client, [deployment.id], None, now)
    return any(
        run.parameters.get("job_id") == job_id for run in [*since, *late] if run.state_name != _SKIPPED
    )


def _scheduled(
    client: SyncPrefectClient, deployments: list[UUID], after: datetime | None, before: datetime
) -> Iterator[FlowRun]:
    """The runs that schedules made and nobody has begun, newest first."""
    from prefect.client.schemas.filters import FlowRunFilterState, FlowRunFilterStateName

    state = FlowRunFilterState(name=FlowRunFilterStateName(any_=_LATE_NAMES))
    for run in _runs(client, deployments, after, before, state=state):
        if run.auto_scheduled:
            yield run


def _runs(
    client: SyncPrefectClient, deployments: list[UUID], after: datetime | None, before: datetime, **also: Any
) -> list[FlowRun]:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterExpectedStartTime,
    )
    from prefect.client.schemas.sorting import FlowRunSort

    if not deployments:
        return []
    between = FlowRunFilterExpectedStartTime(after_=after, before_=before)  # pyright: ignore[reportArgumentType] - a datetime is one of Prefect's
    found = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=deployments), expected_start_time=between, **also
    )
    return client.read_flow_runs(
        flow_run_filter=found, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=_PAGE
    )


def _skip(client: SyncPrefectClient, run: FlowRun, why: str) -> None:
    from prefect.client.schemas.objects import State, StateType

    client.set_flow_run_state(
        run.id, State(type=StateType.CANCELLED, name=_SKIPPED, message=f"Skipped: {why}."), force=True
    )
