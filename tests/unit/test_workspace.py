from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import ibis
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aggflow as af
from aggflow.errors import NotFoundError, SpecError
from aggflow.spec.calculation import Calculation

COUNT = af.Field("n", "events", Calculation.COUNT)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.parquet"
    rows = (
        "select timestamp '2025-01-01' + interval (range) minute as at, range % 1500 as who from range(3000)"
    )
    with duckdb.connect() as con:
        con.execute(f"copy ({rows}) to '{file}'")
    return file


@pytest.fixture
def ws(tmp_path: Path, events: Path) -> af.Workspace:
    ws = af.open(tmp_path / "home")
    ws.add_source("events", str(events), time="at")
    ws.add_filter("all", source="events", interval="1h", groupings=["who"])
    return ws


def test_what_a_chart_has_not_is_told(ws: af.Workspace) -> None:
    answer = ws.linq("from events group select count() as n")
    for options in ({"kind": "pie"}, {"titel": "x"}):
        with pytest.raises(NotFoundError, match="the mark is chosen by the shape") as caught:
            answer.chart(**options)
    assert "did you mean 'title'?" in caught.value.hint


def test_what_is_no_name_is_none(ws: af.Workspace) -> None:
    with pytest.raises(NotFoundError, match="there is no endpoint 5"):
        ws.query(5)  # type: ignore[arg-type] - a mistake


def test_what_is_no_endpoint_is_told_how_it_is_asked(ws: af.Workspace) -> None:
    ws.add_task("by who", linq="from events group every 1h by who", from_date=0)
    ws.run_tasks()
    ws.add_cube("c", source="events", dimensions=["who"], measures=[af.Aggregation("n")])
    for name, hint in (
        ("all", "'all' is a filter: an endpoint asks it, add_endpoint(…, filter='all', …)"),
        ("by who", "'by who' is a task: ask_task('by who')"),
        ("c", "'c' is a cube: ask_cube('c')"),
        ("zzz", "there is none yet"),
    ):
        with pytest.raises(NotFoundError, match="there is no endpoint") as caught:
            ws.query(name)
        assert caught.value.hint == hint


def test_values_of_groupings_are_told_by_the_name_of_their_argument(ws: af.Workspace) -> None:
    ws.add_endpoint(
        "who", filter="all", timing=af.Lookback("30d"), groupings={"who": af.QueryTime()}, fields=[COUNT]
    )
    for given in (None, {"who": []}, {"whom": [1]}):
        with pytest.raises(SpecError, match="grouping_filters\\.who") as caught:
            ws.query("who", grouping_filters=given)
        assert "groupingFilters" not in str(caught.value)


def test_rows_that_the_limit_cuts_are_told(ws: af.Workspace) -> None:
    timing, groupings = af.Lookback("30d"), {"who": af.All()}
    ws.add_endpoint("who", filter="all", timing=timing, groupings=groupings, fields=[COUNT])
    answer = ws.query("who", end="2025-01-05")
    assert len(answer.rows) == 1000
    assert answer.explain().cut == 500
    for text in (repr(answer), answer._repr_html_(), str(answer.explain())):
        assert "500 more" in text
    ws.add_endpoint("who", filter="all", timing=timing, groupings=groupings, fields=[COUNT], limit=2000)
    assert ws.query("who", end="2025-01-05").explain().cut == 0


def test_a_source_may_be_named_by_its_path(ws: af.Workspace, events: Path) -> None:
    assert ws.add_source("by path", events, time="at").url == ws.sources["events"].url


@pytest.mark.parametrize("ending", ["duckdb", "ddb", "sqlite", "db"])
def test_a_database_is_known_by_its_files_ending(tmp_path: Path, ws: af.Workspace, ending: str) -> None:
    file = tmp_path / f"shop.{ending}"
    connect = duckdb.connect if ending.startswith("d") and ending != "db" else sqlite3.connect
    con = connect(str(file))
    con.execute("create table sales (moment timestamp)")
    con.execute("insert into sales values ('2025-01-01 00:30:00')")
    con.commit()
    con.close()
    ws.add_source("sales", str(file), time="moment", table="sales")
    ws.add_filter("sold", source="sales", interval="1h")
    ws.add_endpoint("sold", filter="sold", timing=af.Lookback("1d"), fields=[COUNT])
    assert ws.query("sold", end="2025-01-02").rows == [{"fields": {"n": 1}}]


