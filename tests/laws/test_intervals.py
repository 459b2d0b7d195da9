"""The laws of buckets: they partition the line of time, in every zone and at every time."""

from __future__ import annotations

from datetime import UTC as PYTHON_UTC
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aggflow.timeline import Duration, Interval, Window, Zone, parse_instant

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

ZONES = [
    "UTC",
    "GMT+01:00",
    "GMT-03:30",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Monrovia",
    "Pacific/Apia",
    "America/Juneau",
]
# Changes of every kind: hours, half hours, at midnight, over midnight, a day skipped, a day twice.
CHANGES = [
    "2024-03-31T01:00:00Z",
    "2024-10-27T01:00:00Z",
    "2024-03-10T07:00:00Z",
    "2024-11-03T06:00:00Z",
    "2018-11-04T03:00:00Z",
    "2018-02-18T02:00:00Z",
    "2010-11-07T02:31:00Z",
    "2010-03-14T03:31:00Z",
    "2024-04-06T15:00:00Z",
    "1985-12-31T18:30:00Z",
    "1972-01-07T00:44:30Z",
    "2011-12-30T10:00:00Z",
    "1867-10-18T09:00:00Z",
    "1970-01-01T00:00:00Z",
]
INTERVALS = [
    "30s",
    "13m",
    "15m",
    "1h",
    "23h",
    "1d",
    "2d",
    "5d",
    "7d",
    "1w",
    "1mo",
    "5mo",
    "1q",
    "1y",
    "7y",
    "100y",
]

zones = st.sampled_from(ZONES).map(Zone.of)
intervals = st.sampled_from(INTERVALS).map(Interval.of)
anywhere = st.integers(parse_instant("1800-01-01"), parse_instant("2200-01-01"))
near_changes = st.builds(
    lambda text, delta: parse_instant(text) + delta, st.sampled_from(CHANGES), st.integers(-2 * DAY, 2 * DAY)
)
at_changes = st.builds(
    lambda text, delta: parse_instant(text) + delta, st.sampled_from(CHANGES), st.sampled_from([-1, 0, 1])
)
instants = anywhere | near_changes | at_changes


@given(intervals, zones, instants)
def test_an_instant_lies_in_its_bucket(interval: Interval, zone: Zone, us: int) -> None:
    start, following = interval.floor(us, zone), interval.next(us, zone)
    assert start <= us < following
    assert interval.floor(start, zone) == start == interval.ceil(start, zone)
    assert interval.next(start, zone) == following == interval.next(following - 1, zone)
    assert interval.floor(following, zone) == following
    assert interval.floor(following - 1, zone) == start
    assert interval.ceil(us, zone) == (us if us == start else following)


@given(intervals, zones, instants, st.integers(0, 40 * DAY) | st.integers(0, 2 * HOUR))
def test_floor_is_monotone(interval: Interval, zone: Zone, us: int, more: int) -> None:
    assert interval.floor(us, zone) <= interval.floor(us + more, zone)
    assert interval.next(us, zone) <= interval.next(us + more, zone)


@given(intervals, zones, instants, st.integers(1, 60))
def test_edges_partition_the_line(interval: Interval, zone: Zone, us: int, buckets: int) -> None:
    window = Window(us, us + buckets * (interval.seconds or 31 * 86_400) * SECOND)
    edges = interval.edges(window, zone)
    assert edges[0] <= window.start
    assert interval.next(edges[-1], zone) >= window.end
    assert edges[-1] < window.end
    assert all(interval.next(left, zone) == right for left, right in pairwise(edges))
    assert all(interval.floor(edge, zone) == edge for edge in edges)


