"""What is missing is built, however it came to be missing, and only that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at, micros

import aggflow as af
from aggflow.timeline import BEGINNING, Window, WindowSet

COUNTS = [Aggregation("value", "value", ["COUNT", "SUM"])]
FIELDS = [Field("n", "value", "COUNT"), Field("sum", "value", "SUM")]


def hourly(shop: Shop, **source: str) -> Shop:
    shop.source(**source)
    shop.filter("1h", groupings=["team"], aggregations=COUNTS)
    shop.ws.add_endpoint("week", filter="f", timing=af.Lookback("7d"), fields=FIELDS)
    shop.ws.add_endpoint(
        "teams", filter="f", timing=af.Lookback("7d"), fields=FIELDS, groupings={"team": af.All()}
    )
    return shop


def stored(shop: Shop, end: datetime | None = None) -> int:
    """How many events the segments alone count."""
    return shop.ask("week", end, live=False)[0]["fields"]["n"]


def test_ten_missed_runs_are_one_build(shop: Shop) -> None:
    hourly(shop)
    shop.add(Event(at("11:10"), value=1.0))
    shop.build()
    shop.add(*(Event(at(f"{hour}:10"), value=1.0) for hour in range(12, 22)))
    shop.now = at("22:00")
    assert shop.build().windows == 1
    assert shop.build().windows == 0
    assert stored(shop) == 11


def test_a_gap_is_healed_whenever_the_next_build_runs(shop: Shop) -> None:
    hourly(shop)
    shop.add(*(Event(at(f"{hour:02}:10"), value=1.0) for hour in range(12)))
    shop.build()
    shop.catalog.drop_window(shop.rollup_id(), 1, Window(micros(at("03:00")), micros(at("05:00"))), 0)
    shop.check("week")
    assert shop.ws.query("week").explain().rows == 2
    shop.now += timedelta(days=3)
    report = shop.build()
    assert (report.windows, report.rows_read) == (2, 2)  # the gap, and the days since
    assert stored(shop) == 12


def test_the_first_build_covers_from_minus_infinity(shop: Shop) -> None:
    hourly(shop)
    shop.add(Event(at("11:10"), value=1.0))
    shop.build()
    assert shop.ws.status()[0].covered == WindowSet.of(Window(BEGINNING, micros(shop.now)))
    for end in (datetime(1, 1, 9, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), at("2024-12-31")):
        answer = shop.ws.query("week", end=end, live=False)
        assert answer.rows == [{"fields": {"n": 0, "sum": None}}]
        assert answer.explain().rows == 0


def test_an_empty_source_is_covered_and_empty(shop: Shop) -> None:
    hourly(shop)
    assert shop.build().windows == 1
    assert stored(shop) == 0
    assert shop.ask("teams", live=False) == []
    shop.add(Event(at("12:10"), value=1.0))
    shop.now = at("13:00")
    shop.build()
    assert stored(shop) == 1


def test_an_event_found_earlier_makes_only_its_own_bucket_missing(shop: Shop) -> None:
    hourly(shop, ingestion_time="arrived")
    shop.add(*(Event(at(f"{hour:02}:10"), value=1.0, arrived=at("11:30")) for hour in range(2, 9)))
    shop.build()
    shop.now += timedelta(hours=1)
    shop.add(Event(at("2024-12-29 03:30"), value=1.0, arrived=shop.now))
    shop.build()
    assert stored(shop) == 8
    build = shop.ws.builds[shop.build().build_id]
    assert build.rows_read == 1  # what arrived at the newest instant is looked at again, and nothing else


@pytest.mark.parametrize("late", ["12:00", "12:00:00.000001", "10:15", "09:00:00"])
def test_late_rows_within_the_lateness_are_found(shop: Shop, late: str) -> None:
    hourly(shop, lateness="3h")
    shop.add(Event(at("08:10"), value=1.0), Event(at("11:10"), value=1.0))
    shop.build()
    shop.add(Event(at(late), team="late", value=5.0))
    shop.now = at("12:10")
    shop.build()
    shop.check("teams")
    shop.now = at("13:10")
    shop.build()
    shop.check("teams")
    assert stored(shop, at("13:00")) == 3


def test_rows_later_than_the_lateness_are_found_by_a_full_build(shop: Shop) -> None:
    hourly(shop, lateness="1h")
    shop.add(Event(at("08:10"), value=1.0))
    shop.build()
    shop.add(Event(at("02:10"), value=1.0))
    shop.build()
    assert stored(shop) == 1
    shop.build(full=True)
    assert stored(shop) == 2


@pytest.mark.parametrize("interval", ["13m", "1mo"])
def test_late_rows_are_found_by_the_time_at_which_they_arrived(shop: Shop, interval: str) -> None:
    shop.source(ingestion_time="arrived")
    shop.filter(interval, aggregations=COUNTS)
    shop.ws.add_endpoint("year", filter="f", timing=af.Lookback("400d"), fields=FIELDS)
    shop.add(Event(at("08:10"), value=1.0, arrived=at("11:00")))
    shop.build()
    for days in (0, 3, 200):
        shop.now += timedelta(hours=7)
        shop.add(Event(at("07:10") - timedelta(days=days), value=1.0, arrived=shop.now))
        shop.build()
        shop.check("year")
    assert shop.ws.verify("f").agrees


def test_rows_that_arrive_at_the_newest_instant_known_are_found(shop: Shop) -> None:
    hourly(shop, ingestion_time="arrived")
    shop.add(Event(at("08:10"), value=1.0, arrived=at("12:00")))
    shop.build()
    shop.add(Event(at("06:10"), value=1.0, arrived=at("12:00")))
    shop.build()
    assert stored(shop) == 2


def test_late_rows_after_a_build_of_nothing_are_found(shop: Shop) -> None:
    """An empty source has no newest row, yet everything up to now is covered."""
    hourly(shop, ingestion_time="arrived")
    shop.build()
    shop.now = at("12:30")
    shop.add(Event(at("06:10"), value=1.0, arrived=at("12:15")))
    shop.build()
    shop.check("week")
    assert stored(shop, at("12:00")) == 1


def test_late_rows_after_the_end_of_a_build_of_the_past_are_found(shop: Shop) -> None:
    hourly(shop, ingestion_time="arrived")
    shop.add(Event(at("08:10"), value=1.0, arrived=at("12:00")))
    shop.build()
    shop.now = at("12:30")
    shop.add(Event(at("10:10"), value=1.0, arrived=at("12:15")))
    shop.build(until=at("09:00"))
    shop.now = at("12:40")
    shop.add(Event(at("12:35"), value=1.0, arrived=at("12:35")))
    shop.build()
    shop.check("week")
    assert stored(shop, at("12:00")) == 2


def test_late_rows_after_a_build_that_stopped_are_found(shop: Shop) -> None:
    """A first build that dies after some batches has read them before later rows arrived."""
    shop.close()
    shop = Shop(shop.folder, batch_rows=1)
    hourly(shop, ingestion_time="arrived")
    shop.add(*(Event(at(f"2024-12-{day} 08:10"), value=1.0, arrived=at("11:00")) for day in (28, 29, 30)))

    def stop(progress: object) -> None:
        if progress.windows_done == 2:  # type: ignore[attr-defined] - it is given as an object
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.ws.build("f", progress=stop)
    shop.now = at("13:00")
    shop.add(Event(at("2024-12-28 08:20"), value=1.0, arrived=at("12:30")))
    shop.build()
    shop.check("week")
    assert stored(shop) == 4
    shop.close()


def test_a_source_that_learns_when_rows_arrive_loses_none_that_came_before(shop: Shop) -> None:
    hourly(shop)
    shop.add(Event(at("08:10"), value=1.0, arrived=at("09:00")))
    shop.build()
    shop.add(Event(at("07:10"), value=1.0, arrived=at("12:30")))
    shop.now = at("13:00")
    shop.build()
    assert stored(shop) == 1
    shop.source(ingestion_time="arrived")
    shop.build()
    assert stored(shop) == 2


def test_an_older_form_gets_its_late_rows_too(shop: Shop) -> None:
    """Late rows are looked for by the predicate of the form that they belong to."""
    shop.source(ingestion_time="arrived")
    shop.filter("1h", aggregations=COUNTS, where="@.team == 'a'")
    shop.ws.add_endpoint("week", filter="f", timing=af.Lookback("7d"), fields=FIELDS)
    shop.add(Event(at("08:10"), "a", value=1.0, arrived=at("11:00")))
    shop.build()
    shop.filter("1h", aggregations=COUNTS, where="@.points >= 2")
    shop.now = at("14:00")
    shop.build()
    shop.now = at("15:00")
    shop.add(Event(at("09:10"), "a", value=1.0, points=0, arrived=at("14:30")))
    shop.add(Event(at("13:10"), "b", value=1.0, points=3, arrived=at("14:30")))
    shop.build()
    assert stored(shop) == 3


def test_rows_at_the_edges_of_windows_are_counted_once(shop: Shop) -> None:
    hourly(shop)
    tick = timedelta(microseconds=1)
    edges = [at("10:00"), at("11:00"), at("12:00")]
    shop.add(*(Event(edge + delta, value=1.0) for edge in edges for delta in (-tick, timedelta(), tick)))
    for until in edges:
        shop.build(until=until)
    shop.now = at("13:00")
    shop.build()
    assert stored(shop) == 9
    shop.ws.add_endpoint("hour", filter="f", timing=af.Lookback("1h"), fields=FIELDS)
    assert [shop.ask("hour", edge, live=False)[0]["fields"]["n"] for edge in edges] == [1, 3, 3]
    shop.ws.add_endpoint(
        "hours", filter="f", timing=af.TimeSeries("3h", include_incomplete=True), fields=FIELDS
    )
    shop.check("hours", at("12:30"))


def test_rows_without_a_time_are_counted_and_belong_nowhere(shop: Shop) -> None:
    hourly(shop)
    shop.add(Event(at("08:10"), value=1.0))
    shop.sql("INSERT INTO events VALUES (NULL, 'a', 'x', 1, 1, NULL)")
    assert shop.build().null_times == 1
    assert stored(shop) == 1
    shop.check("week")