@pytest.mark.parametrize("option", ["url", "table"])
@pytest.mark.parametrize("library", ["pandas", "polars", "lazy polars", "pyarrow"])
def test_a_frame_is_no_source_and_the_lines_that_make_one_of_it_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ws: af.Workspace, library: str, option: str
) -> None:
    table = pa.table({"at": pa.array([0], pa.timestamp("us"))})
    made: dict[str, Any] = {
        "pandas": table.to_pandas(),
        "polars": pl.from_arrow(table),
        "lazy polars": pl.DataFrame(table).lazy(),
        "pyarrow": table,
    }
    frame = made[library]
    with pytest.raises(SpecError, match="in the memory of this session") as caught:
        ws.add_source("my frame", time="at", **{option: frame})
    said = caught.value.problems[0].hint
    written = re.search(r"write it: (.*), and add the file: (.*); for this session alone: (.*)", said)
    assert written is not None
    write, add, here = written.groups()
    monkeypatch.chdir(tmp_path)
    exec(write, {"frame": frame, "pyarrow": SimpleNamespace(parquet=pq)})  # noqa: S102 - that what it says works
    assert eval(add, {"ws": ws}).name == "my frame"  # noqa: S307
    session = eval(f"dict({here})", {"frame": frame, "ibis": ibis})  # noqa: S307
    assert ws.add_source("session", time="at", **session).url == ""


@pytest.mark.parametrize("option", ["url", "table"])
def test_what_is_no_source_at_all_is_told(ws: af.Workspace, option: str) -> None:
    given: dict[str, Any] = {option: ["a", "list"]}
    with pytest.raises(SpecError, match=f"{option}: a list is not "):
        ws.add_source("x", time="at", **given)


def test_yaml_itself_is_no_file_of_it(ws: af.Workspace) -> None:
    with pytest.raises(SpecError, match="definitions: this is YAML itself, not the name of a file"):
        ws.apply(ws.export())


def test_builds_say_what_they_built(ws: af.Workspace) -> None:
    ws.build("all", until="2025-01-02", progress=False)
    assert "filter all" in ws.builds._repr_html_()


def test_only_what_is_declared_can_be_removed(ws: af.Workspace) -> None:
    with pytest.raises(NotFoundError, match="there is no kind of definition 'table'"):
        ws.remove("table", "all")  # type: ignore[arg-type]  # on purpose


def test_nothing_is_applied_where_anything_is_wrong(tmp_path: Path, ws: af.Workspace, events: Path) -> None:
    text = f"""
sources:
- {{name: good, url: {events}, time: at}}
- {{name: gone, url: nowhere.parquet, time: at}}
filters:
- {{name: bad, source: good, interval: 1h, groupings: [nosuch]}}
endpoints:
- name: worse
  filter: all
  timing: {{kind: lookback, duration: 1m}}
  fields: [{{name: n, aggregation: events, calculation: COUNT}}]
"""
    (tmp_path / "shop.yaml").write_text(text)
    with pytest.raises(SpecError) as raised:
        ws.apply(tmp_path / "shop.yaml")
    paths = [problem.path for problem in raised.value.problems]
    assert paths == ["source 'gone'", "filter 'bad'.groupings[0]", "endpoint 'worse'.timing.duration"]
    assert set(ws.sources) == {"events"}
    assert set(ws.filters) == {"all"}


def test_a_build_whose_process_died_is_closed_by_the_next(ws: af.Workspace) -> None:
    (rollup,) = ws._catalog.rollups("ws_self")
    dead = ws._catalog.start_build("ws_self", "full", 0, rollup_id=rollup.id)
    ws.build("all", until="2025-01-02", progress=False)
    closed = ws.builds[dead.id]
    assert closed.status == "error"
    assert closed.error == {"class": "BuildError", "message": "its process died"}


def test_a_collection_reads_like_a_mapping(tmp_path: Path) -> None:
    with af.open(tmp_path) as ws:
        assert ws.filters.get("nothing") is None
        assert ws.filters.get("nothing", 1) == 1
        assert ws.projects.get("default") == ws.projects["default"]


def test_a_workspace_that_is_not_there_is_not_made_where_that_is_not_wanted(tmp_path: Path) -> None:
    af.open(tmp_path, workspace="acme").close()
    af.open(tmp_path, workspace="acme", make=False).close()
    with pytest.raises(NotFoundError, match="did you mean 'acme'"):
        af.open(tmp_path, workspace="amce", make=False)
    with pytest.raises(NotFoundError, match="known: acme"):
        af.open(tmp_path, workspace="zzz", make=False)
