"""Intervals: their texts and limits, where buckets start, and which interval divides which."""

from __future__ import annotations

import pickle
from datetime import timedelta

import numpy as np
import pytest

from aggflow.errors import ParseError, QueryError
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, UTC, Interval, Window, Zone, parse_instant
from aggflow.timeline.zone import _known_zones

BERLIN = Zone.of("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "text", "seconds", "calendar"),
    [
        ("30s", "30s", 30, False), ("13m", "13m", 780, False), ("1h", "1h", 3600, False), ("90s", "90s", 90, False),
        ("23h", "23h", 82_800, False), ("86399s", "86399s", 86_399, False), ("24h", "1d", 86_400, True),
        (86_400_000, "1d", 86_400, True), ("86400000", "1d", 86_400, True), (timedelta(days=1), "1d", 86_400, True),
        ("7d", "7d", 604_800, True), ("1w", "1w", 604_800, True), ("5d", "5d", 432_000, True), ("1mo", "1mo", None, True),
        ("3mo", "1q", None, True), ("1q", "1q", None, True), ("12mo", "1y", None, True), ("100y", "100y", None, True),
        ("36525d", "36525d", 36_525 * 86_400, True), ("1200mo", "100y", None, True),
    ],
)  # fmt: skip
def test_forms(value: str | int | timedelta, text: str, seconds: int | None, calendar: bool) -> None:
    interval = Interval.of(value)
    assert (str(interval), interval.seconds, interval.is_calendar) == (text, seconds, calendar)
    assert Interval.of(str(interval)) == interval == Interval.of(interval)
    assert hash(Interval.of(str(interval))) == hash(interval)
    assert pickle.loads(pickle.dumps(interval)) == interval  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("0s", "shorter than a second"), (0, "shorter than a second"),
        ("25h", "whole days"), ("36h", "whole days"), ("90000s", "whole days"), ("2w", "one week"), ("0d", "no length"),
        ("0mo", "no length"), ("0w", "no length"), ("36526d", "longer than 100 years"), ("101y", "longer than 100 years"),
        ("1201mo", "longer than 100 years"), ("401q", "longer than 100 years"), ("1x", "no unit"), ("", "not a number"),
    ],
)  # fmt: skip
def test_widths_that_are_refused(value: str | int, part: str) -> None:
    with pytest.raises(ParseError, match=part):
        Interval.of(value)


def test_equal_buckets_are_equal_intervals() -> None:
    assert Interval("second", 172_800) == Interval("day", 2)
    assert Interval("month", 12) == Interval("quarter", 4) == Interval("year", 1)
    assert Interval("week", 1) != Interval("day", 7)


@pytest.mark.parametrize(
    ("interval", "zone", "instant", "floor", "following"),
    [
        ("13m", "UTC", "1970-01-01T00:13:00Z", "1970-01-01T00:13:00Z", "1970-01-01T00:26:00Z"),
        ("13m", "Europe/Berlin", "1969-12-31T23:59:59.5Z", "1969-12-31T23:47:00Z", "1970-01-01T00:00:00Z"),
        ("1d", "UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31", "1970-01-01"),
        ("1d", "GMT+01:00", "2024-01-01T23:00:00Z", "2024-01-01T23:00:00Z", "2024-01-02T23:00:00Z"),
        ("1d", "Europe/Berlin", "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"),
        ("5d", "UTC", "1970-01-05T23:00:00Z", "1970-01-01", "1970-01-06"),
        ("5d", "UTC", "1969-12-31", "1969-12-27", "1970-01-01"),
        ("7d", "UTC", "2024-01-01", "2023-12-28", "2024-01-04"),
        ("1w", "UTC", "2024-01-01", "2024-01-01", "2024-01-08"),
        ("1w", "UTC", "1969-12-31", "1969-12-29", "1970-01-05"),
        ("1w", "America/New_York", "2024-03-11T03:59:59Z", "2024-03-04T05:00:00Z", "2024-03-11T04:00:00Z"),
        ("1mo", "UTC", "2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"),
        ("1mo", "Europe/Berlin", "2024-03-31T22:30:00Z", "2024-03-31T22:00:00Z", "2024-04-30T22:00:00Z"),
        ("5mo", "UTC", "1970-05-31", "1970-01-01", "1970-06-01"),
        ("5mo", "UTC", "1969-12-31", "1969-08-01", "1970-01-01"),
        ("1q", "UTC", "2024-12-31", "2024-10-01", "2025-01-01"),
        ("1y", "UTC", "1969-07-20", "1969-01-01", "1970-01-01"),
        ("1y", "Asia/Kathmandu", "2024-12-31T18:14:59Z", "2023-12-31T18:15:00Z", "2024-12-31T18:15:00Z"),
        ("10y", "UTC", "1985-01-01", "1980-01-01", "1990-01-01"),
        ("100y", "UTC", "2025-01-01", "1970-01-01", "2070-01-01"),
    ],
)  # fmt: skip
def test_buckets(interval: str, zone: str, instant: str, floor: str, following: str) -> None:
    width, place, us = Interval.of(interval), Zone.of(zone), parse_instant(instant)
    assert width.floor(us, place) == parse_instant(floor)
    assert width.next(us, place) == parse_instant(following)
    assert width.ceil(us, place) == (us if instant == floor else parse_instant(following))


