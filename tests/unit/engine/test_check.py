"""A check: what a source cannot serve is told where it is declared, with the place in its text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import aggflow as af
from aggflow.errors import AggflowError, ParseError, SpecError
from aggflow.spec.calculation import Calculation

WRONG = "carrier holds texts (string), and 5 is a number"


@pytest.fixture
def ws(tmp_path: Path) -> af.Workspace:
    file = tmp_path / "flights.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"""copy (select timestamp '2025-01-01' as at, 'AA' as carrier, 3 as delay,
                '{{"user": "7"}}'::json as payload) to '{file}'"""
        )
    ws = af.open(tmp_path / "home")
    ws.add_source("flights", file, time="at")
    return ws


def _filter(ws: af.Workspace) -> object:
    return ws.add_filter("f", source="flights", interval="1h", where="@.delay > 1 && @.carrier > 5")


def _aggregation(ws: af.Workspace) -> object:
    late = af.Aggregation("late", where="@.delay > 1 && @.carrier > 5")
    return ws.add_filter("f", source="flights", interval="1h", aggregations=[late])


def _grouping(ws: af.Workspace) -> object:
    return ws.add_filter(
        "f", source="flights", interval="1h", groupings=["=ifthenelse(carrier > 5, 'a', 'b')"]
    )


def _cube(ws: af.Workspace) -> object:
    return ws.add_cube("c", source="flights", dimensions=["carrier"], where="@.carrier > 5")


def _measure(ws: af.Workspace) -> object:
    late = af.Aggregation("late", where="@.carrier > 5")
    return ws.add_cube("c", source="flights", dimensions=["carrier"], measures=[late])


def _cube_question(ws: af.Workspace) -> object:
    ws.add_cube("c", source="flights", dimensions=["carrier"], measures=[af.Aggregation("events")])
    return ws.ask_cube("c", ["events"], "carrier", where="@.carrier > 5", end="2025-02-01")


def _task(ws: af.Workspace) -> object:
    return ws.add_task("t", linq="from flights where carrier > 5 group every 1h", from_date=0)


def _linq(ws: af.Workspace) -> object:
    return ws.linq("from flights where carrier > 5 group every 1h", start="2025-01-01", end="2025-02-01")


@pytest.mark.parametrize(
    "declare", [_filter, _aggregation, _grouping, _cube, _measure, _cube_question, _task, _linq]
)
def test_a_text_column_is_not_compared_with_a_number(
    ws: af.Workspace, declare: Callable[[af.Workspace], object]
) -> None:
    with pytest.raises(AggflowError) as caught:
        declare(ws)
    assert isinstance(caught.value, SpecError | ParseError)
    said = str(caught.value)
    assert WRONG in said
    assert "column" in said  # the place
    assert "quotes" in said  # what to write instead


def test_the_place_is_drawn_where_a_filter_is_refused(ws: af.Workspace) -> None:
    with pytest.raises(SpecError) as caught:
        _filter(ws)
    lines = str(caught.value).splitlines()
    drawn = next(i for i, line in enumerate(lines) if line.strip() == "^")
    assert lines[drawn - 1].index("@.carrier") == lines[drawn].index("^")


def test_json_has_a_type_a_row(ws: af.Workspace) -> None:
    ws.add_filter("f", source="flights", interval="1h", where="@.payload.user > 5")
    ws.add_endpoint(
        "n", filter="f", timing=af.Lookback("7d"), fields=[af.Field("n", "events", Calculation.COUNT)]
    )
    assert ws.query("n", end="2025-01-02").rows == [{"fields": {"n": 1}}]
