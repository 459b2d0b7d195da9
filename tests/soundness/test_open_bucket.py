"""The bucket that is still filling is built, but never trusted: it is read anew, whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import NotCoveredError

TOTAL = Aggregation("value", "value", ["COUNT", "SUM", "PERCENTILES"])
FIELDS = [
    Field("n", "value", "COUNT"),
    Field("sum", "value", "SUM"),
    Field("p50", "value", "PERCENTILES", percentile=0.5),
]


@pytest.fixture
def hourly(shop: Shop) -> Shop:
    shop.source()
    shop.filter("1h", groupings=["team"], aggregations=[TOTAL])
    shop.ws.add_endpoint("day", filter="f", timing=af.Lookback("24h"), fields=FIELDS)
    shop.ws.add_endpoint(
        "hours", filter="f", timing=af.TimeSeries("24h", include_incomplete=True), fields=FIELDS
    )
    return shop


def test_a_partial_bucket_is_not_merged_with_its_tail(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("11:59"), value=1.0), Event(at("12:05"), value=2.0), Event(at("12:20"), value=4.0))
    hourly.build()
    hourly.now = at("12:50")
    hourly.add(Event(at("12:40"), value=8.0))
    hourly.check("day")
    hourly.check("hours")
    explained = hourly.ws.query("day").explain()
    assert explained.plan == "mixed"
    assert str(explained.live) == "{[2025-01-01T12:00:00Z, 2025-01-01T13:00:00Z)}"
    assert explained.rows == 3  # all of the open bucket, not only what came since


def test_a_late_row_before_the_builds_end_counts_in_the_open_bucket(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("12:05"), value=2.0))
    hourly.build()
    hourly.add(Event(at("12:01"), value=8.0))
    hourly.check("day")
    assert hourly.ask("day")[0]["fields"]["n"] == 2


def test_the_open_bucket_is_wanted_again_by_the_next_build(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("12:05"), value=2.0))
    hourly.build()
    hourly.add(Event(at("12:01"), value=8.0))
    hourly.now = at("13:10")
    hourly.build()
    answer = hourly.ws.query("day", end=at("13:00"), live=False)
    assert answer.rows[0]["fields"]["n"] == 2
    assert answer.explain().plan == "rollup"


def test_events_of_the_future_are_counted_in_their_own_bucket_only(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("12:05"), value=2.0), Event(at("12:55"), value=4.0), Event(at("14:00"), value=8.0))
    hourly.build()
    hourly.check("day")
    hourly.check("hours")
    hourly.check("day", at("15:00"))
    hourly.now = at("14:30")
    hourly.build()
    hourly.check("day")
    hourly.check("hours")


def test_a_build_of_the_past_leaves_no_bucket_half_replaced(hourly: Shop) -> None:
    """A full build up to the middle of a bucket that is built whole replaces it whole."""
    hourly.now = at("14:00")
    hourly.add(Event(at("12:05"), value=2.0), Event(at("12:40"), value=4.0))
    hourly.build()
    hourly.build(until=at("12:20"), full=True)
    hourly.check("day")
    assert hourly.ask("day", live=False)[0]["fields"]["n"] == 2


def test_a_lateness_that_cuts_a_bucket_replaces_it_whole(shop: Shop) -> None:
    shop.source(lateness="90m")
    shop.filter("1h", aggregations=[TOTAL])
    shop.ws.add_endpoint("day", filter="f", timing=af.Lookback("24h"), fields=FIELDS)
    shop.now = at("14:00")
    shop.add(Event(at("12:05"), value=2.0), Event(at("12:40"), value=4.0), Event(at("13:40"), value=4.0))
    shop.build()
    shop.build(until=at("12:20"))
    shop.check("day")
    assert shop.ask("day", live=False)[0]["fields"]["n"] == 3


def test_without_live_reading_a_gap_is_an_error_that_names_it(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("10:05"), value=2.0))
    hourly.build(until=at("11:00"))
    with pytest.raises(NotCoveredError, match=r"\[2025-01-01T11:00:00Z, 2025-01-01T13:00:00Z\)"):
        hourly.ask("day", live=False)
    assert hourly.ask("day", at("11:00"), live=False)[0]["fields"]["n"] == 1


def test_a_build_later_than_now_is_a_build_until_now(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("12:05"), value=2.0), Event(at("13:05"), value=2.0))
    hourly.build(until=at("20:00"))
    assert hourly.ws.status()[0].covered.span.end == hourly.ws._clock()  # type: ignore[union-attr] - something is covered
    hourly.add(Event(at("12:31"), value=2.0))
    hourly.now += timedelta(hours=2)
    hourly.check("day")


def test_an_answer_says_from_where_on_its_buckets_are_not_complete(hourly: Shop) -> None:
    hourly.now = at("12:30")
    hourly.add(Event(at("11:05"), value=2.0), Event(at("12:05"), value=2.0), Event(at("13:05"), value=4.0))
    open_bucket = int(at("12:00").timestamp())
    assert hourly.ws.query("hours").open_from == open_bucket
    assert hourly.ws.query("hours", end=at("14:00")).open_from == open_bucket
    hourly.build()
    assert hourly.ws.query("hours").open_from == open_bucket, "built, but only in part"
    assert hourly.ws.query("hours", end=at("12:00")).open_from is None
    assert hourly.ws.query("day").open_from is None, "a total has no buckets"
    hourly.now = at("13:00")
    assert hourly.ws.query("hours").open_from is None
    cut = hourly.ws.linq("from events group every 1h select count() as n", end=at("12:10"))
    assert cut.open_from == open_bucket, "the question ends inside of it"
