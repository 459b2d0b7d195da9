"""A brief: what a terminal shows of a value is short, and says what it is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import aggflow as af
from aggflow.brief import brief
from aggflow.spec.calculation import Calculation
from aggflow.spec.definitions import Definitions


@pytest.fixture
def ws(tmp_path: Path) -> af.Workspace:
    file = tmp_path / "flights.parquet"
    rows = "select timestamp '2025-01-01' + interval (range) minute as at, range % 3 as who from range(300)"
    with duckdb.connect() as con:
        con.execute(f"copy ({rows}) to '{file}'")
    ws = af.open(tmp_path / "home")
    ws.add_source("flights", str(file), time="at")
    ws.add_filter("delays", source="flights", interval="1h", where="@.who > 0", groupings=["who"])
    return ws


def test_a_stored_definition_says_what_it_is(ws: af.Workspace) -> None:
    assert repr(ws.filters["delays"]) == (
        "filter 'delays' · source flights · interval 1h · where @.who > 0 · groupings who"
    )
    endpoint = ws.add_endpoint(
        "n",
        filter="delays",
        timing=af.Lookback("7d"),
        groupings={"who": af.All()},
        fields=[af.Field("n", "events", Calculation.COUNT)],
        grouping_limits=[("who", 5)],
    )
    assert repr(endpoint) == (
        "endpoint 'n' · filter delays · timing lookback 7d · fields n · groupings who all · grouping limits who 5"
    )
    assert "<pre>" in endpoint._repr_html_()


def test_what_a_change_would_do_stands_below(ws: af.Workspace) -> None:
    ws.add_endpoint(
        "n",
        filter="delays",
        timing=af.Lookback("7d"),
        groupings={"who": af.All()},
        fields=[af.Field("n", "events", Calculation.COUNT)],
    )
    first, *effects = repr(
        ws.add_filter("delays", source="flights", interval="1h", dry_run=True)
    ).splitlines()
    assert first == "filter 'delays' · source flights · interval 1h"
    assert any("grouping 'who' is no longer kept" in line for line in effects)


def test_a_task_says_where_it_stands(ws: af.Workspace) -> None:
    ws.add_task("by who", linq="from flights group every 1h by who", from_date=0)
    assert repr(ws.tasks["by who"]).startswith("task 'by who' · PENDING_CREATE · linq from flights group")
    assert "task by who: PENDING_CREATE → RUNNING" in repr(ws.run_tasks())
    assert repr(ws.run_tasks()).startswith("a run of tasks")


def test_what_building_and_looking_give_is_short(ws: af.Workspace) -> None:
    assert repr(ws.build("delays", until="2025-01-02")).startswith(
        "built · windows 1 · rows read 200 · cells"
    )
    assert repr(ws.build("delays", until="2025-01-02")).startswith(
        "nothing to build · windows none was missing"
    )
    status = ws.status()
    assert repr(status) == repr(status[0])
    assert repr(status).startswith("rollup 'delays' · 1h · source flights · events 2025-01-01 00:00 to ")
    assert " compared · all agree · rows read " in repr(ws.verify("delays"))
    assert repr(next(iter(ws.builds.values()))).startswith("incremental build, done · started ")


def test_a_batch_says_what_it_did_of_each_aggregate(ws: af.Workspace) -> None:
    cube = ws.add_cube("c", source="flights", dimensions=["who"], measures=[af.Aggregation("events")])
    assert repr(cube).startswith("cube 'c' · source flights · dimensions who")
    report = ws.build_cube("c", full=True)
    first, *rest = repr(report).splitlines()
    assert first.startswith("full batch of cube 'c', done")
    assert len(rest) == len(report.aggregates)
    assert repr(ws.add_schedule("c", "0 0 5 ? * *")) == "schedule · cube c · time expression 0 0 5 ? * *"
    assert repr(ws.advise("c")).startswith("nothing to advise")


def test_definitions_are_named_by_kind() -> None:
    flights = af.Source("flights", "flights.parquet", "at")
    delays = af.Filter("delays", "flights", "1h")
    assert repr(Definitions((flights,), (delays,))) == "definitions · sources flights · filters delays"


def test_no_line_is_long() -> None:
    facts = {f"fact {i}": "x" * 500 for i in range(50)}
    assert len(brief("it", facts)) < 600
    assert brief("it", facts).endswith("· …")
