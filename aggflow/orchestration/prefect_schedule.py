"""A Prefect schedule: when a deployment runs by itself; what is here and what is there are made one.

What is made, changed or removed here is so there.  One that was deleted in Prefect's UI is made again: the
catalog is the truth, and a cube whose schedule vanished unseen would silently grow stale.  One that was
paused there stays paused, here too: a pause is what its user wants, and it is seen on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

    from aggflow.spec.schedule import Schedule

# A little after the full minute, when the buckets that it ends are closed.
_ANCHOR: Final = datetime(2020, 1, 1, 0, 0, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """A schedule as it should be.

    Attributes
    ----------
    slug
        What it is known by on both sides: the job id of a cube's schedule.
    schedule
        When it fires.
    parameters
        What its runs are told beside what the deployment says.
    active
        Whether it is made active; one that is there stays as it is.
    """

    slug: str
    schedule: CronSchedule | IntervalSchedule
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    active: bool = True


def of_cube(job_id: str, spec: Schedule, *, paused: bool) -> Wanted:
    """A cube's schedule; Prefect's seconds stand last, in its zone."""
    from prefect.client.schemas.schedules import CronSchedule

    cron = CronSchedule(cron=spec.cron.prefect_text, timezone=spec.timezone)
    told = {"cube": spec.cube, "full": spec.full_build, "job_id": job_id}
    return Wanted(job_id, cron, told, active=not paused)


def every(slug: str, seconds: float) -> Wanted:
    """A schedule that fires again and again."""
    from prefect.client.schemas.schedules import IntervalSchedule

    return Wanted(
        slug, IntervalSchedule(interval=timedelta(seconds=seconds), anchor_date=_ANCHOR, timezone="UTC")
    )


def daily(slug: str, hour: int, minute: int) -> Wanted:
    """A schedule that fires once a day, by UTC."""
    from prefect.client.schemas.schedules import CronSchedule

    return Wanted(slug, CronSchedule(cron=f"{minute} {hour} * * *", timezone="UTC"))


def settle(
    client: SyncPrefectClient, deployment: DeploymentResponse, wanted: Iterable[Wanted], known: Iterable[str]
) -> tuple[dict[str, DeploymentSchedule], list[str]]:
    """Make the schedules of a deployment what they should be.

    Parameters
    ----------
    client
        Of Prefect.
    deployment
        As it was read just now.
    wanted
        What should be there.
    known
        The slugs that were ours once: of these, those that are not wanted are removed.  What users
        add to the deployment in the UI is left alone.

    Returns
    -------
    dict, list of str
        The schedules that are there now, by slug; what was done, in words.
    """
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    there = {schedule.slug: schedule for schedule in deployment.schedules if schedule.slug}
    should = {one.slug: one for one in wanted}
    done: list[str] = []
    for slug in sorted((set(known) & set(there)) - set(should)):
        client.delete_deployment_schedule(deployment.id, there.pop(slug).id)
        done.append(f"schedule {slug} is removed")
    for slug, one in should.items():
        found = there.get(slug)
        parameters = dict(one.parameters)
        if found is None:
            made = DeploymentScheduleCreate(
                schedule=one.schedule, active=one.active, parameters=parameters, slug=slug
            )
            (there[slug],) = client.create_deployment_schedules(deployment.id, [made])
            done.append(f"schedule {slug} is made")
        elif not _same(found, one):
            client.update_deployment_schedule(
                deployment.id, found.id, schedule=one.schedule, parameters=parameters
            )
            done.append(f"schedule {slug} is changed")
    return {slug: there[slug] for slug in should}, done


def _same(found: DeploymentSchedule, one: Wanted) -> bool:
    return (_when(found.schedule), found.parameters) == (_when(one.schedule), dict(one.parameters))


def _when(schedule: Any) -> tuple[Any, ...]:
    """What tells one schedule from another; the anchor of an interval is only where it begins."""
    names = ("cron", "timezone", "interval", "rrule")
    return tuple(getattr(schedule, name, None) for name in names)
