"""`aggflow up`, whole: its processes, a schedule that fires by itself, what kills and cancels leave, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from daemon import free_port
from headless import CHROMIUM, browser
from orchestrated import Up, make_home, started
from patience import awaited
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelling

from aggflow.engine.batch import Batch
from aggflow.orchestration import server
from aggflow.workspace import Workspace

pytestmark = pytest.mark.slow

ROWS = 120_000
# So that a build takes a while and is committed in many steps.
SMALL = {"AGGFLOW_BATCH_ROWS": "1500"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def ws(folder: Path) -> Iterator[Workspace]:
    with make_home(folder, ROWS) as ws:
        yield ws


@pytest.fixture(scope="module")
def up(ws: Workspace, folder: Path) -> Iterator[Up]:
    with started(folder / "home", folder / "up.log", **SMALL) as up:
        yield up


@pytest.fixture
def client(up: Up) -> Iterator[SyncPrefectClient]:
    with up.client() as client:
        yield client


def runs_of(client: SyncPrefectClient, *tags: str) -> list[FlowRun]:
    found = FlowRunFilter(tags=FlowRunFilterTags(all_=list(tags)))
    return client.read_flow_runs(flow_run_filter=found, sort=FlowRunSort.START_TIME_DESC)


def state_of(client: SyncPrefectClient, run: FlowRun) -> str:
    state = client.read_flow_run(run.id).state
    return "" if state is None else str(state.name)


def begin(ws: Workspace, client: SyncPrefectClient) -> tuple[Batch, FlowRun]:
    """Ask for a full build, and wait until it has committed something."""
    batch = ws.request_build("events", full=True)
    awaited("the batch", lambda: ws.batch(batch.id).status == "running")
    (run,) = runs_of(client, f"batch:{batch.id}")
    awaited("a step of it", lambda: _steps(ws, batch) > 2)
    return batch, run


def _steps(ws: Workspace, batch: Batch) -> int:
    return next((b.windows_done for b in ws.builds.values() if b.batch_id == batch.id), 0)


def processes_of(run: FlowRun) -> list[psutil.Process]:
    """The processes of a flow run: one, or its starter as well."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get("PREFECT__FLOW_RUN_ID") == str(run.id):
                found.append(process)
    assert found, f"no process runs {run.name}"
    return found


def kill(run: FlowRun) -> None:
    for process in processes_of(run):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def ended(ws: Workspace, batch: Batch, status: str) -> Batch:
    awaited(f"{status} of the batch", lambda: ws.batch(batch.id).status == status)
    return ws.batch(batch.id)


def check_states(ws: Workspace, tmp_path: Path) -> None:
    """What is built is what an unbroken build makes."""
    assert ws.verify("cube events/all", sample=50).agrees
    with make_home(tmp_path / "unbroken", ROWS) as other:
        other.build_cube("events", progress=False)
        ours, theirs = ({s.name: s for s in one.status()}["cube events/all"] for one in (ws, other))
        assert ours.events == theirs.events
        assert _answer(ws) == _answer(other)


def _answer(ws: Workspace) -> list[Any]:
    fields = ["v:COUNT", "v:SUM", "v:PERCENTILES:0.9"]
    answer = ws.ask_cube("events", fields, ["who", "what"], start="2025-01-01", end="2025-03-25", live=False)
    assert len(answer.rows) == 350
    return answer.rows


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - servers of the test
        return answer.status, answer.read().decode()


def test_it_begins_and_says_where_everything_is(up: Up) -> None:
    assert up.ui in up.said
    assert f"{up.ui}/api" in up.said
    assert up.service in up.said
    assert get(up.ui)[0] == 200
    assert json.loads(get(f"{up.service}/healthz")[1])["status"] == "ok"
    assert json.loads(get(f"{up.service}/readyz")[1])["checks"] == dict.fromkeys(
        ("catalog", "store", "prefect"), "ok"
    )


def test_nothing_is_told_to_anyone(up: Up) -> None:
    settings = json.loads(get(f"{up.ui}/api/admin/settings")[1])
    assert settings["server"]["analytics_enabled"] is False
    assert settings["home"].startswith(str(up.home))


