"""A time that is answered is epoch milliseconds: the least, the greatest, the first and the last alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import NOON, Aggregation, Field, Shop, at, micros

import aggflow as af

LINQ = (
    "from events group every 1h select first(arrived) as f, min(arrived) as least, "
    "last(arrived) as l, max(arrived) as most, first(eventdate) as t"
)
ONE, TWO = at("10:05"), at("10:40")


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path)
    shop.source()
    # The first that came is not the first that happened.
    shop.add(
        Event(at("10:10"), "red", "ann", 1.0, 1, TWO),
        Event(at("10:20"), "red", "bob", 1.0, 1, ONE),
    )
    yield shop
    shop.close()


def ms(moment: Any) -> int:
    return micros(moment) // 1000


def test_the_first_and_the_last_time_are_milliseconds_as_the_least_and_the_greatest_are(shop: Shop) -> None:
    (row,) = shop.ws.linq(LINQ).rows
    assert row["fields"] == {
        "f": ms(TWO),
        "least": ms(ONE),
        "l": ms(ONE),
        "most": ms(TWO),
        "t": ms(at("10:10")),
    }


def test_from_states_it_is_the_same(shop: Shop) -> None:
    live = shop.ws.linq(LINQ).rows
    shop.ws.add_task("t", linq=LINQ, from_date=0)
    shop.ws.run_tasks()
    answer = shop.ws.ask_task("t", live=False)
    assert answer.rows == live
    assert answer.explanation.rollup == "task t"


def test_of_a_filter_too(shop: Shop) -> None:
    shop.filter(aggregations=[Aggregation("came", "arrived", ["FIRST", "LAST", "MIN", "MAX"])])
    shop.build()
    names = ["FIRST", "LAST", "MIN", "MAX"]
    shop.ws.add_endpoint(
        "e", filter="f", timing=af.Lookback("1d"), fields=[Field(name, "came", name) for name in names]
    )
    (row,) = shop.ask("e", end=NOON)
    assert row["fields"] == {"FIRST": ms(TWO), "LAST": ms(ONE), "MIN": ms(ONE), "MAX": ms(TWO)}


def test_a_time_that_is_missing_is_the_first_one_unless_the_first_that_is_there_is_asked_for(
    shop: Shop,
) -> None:
    shop.sql("UPDATE events SET arrived = NULL WHERE player = 'ann'")
    (row,) = shop.ws.linq(
        "from events group select first(arrived) as f, nnfirst(arrived) as there, nnlast(arrived) as l"
    ).rows
    assert row["fields"] == {"f": None, "there": ms(ONE), "l": ms(ONE)}
