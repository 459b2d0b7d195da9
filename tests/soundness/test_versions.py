"""A filter that changes is a chain of forms: history stays, and no event is counted by two of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import ConflictError

VALUE = Aggregation("value", "value", ["COUNT", "SUM"])
FIELDS = [Field("n", "value", "COUNT"), Field("sum", "value", "SUM")]
BOTH = {"team": af.All(), "player": af.All()}
CHANGE = at("12:30")
CHAINS = [["13m", "1h", "7m"], ["1d", "1h"], ["2h", "13m", "1d", "7m", "30m"]]


@pytest.fixture
def changing(shop: Shop) -> Shop:
    """Built to half past eleven; the change comes at half past twelve."""
    shop.source()
    shop.filter("1h", groupings=["team", "player"], aggregations=[VALUE])
    shop.ws.add_endpoint("day", filter="f", timing=af.Lookback("24h"), fields=FIELDS)
    shop.ws.add_endpoint(
        "hours", filter="f", timing=af.TimeSeries("24h", include_incomplete=True), fields=FIELDS
    )
    shop.ws.add_endpoint("both", filter="f", timing=af.Lookback("24h"), fields=FIELDS, groupings=BOTH)
    shop.now = at("11:30")
    shop.add(Event(at("09:10"), "a", "x", 1.0, 0), Event(at("11:10"), "b", "y", 2.0, 5))
    shop.build()
    shop.add(Event(at("11:40"), "a", "y", 4.0, 0), Event(at("12:10"), "b", "x", 8.0, 5))
    shop.now = CHANGE
    return shop


def after(shop: Shop) -> None:
    """Events of the time after the change."""
    shop.now = at("13:30")
    shop.add(Event(at("12:40"), "a", "x", 16.0, 0), Event(at("13:10"), "b", "y", 32.0, 5))


def everywhere(shop: Shop, expected: Any, endpoint: str, end: datetime | None = None) -> None:
    """The same answer whatever is live, built, built anew or compacted."""
    for build in ({"until": at("12:00")}, {}, {"full": True}):
        assert shop.ask(endpoint, end) == expected
        shop.build(**build)
    assert shop.ask(endpoint, end) == expected
    assert shop.ws.verify("f").agrees
    shop.ws.maintain()
    assert shop.ask(endpoint, end) == expected


def groups(*rows: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [
        {"groupings": {"team": team, "player": player}, "fields": {"n": n, "sum": total}}
        for team, player, n, total in rows
    ]


def versions(shop: Shop) -> list[Any]:
    return list(shop.catalog.versions(shop.rollup_id()))


def test_a_grouping_that_is_added_is_null_in_the_past(shop: Shop) -> None:
    shop.source()
    shop.filter("1h", groupings=["team"], aggregations=[VALUE])
    shop.add(Event(at("09:10"), "a", "x", 1.0), Event(at("12:10"), "a", "x", 2.0))
    shop.now = CHANGE
    shop.build()
    shop.filter("1h", groupings=["team", "player"], aggregations=[VALUE])
    shop.ws.add_endpoint("both", filter="f", timing=af.Lookback("24h"), fields=FIELDS, groupings=BOTH)
    after(shop)
    everywhere(shop, groups(("a", "x", 2, 18.0), ("a", None, 1, 1.0), ("b", "y", 1, 32.0)), "both")


def test_a_grouping_that_is_removed_keeps_its_values_in_the_past(changing: Shop) -> None:
    changed = changing.ws.add_filter(
        "f", source="events", interval="1h", groupings=["team"], aggregations=[VALUE]
    )
    assert "player" in str(changed.effects)
    after(changing)
    past = [("a", "x", 1, 1.0), ("a", "y", 1, 4.0), ("a", None, 1, 16.0)]
    everywhere(changing, groups(*past, ("b", "y", 1, 2.0), ("b", None, 2, 40.0)), "both")


def test_a_grouping_that_is_called_otherwise_stays_what_it_is(shop: Shop) -> None:
    shop.source()
    shop.filter("1h", groupings=[{"path": "team", "alias": "club"}, "player"], aggregations=[VALUE])
    shop.ws.add_endpoint(
        "clubs",
        filter="f",
        timing=af.Lookback("24h"),
        fields=FIELDS,
        groupings={"club": af.All()},
        sort=["club"],
    )
    shop.add(Event(at("09:10"), "a", "x", 1.0))
    shop.build()
    shop.filter("1h", groupings=[{"path": "team", "alias": "side"}, "player"], aggregations=[VALUE])
    after(shop)
    expected = [("a", 2, 17.0), ("b", 1, 32.0)]
    rows = [{"groupings": {"side": t}, "fields": {"n": n, "sum": s}} for t, n, s in expected]
    everywhere(shop, rows, "clubs")
    assert len(versions(shop)) == 1
    shop.filter("1h", groupings=["player"], aggregations=[VALUE])
    rows = [
        {"groupings": {"team": t}, "fields": {"n": n, "sum": s}}
        for t, n, s in [("a", 2, 17.0), (None, 1, 32.0)]
    ]
    assert shop.ask("clubs") == rows


def test_an_aggregation_that_is_added_has_nothing_to_say_of_the_past(changing: Shop) -> None:
    points = Aggregation("points", "points", ["COUNT", "SUM", "MAX", "PERCENTILES"], where="@.points >= 2")
    changing.filter("1h", groupings=["team", "player"], aggregations=[VALUE, points])
    fields = [*FIELDS, Field("m", "points", "COUNT"), Field("p", "points", "MAX")]
    changing.ws.add_endpoint(
        "new", filter="f", timing=af.TimeSeries("24h", include_incomplete=True), fields=fields
    )
    after(changing)
    expected = [
        ("09", 1, 1.0, None, None),
        ("11", 2, 6.0, None, None),
        ("12", 2, 24.0, 1, 5),
        ("13", 1, 32.0, 1, 5),
    ]
    rows = [
        {"dt": f"2025-01-01T{h}:00:00Z", "fields": {"n": n, "sum": s, "m": m, "p": p}}
        for h, n, s, m, p in expected
    ]
    everywhere(changing, rows, "new")
    # In the past alone there is no form that kept it.
    assert changing.ask("new", at("12:00")) == rows[:2]
    changing.ws.add_endpoint("past", filter="f", timing=af.Lookback("24h"), fields=fields)
    assert changing.ask("past", at("12:00")) == [{"fields": {"n": 3, "sum": 7.0, "m": None, "p": None}}]


def test_a_calculation_that_is_removed_is_null(changing: Shop) -> None:
    changing.filter("1h", groupings=["team", "player"], aggregations=[Aggregation("value", "value", ["SUM"])])
    after(changing)
    everywhere(changing, [{"fields": {"n": None, "sum": 63.0}}], "day")


def test_the_last_valid_field_of_an_endpoint_cannot_be_taken(changing: Shop) -> None:
    with pytest.raises(ConflictError, match="last valid field"):
        changing.filter("1h", groupings=["team", "player"])
    assert len(versions(changing)) == 1
    changing.check("both")


def test_another_predicate_holds_from_the_change_on(changing: Shop) -> None:
    changing.filter("1h", groupings=["team", "player"], aggregations=[VALUE], where="@.points >= 2")
    after(changing)
    # Before the bucket of the change all events, from it on those with points.
    expected = [("09", 1, 1.0), ("11", 2, 6.0), ("12", 1, 8.0), ("13", 1, 32.0)]
    rows = [{"dt": f"2025-01-01T{h}:00:00Z", "fields": {"n": n, "sum": s}} for h, n, s in expected]
    everywhere(changing, rows, "hours")
    assert changing.ask("day") == [{"fields": {"n": 5, "sum": 47.0}}]


@pytest.mark.parametrize(
    "interval", ["13m", "1d", *(pytest.param(i, marks=pytest.mark.slow) for i in ("30m", "2h", "7m", "1w"))]
)
def test_another_interval_counts_every_event_once(changing: Shop, interval: str) -> None:
    changing.filter(interval, groupings=["team", "player"], aggregations=[VALUE])
    changing.ws.add_endpoint("ever", filter="f", timing=af.Lookback("60d"), fields=FIELDS)
    after(changing)
    everywhere(changing, [{"fields": {"n": 6, "sum": 63.0}}], "ever", changing.now + timedelta(days=8))


@pytest.mark.parametrize(
    "chain",
    [["13m", "7m"], ["1w", "1mo", "1d", "30m"], *(pytest.param(c, marks=pytest.mark.slow) for c in CHAINS)],
)
def test_a_chain_of_intervals_counts_every_event_once(changing: Shop, chain: list[str]) -> None:
    for interval in chain:
        changing.now += timedelta(minutes=1)
        changing.filter(interval, groupings=["team", "player"], aggregations=[VALUE])
        changing.build()
    changing.ws.add_endpoint("ever", filter="f", timing=af.Lookback("200d"), fields=FIELDS)
    after(changing)
    everywhere(changing, [{"fields": {"n": 6, "sum": 63.0}}], "ever", changing.now + timedelta(days=62))


def test_a_finer_interval_gives_finer_points_from_the_change_on(changing: Shop) -> None:
    changing.filter("30m", groupings=["team", "player"], aggregations=[VALUE])
    after(changing)
    expected = [
        ("09:00", 1, 1.0),
        ("11:00", 2, 6.0),
        ("12:00", 1, 8.0),
        ("12:30", 1, 16.0),
        ("13:00", 1, 32.0),
    ]
    rows = [{"dt": f"2025-01-01T{t}:00Z", "fields": {"n": n, "sum": s}} for t, n, s in expected]
    everywhere(changing, rows, "hours")


def test_days_of_another_zone_begin_anew(shop: Shop) -> None:
    """The days of two zones never begin together: nothing of the old form can stay."""
    shop.source()
    shop.filter("1d", aggregations=[VALUE], time_zone="America/New_York")
    shop.add(*(Event(at(f"2024-12-{day} 03:00"), value=1.0) for day in range(10, 20)))
    shop.build()
    shop.filter("1d", aggregations=[VALUE], time_zone="Asia/Kathmandu")
    shop.ws.add_endpoint("days", filter="f", timing=af.TimeSeries("60d"), fields=FIELDS)
    shop.check("days")
    shop.build()
    shop.check("days")
    assert len(versions(shop)) == 1


def test_a_rebuild_leaves_one_form(changing: Shop) -> None:
    changing.filter("30m", groupings=["team", "player"], aggregations=[VALUE], where="@.points >= 2")
    assert len(versions(changing)) == 2
    changing.filter(
        "30m", groupings=["team", "player"], aggregations=[VALUE], where="@.points >= 2", rebuild=True
    )
    assert len(versions(changing)) == 1
    after(changing)
    for name in ("day", "hours", "both"):
        changing.check(name)
    changing.build()
    for name in ("day", "hours", "both"):
        changing.check(name)


def test_changes_before_anything_is_built_leave_no_trace(shop: Shop) -> None:
    shop.source()
    shop.filter("1h", aggregations=[VALUE])
    shop.filter("30m", groupings=["team"], aggregations=[VALUE])
    assert len(versions(shop)) == 1


def test_a_dry_run_changes_nothing(changing: Shop) -> None:
    said = changing.ws.add_filter("f", source="events", interval="1d", aggregations=[VALUE], dry_run=True)
    assert len(said.effects) >= 3
    assert changing.ws.filters["f"].interval == "1h"
    assert len(versions(changing)) == 1
    changing.check("both")
