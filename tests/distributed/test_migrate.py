"""`aggflow migrate`: a home goes to servers and back, and answers as it did."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from object_store import ObjectStore
from postgres_server import PostgresServer
from typer.testing import CliRunner

import aggflow as af
from aggflow.backends.event_folder import EventFolder
from aggflow.catalog.snapshot import Snapshots
from aggflow.cli import app
from aggflow.errors import AggflowError
from aggflow.spec.calculation import Calculation
from aggflow.store import SegmentStore
from aggflow.timeline import ALWAYS
from aggflow.workspace import Workspace
from aggflow.workspace.home import Home

START = datetime(2025, 1, 1, tzinfo=UTC)
KEPT = (Calculation.COUNT, Calculation.SUM, Calculation.PERCENTILES, Calculation.APPROX_COUNT_DISTINCT)
VALUE = af.Aggregation("v", field="v", calculations=KEPT)
LINQ = "from sales group every 1d by shop select count() as n, sum(v) as s"


def write_sales(file: Path, rows: int) -> None:
    """A sale every ten minutes."""
    columns = {
        "at": pa.array([START + timedelta(minutes=10 * i) for i in range(rows)], pa.timestamp("us", "UTC")),
        "shop": [f"s{i % 3}" for i in range(rows)],
        "v": [float(i * 7 % 101) for i in range(rows)],
    }
    pq.write_table(pa.table(columns), file)


def furnish(ws: Workspace, folder: Path) -> None:
    """One of everything that a home can hold."""
    write_sales(folder / "sales.parquet", 3000)
    ws.add_source("sales", str(folder / "sales.parquet"), time="at")
    ws.add_filter("f", source="sales", interval="1h", groupings=["shop"], aggregations=[VALUE])
    fields = [
        af.Field("n", "v", Calculation.COUNT),
        af.Field("p", "v", Calculation.PERCENTILES, percentile=0.9),
        af.Field("d", "v", Calculation.APPROX_COUNT_DISTINCT),
    ]
    ws.add_endpoint(
        "days", filter="f", timing=af.TimeSeries("20d", "1d"), fields=fields, groupings={"shop": af.All()}
    )
    ws.add_task("by shop", linq=LINQ, from_date="2025-01-01")
    ws.add_cube("c", source="sales", dimensions=["shop"], measures=[VALUE])
    ws.add_schedule("c", "0 25 06 ? * *")
    ws.add_source("clicks", "embedded://", time="at")
    ws.add_events("clicks", clicks(0, 50), event_id="id")


def clicks(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"at": (START + timedelta(hours=i)).isoformat(), "page": f"/{i % 4}", "id": i}
        for i in range(first, first + count)
    ]


def build(ws: Workspace) -> None:
    ws.build("f", progress=False)
    ws.run_tasks()
    ws.build_cube("c", progress=False)


def answers(ws: Workspace) -> dict[str, Any]:
    """What a home answers, from its states alone where it has some."""
    return {
        "endpoint": ws.query("days", end="2025-01-20", live=False).rows,
        "task": ws.linq(LINQ).rows,
        "cube": ws.ask_cube(
            "c", ["v:COUNT", "v:SUM"], ["shop"], start=START, end="2025-01-15", live=False
        ).rows,
        "events": ws.linq("from clicks group by page").rows,
        "defined": ws.export(),
        "builds": {build.id: build.rows_read for build in ws.builds.values()},
        "schedules": list(ws.schedules),
    }


def migrate(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["migrate", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit | AggflowError), (
        result.exception
    )
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def servers(
    postgres: PostgresServer, objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The two settings; what is given is the URL of the catalog."""
    name = tmp_path.name.replace("_", "-").lower()
    for variable, value in objects.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AGGFLOW_STORE", f"{objects.create(name)}/segments")
    monkeypatch.setenv("AGGFLOW_EVENTS", str(tmp_path / "events"))
    return postgres.create(name)


@pytest.mark.slow
def test_there_and_back(tmp_path: Path, servers: str, postgres: PostgresServer, objects: ObjectStore) -> None:
    old = tmp_path / "old"
    with Home.open(old) as home:
        pass
    shutil.rmtree(old)
    with pytest.MonkeyPatch.context() as without:
        without.delenv("AGGFLOW_STORE")
        without.delenv("AGGFLOW_EVENTS")
        with Home.open(old) as home:
            furnish(home.default, tmp_path)
            build(home.default)
            secret = home.default.create_token("t", owner="a@b.example", permissions=["admin"])
            home.workspace("another").add_source("sales", str(tmp_path / "sales.parquet"), time="at")
            before = answers(home.default)
            home_id = home.default.home_id
    said = migrate(old, servers)
    assert "2 workspaces" in said
    assert "events of 1 source" in said
    with Home.open(servers) as home:
        access = home.access(secret)
        assert access is not None
        assert answers(access.workspace) == before
        assert access.workspace.home_id == home_id
        assert list(home.workspace("another").sources) == ["sales"]
        # Life goes on there: numbers that are given out follow those that were.
        assert home.default.add_events("clicks", clicks(49, 10), event_id="id").duplicates == 1
        write_sales(tmp_path / "sales.parquet", 4000)
        home.default.build("f", full=True, progress=False)
        build(home.default)
        batch = home.default.request_build("c")
        assert home.default.verify("f").agrees
        later = answers(home.default)
        assert later != before
    with pytest.MonkeyPatch.context() as local:
        new = tmp_path / "new"
        said += migrate(servers, new)
        local.delenv("AGGFLOW_STORE")
        local.delenv("AGGFLOW_EVENTS")
        with Home.open(new) as home:
            assert answers(home.default) == later
            assert home.default.batch(batch.id).status == "pending"
            assert home.access(secret) is not None
            assert home.default.verify("f").agrees
            build(home.default)
        with Home.open(old) as home:
            assert {**answers(home.default), "builds": 0} == {**before, "builds": 0}
    for hidden in (postgres.password, "s3cret%2Fw%40rd", objects.secret):
        assert hidden not in said


