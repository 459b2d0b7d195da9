"""Buckets of every sort: days of 23 and 25 hours, before 1970, of 13 minutes, months, weeks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af

VALUE = Aggregation("value", "value", ["COUNT", "SUM"])
FIELDS = [Field("n", "value", "COUNT"), Field("sum", "value", "SUM")]


def grow(shop: Shop, start: datetime, step: timedelta, count: int, interval: str, zone: str = "UTC") -> None:
    """Events at even steps; built in three cuts, none of which is a bucket's edge."""
    shop.source()
    shop.filter(interval, groupings=["team"], aggregations=[VALUE], time_zone=zone)
    events = [Event(start + step * i, "ab"[i % 2], value=float(i)) for i in range(count)]
    shop.add(*events)
    for part in (3, 2):
        shop.now = start + step * (count // part) + timedelta(minutes=1)
        shop.build()
    shop.now = start + step * count


def check(shop: Shop, durations: dict[str, str | None]) -> None:
    """Series of these durations and intervals, and lookbacks, at some ends; live and built."""
    for i, (duration, interval) in enumerate(durations.items()):
        series = af.TimeSeries(duration, interval, include_incomplete=i % 2 == 0)
        lookback = af.Lookback(duration, include_incomplete=i % 2 == 1)
        for name, timing in ((f"series{i}", series), (f"lookback{i}", lookback)):
            shop.ws.add_endpoint(name, filter="f", timing=timing, fields=FIELDS, groupings={"team": af.All()})
    for name in shop.ws.endpoints:
        shop.check(name)
    shop.build()
    for name in shop.ws.endpoints:
        for back in (timedelta(), timedelta(hours=30, minutes=1)):
            shop.check(name, shop.now - back)
    assert shop.ws.verify("f", sample=3).agrees


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        pytest.param("Europe/Berlin", "2025-03-29", marks=pytest.mark.slow),
        ("Europe/Berlin", "2025-10-25"),
        ("America/New_York", "2025-11-01"),
        ("Australia/Lord_Howe", "2025-10-04"),  # by half an hour
    ],
)
def test_days_of_23_and_25_hours(shop: Shop, zone: str, day: str) -> None:
    grow(shop, at(f"{day} 00:17"), timedelta(minutes=37), 120, "1d", zone)
    check(shop, {"2d": None, "3d": None})


def test_hours_in_a_zone_whose_clocks_change_become_its_days(shop: Shop) -> None:
    """Both one o'clock hours are buckets of their own; a day of 25 hours has all of them."""
    grow(shop, at("2025-10-25 00:17"), timedelta(minutes=37), 120, "1h", "Europe/Berlin")
    check(shop, {"30h": None, "3d": "1d"})


@pytest.mark.parametrize("interval", ["13m", pytest.param("1d", marks=pytest.mark.slow), "1w"])
def test_buckets_before_1970(shop: Shop, interval: str) -> None:
    grow(shop, at("1969-12-28 23:59:59"), timedelta(minutes=97), 90, interval)
    check(shop, {"8d": None, "9d": "1w" if interval in ("1d", "1w") else None})


def test_thirteen_minutes(shop: Shop) -> None:
    grow(shop, at("2025-01-01 11:00"), timedelta(minutes=2), 150, "13m")
    check(shop, {"14m": None, "65m": None, "3h": "26m"})


@pytest.mark.parametrize(
    "interval",
    ["1mo", pytest.param("1q", marks=pytest.mark.slow), pytest.param("1y", marks=pytest.mark.slow)],
)
def test_months_quarters_and_years(shop: Shop, interval: str) -> None:
    grow(shop, at("2023-11-30 23:59:59"), timedelta(days=5, hours=7), 90, interval, "America/New_York")
    check(shop, {"400d": None, "800d": None})


def test_weeks_begin_on_monday(shop: Shop) -> None:
    grow(shop, at("2024-12-25 12:00"), timedelta(hours=7), 60, "1w", "Asia/Kolkata")
    check(shop, {"8d": None, "15d": None})
