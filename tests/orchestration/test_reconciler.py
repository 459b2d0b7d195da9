"""Passes of the reconciler over a real Prefect API: both sides become one, and a second pass does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from orchestrated import make_home
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed, Running

from aggflow.errors import PrefectUnavailableError
from aggflow.orchestration.deployment import POOLED, SERVED, Deployments
from aggflow.orchestration.place import told
from aggflow.orchestration.pool import apply
from aggflow.orchestration.reconciler import Reconciler
from aggflow.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with make_home(tmp_path, rows=10) as ws:
        yield ws


@pytest.fixture
def deployments(ws: Workspace, tmp_path: Path) -> Deployments:
    return Deployments(ws.name, ws.home_id, told(str(tmp_path / "home")))


@pytest.fixture
def reconciler(ws: Workspace, deployments: Deployments, prefect: SyncPrefectClient) -> Reconciler:
    return Reconciler(ws, deployments, apply)


@pytest.fixture
def settled(reconciler: Reconciler) -> Reconciler:
    """One that has made its first pass."""
    reconciler.run()
    return reconciler


def there(
    client: SyncPrefectClient, deployments: Deployments, flow: str = "build_cube"
) -> DeploymentResponse:
    return client.read_deployment_by_name(deployments.full_name(flow))


def schedules(client: SyncPrefectClient, deployments: Deployments) -> dict[str | None, DeploymentSchedule]:
    return {schedule.slug: schedule for schedule in there(client, deployments).schedules}


def runs(client: SyncPrefectClient, deployments: Deployments, flow: str = "build_cube") -> list[FlowRun]:
    from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId

    found = DeploymentFilter(id=DeploymentFilterId(any_=[there(client, deployments, flow).id]))
    every = client.read_flow_runs(deployment_filter=found)
    return [run for run in every if not run.auto_scheduled]


# -- deployments


def test_the_first_pass_makes_everything_and_the_second_nothing(
    reconciler: Reconciler, deployments: Deployments, prefect: SyncPrefectClient
) -> None:
    assert reconciler.run()
    assert reconciler.run() == []
    found = deployments.known(prefect)
    assert tuple(found) == SERVED
    for flow, deployment in found.items():
        assert deployment.entrypoint == f"aggflow.flows.{flow}.{flow}"
        assert deployment.parameters == {"home": deployments.home, "workspace": "self"}
        assert deployment.tags == ["aggflow", "self"]
        assert deployment.work_pool_name is None
    (every,) = found["run_tasks"].schedules
    assert isinstance(every.schedule, IntervalSchedule)
    assert every.schedule.interval.total_seconds() == 60
    (daily,) = found["maintain"].schedules
    assert daily.schedule.cron == "17 3 * * *"  # pyright: ignore[reportAttributeAccessIssue] - a cron


def test_homes_of_one_name_share_a_prefect(ws: Workspace, deployments: Deployments, tmp_path: Path) -> None:
    with make_home(tmp_path / "other", rows=10) as other:
        assert Deployments(other.name, other.home_id, None).name != deployments.name


def test_one_that_was_deleted_there_is_made_again(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    prefect.delete_deployment(there(prefect, deployments).id)
    settled.run()
    assert set(schedules(prefect, deployments)) == {job_id}


def test_a_password_is_nowhere_at_prefect(ws: Workspace, prefect: SyncPrefectClient) -> None:
    url = "postgresql://me:secret@db/shop"
    hidden = Deployments(ws.name, ws.home_id, told(url), POOLED)
    Reconciler(ws, hidden, apply).run()
    for deployment in hidden.known(prefect).values():
        assert deployment.parameters == {"home": None, "workspace": "self"}
        assert "secret" not in deployment.model_dump_json()


# -- schedules


def test_a_schedule_is_made_with_its_seconds_last_and_its_job(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    stored = ws.add_schedule("events", "0 25 06 ? * *", timezone="Europe/Berlin", full_build=False)
    assert settled.run() == [f"schedule {stored.job_id} is made"]
    found = schedules(prefect, deployments)[stored.job_id]
    assert found.schedule.cron == "25 06 * * * 0"  # pyright: ignore[reportAttributeAccessIssue] - a cron
    assert found.schedule.timezone == "Europe/Berlin"  # pyright: ignore[reportAttributeAccessIssue] - a cron
    assert found.parameters == {"cube": "events", "full": False, "job_id": stored.job_id}
    assert found.active
    assert ws.schedules[stored.job_id].prefect_id == str(found.id)
    assert ws.dispatches() == []


def test_one_that_was_changed_there_is_set_right(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    deployment, found = there(prefect, deployments), schedules(prefect, deployments)[job_id]
    prefect.update_deployment_schedule(
        deployment.id, found.id, schedule=CronSchedule(cron="0 0 * * *", timezone="UTC")
    )
    assert settled.run() == [f"schedule {job_id} is changed"]
    assert schedules(prefect, deployments)[job_id].schedule.cron == "25 06 * * * 0"  # pyright: ignore[reportAttributeAccessIssue] - a cron
    assert settled.run() == []


def test_one_that_is_removed_here_is_so_there(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    keep = ws.add_schedule("events", "0 0 7 ? * *").job_id
    drop = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    ws.remove("schedule", drop)
    assert settled.run() == [f"schedule {drop} is removed"]
    assert set(schedules(prefect, deployments)) == {keep}
    ws.remove("cube", "events")
    settled.run()
    assert schedules(prefect, deployments) == {}


def test_one_that_was_paused_there_is_paused_here_and_stays_so(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    deployment, found = there(prefect, deployments), schedules(prefect, deployments)[job_id]
    prefect.update_deployment_schedule(deployment.id, found.id, active=False)
    settled.run()
    assert ws.schedules[job_id].paused
    assert not schedules(prefect, deployments)[job_id].active
    prefect.update_deployment_schedule(deployment.id, found.id, active=True)
    settled.run()
    assert not ws.schedules[job_id].paused


def test_a_deployment_that_was_paused_there_pauses_its_schedules_here(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    prefect.pause_deployment(there(prefect, deployments).id)
    settled.run()
    assert ws.schedules[job_id].paused


def test_one_that_was_deleted_there_is_repaired_as_it_was(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    """The catalog is the truth; but a pause that was seen holds for what is made again, too."""
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    settled.run()
    deployment, found = there(prefect, deployments), schedules(prefect, deployments)[job_id]
    prefect.delete_deployment_schedule(deployment.id, found.id)
    assert settled.run() == [f"schedule {job_id} is made"]
    again = schedules(prefect, deployments)[job_id]
    assert (again.active, again.id == found.id) == (True, False)
    assert ws.schedules[job_id].prefect_id == str(again.id)
    prefect.update_deployment_schedule(deployment.id, again.id, active=False)
    settled.run()
    prefect.delete_deployment_schedule(deployment.id, again.id)
    settled.run()
    assert not schedules(prefect, deployments)[job_id].active


def test_what_users_add_there_is_theirs(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient
) -> None:
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    mine = DeploymentScheduleCreate(
        schedule=CronSchedule(cron="0 0 * * *", timezone="UTC"), slug="mine", parameters={"cube": "events"}
    )
    prefect.create_deployment_schedules(there(prefect, deployments).id, [mine])
    assert settled.run() == []
    assert set(schedules(prefect, deployments)) == {"mine"}


# -- limits


def test_a_limit_that_was_edited_is_left_as_it_is(settled: Reconciler, prefect: SyncPrefectClient) -> None:
    before = prefect.read_global_concurrency_limit_by_name("aggflow-duckdb")
    assert before.limit == 2
    prefect.update_global_concurrency_limit("aggflow-duckdb", GlobalConcurrencyLimitUpdate(limit=7))
    try:
        assert settled.run() == []
        assert prefect.read_global_concurrency_limit_by_name("aggflow-duckdb").limit == 7
    finally:
        prefect.update_global_concurrency_limit("aggflow-duckdb", GlobalConcurrencyLimitUpdate(limit=2))


# -- batches


def test_a_batch_that_waits_gets_one_run(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    waiting = ws.request_build("events", full=True)
    assert settled.run() == [f"batch {waiting.id} of events is submitted"]
    assert settled.run() == []
    (run,) = runs(prefect, deployments)
    assert run.parameters == {
        "home": deployments.home,
        "workspace": "self",
        "cube": "events",
        "full": True,
        "batch_id": waiting.id,
    }
    assert run.name == "events · full"
    assert {"aggflow", "self", "cube:events"} <= set(run.tags)
    assert run.idempotency_key == waiting.id


def test_none_is_submitted_while_another_of_its_cube_is_at_work(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    at_work = ws.begin_batch("events")
    assert at_work is not None
    waiting = ws.request_build("events")
    assert settled.run() == []
    assert runs(prefect, deployments) == []
    ws.finish_batch(at_work)
    assert settled.run() == [f"batch {waiting.id} of events is submitted"]


def test_one_whose_run_was_cancelled_there_is_cancelled_here(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    waiting = ws.request_build("events")
    settled.run()
    (run,) = runs(prefect, deployments)
    prefect.set_flow_run_state(run.id, Cancelled(), force=True)
    settled.run()
    assert ws.batch(waiting.id).status == "cancelled"
    assert settled.run() == []


def test_one_whose_run_crashed_before_it_began_gets_another_run_later(
    settled: Reconciler,
    deployments: Deployments,
    prefect: SyncPrefectClient,
    ws: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from datetime import timedelta

    waiting = ws.request_build("events")
    settled.run()
    (run,) = runs(prefect, deployments)
    prefect.set_flow_run_state(run.id, Running(), force=True)
    prefect.set_flow_run_state(run.id, Crashed(), force=True)
    assert settled.run() == []
    monkeypatch.setattr("aggflow.orchestration.batch_run._FIRST_WAIT", timedelta(0))
    assert settled.run() == [f"batch {waiting.id} of events is submitted"]
    assert settled.run() == []
    assert {one.idempotency_key for one in runs(prefect, deployments)} == {waiting.id, f"{waiting.id}:1"}


# -- tasks


def test_what_is_asked_of_tasks_is_run_at_once_and_once(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    """The task of the home was asked for before the first pass."""
    (first,) = runs(prefect, deployments, "run_tasks")
    prefect.set_flow_run_state(first.id, Running(), force=True)
    ws.add_task("more", linq="from events group every 1h select count() as n", from_date="2025-01-01")
    assert settled.run() == []
    assert [dispatch.kind for dispatch in ws.dispatches()] == ["tasks"]
    prefect.set_flow_run_state(first.id, Crashed(), force=True)
    assert settled.run() == ["a run of tasks is submitted"]
    assert settled.run() == []
    assert ws.dispatches() == []


# -- Prefect away


def test_while_prefect_is_away_nothing_is_lost(
    settled: Reconciler, deployments: Deployments, prefect: SyncPrefectClient, ws: Workspace
) -> None:
    stored = ws.add_schedule("events", "0 25 06 ? * *")
    waiting = ws.request_build("events", full=True)
    away: dict[Any, Any] = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(away):
        for _ in range(2):
            with pytest.raises(PrefectUnavailableError):
                settled.run()
    told_ = ws.dispatches()
    assert {dispatch.kind for dispatch in told_} == {"schedules", "batch"}
    assert {dispatch.attempts for dispatch in told_} == {2}
    assert all("cannot be reached" in (dispatch.error or "") for dispatch in told_)
    assert ws.batch(waiting.id).status == "pending"
    assert settled.run() == [
        f"schedule {stored.job_id} is made",
        f"batch {waiting.id} of events is submitted",
    ]
    assert set(schedules(prefect, deployments)) == {stored.job_id}