def test_tasks_and_filters_are_built_by_themselves(up: Up, ws: Workspace) -> None:
    awaited("the task", lambda: ws.tasks["by who"].status == "RUNNING" and not ws.due())
    assert ws.verify("task by who").agrees
    assert ws.verify("all").agrees


def test_a_schedule_fires_by_itself(up: Up, ws: Workspace, client: SyncPrefectClient) -> None:
    stored = ws.add_schedule("events", "0/10 * * * * *", full_build=False)

    def fired() -> list[FlowRun]:
        found = [
            run for run in runs_of(client, "auto-scheduled") if run.parameters.get("job_id") == stored.job_id
        ]
        return [run for run in found if run.state is not None and run.state.is_completed()]

    run = awaited("a run of the schedule", fired)[0]
    assert run.created_by is not None
    assert str(run.created_by.id) == ws.schedules[stored.job_id].prefect_id
    assert run.created_by.display_value == stored.job_id
    assert run.name == "events · incremental"
    assert run.expected_start_time is not None
    at = round(run.expected_start_time.timestamp()) * 1_000_000
    assert stored.next_fires(at - 1, 1) == (at,)
    assert run.start_time is not None
    awaited(
        "a batch of the schedule",
        lambda: any(ws.batch(fire.id).status == "done" for fire in ws.schedule_history(stored.job_id)),
    )
    ws.remove("schedule", stored.job_id)
    awaited("the schedule's end", lambda: not client.read_deployment(run.deployment_id).schedules)  # pyright: ignore[reportArgumentType] - it has one


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium")
def test_prefects_ui_shows_it(up: Up, ws: Workspace, folder: Path) -> None:
    ended(ws, ws.request_build("events"), "done")
    elsewhere: list[str] = []
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(f"{up.ui}/deployments")
        page.wait_for_selector(f"text=self-{ws.home_id[:6]}")
        for flow in ("build-cube", "run-tasks", "backfill", "verify", "maintain"):
            page.wait_for_selector(f"text={flow}")
        page.screenshot(path=folder / "deployments.png")
        page.goto(f"{up.ui}/runs")
        page.wait_for_selector("text=events · incremental")
        page.screenshot(path=folder / "runs.png")
    assert [url for url in elsewhere if not url.startswith((up.ui, "data:", "blob:"))] == []
    assert (folder / "runs.png").stat().st_size > 10_000


def test_a_second_one_on_the_home_is_refused(up: Up) -> None:
    words = [sys.executable, "-m", "aggflow", "up", "--home", str(up.home), "--port", str(free_port())]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"another `aggflow up` (process {up.process.pid}) serves {up.home}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_whose_process_is_killed_is_made_up_for_by_the_next(
    up: Up, ws: Workspace, client: SyncPrefectClient, tmp_path: Path
) -> None:
    batch, run = begin(ws, client)
    kill(run)
    closed = ended(ws, batch, "error")
    assert closed.error is not None
    assert closed.error["message"] == "its process died"
    awaited("the crash", lambda: state_of(client, run) == "Crashed")
    again = ws.request_build("events")
    ended(ws, again, "done")
    check_states(ws, tmp_path)


def test_a_run_that_is_cancelled_at_prefect_leaves_nothing_half_done(
    up: Up, ws: Workspace, client: SyncPrefectClient, tmp_path: Path
) -> None:
    batch, run = begin(ws, client)
    processes = processes_of(run)
    client.set_flow_run_state(run.id, Cancelling())
    awaited("the cancellation", lambda: state_of(client, run) == "Cancelled")
    assert ended(ws, batch, "cancelled").error is not None
    assert not [process for process in processes if process.is_running()]
    again = ws.request_build("events")
    ended(ws, again, "done")
    check_states(ws, tmp_path)