def test_a_target_that_is_not_empty_is_refused(
    tmp_path: Path, servers: str, postgres: PostgresServer
) -> None:
    source = tmp_path / "old"
    with pytest.MonkeyPatch.context() as without:
        without.delenv("AGGFLOW_STORE")
        without.delenv("AGGFLOW_EVENTS")
        for folder in ("old", "other"):
            with af.open(tmp_path / folder) as ws:
                furnish(ws, tmp_path)
    assert f"{tmp_path / 'other'} is not empty" in migrate(source, tmp_path / "other", code=1)
    migrate(source, servers)
    said = migrate(source, servers, code=1)
    assert "is not empty: this very home was copied there before" in said
    assert postgres.password not in said
    assert "s3cret" not in said
    (tmp_path / "full" / "events" / "self").mkdir(parents=True)
    assert "events is not empty" in migrate(source, tmp_path / "full", code=1)
    assert "where the home is already" in migrate(source, source, code=1)
    assert "there is no home in" in migrate(tmp_path / "nowhere", tmp_path / "empty", code=1)
    same = ("--from-store", tmp_path / "old" / "segments", "--to-store", tmp_path / "old" / "segments")
    assert "what one supersedes, it deletes" in migrate(source, tmp_path / "empty", *same, code=1)


def test_events_need_a_folder(tmp_path: Path, servers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as without:
        without.delenv("AGGFLOW_STORE")
        without.delenv("AGGFLOW_EVENTS")
        with af.open(tmp_path / "old") as ws:
            furnish(ws, tmp_path)
    monkeypatch.delenv("AGGFLOW_EVENTS")
    assert "--to-events names one" in migrate(tmp_path / "old", servers, code=1)
    migrate(tmp_path / "old", servers, "--to-events", tmp_path / "elsewhere")
    with af.open(servers) as ws, pytest.raises(AggflowError, match="set AGGFLOW_EVENTS"):
        ws.add_events("clicks", clicks(0, 1))


@pytest.mark.parametrize("at", ["segments", "events", "catalog"])
def test_cut_off_in_the_middle_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    with af.open(old) as ws:
        furnish(ws, tmp_path)
        build(ws)
        before = answers(ws)
        segments = len(ws._catalog.live_files())
    assert segments > 2

    class CutOffError(BaseException):
        pass

    def cut_off(*_: object) -> None:
        raise CutOffError

    with monkeypatch.context() as broken:
        if at == "segments":
            whole, written = SegmentStore.put, list[str]()

            def put(store: SegmentStore, file: str, data: bytes) -> None:
                if written:
                    raise CutOffError
                written.append(file)
                whole(store, file, data)

            broken.setattr(SegmentStore, "put", put)
        elif at == "events":
            copied = EventFolder.copy_to

            def copy_to(folder: EventFolder, path: Path) -> None:
                copied(folder, path)
                raise CutOffError

            broken.setattr(EventFolder, "copy_to", copy_to)
        else:
            broken.setattr(Snapshots, "changed_since", cut_off)
        with pytest.raises(CutOffError):
            CliRunner().invoke(app, ["migrate", str(old), str(new)], catch_exceptions=False)
    # The events of the home changed since the first attempt.
    with af.open(old) as ws:
        ws.add_events("clicks", clicks(100, 1), event_id="id")
        before["events"] = ws.linq("from clicks group by page").rows
    said = migrate(old, new)
    assert "copied before" in said
    with af.open(new) as ws:
        assert answers(ws) == before
        assert {stored.file for stored in ws._store.files()} == ws._catalog.live_files()
        assert list((new / "events").iterdir()) == [new / "events" / "self"]


def test_a_home_that_is_written_meanwhile_is_not_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a build commits while a home is copied would be missing in the copy: it is told, and nothing is copied."""
    with af.open(tmp_path / "old") as ws:
        furnish(ws, tmp_path)
        build(ws)
        whole = Snapshots.take

        def take(*args: Any) -> int:
            ws.build("f", full=True, progress=False)
            return whole(*args)

        with monkeypatch.context() as busy:
            busy.setattr(Snapshots, "take", take)
            said = migrate(tmp_path / "old", tmp_path / "new", code=1)
        assert "was changed meanwhile: " in said
        assert "coverage" in said
        migrate(tmp_path / "old", tmp_path / "new")
        expected = answers(ws)
    with af.open(tmp_path / "new") as ws:
        assert answers(ws) == expected


def test_a_build_at_work_is_waited_for(tmp_path: Path) -> None:
    with af.open(tmp_path / "old") as ws:
        furnish(ws, tmp_path)
        target = ws._targets.get("f")
        now_us = ws._clock()
        lease = ws._catalog.acquire_lease(target.rollup_id, ALWAYS, "build 7", now_us, 30)
        assert lease
        said = migrate(tmp_path / "old", tmp_path / "new", code=1)
        assert "a build is at work: build 7" in said
        ws._catalog.release_lease(lease)
        migrate(tmp_path / "old", tmp_path / "new")
