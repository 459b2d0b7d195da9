"""What is kept in the temporary folder for a while goes with its process, however that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import aggflow as af
from aggflow.process import Process
from aggflow.scratch import scratch, sweep

KILLED = """
import os, signal
import pyarrow as pa
from aggflow.backends.connect import session
from aggflow.spec.source import Source
from aggflow.store import SegmentStore
from aggflow.timeline import Window

draft = SegmentStore("memory://s").draft(rollup_id="r", version=1, window=Window(0, 10**9))
draft.add(pa.table({"bucket": [0], "by g": pa.nulls(1)}))
draft.path.with_name(f".narrow{draft.path.name}").touch()
with session(Source("e", "duckdb://", "t", sql="SELECT TIMESTAMP '2024-01-01' AS t"), memory=50_000_000) as opened:
    opened.con.raw_sql("CREATE TEMP TABLE large AS SELECT i, hash(i) AS h FROM range(6000000) r(i)")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("aggflow.scratch.gettempdir", lambda: str(folder))
    return folder


def of_the_dead() -> Path:
    """What a process left that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        ended = replace(Process.this(), pid=child.pid)
    assert ended.is_dead()
    mine = scratch("left")
    left = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    left.touch()
    return left


def test_what_a_killed_process_left_is_swept(temporary: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(temporary)}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    left = list(temporary.iterdir())
    assert sorted(path.is_dir() for path in left) == [False, False, True], (
        "a draft, its copy, and what DuckDB spilled"
    )
    assert any(path.is_dir() and list(path.iterdir()) for path in left)
    assert sweep() == 3
    assert not list(temporary.iterdir())
    assert sweep() == 0


def test_what_is_not_of_the_dead_stays(temporary: Path) -> None:
    own = scratch("own")
    own.mkdir()
    dead = of_the_dead()
    of_another_host = "-".join(["aggflow", "0" * 12, *dead.name.split("-")[2:]])
    names = [of_another_host, f"x{dead.name}", "aggflow-notes.parquet", "aggflow-metrics-1", "thesis.docx"]
    kept = [own, *(temporary / name for name in names)]
    for path in kept[1:]:
        path.touch()
    assert sweep() == 1
    assert sorted(temporary.iterdir()) == sorted(kept)


def test_a_number_that_came_again_is_another_process(temporary: Path) -> None:
    old = scratch("own").name.split("-")
    old[3] = str(int(old[3]) - 60_000)
    (temporary / "-".join(old)).touch()
    assert sweep() == 1


def test_builds_and_maintenance_sweep(temporary: Path, tmp_path: Path) -> None:
    ws = af.open(tmp_path / "home")
    ws.add_source("e", "duckdb://", sql="SELECT TIMESTAMP '2024-01-01' AS t", time="t")
    ws.add_filter("f", source="e", interval="1h", aggregations=[af.Aggregation("n")])
    for work in (lambda: ws.build("f", progress=False), ws.maintain):
        left = of_the_dead()
        work()
        assert not left.exists()
    ws.close()
