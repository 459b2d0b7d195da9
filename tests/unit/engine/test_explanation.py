"""An explanation: a question of a time without events is told when there are some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from shop import Aggregation

import aggflow as af
from aggflow.engine.answer_data import answer_data, answer_of


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    path = tmp_path / "events.ddb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create table events as select timestamp '2013-01-01' + to_hours(i) as moment from range(48) t(i)"
        )
    with af.open(tmp_path / "home") as opened:
        opened.add_source("events", f"duckdb://{path}", table="events", time="moment")
        opened.add_filter("hourly", source="events", interval="1h", aggregations=[Aggregation("all")])
        opened.add_endpoint(
            "day",
            filter="hourly",
            timing=af.Lookback("1d"),
            fields=[af.Field("n", "all", af.Calculation.COUNT)],
        )
        yield opened


def test_a_question_after_all_events_is_told_when_they_were(ws: af.Workspace) -> None:
    ws.build("hourly", progress=False)
    answer = ws.query("day", end="2030-01-01")
    hint = answer.explain().hint
    assert hint.startswith(
        "no events in [2029-12-31T00:00:00Z, 2030-01-01T00:00:00Z); filter hourly has some in [2013-"
    )
    assert hint in repr(answer)
    assert hint in str(answer.explain())
    assert "no events in" in answer._repr_html_()


def test_each_surface_names_its_own_option(ws: af.Workspace) -> None:
    ws.build("hourly", until="2013-01-03", progress=False)
    told = ws.query("day", end="2012-12-31").explain().hint_for("--end {}")
    assert told.endswith("ask with --end 2013-01-03T00:00:00Z")


def test_without_a_rollup_that_is_built_there_is_nothing_to_tell(ws: af.Workspace) -> None:
    assert ws.query("day", end="2012-01-01").explain().hint == ""


def test_where_events_are_there_is_no_hint(ws: af.Workspace) -> None:
    ws.build("hourly", until="2013-01-02", progress=False)
    for end in ("2013-01-01T12:00:00Z", "2013-01-02", "2013-01-03"):
        assert ws.query("day", end=end).explain().hint == ""


def test_the_hint_travels(ws: af.Workspace) -> None:
    ws.build("hourly", until="2013-01-03", progress=False)
    answer = ws.query("day", end="2012-12-31")
    copy = answer_of(answer_data(answer, candidates=True), lambda *_, **__: None)
    assert copy.explain().hint == answer.explain().hint != ""
    assert copy.explain().hint.endswith("ask with end='2013-01-03T00:00:00Z'")


def test_what_was_read_is_said_of_one_and_of_many(ws: af.Workspace) -> None:
    ws.build("hourly", progress=False, until="2013-01-02")
    stored = str(ws.query("day", end="2013-01-02").explain())
    assert "Read: 1 segment, 24 cells, 0 source rows" in stored
    assert "hourly — 24 rows in the segments of the window" in stored
    ws.add_filter("one", source="events", interval="1h", where="@.moment < '2013-01-01T01:00:00Z'")
    live = ws.ask_filter(
        "one", [af.Field("n", "events", af.Calculation.COUNT)], start="2013-01-01", end="2013-01-02"
    )
    assert "from the source alone · 1 cell ·" in str(live.explain())
    assert "Read: 0 segments, 1 cell, 1 source row" in str(live.explain())
    assert "SQL: 1 statement was sent to the source" in str(live.explain())
