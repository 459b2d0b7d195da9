"""A backup is the home as it was at one moment, whoever writes to it meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from shop import Aggregation
from typer.testing import CliRunner

import aggflow as af
from aggflow.backends.event_folder import EventFolder
from aggflow.cli import app
from aggflow.errors import AggflowError

HOURS = 48


def run(*words: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit | AggflowError)
    assert result.exit_code == code, result.output
    return result.output


def write_events(path: Path, amount: int) -> None:
    """An event an hour, all of one amount."""
    with duckdb.connect(str(path)) as con:
        con.execute(
            f"""create or replace table events as
            select timestamp '2026-01-01' + to_hours(i) as moment, {amount} as amount from range({HOURS}) t(i)"""
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_events(tmp_path / "events.ddb", 1)
    with af.open(tmp_path / "home") as ws:
        ws.add_source("events", f"duckdb://{tmp_path / 'events.ddb'}", table="events", time="moment")
        amount = Aggregation("amount", field="amount", calculations=["SUM", "COUNT"])
        ws.add_filter("hourly", source="events", interval="1h", aggregations=[amount])
        ws.add_source("clicks", "embedded://", time="at")
        start = datetime(2026, 1, 1, tzinfo=UTC)
        ws.add_events("clicks", [{"at": (start + timedelta(hours=i)).isoformat()} for i in range(5)])
        ws.build("hourly", progress=False)
    return tmp_path / "home"


def total(ws: af.Workspace) -> tuple[int, int]:
    """What the states say, and nothing else."""
    text = "from events group select sum(amount) as s, count() as n"
    (row,) = ws.linq(text, start="2026-01-01", end="2026-01-03", live=False).rows
    return row["fields"]["s"], row["fields"]["n"]


def test_a_backup_beside_a_builder_is_of_one_moment(home: Path, tmp_path: Path) -> None:
    """Each build replaces every window in one batch: a mixture of two would have another sum."""
    ended = threading.Event()
    built: list[int] = [1]

    def build() -> None:
        with af.open(home) as ws:
            for amount in range(2, 1000):
                if ended.is_set():
                    return
                write_events(tmp_path / "events.ddb", amount)
                ws.build("hourly", full=True, progress=False)
                built.append(amount)

    builder = threading.Thread(target=build)
    builder.start()
    try:
        copies = [tmp_path / f"copy{i}" for i in range(3)]
        for copy in copies:
            before = len(built)
            run("backup", copy, "--home", home, "--quiet")
            while len(built) < before + 2 and builder.is_alive():
                builder.join(0.01)
    finally:
        ended.set()
        builder.join()
    sums: list[int] = []
    for copy in copies:
        with af.open(copy) as ws:
            value, count = total(ws)
            assert count == HOURS
            assert value % HOURS == 0
            sums.append(value // HOURS)
            assert ws.linq("from clicks group select count() as n").rows == [{"fields": {"n": 5}}]
            assert ws.doctor() == []
    assert sums == sorted(sums)
    assert sums[0] < sums[-1]
    assert set(sums) <= set(built)


def test_a_backup_is_restored_and_goes_on(home: Path, tmp_path: Path) -> None:
    said = run("backup", tmp_path / "copy", "--home", home)
    assert "1 workspace" in said
    assert "events of 1 source" in said
    write_events(tmp_path / "events.ddb", 7)
    with af.open(home) as ws:
        ws.build("hourly", full=True, progress=False)
        assert total(ws) == (7 * HOURS, HOURS)
    said = run("restore", tmp_path / "copy", "--home", tmp_path / "again")
    assert f"The home is in {tmp_path / 'again'} now" in said
    with af.open(tmp_path / "again") as ws:
        assert total(ws) == (HOURS, HOURS)
        ws.build("hourly", full=True, progress=False)
        assert total(ws) == (7 * HOURS, HOURS)


def test_nothing_is_written_over(home: Path, tmp_path: Path) -> None:
    run("backup", tmp_path / "copy", "--home", home)
    assert "is not empty" in run("backup", tmp_path / "copy", "--home", home, code=1)
    assert "is not empty" in run("restore", tmp_path / "copy", "--home", home, code=1)
    assert "there is no home in" in run("restore", tmp_path / "none", "--home", tmp_path / "new", code=1)
    assert not (tmp_path / "none").exists()


def test_events_that_come_while_a_backup_is_made_are_built_in_it_as_late_ones(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, copied = "from clicks group select count() as n", EventFolder.copy_to
    with af.open(home) as ws:
        ws.add_filter("clicks", source="clicks", interval="1h")
        ws.build("clicks", progress=False)

        def copy_to(folder: EventFolder, path: Path) -> int:
            ws.add_events("clicks", [{"at": "2026-01-01T02:30:00Z"}])
            return copied(folder, path)

        monkeypatch.setattr(EventFolder, "copy_to", copy_to)
        run("backup", tmp_path / "copy", "--home", home, "--quiet")
    with af.open(tmp_path / "copy") as ws:
        ws.build("clicks", progress=False)
        (row,) = ws.linq(count, start="2026-01-01", end="2026-01-01T05:00:00Z", live=False).rows
        assert row["fields"]["n"] == 6


def test_where_a_segment_was_deleted_meanwhile_the_setting_is_named_that_keeps_it(
    home: Path, tmp_path: Path
) -> None:
    for segment in (home / "segments").rglob("*.parquet"):
        segment.unlink()
    said = " ".join(run("backup", tmp_path / "copy", "--home", home, "--quiet", code=1).split())
    assert "AGGFLOW_GARBAGE_GRACE" in said
    moved = run("migrate", home, tmp_path / "moved", "--quiet", code=1)
    assert "--from-store" in moved
    assert "AGGFLOW_GARBAGE_GRACE" not in moved
