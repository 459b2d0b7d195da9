"""A definition, its rollup and its source are of one declaration, or there is an error: never a mixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

import aggflow as af
from aggflow.engine import posing
from aggflow.errors import ConflictError, QueryError
from aggflow.spec.calculation import Calculation
from aggflow.spec.source import Source

END = "2025-01-02"
COUNT = af.Field("n", "events", Calculation.COUNT)
DISTINCT = af.Aggregation("who", "who", [Calculation.APPROX_COUNT_DISTINCT], sketch_groupings=[])


def rows(file: Path, count: int) -> Path:
    with duckdb.connect() as con:
        select = f"select timestamp '2025-01-01' + interval (range) second as moment, range % 7 as who, 1 as g from range({count})"
        con.execute(f"copy ({select}) to '{file}'")
    return file


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    with af.open(tmp_path / "home") as ws:
        ws.add_source("events", str(rows(tmp_path / "old.parquet", 100)), time="moment")
        ws.add_filter("all", source="events", interval="1h", groupings=["g"])
        ws.add_endpoint("n", filter="all", timing=af.Lookback("1d"), fields=[COUNT])
        yield ws


def answer(ws: af.Workspace) -> Any:
    return ws.query("n", end=END).rows[0]["fields"]["n"]


def cut_off(monkeypatch: pytest.MonkeyPatch, ws: af.Workspace, method: str) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ws._catalog, method, die)
    monkeypatch.setattr(posing, "_TRIES", 2)


def test_a_change_of_source_that_was_cut_off_is_an_error_until_it_is_made_again(
    ws: af.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws.build("all", until=END, progress=False)
    new = str(rows(tmp_path / "new.parquet", 900))
    with monkeypatch.context() as patch:
        cut_off(patch, ws, "reset_versions")
        with pytest.raises(KeyboardInterrupt):
            ws.add_source("events", new, time="moment")
        with pytest.raises(ConflictError, match="out of step"):
            answer(ws)
        with pytest.raises(ConflictError, match="was changed"):
            ws.build("all", until=END, progress=False)
    (effect,) = ws.add_source("events", new, time="moment").effects
    assert str(effect) == "filter 'all': its source has other rows now: it is to be built anew"
    assert answer(ws) == 900
    ws.build("all", until=END, progress=False)
    assert answer(ws) == 900


def test_a_change_of_filter_that_was_cut_off_is_an_error_until_it_is_made_again(
    ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        cut_off(patch, ws, "reset_versions")
        with pytest.raises(KeyboardInterrupt):
            ws.add_filter("all", source="events", interval="1h", groupings=["g"], where="@.who == 1")
        with pytest.raises(ConflictError, match="out of step"):
            answer(ws)
    ws.add_filter("all", source="events", interval="1h", groupings=["g"], where="@.who == 1")
    assert answer(ws) == 15


def test_a_build_that_began_with_another_source_commits_nothing(
    ws: af.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = str(rows(tmp_path / "new.parquet", 900))
    opened = ws._declarations.open

    @contextmanager
    def slowly(source: Source) -> Iterator[Any]:
        with opened(source) as found:
            monkeypatch.setattr(ws._declarations, "open", opened)
            ws.add_source("events", new, time="moment")
            yield found

    monkeypatch.setattr(ws._declarations, "open", slowly)
    with pytest.raises(ConflictError, match="build it again"):
        ws.build("all", until=END, progress=False)
    ws.build("all", until=END, progress=False)
    assert answer(ws) == 900


def test_all_values_of_an_answer_are_of_one_moment_of_the_source(
    ws: af.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ws._serving._tails, "_ttl", 0.0)
    ws.add_filter(
        "two",
        source="events",
        interval="1h",
        groupings=["g"],
        aggregations=[af.Aggregation("events"), DISTINCT],
    )
    fields = [COUNT, af.Field("d", "who", Calculation.APPROX_COUNT_DISTINCT)]
    ws.add_endpoint("two", filter="two", timing=af.Lookback("1d"), fields=fields)
    opened, times = ws._declarations.open, 0

    @contextmanager
    def counted(source: Source) -> Iterator[Any]:
        nonlocal times
        times += 1
        with opened(source) as found:
            yield found

    monkeypatch.setattr(ws._declarations, "open", counted)
    assert ws.query("two", end=END).rows == [{"fields": {"n": 100, "d": 7}}]
    assert times == 1


def test_verify_finds_rows_in_a_window_that_was_built_empty(ws: af.Workspace, tmp_path: Path) -> None:
    ws.build("all", until="2025-01-03", progress=False)
    assert ws.verify("all").agrees
    with duckdb.connect() as con:
        late = "select timestamp '2025-01-02 12:00:00' as moment, 1::bigint as who, 1 as g"
        con.execute(f"copy (from '{tmp_path}/old.parquet' union all {late}) to '{tmp_path}/more.parquet'")
    (tmp_path / "more.parquet").replace(tmp_path / "old.parquet")
    assert not ws.verify("all").agrees
    ws.verify("all", fix=True)
    ws.build("all", until="2025-01-03", progress=False)
    assert ws.verify("all").agrees


def test_a_series_with_too_many_empty_buckets_is_refused_before_it_is_made(ws: af.Workspace) -> None:
    ws.add_filter("fine", source="events", interval="30s")
    timing = af.TimeSeries("90y", fill="zero")
    ws.add_endpoint("fine", filter="fine", timing=timing, fields=[COUNT])
    with pytest.raises(QueryError, match="with its empty buckets"):
        ws.query("fine", end=END)


def test_a_password_is_in_no_repr() -> None:
    source = Source("s", "postgresql://me:hush@host/db", "at", "t")
    assert "hush" not in repr(source)
    assert "me:***@host" in repr(source)


def test_a_sketch_of_fewer_groupings_is_null_where_no_version_kept_it(
    ws: af.Workspace, tmp_path: Path
) -> None:
    ws.build("all", until=END, progress=False)
    kept = af.Aggregation("who", "who", [Calculation.APPROX_COUNT_DISTINCT], sketch_groupings=["g"])
    ws.add_filter(
        "all",
        source="events",
        interval="1h",
        groupings=["g", "who"],
        aggregations=[af.Aggregation("events"), kept],
    )
    fields = [COUNT, af.Field("d", "who", Calculation.APPROX_COUNT_DISTINCT)]
    ws.add_endpoint("n", filter="all", timing=af.Lookback("1d"), groupings={"g": af.All()}, fields=fields)
    assert ws.query("n", end=END).rows == [{"groupings": {"g": 1}, "fields": {"n": 100, "d": None}}]
