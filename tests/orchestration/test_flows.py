"""The flows on Prefect's test harness: what they build, what they show, how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from orchestrated import make_home, write_events
from prefect import State
from prefect.client.orchestration import SyncPrefectClient

from aggflow.engine.progress import Progress
from aggflow.errors import BuildError, CatalogBusyError, NotFoundError, SourceTypeError, SpecError
from aggflow.orchestration.deployment import POOLED, flow_named
from aggflow.workspace import Workspace

pytestmark = pytest.mark.usefixtures("harness")


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with make_home(tmp_path) as ws:
        yield ws


def run(flow: str, ws: Workspace, **parameters: Any) -> State[Any]:
    """Run a flow, and take its end, not its error."""
    return flow_named(flow)(home=ws._place, return_state=True, **parameters)


def last_run(client: SyncPrefectClient) -> Any:
    from prefect.client.schemas.sorting import FlowRunSort

    return client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)[0]


def artifacts(client: SyncPrefectClient, run_id: Any) -> dict[str, Any]:
    found = client.read_artifacts()
    return {a.key: a.data for a in found if a.flow_run_id == run_id and a.key}


@pytest.mark.parametrize("name", POOLED)
def test_a_flow_is_told_names_and_windows_only(name: str) -> None:
    known = {"home", "workspace", "cube", "full", "job_id", "batch_id", "ref", "start", "end"}
    known |= {"newest_first", "step", "sample", "fix"}
    parameters = flow_named(name).parameters.properties
    assert {"home", "workspace"} <= set(parameters) <= known
    assert flow_named(name).description


def test_a_run_of_tasks_builds_what_is_due(ws: Workspace, prefect: SyncPrefectClient) -> None:
    state = run("run_tasks", ws)
    assert state.message == "2 rollups, 2 windows: 10,000 source rows became 1,176 cells"
    assert ws.tasks["by who"].status == "RUNNING"
    assert ws.due() == []
    flow_run = last_run(prefect)
    assert flow_run.name == "self · run tasks"
    left = artifacts(prefect, flow_run.id)
    rows = json.loads(left["windows-self-tasks"])
    assert [(row["rollup"], row["source rows"]) for row in rows] == [
        ("task by who", 5000),
        ("filter all", 5000),
    ]
    assert "became 1,176 cells" in left["summary-self-tasks"]
    described = {one.description for one in prefect.read_artifacts() if one.flow_run_id == flow_run.id}
    assert {"Windows: self tasks", "Summary: self tasks"} <= described
    again = run("run_tasks", ws)
    assert (again.is_completed(), again.message) == (True, "Nothing was due")


def test_a_run_of_tasks_carries_out_what_a_service_was_asked_for_and_did_not_come_to(ws: Workspace) -> None:
    run("run_tasks", ws)
    full, gone = ws.queue_build("all", full=True), ws.queue_build("cube events/all")
    ws.remove("cube", "events")
    state = run("run_tasks", ws)
    assert state.is_completed()
    assert (state.message or "").startswith("Nothing was due; ")
    record = ws.build_record(full.build.id)
    assert (record.build.status, record.build.rows_read) == ("done", 5000)
    assert ws.build_record(gone.build.id).build.status in ("error", "cancelled")
    assert ws.queued() == []
    assert run("run_tasks", ws).message == "Nothing was due"


def test_one_that_fails_stops_nothing_else_and_is_named(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Workspace.run_task

    def failing(self: Workspace, reference: str, **options: Any) -> Any:
        if reference == "task by who":
            raise SourceTypeError("column 'who' is a text")
        return real(self, reference, **options)

    monkeypatch.setattr(Workspace, "run_task", failing)
    state = run("run_tasks", ws)
    assert state.is_failed()
    with pytest.raises(BuildError, match=r"^1 rollup of 2 not built: task by who: column 'who' is a text$"):
        state.result()
    assert ws.status()[0].events is not None
    assert ws.due() == ["task by who"]


@pytest.mark.parametrize(("error", "tries"), [(CatalogBusyError("busy"), 2), (SourceTypeError("no"), 1)])
def test_a_retry_is_made_where_the_error_says_that_it_helps(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    tried: list[str] = []

    def failing(self: Workspace, reference: str, **_: Any) -> Any:
        tried.append(reference)
        if tried.count(reference) == 1 and reference == "filter all":
            raise error

    monkeypatch.setattr(Workspace, "run_task", failing)
    monkeypatch.setattr(flow_named("run_tasks").fn.__globals__["build_due"], "retry_delay_seconds", 0)
    assert run("run_tasks", ws).is_failed() is (tries == 1)
    assert tried.count("filter all") == tries


def test_a_cube_is_built_as_one_batch(ws: Workspace, prefect: SyncPrefectClient) -> None:
    state = run("build_cube", ws, cube="events", full=True)
    assert state.message == "1 aggregate, 1 window: 5,000 source rows became 5,000 cells"
    (batch,) = ws.list_batches()
    assert (batch.status, batch.full, batch.rows_read) == ("done", True, 5000)
    flow_run = last_run(prefect)
    assert flow_run.name == "events · full"
    left = artifacts(prefect, flow_run.id)
    assert left["progress-cube-events-all"] == 100
    assert json.loads(left["windows-events-full"])[0]["aggregate"] == "all"


def test_a_batch_that_waits_is_begun_once(ws: Workspace) -> None:
    waiting = ws.request_build("events", full=True)
    assert run("build_cube", ws, cube="events", full=True, batch_id=waiting.id).is_completed()
    assert ws.batch(waiting.id).status == "done"
    again = run("build_cube", ws, cube="events", full=True, batch_id=waiting.id)
    assert again.is_completed()
    assert again.message == f"Nothing to do: batch {waiting.id} was begun by another run, or cancelled"
    assert len(ws.list_batches()) == 1


def test_what_cannot_begin_now_is_queued(ws: Workspace) -> None:
    at_work = ws.begin_batch("events")
    assert at_work is not None
    for full in (False, True):
        state = run("build_cube", ws, cube="events", full=full)
        (queued,) = ws.list_batches(status="pending")
        assert state.message == f"Another batch of events is at work: {queued.id} waits for its end"
    assert queued.full
    ws.finish_batch(at_work)
    assert run("build_cube", ws, cube="events").is_completed()
    assert ws.batch(queued.id).status == "done"


def test_a_batch_that_is_cancelled_in_the_catalog_is_cancelled_at_prefect(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGGFLOW_BATCH_ROWS", "1500")
    cancelled: list[str] = []

    def cancel(self: Any, progress: Progress) -> None:
        if progress.windows_done == 1:
            (batch,) = ws.list_batches(status="running")
            ws.cancel(batch.id)
            cancelled.append(batch.id)

    monkeypatch.setattr("aggflow.orchestration.progress.ProgressArtifact.__call__", cancel)
    state = run("build_cube", ws, cube="events")
    assert state.is_cancelled()
    assert state.message is not None
    assert "was cancelled" in state.message
    assert ws.batch(cancelled[0]).status == "cancelled"
    monkeypatch.undo()
    assert run("build_cube", ws, cube="events").is_completed()
    assert ws.verify("cube events/all", sample=20).agrees


def test_a_batch_that_fails_is_closed_with_its_error(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "events.parquet").unlink()
    task = flow_named("build_cube").fn.__globals__["build_aggregate"]
    task.retry_delay_seconds = 0
    state = run("build_cube", ws, cube="events")
    assert state.is_failed()
    (batch,) = ws.list_batches()
    assert batch.status == "error"
    assert batch.error is not None
    assert "no file matches" in batch.error["message"]


def test_a_cube_that_is_gone_is_one_sentence(ws: Workspace) -> None:
    state = run("build_cube", ws, cube="evens")
    with pytest.raises(NotFoundError, match=r"there is no cube 'evens' \(did you mean 'events'\?\)"):
        state.result()


def test_a_backfill_builds_windows_in_order_and_each_once(ws: Workspace, prefect: SyncPrefectClient) -> None:
    def built(end: str, *, newest_first: bool) -> list[tuple[str, int]]:
        asked = {"ref": "filter all", "start": "2025-01-01", "end": end, "step": "1d"}
        assert run("backfill", ws, newest_first=newest_first, **asked).is_completed()
        rows = json.loads(artifacts(prefect, last_run(prefect).id)["windows-filter-all-backfill"])
        return [(row["from"], row["source rows"]) for row in rows]

    first, second, fourth = "2025-01-01 00:00", "2025-01-02 00:00", "2025-01-04 00:00"
    assert built("2025-01-03", newest_first=False) == [(first, 1440), (second, 1440)]
    # Those that are built are not built again; the last day has fewer events.
    assert built("2025-01-05", newest_first=True) == [
        (fourth, 680),
        ("2025-01-03 00:00", 1440),
        ("", 0),
        ("", 0),
    ]


def test_a_backfill_that_ends_before_it_begins_is_refused(ws: Workspace) -> None:
    with pytest.raises(SpecError, match="end: 2025-01-01 is not after 2025-01-02"):
        run("backfill", ws, ref="all", start="2025-01-02", end="2025-01-01").result()


def test_what_differs_from_the_source_is_found_and_built_anew(
    ws: Workspace, tmp_path: Path, prefect: SyncPrefectClient
) -> None:
    ws.build("all", progress=False)
    assert run("verify", ws).message == "3 rollups agree with their source"
    write_events(tmp_path / "events.parquet", 6000)
    state = run("verify", ws, ref="filter all", fix=False)
    assert state.is_failed()
    assert state.message is not None
    assert "differ from the source" in state.message
    rows = json.loads(artifacts(prefect, last_run(prefect).id)["differences-filter-all"])
    assert {row["rollup"] for row in rows} == {"filter all"}
    assert "the source has 6,000" in rows[0]["what differs"]
    assert "were built anew" in (run("verify", ws, ref="filter all").message or "")
    assert run("verify", ws, ref="filter all", fix=False).is_completed()


def test_maintenance_says_what_it_did(ws: Workspace) -> None:
    for hour in (8, 12, 16):
        ws.build("all", until=f"2025-01-01T{hour:02}:00:00Z", progress=False)
    before = sum(status.segments for status in ws.status())
    said = run("maintain", ws).result()
    after = sum(status.segments for status in ws.status())
    assert after < before
    assert said.startswith(f"{before - after + 1} segments became 1; ")