def test_a_bucket_may_start_before_the_year_1() -> None:
    start = Interval.of("100y").floor(parse_instant("0001-01-01"))
    assert start == Interval.of("1mo").floor(start)
    assert parse_instant("0001-01-01") - start == 11_323 * 86_400_000_000  # -30-01-01


def test_both_one_o_clock_hours_stay_two_buckets() -> None:
    first = parse_instant("2024-11-03T05:30:00Z")
    hour, zone = Interval.of("1h"), Zone.of("America/New_York")
    assert hour.floor(first, zone) != hour.floor(first + 3_600_000_000, zone)


def test_the_day_that_was_skipped_is_no_bucket() -> None:
    apia, day = Zone.of("Pacific/Apia"), Interval.of("1d")
    window = Window(parse_instant("2011-12-28T10:00:00Z"), parse_instant("2012-01-01T10:00:00Z"))
    edges = day.edges(window, apia)
    assert edges == [window.start + n * 86_400_000_000 for n in range(4)]
    assert apia.local_day(edges[2]) - apia.local_day(edges[1]) == 2


@pytest.mark.parametrize("interval", ["1h", "1d", "1w", "1mo", "1y"])
@pytest.mark.parametrize("zone", [UTC, BERLIN])
def test_the_infinities_pass_through(interval: str, zone: Zone) -> None:
    width = Interval.of(interval)
    for us in (BEGINNING, FOREVER):
        assert width.floor(us, zone) == width.ceil(us, zone) == width.next(us, zone) == us


@pytest.mark.parametrize("interval", ["1h", "1d"])
@pytest.mark.parametrize("window", [ALWAYS, Window(0, FOREVER), Window(BEGINNING, 0)])
def test_endless_windows_have_no_edges(interval: str, window: Window) -> None:
    with pytest.raises(QueryError, match="no end of buckets"):
        Interval.of(interval).edges(window, UTC)


def test_floor_buckets_of_nothing_and_of_few_far_apart() -> None:
    day = Interval.of("1d")
    assert day.floor_buckets(np.array([], dtype=np.int64), BERLIN).size == 0
    far = np.array([253_402_214_400, -62_135_596_800, 0, -62_135_596_800], dtype=np.int64)
    assert day.floor_buckets(far, BERLIN).tolist() == [
        day.floor(int(s) * 10**6, BERLIN) // 10**6 for s in far
    ]


def test_floor_buckets_does_not_change_its_argument() -> None:
    buckets = np.array([5], dtype=np.int64)
    for zone in (UTC, BERLIN, Zone.of("+01:00")):
        for text in ("1h", "1d", "1w", "1mo"):
            Interval.of(text).floor_buckets(buckets, zone)
    assert buckets.tolist() == [5]


