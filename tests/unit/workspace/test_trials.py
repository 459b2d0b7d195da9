"""Drafts tried: on samples, on all events, and on what is built."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import aggflow as af
from aggflow.engine.sample import MOST_ROWS
from aggflow.engine.wish import Wish
from aggflow.errors import AggflowError, CancelledError, NotCoveredError, SourceError

EVENTS = 4 * MOST_ROWS
DRAFT = af.Filter(
    "draft",
    "clicks",
    "1d",
    groupings=(af.Grouping("page"),),
    aggregations=(
        af.Aggregation("clicks"),
        af.Aggregation("took", "took", (af.Calculation.AVG, af.Calculation.PERCENTILES)),
    ),
)
COUNT = af.Field("n", "clicks", af.Calculation.COUNT)
TOTAL = af.Endpoint(
    "total", "draft", af.Lookback("100y"), (COUNT, af.Field("mean", "took", af.Calculation.AVG))
)


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("clicks") / "clicks.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            f"""
            CREATE TABLE clicks AS SELECT TIMESTAMP '2024-01-01' + INTERVAL (i * 2) MINUTE AS at,
                'page ' || (i % 5) AS page, (i * 7919 % 1000) / 10.0 AS took, i
            FROM range({EVENTS}) AS t(i)
            """
        )
    return file


@pytest.fixture
def ws(tmp_path: Path, clicks: Path) -> Iterator[af.Workspace]:
    with af.open(tmp_path / "home") as opened:
        opened.add_source("clicks", f"duckdb://{clicks}", table="clicks", time="at")
        yield opened


def values(trial: Any) -> list[Any]:
    return [row["fields"] for row in trial.answer.rows]


def test_a_sample_says_which_part_it_is_and_has_the_shape(ws: af.Workspace) -> None:
    trial = ws.try_endpoint(TOTAL, DRAFT)
    assert not trial.is_exact
    assert trial.share == pytest.approx(MOST_ROWS / EVENTS)
    (row,) = values(trial)
    assert row["n"] == trial.rows
    # Five standard deviations of a binomial, and of a mean.
    assert abs(row["n"] - MOST_ROWS) < 5 * (EVENTS * 0.25 * 0.75) ** 0.5
    assert abs(row["mean"] - 49.95) < 5 * 29 / MOST_ROWS**0.5


def test_wished_exactly_it_is_what_the_saved_one_answers(ws: af.Workspace) -> None:
    trial = ws.try_endpoint(TOTAL, DRAFT, Wish(exact=True))
    assert trial.is_exact
    ws.add_filter(
        "draft", source="clicks", interval="1d", groupings=["page"], aggregations=DRAFT.aggregations
    )
    ws.add_endpoint("total", filter="draft", timing=TOTAL.timing, fields=TOTAL.fields)
    assert trial.answer.rows == ws.query("total").rows
    assert values(trial)[0]["n"] == EVENTS


def test_where_a_sample_would_say_little_just_what_is_asked_about_is_read(ws: af.Workspace) -> None:
    rare = replace(DRAFT, where="@.i < 500")
    trial = ws.try_endpoint(TOTAL, rare)
    assert trial.is_exact
    assert values(trial)[0]["n"] == 500


def test_the_same_rows_serve_every_change_of_a_form(ws: af.Workspace) -> None:
    first = values(ws.try_endpoint(TOTAL, DRAFT))
    narrower = replace(DRAFT, where="@.page == 'page 1'")
    part = values(ws.try_endpoint(TOTAL, narrower))[0]["n"]
    rest = values(ws.try_endpoint(TOTAL, replace(DRAFT, where="@.page != 'page 1'")))[0]["n"]
    assert part + rest == first[0]["n"], "one sample, told apart"


def test_values_of_the_question_are_the_most_frequent(ws: af.Workspace) -> None:
    asked = replace(TOTAL, groupings={"page": af.QueryTime()})
    skewed = replace(DRAFT, where="@.page == 'page 3' || @.i < 100000")
    trial = ws.try_endpoint(asked, skewed)
    assert len(trial.answer.groupings["page"]) == 3
    assert "page 3" in trial.answer.groupings["page"]


def test_what_is_built_answers_where_it_is_enough(ws: af.Workspace) -> None:
    ws.add_filter(
        "draft", source="clicks", interval="1d", groupings=["page"], aggregations=DRAFT.aggregations
    )
    short = replace(TOTAL, timing=af.Lookback("7d"))
    assert ws.try_endpoint(short).rows > 0, "nothing is built yet"
    ws.build("draft", until="2025-01-01", progress=False)
    trial = ws.try_endpoint(short)
    assert (trial.rows, trial.is_exact) == (0, True)
    assert values(trial)[0]["n"] > 0
    assert ws.slowest_questions() == [], "what is only tried is not noted"


def test_nothing_is_declared_or_kept_by_trying(ws: af.Workspace) -> None:
    ws.try_endpoint(TOTAL, DRAFT)
    assert not ws.filters
    assert not ws.endpoints
    assert ws.references() == []


def test_a_source_without_events_says_so(ws: af.Workspace, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "none.ddb")) as con:
        con.execute('CREATE TABLE none ("at" TIMESTAMP, page TEXT)')
    ws.add_source("none", f"duckdb://{tmp_path / 'none.ddb'}", table="none", time="at")
    with pytest.raises(NotCoveredError, match="no events yet"):
        ws.try_endpoint(TOTAL, replace(DRAFT, source="none", aggregations=(af.Aggregation("clicks"),)))


def test_a_source_that_is_gone_is_an_error_of_ours(ws: af.Workspace, tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    file.write_text("at,page\n2024-01-01 00:00:00,a\n")
    ws.add_source("few", str(file), time="at")
    file.unlink()
    with pytest.raises(SourceError, match="no file matches"):
        ws.try_endpoint(TOTAL, replace(DRAFT, source="few", aggregations=(af.Aggregation("clicks"),)))


def test_what_nobody_waits_for_any_more_is_stopped_at_the_source(ws: af.Workspace, clicks: Path) -> None:
    # Minutes of work for one statement.
    slow = "SELECT a.at, a.page, a.took, a.i FROM clicks a, clicks b WHERE a.i * b.i % 7 = 3"
    ws.add_source("slow", f"duckdb://{clicks}", sql=slow, time="at")
    wish, errors = Wish(), list[AggflowError]()

    def ask() -> None:
        try:
            ws.try_endpoint(TOTAL, replace(DRAFT, source="slow"), wish)
        except AggflowError as error:
            errors.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    while not wish._stops:
        assert thread.is_alive()
        thread.join(0.05)
    wish.withdraw()
    thread.join(60)
    assert not thread.is_alive()
    assert errors
    with pytest.raises(CancelledError):
        ws.try_endpoint(TOTAL, DRAFT, wish)
