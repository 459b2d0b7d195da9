"""Soundness: a total that is made by recipe is the one that is found out; what is not made alike is found out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import oracle
import pytest
from oracle import Event
from shop import NOON, Aggregation, Field, Shop

import aggflow as af
from aggflow.engine import serving
from aggflow.engine.answerer import Answerer

CALCULATIONS = [
    *("COUNT", "SUM", "AVG", "MIN", "MAX", "FIRST", "LAST", "STDDEV", "VAR_POP"),
    *("APPROX_COUNT_DISTINCT", "PERCENTILES"),
]
HOUR = timedelta(hours=1)


def events(hours: int, each: int, seed: int) -> Iterator[Event]:
    """So many an hour, back from noon."""
    draw = random.Random(seed)
    for _ in range(hours * each):
        time = NOON - timedelta(seconds=draw.randrange(hours * 3600))
        value = draw.choice([None, float("nan"), draw.randint(-40, 400) / 4])
        yield Event(time, draw.choice("ab"), draw.choice("xyz"), value, draw.randrange(9))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, answer_bytes=0)
    made.source(lateness="2d")
    aggregations = [
        Aggregation("all", "value", CALCULATIONS),
        Aggregation("some", "points", ["COUNT", "AVG", "PERCENTILES"], where="@.value > 0"),
        Aggregation("coarse", "points", ["PERCENTILES"], sketch_groupings=[]),
    ]
    made.filter(groupings=["team", "player"], aggregations=aggregations)
    made.add(*events(36, 24, seed=1))
    made.build(until=NOON - HOUR)
    yield made
    made.ws.close()


@pytest.fixture
def found_out(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The questions that were not answered by recipe, so far."""
    asked: list[Any] = []

    class Noted(Answerer):
        def __init__(self, question: Any, *rest: Any) -> None:
            asked.append(question)
            super().__init__(question, *rest)

    monkeypatch.setattr(serving, "Answerer", Noted)
    return asked


def fields() -> list[af.Field]:
    made = [Field(c.lower(), "all", c, percentile=0.9 if c == "PERCENTILES" else None) for c in CALCULATIONS]
    made += [Field("n", "some", "COUNT"), Field("mean", "some", "AVG")]
    return [*made, Field("p10", "some", "PERCENTILES", percentile=0.1)]


def ends(count: int, last: datetime = NOON - 2 * HOUR) -> list[datetime]:
    return [last - timedelta(minutes=67 * back) for back in range(count)]


def add(shop: Shop, name: str = "e", **options: Any) -> None:
    options = {"timing": af.Lookback("7h"), "fields": fields(), **options}
    shop.ws.add_endpoint(name, filter="f", **options)


def test_totals_of_any_window_are_those_of_the_oracle(shop: Shop, found_out: list[Any]) -> None:
    add(shop)
    for end in ends(12):
        shop.check("e", end)
    # The first is merged, the first of another window makes the sums, from then on it is known how.
    assert len(found_out) <= 3


def test_states_that_have_no_bucket_sums_are_found_out(shop: Shop, found_out: list[Any]) -> None:
    # One cell a bucket: their sums would be as many.
    add(shop, fields=[*fields(), Field("c", "coarse", "PERCENTILES", percentile=0.5)])
    for end in ends(5):
        shop.check("e", end)
    assert len(found_out) == 5


def test_its_explanation_is_the_same(shop: Shop) -> None:
    add(shop)
    end = ends(1)[0]
    first = shop.ws.query("e", end=end).explanation
    for other in ends(6):
        shop.check("e", other)
    again = shop.ws.query("e", end=end).explanation
    for name in ("rollup", "stored", "live", "segments", "rows", "cut", "plan"):
        assert getattr(again, name) == getattr(first, name), name
    assert [str(one) for one in again.candidates] == [str(one) for one in first.candidates]
    assert again.cells == 7


@pytest.mark.parametrize("live", [True, False])
def test_a_live_tail_is_found_out(shop: Shop, found_out: list[Any], live: bool) -> None:
    add(shop, timing=af.Lookback("7h", include_incomplete=True))
    for end in ends(6):
        shop.check("e", end)
    before = len(found_out)
    if live:
        shop.check("e", NOON)
    else:
        with pytest.raises(af.AggflowError, match="not built"):
            shop.ws.query("e", end=NOON, live=False)
    assert len(found_out) == before + 1


@pytest.mark.parametrize(
    "options",
    [
        {"timing": af.TimeSeries("7h", interval="1h")},
        {"groupings": {"team": af.All()}},
        {"groupings": {"team": af.Fixed(["a"])}},
        {"fields": [Field("one", "all", "COUNT"), Field("two", "all", "COUNT", duration="2h")]},
    ],
    ids=["series", "grouped", "selected", "two windows"],
)
def test_what_is_no_plain_total_is_found_out(shop: Shop, found_out: list[Any], options: Any) -> None:
    add(shop, **options)
    for end in ends(5):
        shop.check("e", end)
    assert len(found_out) == 5


def test_a_window_without_events_is_found_out(shop: Shop, found_out: list[Any]) -> None:
    add(shop)
    for end in ends(5):
        shop.check("e", end)
    before = len(found_out)
    shop.check("e", NOON - timedelta(days=40))
    assert len(found_out) == before + 1


def test_what_changes_is_followed(shop: Shop, found_out: list[Any]) -> None:
    add(shop)
    for round_ in range(4):
        for end in ends(6):
            shop.check("e", end)
        before = len(found_out)
        shop.check("e", ends(3)[2])
        assert len(found_out) == before
        # Late events, another endpoint of the name, small segments made one: none of it is answered as before.
        match round_:
            case 0:
                shop.add(*events(24, 4, seed=2))
                shop.build()
            case 1:
                add(shop, fields=fields()[2:5], timing=af.Lookback("9h", offset="1h"))
            case _:
                shop.add(*events(30, 2, seed=round_))
                shop.build(full=True)
                shop.ws.maintain()


def test_groups_of_states_that_are_gone_are_found_out(shop: Shop) -> None:
    add(shop, fields=[Field("n", "some", "COUNT"), Field("sum", "all", "SUM")])
    for end in ends(5):
        shop.check("e", end)
    aggregations = [Aggregation("all", "value", ["SUM"])]
    shop.filter(groupings=["team", "player"], aggregations=aggregations)
    answer = shop.ws.query("e", end=ends(1)[0])
    assert answer.rows[0]["fields"]["n"] is None
    assert oracle.same(answer.rows[0]["fields"]["sum"], _sum(shop, ends(1)[0]), "SUM")


def _sum(shop: Shop, end: datetime) -> float:
    last = end.replace(minute=0)
    there = [e.value for e in shop.events if last - 7 * HOUR <= e.time < last]
    return sum(value for value in there if oracle.is_number(value))
