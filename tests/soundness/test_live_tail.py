"""The live tail: read from the source, merged as states, kept for a moment that explain tells of."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af

VALUE = Aggregation(
    "value",
    "value",
    [
        "COUNT",
        "SUM",
        "AVG",
        "MIN",
        "MAX",
        "STDDEV",
        "VAR_POP",
        "FIRST",
        "LAST",
        "PERCENTILES",
        "APPROX_COUNT_DISTINCT",
    ],
)
SMALL = replace(VALUE, calculations=["COUNT", "SUM"])
FIELDS = [
    Field(str(c.value).lower(), "value", c, percentile=0.9 if c == "PERCENTILES" else None)
    for c in VALUE.calculations
]


def fill(shop: Shop, value: Any = SMALL) -> None:
    shop.source()
    shop.filter("1h", groupings=["team", "player"], aggregations=[value])
    fields = [field for field in FIELDS if field.calculation in value.calculations]
    teams = {"team": af.All(), "player": af.Aggregate()}
    shop.ws.add_endpoint("total", filter="f", timing=af.Lookback("24h"), fields=fields)
    shop.ws.add_endpoint("teams", filter="f", timing=af.Lookback("24h"), fields=fields, groupings=teams)
    shop.ws.add_endpoint(
        "series",
        filter="f",
        timing=af.TimeSeries("24h", "3h", include_incomplete=True),
        fields=fields,
        groupings=teams,
    )
    shop.now = at("12:30")
    shop.add(
        *(
            Event(at("00:10") + timedelta(minutes=17 * i), "ab"[i % 2], "xyz"[i % 3], (i * 37 % 50) / 4 - 5)
            for i in range(50)
        )
    )


@pytest.mark.parametrize("endpoint", ["total", "teams", "series"])
def test_source_rollup_and_both_give_one_answer(shop: Shop, endpoint: str) -> None:
    """Whatever is built, and whatever is live, states merge to the same values."""
    fill(shop, VALUE)
    plans: list[str] = []
    for until in (None, "03:00", "07:30", "12:10"):
        if until:
            shop.build(until=at(until))
        shop.check(endpoint)
        plans.append(shop.ws.query(endpoint).explain().plan)
    assert plans == ["source", "mixed", "mixed", "mixed"]
    shop.now = at("15:00")
    shop.build()
    shop.check(endpoint)
    assert shop.ws.query(endpoint).explain().plan == "rollup"


def test_a_tail_is_kept_for_its_time_and_explain_tells_its_age(tmp_path: Path) -> None:
    shop = Shop(tmp_path, live_ttl=60)
    fill(shop)
    shop.build(until=at("12:00"))
    first = shop.ws.query("total")
    assert first.explain().rows > 0
    assert first.explain().sql
    time.sleep(0.02)
    shop.add(Event(at("12:20"), "a", "x", 1.0))
    again = shop.ws.query("total")
    assert again.rows == first.rows
    assert again.explain().rows == 0
    assert not again.explain().sql
    age = again.explain().tail_age
    assert age is not None
    assert 0.02 <= age < 60
    assert "The live part is" in str(again.explain())
    shop.close()


def test_a_build_ends_what_was_kept_of_its_buckets(tmp_path: Path) -> None:
    shop = Shop(tmp_path, live_ttl=60)
    fill(shop)
    shop.ask("total")
    shop.now = at("14:00")
    shop.add(Event(at("12:50"), "a", "x", 1.0))
    shop.build()
    shop.check("total")
    shop.close()


def test_a_tail_that_is_too_old_is_read_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path, live_ttl=0.05)
    fill(shop)
    shop.ask("total")
    shop.add(Event(at("12:20"), "a", "x", 1.0))
    time.sleep(0.06)
    shop.check("total")
    shop.close()


def test_a_tail_that_is_not_kept_is_always_new(shop: Shop) -> None:
    fill(shop)
    shop.build(until=at("12:00"))
    for minute in range(20, 24):
        shop.add(Event(at(f"12:{minute}"), "a", "x", 1.0))
        shop.check("total")
    assert shop.ws.query("total").explain().rows > 0


def test_another_source_of_that_name_ends_what_was_kept(tmp_path: Path) -> None:
    shop = Shop(tmp_path, live_ttl=60)
    fill(shop)
    shop.ask("total")
    shop.sql("CREATE TABLE others AS SELECT * FROM events WHERE team = 'a'")
    shop.ws.add_source("events", f"duckdb://{shop.file}", table="others", time="time")
    shop.events = [event for event in shop.events if event.team == "a"]
    shop.check("total")
    shop.close()
