"""`aggflow deploy`: the flows on a work pool of a Prefect that is there; workers run them, a flow reconciles."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from orchestrated import make_home
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

from aggflow.cli import app
from aggflow.errors import NotFoundError, OrchestrationError, PrefectUnavailableError
from aggflow.orchestration.deployment import POOLED, Deployments, flow_named
from aggflow.orchestration.pool import deploy, pool_named
from aggflow.workspace import Workspace

POOL = "aggflow-tests"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with make_home(tmp_path, rows=1000) as ws:
        yield ws


def prefect_command(*words: str) -> str:
    """Run a command of Prefect's, as its user would."""
    environment = {
        **os.environ,
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_CLI_PROMPT": "false",
    }
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def pool(harness: None) -> str:
    prefect_command("work-pool", "create", POOL, "--type", "process")
    return POOL


def test_without_a_pool_it_says_which_there_are(pool: str) -> None:
    with pytest.raises(OrchestrationError, match=rf"no work pool is named \(--pool names one: .*{pool}"):
        pool_named(None)


def test_a_pool_that_is_missing_is_named_and_how_to_make_it(pool: str) -> None:
    with pytest.raises(NotFoundError, match="there is no work pool 'aggflow-test'") as raised:
        pool_named("aggflow-test")
    assert f"did you mean {pool!r}?" in raised.value.hint
    assert "prefect work-pool create aggflow-test --type process" in raised.value.hint


@pytest.mark.usefixtures("harness")
def test_a_server_that_is_away_is_one_sentence(ws: Workspace) -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(PrefectUnavailableError, match="cannot be reached"),
    ):
        pool_named("any")


def test_the_command_registers_everything_on_the_pool(
    pool: str, ws: Workspace, tmp_path: Path, prefect: SyncPrefectClient
) -> None:
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    words = ["deploy", "--pool", pool, "--home", str(tmp_path / "home"), "--tasks-every", "300"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    known = Deployments(ws.name, ws.home_id, None, POOLED).known(prefect)
    assert set(known) == set(POOLED)
    for flow, deployment in known.items():
        assert deployment.work_pool_name == pool
        assert deployment.entrypoint == f"aggflow.flows.{flow}.{flow}"
        assert deployment.name in done.output
    assert [schedule.slug for schedule in known["build_cube"].schedules] == [job_id]
    intervals = {
        flow: known[flow].schedules[0].schedule.interval.total_seconds()  # pyright: ignore[reportAttributeAccessIssue] - intervals
        for flow in ("run_tasks", "reconcile")
    }
    assert intervals == {"run_tasks": 300, "reconcile": 60}
    assert f"prefect worker start --pool {pool}" in done.output


@pytest.mark.slow
def test_a_worker_runs_what_is_deployed(
    pool: str, ws: Workspace, tmp_path: Path, prefect: SyncPrefectClient
) -> None:
    deploy(ws, str(tmp_path / "home"), pool, 60)
    waiting = ws.request_build("events", full=True)
    flow_named("reconcile")(home=str(tmp_path / "home"))
    prefect_command("worker", "start", "--pool", pool, "--run-once")
    assert ws.batch(waiting.id).status == "done"
    assert ws.due() == []
    assert ws.verify("cube events/all").agrees


def test_the_flow_reconciles_and_keeps_what_was_chosen(
    pool: str, ws: Workspace, tmp_path: Path, prefect: SyncPrefectClient
) -> None:
    home = str(tmp_path / "home")
    deploy(ws, home, pool, 300)
    known = Deployments(ws.name, ws.home_id, home, POOLED)
    job_id = ws.add_schedule("events", "0 25 06 ? * *").job_id
    reconcile: Any = flow_named("reconcile")
    assert reconcile(home=home) == [f"schedule {job_id} is made"]
    assert reconcile(home=home) == []
    prefect.delete_deployment(known.known(prefect)["verify"].id)
    reconcile(home=home)
    assert known.known(prefect)["verify"].work_pool_name == pool
    prefect.delete_deployment(known.known(prefect)["reconcile"].id)
    with pytest.raises(
        OrchestrationError, match=r"is gone from Prefect \(`aggflow deploy` registers it again\)"
    ):
        reconcile(home=home)
