"""`aggflow doctor`: the objects of an object store are held against what the catalog says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from object_store import ObjectStore
from s3fs import S3FileSystem
from typer.testing import CliRunner

import aggflow as af
from aggflow.cli import app
from aggflow.spec.calculation import Calculation
from aggflow.workspace import Workspace


def furnish(ws: Workspace, folder: Path) -> None:
    """A filter in three segments, and a question to it."""
    file = folder / "sales.parquet"
    rows = "select timestamp '2025-01-01' + interval (range) minute as at, range % 3 as shop from range(3000)"
    with duckdb.connect() as con:
        con.execute(f"copy ({rows}) to '{file}'")
    ws.add_source("sales", file, time="at")
    ws.add_filter("f", source="sales", interval="1h", groupings=["shop"])
    for until in ("2025-01-01T12:00:00Z", "2025-01-02", "2025-01-04"):
        ws.build("f", until=until, progress=False)
    fields = [af.Field("n", "events", Calculation.COUNT)]
    ws.add_endpoint("n", filter="f", timing=af.Lookback("7d"), groupings={"shop": af.All()}, fields=fields)


def objects_of(store: Any, url: str) -> list[str]:
    store.invalidate_cache()
    return sorted(store.find(url))


def test_objects_that_are_gone_or_changed_are_found_and_made_anew(
    objects: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    url = f"{objects.create('doctored')}/segments"
    monkeypatch.setenv("AGGFLOW_STORE", url)
    home = tmp_path / "home"

    def doctor(*options: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["doctor", "--home", str(home), *options], env={"COLUMNS": "250"})
        assert done.exit_code == code, done.output
        assert objects.secret not in done.output
        return done.output

    with af.open(home) as ws:
        furnish(ws, tmp_path)
        wanted = ws.query("n", end="2025-01-04").rows
    S3FileSystem.clear_instance_cache()
    store: Any = S3FileSystem()
    assert "All is well: 3 segments read" in doctor()

    first, second, third = objects_of(store, url)
    store.rm_file(first)
    store.pipe_file(second, b"x" * store.size(second))
    said = doctor(code=1)
    assert said.count("filter f, 2025-01-0") == 2, said
    assert "is not there" in said
    assert "damaged" in said
    assert "2 windows cannot be read" in said
    assert "aggflow doctor --fix" in said

    assert "2 windows made missing: a build makes the states anew" in doctor("--fix")
    with af.open(home) as ws:
        assert ws.query("n", end="2025-01-04").rows == wanted, "what is missing is read from the source"
        assert 0 < ws.build("f", until="2025-01-04", progress=False).rows_read < 3000
        assert ws.query("n", end="2025-01-04", live=False).rows == wanted
    assert "All is well" in doctor()
    assert third in objects_of(store, url), "what was well is kept"