def test_a_batch_that_is_cancelled_here_ends_its_run(
    up: Up, ws: Workspace, client: SyncPrefectClient
) -> None:
    batch, run = begin(ws, client)
    ws.cancel(batch.id)
    awaited("the cancellation", lambda: state_of(client, run) == "Cancelled")
    assert ws.batch(batch.id).status == "cancelled"
    assert all(b.status != "running" for b in ws.builds.values())


def test_it_is_interrupted_and_goes_on(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a build: all ends without a traceback; started again, the very run goes on."""
    with make_home(tmp_path, ROWS) as ws:
        home, asked = tmp_path / "home", {"name": ""}
        job_id = ws.add_schedule("events", "0 0 3 1 * *").job_id
        with started(home, tmp_path / "first.log", **SMALL) as up:
            with up.client() as client:
                deployments = {d.id for d in client.read_deployments()}
                batch, run = begin(ws, client)
                asked["name"] = run.name
            children = psutil.Process(up.process.pid).children(recursive=True)
            assert up.stop(signal.SIGINT) == 0
            assert "Traceback" not in up.said, up.said
            assert "All is ended" in up.said
            assert not [child for child in children if child.is_running()]
        assert ws.batch(batch.id).status == "cancelled"
        with started(home, tmp_path / "second.log", **SMALL) as up, up.client() as client:
            assert {d.id for d in client.read_deployments()} == deployments
            assert ws.schedules[job_id].prefect_id is not None
            awaited("the run's end", lambda: state_of(client, run) == "Completed")
            assert client.read_flow_run(run.id).run_count == 2
        done = ws.list_batches(status="done")
        assert [one.full for one in done] == [True]
        check_states(ws, tmp_path)


@pytest.mark.parametrize("whole", [False, True])
def test_it_is_killed_and_goes_on(tmp_path: Path, whole: bool) -> None:
    """What it started lives on, unless all is killed at once; the next one ends that, and the very run goes on."""
    with make_home(tmp_path, ROWS) as ws:
        home = tmp_path / "home"
        with started(home, tmp_path / "first.log", **SMALL) as up:
            with up.client() as client:
                _, run = begin(ws, client)
            children = psutil.Process(up.process.pid).children()
            up.process.kill()
            up.process.wait()
            assert all(child.is_running() for child in children)
            if whole:
                (runs,) = [child for child in children if "aggflow.orchestration.runs" in child.cmdline()]
                runs.kill()
                kill(run)
        with started(home, tmp_path / "second.log", **SMALL) as up, up.client() as client:
            assert not [child for child in children if child.is_running()]
            awaited("the run's end", lambda: state_of(client, run) == "Completed")
            assert client.read_flow_run(run.id).run_count == 2
            awaited("runs of tasks", lambda: not ws.due())
        check_states(ws, tmp_path)


def test_while_prefect_is_away_builds_wait(tmp_path: Path) -> None:
    """A Prefect elsewhere ends and comes back: `aggflow up` lives on, and what was asked meanwhile is done."""
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "AGGFLOW_"))}
    environment = server.environment(clean, tmp_path / "prefect", port)

    def start() -> Any:
        process = subprocess.Popen(
            server.command(port), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        awaited("Prefect", lambda: _answers(f"{server.api_address(port)}/health"))
        return process

    prefect = start()
    try:
        with (
            make_home(tmp_path, rows=2000) as ws,
            started(tmp_path / "home", tmp_path / "up.log", PREFECT_API_URL=server.api_address(port)) as up,
        ):
            awaited("runs of tasks", lambda: not ws.due())
            prefect.terminate()
            prefect.wait(60)
            batch = ws.request_build("events", full=True)
            awaited("a word of it", lambda: "cannot be reached" in up.said)
            awaited("another try", lambda: ws.dispatches()[0].attempts > 2)
            assert up.process.poll() is None
            assert ws.batch(batch.id).status == "pending"
            prefect = start()
            ended(ws, batch, "done")
            assert "Prefect answers again" in up.said
            assert "Traceback" not in up.said, up.said
    finally:
        prefect.terminate()
        prefect.wait(60)


def _answers(url: str) -> bool:
    try:
        return get(url)[0] == 200
    except OSError:
        return False
