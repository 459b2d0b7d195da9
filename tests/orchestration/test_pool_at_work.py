"""A work pool at work: Prefect's server on Postgres, two workers, a cube of 24 months; and months on a Dask cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from daemon import free_port
from orchestrated import MEASURES
from patience import awaited
from postgres_server import PostgresServer
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

import aggflow as af
from aggflow.catalog import Build
from aggflow.cli import app
from aggflow.orchestration import server
from aggflow.orchestration.deployment import POOLED, Deployments, flow_named
from aggflow.orchestration.limit import AT_ONCE
from aggflow.timeline import Window, WindowSet, parse_instant
from aggflow.workspace import Workspace

pytestmark = pytest.mark.slow

YEARS = (2023, 2024)
REF = "cube events/all"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """Events every ten minutes of two years, and a cube of which nothing is built."""
    with duckdb.connect() as con:
        con.execute(
            "copy (select timestamp '2023-01-01' + interval (range * 10) minute as at, range % 7 as who, "
            f"range % 50 as what, range * 1.0 as v from range(731 * 144)) to '{tmp_path / 'events.parquet'}'"
        )
    with af.open(tmp_path / "home") as ws:
        ws.add_source("events", str(tmp_path / "events.parquet"), time="at")
        ws.add_cube("events", source="events", dimensions=["who", "what"], measures=MEASURES)
        yield ws


def started(words: Sequence[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(words, env=environment, stdout=out, stderr=subprocess.STDOUT)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a server of the test
        return answer.status == 200
    return False


@pytest.fixture
def environment(tmp_path: Path, postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """Of everything that talks to a Prefect server that keeps what it knows in Postgres."""
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "AGGFLOW_"))}
    environment = server.environment(clean, tmp_path / "prefect", port)
    database = postgres.create("prefect").replace("postgresql://", "postgresql+asyncpg://")
    process = started(
        server.command(port),
        {**environment, "PREFECT_SERVER_DATABASE_CONNECTION_URL": database},
        tmp_path / "server.log",
    )
    try:
        awaited("Prefect", lambda: answers(f"{server.api_address(port)}/health"))
        yield environment
    finally:
        ended(process)


def at_once(builds: Sequence[Build]) -> int:
    """How many builds were under way at the same moment, at most."""
    moments: list[tuple[int, int]] = []
    for build in builds:
        assert build.started_us is not None
        assert build.finished_us is not None
        moments += [(build.started_us, 1), (build.finished_us, -1)]
    now = most = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def check_built(ws: Workspace, tmp_path: Path) -> None:
    """24 months were built, each once, side by side, and never more than the backend has slots."""
    built = [build for build in ws.builds.values() if build.windows_done]
    assert len(built) == 12 * len(YEARS)
    assert sum(build.rows_read for build in built) == 731 * 144
    assert at_once(built) == AT_ONCE
    (status,) = ws.status()
    both = Window(parse_instant(f"{YEARS[0]}-01-01"), parse_instant(f"{YEARS[-1] + 1}-01-01"))
    assert WindowSet.of(both) <= status.covered
    assert ws.verify(REF, sample=30).agrees
    with af.open(tmp_path / "unbroken") as other:
        other.add_source("events", str(tmp_path / "events.parquet"), time="at")
        other.add_cube("events", source="events", dimensions=["who", "what"], measures=MEASURES)
        other.build_cube("events", progress=False)
        assert totals(ws) == totals(other)


def totals(ws: Workspace) -> list[Any]:
    fields = ["v:COUNT", "v:SUM", "v:PERCENTILES:0.9"]
    return ws.ask_cube("events", fields, ["who"], start="2023-01-01", end="2025-01-01", live=False).rows


def test_two_workers_build_two_years_by_months(
    ws: Workspace, environment: dict[str, str], tmp_path: Path
) -> None:
    with (
        temporary_settings({PREFECT_API_URL: environment["PREFECT_API_URL"]}),
        get_client(sync_client=True) as client,
        ExitStack() as stack,
    ):
        client.create_work_pool(WorkPoolCreate(name="months", type="process"))
        words = ["deploy", "--pool", "months", "--home", str(tmp_path / "home"), "--tasks-every", "3600"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        backfill = Deployments(ws.name, ws.home_id, None, POOLED).known(client)["backfill"]
        logs = [tmp_path / f"worker-{number}.log" for number in range(2)]
        for number, log in enumerate(logs):
            words = ["worker", "start", "--pool", "months", "--type", "process", "--limit", "1"]
            own = {
                **environment,
                "PREFECT_HOME": str(tmp_path / f"worker-{number}"),
                "PREFECT_WORKER_QUERY_SECONDS": "1",
            }
            worker = started([sys.executable, "-m", "prefect", *words], own, log)
            stack.callback(ended, worker)
        # Both look for runs before there is one: none of them is done with the first when the other begins.
        for log in logs:
            awaited("a worker", lambda log=log: "started!" in log.read_text())
        runs = [
            client.create_flow_run_from_deployment(
                backfill.id, parameters={"ref": REF, "start": f"{year}-01-01", "end": f"{year + 1}-01-01"}
            )
            for year in YEARS
        ]
        awaited("both years", lambda: all(state_of(client, run.id) for run in runs), 900)
        assert [state_of(client, run.id) for run in runs] == ["Completed"] * 2, "".join(
            log.read_text() for log in logs
        )
        # Each worker takes one run at a time: the years were built by both.
        assert all(any(str(run.id) in log.read_text() for run in runs) for log in logs)
    check_built(ws, tmp_path)


def state_of(client: SyncPrefectClient, run_id: Any) -> str:
    """The state that a run has ended in; nothing until then."""
    state = client.read_flow_run(run_id).state
    return str(state.name) if state is not None and state.is_final() else ""


@pytest.mark.usefixtures("harness")
def test_months_are_built_by_a_dask_cluster(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    dask: Any = distributed
    backfill: Any = flow_named("backfill")
    with (
        dask.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        dask.Client(cluster.scheduler_address) as client,
    ):
        monkeypatch.setenv("AGGFLOW_CLUSTER", cluster.scheduler_address)
        state = backfill(
            ref=REF,
            start="2023-01-01",
            end="2025-01-01",
            home=str(tmp_path / "home"),
            return_state=True,
        )
        assert state.is_completed(), state
        executed = client.run(lambda dask_worker: dask_worker.state.executed_count)
        assert sum(executed.values()) >= 24
        assert all(executed.values())
    check_built(ws, tmp_path)