@given(intervals, zones, st.lists(instants.map(lambda us: us // SECOND), max_size=30))
def test_floor_buckets_is_floor_of_each(interval: Interval, zone: Zone, seconds: list[int]) -> None:
    floors = interval.floor_buckets(np.array(seconds, dtype=np.int64), zone)
    assert floors.dtype == np.int64
    assert floors.tolist() == [interval.floor(s * SECOND, zone) // SECOND for s in seconds]


@given(intervals, zones, near_changes, st.integers(1, 400))
def test_floor_buckets_is_floor_of_each_when_they_lie_close(
    interval: Interval, zone: Zone, us: int, hours: int
) -> None:
    seconds = us // SECOND + 1800 * np.arange(2 * hours, dtype=np.int64)
    floors = interval.floor_buckets(seconds, zone)
    assert floors.tolist() == [interval.floor(int(s) * SECOND, zone) // SECOND for s in seconds]


@given(zones, instants, st.integers(0, 3 * DAY))
def test_local_days_never_go_backwards_and_start_where_they_say(zone: Zone, us: int, more: int) -> None:
    day = zone.local_day(us)
    assert zone.local_day(us + more) >= day
    assert zone.day_start(day) <= us < zone.day_start(day + 1)
    assert zone.local_day(zone.day_start(day)) == day
    assert zone.local_day(zone.day_start(day) - 1) < day


@cache
def rules(name: str) -> ZoneInfo:
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file)


@settings(deadline=None)  # the first sight of a zone finds its changes
@given(st.sampled_from(ZONES[3:]), instants)
def test_a_local_day_is_the_latest_date_that_clocks_have_shown(name: str, us: int) -> None:
    now = datetime(1970, 1, 1, tzinfo=PYTHON_UTC) + timedelta(microseconds=us)
    # Clocks were never set back by more than a day, nor within a minute after midnight.
    shown = (now - timedelta(minutes=back) for back in range(25 * 60))
    latest = max(moment.astimezone(rules(name)).date() for moment in shown)
    assert Zone.of(name).local_day(us) == (latest - date(1970, 1, 1)).days


@given(zones, instants, st.integers(0, 5 * DAY))
def test_shifts_count_the_local_days(zone: Zone, us: int, length: int) -> None:
    window = Window(us, us + length + 1)
    shifts = zone.shifts(window)
    assert shifts[0][0] == window.start
    assert all(left[0] < right[0] < window.end and left[1] != right[1] for left, right in pairwise(shifts))
    offset = [offset for at, offset in shifts if at <= us + length][-1]
    assert zone.local_day(us + length) == (us + length + offset * SECOND) // DAY


@settings(deadline=None)  # the first sight of a zone finds its changes
@given(
    st.sampled_from(["30s", "15m", "30m", "45m", "1h", "13m", "1d", "2d", "1w", "1mo", "2mo", "1q"]),
    st.sampled_from(["1h", "90m", "1d", "4d", "1w", "1mo", "1q", "1y"]),
    zones,
    zones,
    st.integers(parse_instant("1970-02-01"), parse_instant("2035-01-01")) | near_changes,
)
def test_what_divides_shares_its_borders(
    fine: str, coarse: str, zone: Zone, other_zone: Zone, us: int
) -> None:
    mine, other = Interval.of(fine), Interval.of(coarse)
    assume(us > parse_instant("1970-02-01"))
    if mine.divides(other, zone, other_zone):
        border = other.next(us, other_zone)
        assert mine.floor(border, zone) == border


@settings(deadline=None)  # the first sight of a zone finds its changes
@given(st.sampled_from(["15m", "30m", "1h", "2h", "1d"]), st.sampled_from(["1d", "1w", "1mo"]), zones)
def test_what_does_not_divide_has_a_border_that_is_not_shared(fine: str, coarse: str, zone: Zone) -> None:
    mine, other = Interval.of(fine), Interval.of(coarse)
    utc = Zone.of("UTC")
    window = Window(parse_instant("1971-06-01"), parse_instant("2024-12-31"))
    shared = all(mine.floor(edge, utc) == edge for edge in other.edges(window, zone)[1:])
    assert mine.divides(other, utc, zone, window=window) is (shared and (not mine.is_calendar or zone == utc))


@pytest.mark.parametrize(
    ("name", "lengths"),
    [
        ("Europe/Berlin", {23, 24, 25}),
        ("America/New_York", {23, 24, 25}),
        ("America/Sao_Paulo", {23, 24, 25}),
        ("America/St_Johns", {23, 24, 25}),
        ("Australia/Lord_Howe", {23.5, 24, 24.5}),
        ("Asia/Kathmandu", {24}),
        ("UTC", {24}),
    ],
)
def test_how_long_days_are(name: str, lengths: set[float]) -> None:
    window = Window(parse_instant("2005-06-01"), parse_instant("2015-06-01"))
    edges = Interval.of("1d").edges(window, Zone.of(name))
    assert {(right - left) / HOUR for left, right in pairwise(edges)} == lengths


@given(zones, instants, st.integers(0, 400))
def test_days_before_lead_from_day_to_day(zone: Zone, us: int, count: int) -> None:
    start = Interval.of("1d").floor(us, zone)
    earlier = Duration.of(f"{count}d").before(start, zone)
    assert Interval.of("1d").floor(earlier, zone) == earlier
    assert earlier < start or count == 0


@given(zones, instants, st.sampled_from(["1s", "1h", "25h", "1d", "30d", "1mo", "1q", "1y"]))
def test_a_duration_goes_back(zone: Zone, us: int, text: str) -> None:
    assert Duration.of(text).before(us, zone) < us
