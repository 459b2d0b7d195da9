"""Advice: what it says it saves is what is saved when it is followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from shop import Aggregation

import aggflow as af
from aggflow.catalog import LoggedQuestion
from aggflow.engine.advice import Advice
from aggflow.engine.advise import Advisor
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.dimension import Dimension
from aggflow.timeline import format_instant

MEASURES: Any = [Aggregation("amounts", "amount", ["SUM", "MAX", "COUNT"])]
CUBE = Cube(
    "cube",
    "events",
    dimensions=[Dimension("team"), Dimension("player"), Dimension("level")],
    measures=MEASURES,
    aggregates=[],
)
BY_TEAM = "from events group every 1d by team select sum(amount)"
BY_PLAYER = "from events group by player select max(amount)"
BY_LEVEL = "from events group every 1h by level select count()"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    with duckdb.connect(str(tmp_path / "events.ddb")) as con:
        con.execute(
            """
            create table events as
            select timestamp '2026-01-01' + to_seconds(i * 60) as moment, 'team' || (i % 5) as team,
                'player' || (i % 397) as player, i // 9000 as level, i % 10 as amount
            from range(28800) t(i)
            """
        )
    with af.open(tmp_path / "home") as opened:
        opened.add_source("events", f"duckdb://{tmp_path / 'events.ddb'}", table="events", time="moment")
        yield opened


def ask(ws: af.Workspace, text: str, times: int = 1, end: str = "2026-01-11") -> int:
    """Stored cells and source rows that the answers read."""
    found = [ws.linq(text, start="2026-01-01", end=end).explain() for _ in range(times)]
    return sum(explanation.cells + explanation.rows for explanation in found)


def advisor(ws: af.Workspace, cube: Cube = CUBE) -> Advisor:
    ws._questions.flush()
    return Advisor(
        cube,
        ws._catalog.questions(ws._id, 0, cube.source),
        ws._targets.of_source(cube.source),
        ws._posing.rollups.get,
        ws._resident,
        lambda: ws._declarations.open(ws._source(cube.source)),
        ws._catalog.builds(ws._id, status="done"),
    )


def follow(ws: af.Workspace, advice: Advice) -> None:
    """Have a rollup that keeps what is advised."""
    groupings: Any = list(advice.dimensions)
    ws.add_filter(
        advice.name, source="events", interval=advice.interval, groupings=groupings, aggregations=MEASURES
    )
    ws.build(advice.name, progress=False)


def test_nothing_is_advised_where_nothing_was_asked(ws: af.Workspace) -> None:
    assert advisor(ws).advise() == []


def test_what_is_saved_is_what_was_said(ws: af.Workspace) -> None:
    def asking() -> int:
        return ask(ws, BY_TEAM, 6) + ask(ws, BY_PLAYER, 3) + ask(ws, BY_LEVEL)

    before = asking()
    advised = advisor(ws).advise()
    assert len(advised) > 1
    assert sum(advice.share_saved for advice in advised) == pytest.approx(
        sum(advice.rows_saved for advice in advised) / before
    )
    for n, advice in enumerate(advised, start=1):
        follow(ws, advice)
        assert before - asking() == sum(a.rows_saved for a in advised[:n])


def test_cut_edges_are_read_from_the_source_and_reckoned_with(ws: af.Workspace) -> None:
    before = ask(ws, BY_TEAM, end="2026-01-10T07:20:00Z")
    (advice, *_) = advisor(ws).advise()
    follow(ws, advice)
    assert before - ask(ws, BY_TEAM, end="2026-01-10T07:20:00Z") == advice.rows_saved


def test_advice_says_what_it_is_and_what_it_costs(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM, 2)
    (advice,) = advisor(ws).advise()
    assert (advice.cube, advice.interval, advice.dimensions) == ("cube", "1d", ("team",))
    assert advice.measures == ("amounts:SUM",)
    assert advice.rows == 10 * 5
    assert advice.questions == ("LINQ by team every 1d, asked 2 times",)
    assert advice.rows_saved == 2 * (14400 + 50 - 50)
    assert 0 < advice.build_seconds < 60
    assert "team" in str(advice)
    assert advice.name == "team 1d"


def test_the_pace_is_that_of_builds(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM, 2)
    build = ws._catalog.start_build(ws._id, "full", 0, rollup_id="r")
    ws._catalog.progress_build(build.id, rows_read=28_800)
    ws._catalog.finish_build(build.id, "done", 4_000_000)
    (advice,) = advisor(ws).advise()
    assert advice.build_seconds == 4.0, "all of the source, as fast as the build was"


def test_an_endpoint_reads_its_own_filter_whatever_is_built(ws: af.Workspace) -> None:
    ws.add_filter("f", source="events", interval="1h", groupings=["team", "player"], aggregations=MEASURES)
    ws.build("f", progress=False)
    timing, fields = af.Lookback("10d"), [af.Field("n", "amounts", Calculation.COUNT)]
    ws.add_endpoint("e", filter="f", timing=timing, fields=fields, groupings={"team": af.All()})
    ws.query("e", end="2026-01-11")
    assert advisor(ws).advise() == []
    (entry,) = ws._catalog.questions(ws._id, 0)
    assert (entry.asked, entry.rows_read > 0) == (1, True)


def test_what_the_cube_lacks_is_left_alone(ws: af.Workspace) -> None:
    ask(ws, "from events group by amount select count()")
    ask(ws, "from events group select min(level)")
    assert advisor(ws).advise() == []
    assert advisor(ws, replace(CUBE, where="@.level == 1")).advise() == []


def test_what_is_there_already_is_not_advised_again(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM, 2)
    (advice,) = advisor(ws).advise()
    follow(ws, advice)
    assert advisor(ws).advise() == []


def test_each_saves_beyond_those_before_it(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM, 2)
    ask(ws, "from events group every 1d by team, level select sum(amount)", 2)
    advised = advisor(ws).advise()
    assert [advice.dimensions for advice in advised] == [("team", "level")]
    assert len(advised[0].questions) == 2


def test_only_so_many_are_advised(ws: af.Workspace) -> None:
    for text in (BY_TEAM, BY_PLAYER, BY_LEVEL):
        ask(ws, text, 3)
    assert len(advisor(ws).advise()) > 1
    assert len(advisor(ws).advise(most=1)) == 1


def test_a_finer_rollup_tells_without_the_source(ws: af.Workspace, tmp_path: Path) -> None:
    ask(ws, BY_TEAM, 3)
    ask(ws, BY_PLAYER, 3)
    from_source = advisor(ws).advise()
    ws.add_filter("fine", source="events", interval="1h", groupings=["team", "player"])
    ws.build("fine", progress=False)
    reading = advisor(ws)
    reading._counter._open_rows = lambda: pytest.fail("the source was read")
    from_states = reading.advise()
    assert [(a.name, a.rows, a.rows_saved) for a in from_states] == [
        (a.name, a.rows, a.rows_saved) for a in from_source
    ]


def test_choices_that_are_not_counted_could_not_have_been_better(ws: af.Workspace) -> None:
    texts = [
        f"from events{where} group every {every} by {by} select {what}"
        for every in ("6h", "1d")
        for by in ("team", "player", "level", "team, level")
        for what, where in (("count()", ""), ("sum(amount)", ""), ("sum(amount)", ' where team = "team1"'))
    ]
    for n, text in enumerate(texts):
        ask(ws, text, 1 + n * n % 3, "2026-01-03" if n % 3 else "2026-01-02T23:10:00Z")
    lazy, eager = advisor(ws), advisor(ws)
    eager._hope = lambda *_: float("inf")  # type: ignore[method-assign] - hopes for all
    assert [a.rows_saved for a in lazy.advise()] == [a.rows_saved for a in eager.advise()]


def test_choices_that_cannot_be_better_are_not_counted(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM, 4)
    ask(ws, BY_TEAM.replace("sum", "max"), 4)
    ask(ws, BY_PLAYER.replace("max(amount)", "count()"))
    ask(ws, BY_LEVEL)
    found = advisor(ws)
    first = found.advise(most=1)[0]
    assert (first.dimensions, len(first.questions)) == (("team",), 2)
    assert len(list(found._counter.all)) == 3, "each alone, and none of two"


def test_greedy_is_near_the_best_choice(ws: af.Workspace) -> None:
    for text, times in ((BY_TEAM, 5), (BY_PLAYER, 4), (BY_LEVEL, 3)):
        ask(ws, text, times)
    found = advisor(ws)
    greedy = sum(advice.rows_saved for advice in found.advise(most=2))
    from aggflow.engine.aggregate_choice import smallest_choices

    singles = [c for a in found._asked for c in smallest_choices(CUBE, a.shape, a.windows)]
    every = [*singles, *(both for a, b in combinations(singles, 2) if (both := a.together(b, CUBE)))]
    best = 0.0
    for pair in combinations(every, 2):
        now = {asked: found._present(asked) for asked in found._asked}
        saved = 0.0
        for choice in pair:
            saved += sum(found._gains(choice, now).values())
            now = {asked: found._with(choice.rollup, asked, cost) for asked, cost in now.items()}
        best = max(best, saved)
    assert best * 0.75 <= greedy <= best + 1


def test_a_question_without_a_window_is_passed_over(ws: af.Workspace) -> None:
    ask(ws, BY_TEAM)
    ws._questions.flush()
    (entry,) = ws._catalog.questions(ws._id, 0)
    assert isinstance(entry, LoggedQuestion)
    start, end = entry.windows[0]
    assert format_instant(end) == "2026-01-11T00:00:00Z"
    assert start < end
    found = Advisor(
        CUBE,
        [replace(entry, windows=())],
        [],
        ws._posing.rollups.get,
        ws._resident,
        lambda: pytest.fail("the source was read"),
        [],
    )
    assert found.advise() == []
