"""An inquiry: answered from the rollup that leaves least to be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from shop import Aggregation

import aggflow as af
from aggflow.errors import NotCoveredError, ParseError, QueryError

COUNTED = "from events group by team select count(), sum(amount)"
HOURLY = "from events group every 1h by team select sum(amount)"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    with duckdb.connect(str(tmp_path / "events.ddb")) as con:
        con.execute(
            """
            create table events as
            select timestamp '2026-01-01' + to_minutes(i) as moment, 'team' || (i % 3) as team,
                i % 10 as amount, date '2026-01-01' + (i // 1440)::int as day
            from range(4320) t(i)
            """
        )
    with af.open(tmp_path / "home") as opened:
        opened.add_source("events", f"duckdb://{tmp_path / 'events.ddb'}", table="events", time="moment")
        yield opened


def add(ws: af.Workspace, name: str, interval: str, until: str, **options: Any) -> None:
    amounts = Aggregation("amounts", field="amount", calculations=["COUNT", "SUM"])
    wanted: Any = {"groupings": ["team"], "aggregations": [amounts], **options}
    ws.add_filter(name, source="events", interval=interval, **wanted)
    ws.build(name, until=until, progress=False)


def test_without_a_rollup_the_source_answers(ws: af.Workspace) -> None:
    answer = ws.linq(COUNTED, end="2026-01-03")
    assert answer.explain().plan == "source"
    assert answer.explain().rows == 2880
    assert [row["fields"]["count"] for row in answer.rows] == [960] * 3


def test_what_is_built_answers_and_edges_come_from_the_source(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-04")
    whole = ws.linq(COUNTED, start="2026-01-01", end="2026-01-03").explain()
    assert (whole.plan, whole.rollup, whole.rows) == ("rollup", "filter hourly", 0)
    cut = ws.linq(COUNTED, start="2026-01-01T00:40:00Z", end="2026-01-03T00:10:00Z")
    assert (cut.explain().plan, cut.explain().rows) == ("mixed", 20 + 10)
    assert sum(row["fields"]["count"] for row in cut.rows) == 2880 - 40 + 10


def test_the_coarser_of_two_is_read_where_both_hold_the_window(ws: af.Workspace) -> None:
    add(ws, "fine", "5m", "2026-01-04")
    add(ws, "daily", "1d", "2026-01-04")
    assert ws.linq(COUNTED, start="2026-01-01", end="2026-01-03").explain().rollup == "filter daily"
    assert ws.linq(HOURLY, start="2026-01-01", end="2026-01-03").explain().rollup == "filter fine"


def test_one_that_is_hardly_built_is_not_preferred_for_its_few_rows(ws: af.Workspace) -> None:
    add(ws, "fine", "5m", "2026-01-04")
    add(ws, "daily", "1d", "2026-01-02")
    assert ws.linq(COUNTED, start="2026-01-01", end="2026-01-03").explain().rollup == "filter fine"


def test_a_rollup_of_fewer_events_is_no_answer(ws: af.Workspace) -> None:
    add(ws, "some", "1h", "2026-01-04", where="@.amount > 5")
    answer = ws.linq(COUNTED, end="2026-01-03")
    assert answer.explain().plan == "source"
    assert "miss  filter some — where: it keeps only" in str(answer.explain())


def test_a_condition_on_a_grouping_is_tested_on_its_values(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-04")
    answer = ws.linq(
        'from events where team = "team1" group select count()', start="2026-01-01", end="2026-01-03"
    )
    assert answer.explain().plan == "rollup"
    assert answer.rows == [{"fields": {"count": 960}}]


def test_a_condition_on_a_grouping_of_dates_is_left_to_the_source(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-04", groupings=["team", "day"])
    text = 'from events where day >= "2026-01-02" group select count()'
    answer = ws.linq(text, start="2026-01-01", end="2026-01-03")
    assert (answer.explain().plan, answer.rows) == ("source", [{"fields": {"count": 1440}}])


def test_history_of_another_form_is_read_from_the_source(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-02", groupings=[])
    ws._clock = lambda: 1_767_312_000_000_000
    ws._declarations._clock = ws._clock
    amounts = Aggregation("amounts", field="amount", calculations=["COUNT", "SUM"])
    ws.add_filter("hourly", source="events", interval="1h", groupings=["team"], aggregations=[amounts])
    assert len(ws._catalog.versions(ws._targets.get("hourly").rollup_id)) == 2
    ws._clock = lambda: 1_767_398_400_000_000
    ws.build("hourly", until="2026-01-03", progress=False)
    answer = ws.linq(COUNTED, start="2026-01-01", end="2026-01-03")
    assert (answer.explain().plan, answer.explain().rows) == ("mixed", 1440)
    assert [row["fields"]["count"] for row in answer.rows] == [960] * 3


def test_a_gap_is_an_error_where_the_source_may_not_be_read(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-02")
    with pytest.raises(NotCoveredError, match="2026-01-02"):
        ws.linq(COUNTED, start="2026-01-01", end="2026-01-03", live=False)
    assert len(ws.linq(COUNTED, start="2026-01-01", end="2026-01-02", live=False)) == 3


def test_outputs_are_computed_of_finished_values(ws: af.Workspace) -> None:
    add(ws, "hourly", "1h", "2026-01-04")
    text = "from events group by team select sum(amount) / count() as mean, upper(team) as name, count() * 0 as none"
    row = ws.linq(text, start="2026-01-01", end="2026-01-03").rows[0]
    assert row["fields"] == {"mean": 4.5, "name": "TEAM0", "none": 0}
    assert ws.linq(
        "from events group select sum(amount) / (count() - count()) as x", end="2026-01-03"
    ).rows == [{"fields": {"x": None}}]


def test_a_column_that_came_later_is_known_at_once(ws: af.Workspace, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="there is no column 'late'"):
        ws.linq("from events group by late")
    with duckdb.connect(str(tmp_path / "events.ddb")) as con:
        con.execute("alter table events add column late text")
    assert len(ws.linq("from events group by late")) == 1


def test_a_question_that_ends_before_it_begins_is_refused(ws: af.Workspace) -> None:
    with pytest.raises(QueryError, match="ends before it begins: from 2026-01-03T00:00:00Z to 2026-01-02"):
        ws.linq(COUNTED, start="2026-01-03", end="2026-01-02")


def test_a_question_of_no_time_is_told_that_its_range_is_empty(ws: af.Workspace) -> None:
    with pytest.raises(QueryError, match="range is empty: it begins and ends at 2026-01-03T00:00:00Z"):
        ws.linq(COUNTED, start="2026-01-03", end="2026-01-03")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("from (from events group) group", "a subquery is not accepted"),
        ("from event group", "there is no table 'event'"),
        ("from events group select summ(amount)", "there is no function 'summ'"),
        ("from events where tem = 'x' group", "there is no column 'tem'"),
        ("from events group by team group by team", "a second group is not accepted"),
        ("from events group select sum(team)", "SUM, AVG need numbers"),
    ],
)
def test_a_wrong_question_is_one_sentence_with_its_place(ws: af.Workspace, text: str, why: str) -> None:
    with pytest.raises(ParseError, match=why) as caught:
        ws.linq(text)
    assert "^" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why", "mark"),
    [
        ("from events group every 1h select hour(max(eventdate)) as h", "cannot be taken as a time", 31),
        ("from events group by team select length(count()) as n", "cannot be measured", 33),
    ],
)
def test_an_output_that_cannot_be_computed_is_refused_before_anything_is_built(
    ws: af.Workspace, text: str, why: str, mark: int
) -> None:
    with pytest.raises(ParseError, match=why) as caught:
        ws.add_task("t", linq=text, from_date=0)
    assert caught.value.position <= mark
    assert not ws.tasks


@pytest.mark.parametrize("text", [5, None, b"from events group"])
def test_what_is_no_text_is_no_question(ws: af.Workspace, text: Any) -> None:
    with pytest.raises(ParseError, match="is a text, not"):
        ws.linq(text)


def test_groups_are_answered_where_outputs_are_made_of_keys_alone(ws: af.Workspace) -> None:
    rows = ws.linq("from events group by team select upper(team) as name", end="2026-01-03").rows
    assert [row["fields"]["name"] for row in rows] == ["TEAM0", "TEAM1", "TEAM2"]


def test_a_condition_is_tested_where_the_rollup_says_half_of_it(ws: af.Workspace) -> None:
    add(ws, "named", "1h", "2026-01-04", where="@.team")
    answer = ws.linq(
        'from events where not team -> "1" group select count()', start="2026-01-01", end="2026-01-03"
    )
    assert (answer.explain().plan, answer.rows) == ("rollup", [{"fields": {"count": 1920}}])


def test_what_is_no_number_is_missing_from_rollups_and_from_the_source(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "floats.ddb")) as con:
        con.execute(
            """
            create table floats as
            select timestamp '2026-01-01' + to_minutes(i::int) as moment, v as f
            from (values (0, 1.0::double), (1, 'inf'::double), (2, null), (3, '-inf'::double), (4, 'nan'::double)) t(i, v)
            """
        )
    conditions = ["f > 0", "f < 0", "f /= 1", "isnotnull(f)", "isnull(f)", "not f in {1}"]
    with af.open(tmp_path / "home") as ws:
        ws.add_source("floats", f"duckdb://{tmp_path / 'floats.ddb'}", table="floats", time="moment")

        def counts() -> list[int]:
            asked = [ws.linq(f"from floats where {one} group select count()") for one in conditions]
            return [answer.rows[0]["fields"]["count"] for answer in asked]

        assert counts() == [1, 0, 0, 1, 4, 0]
        ws.add_task("by value", linq="from floats group every 1h by f", from_date=0)
        ws.run_tasks()
        assert counts() == [1, 0, 0, 1, 4, 0]
        row = ws.linq(
            "from floats group select last(f), nnlast(f), first(f), count(f), sum(f) / count(f) as mean"
        ).rows
        assert row == [
            {"fields": {"last(f)": None, "nnlast(f)": 1.0, "first(f)": 1.0, "count(f)": 1, "mean": 1.0}}
        ]