@pytest.mark.parametrize(
    ("fine", "coarse", "expected"),
    [
        ("30s", "1m", True), ("1m", "90s", False), ("5m", "1h", True), ("13m", "1h", False), ("13m", "1d", False),
        ("13m", "13d", True), ("13m", "26d", True), ("13m", "1w", False), ("1h", "1h", True), ("1h", "1d", True),
        ("5h", "1d", False), ("5h", "5d", True), ("1h", "1w", True), ("1h", "1mo", True), ("1d", "1h", False), ("1d", "1d", True),
        ("1d", "7d", True), ("2d", "3d", False), ("2d", "4d", True), ("1d", "1w", True), ("7d", "1w", False), ("1w", "7d", False),
        ("1w", "1w", True), ("1w", "1mo", False), ("1d", "1mo", True), ("2d", "1mo", False), ("1d", "1y", True), ("1mo", "1q", True),
        ("1mo", "5mo", True), ("2mo", "1q", False), ("2mo", "1y", True), ("1q", "1y", True), ("1q", "2q", True), ("1y", "10y", True),
        ("2y", "3y", False), ("1y", "1mo", False), ("1mo", "1w", False), ("1mo", "36500d", False),
    ],
)  # fmt: skip
def test_divides(fine: str, coarse: str, expected: bool) -> None:
    assert Interval.of(fine).divides(Interval.of(coarse), UTC, UTC) is expected


@pytest.mark.parametrize(
    ("fine", "coarse", "zone", "expected"),
    [
        ("1h", "1d", "Europe/Berlin", True), ("2h", "1d", "Europe/Berlin", False), ("1h", "1d", "Asia/Kathmandu", False),
        ("15m", "1d", "Asia/Kathmandu", True), ("30m", "1d", "Australia/Lord_Howe", True), ("1h", "1d", "Australia/Lord_Howe", False),
        ("30m", "1mo", "America/St_Johns", True), ("1h", "1mo", "America/St_Johns", False), ("1h", "1d", "GMT+01:00", True),
        ("1h", "1d", "GMT+05:30", False), ("15m", "1d", "Africa/Monrovia", False), ("30s", "1d", "Africa/Monrovia", True),
        ("1h", "1d", "America/Sao_Paulo", True), ("1d", "1w", "Europe/Berlin", False), ("1mo", "1y", "Europe/Berlin", False),
        ("5m", "1h", "Europe/Berlin", True), ("13m", "2h", "Asia/Kathmandu", False),
    ],
)  # fmt: skip
def test_divides_into_days_of_another_zone(fine: str, coarse: str, zone: str, expected: bool) -> None:
    assert Interval.of(fine).divides(Interval.of(coarse), UTC, Zone.of(zone)) is expected


def test_calendars_of_one_zone_divide_each_other() -> None:
    assert Interval.of("1d").divides(Interval.of("1mo"), BERLIN, BERLIN)
    assert not Interval.of("1d").divides(Interval.of("1mo"), BERLIN, Zone.of("Europe/Paris"))
    assert Interval.of("1d").divides(Interval.of("1w"), Zone.of("UTC+1"), Zone.of("+01:00"))


def test_clocks_set_by_the_sun_are_seen_in_a_window_of_their_time() -> None:
    day, quarter = Interval.of("1d"), Interval.of("15m")
    old = Window(parse_instant("1880-01-01"), parse_instant("1890-01-01"))
    recent = Window(parse_instant("2020-01-01"), parse_instant("2021-01-01"))
    assert quarter.divides(day, UTC, BERLIN)
    assert not quarter.divides(day, UTC, BERLIN, window=old)
    assert quarter.divides(day, UTC, Zone.of("Africa/Monrovia"), window=recent)


def test_a_day_that_starts_with_a_change_between_hours_is_seen() -> None:
    # At 23:30 on 30 March 1919 clocks in Toronto went to 00:30; both offsets are whole hours.
    toronto, day = Zone.of("America/Toronto"), Interval.of("1d")
    spring = Window(parse_instant("1919-03-01"), parse_instant("1919-05-01"))
    assert parse_instant("1919-03-31T04:30:00Z") in day.edges(spring, toronto)
    assert not Interval.of("1h").divides(day, UTC, toronto, window=spring)
    assert Interval.of("30m").divides(day, UTC, toronto, window=spring)


@pytest.mark.slow
def test_a_quarter_of_an_hour_divides_the_days_of_all_zones_of_today() -> None:
    recent = Window(parse_instant("1980-01-01"), parse_instant("2040-01-01"))
    for name in _known_zones().values():
        assert Interval.of("15m").divides(Interval.of("1d"), UTC, Zone.of(name), window=recent), name
