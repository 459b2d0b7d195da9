"""Zones: names, offsets, and local days that are counted without going backwards."""

from __future__ import annotations

import pickle
from datetime import UTC as PYTHON_UTC
from datetime import date, datetime, timedelta
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from aggflow.errors import NotFoundError, QueryError
from aggflow.timeline import BEGINNING, FOREVER, UTC, Window, Zone, parse_instant
from aggflow.timeline.zone import _known_zones

HOUR = 3_600_000_000
DAY = 24 * HOUR


def day_number(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


@pytest.mark.parametrize(
    ("text", "name", "seconds"),
    [
        ("UTC", "UTC", 0), ("utc", "UTC", 0), ("Z", "UTC", 0), ("GMT", "UTC", 0), ("Etc/UTC", "UTC", 0),
        ("+00:00", "UTC", 0), ("-00:00", "UTC", 0), ("GMT+00:00", "UTC", 0), ("UTC+0", "UTC", 0),
        ("GMT+01:00", "GMT+01:00", 3600), ("UTC+1", "GMT+01:00", 3600), ("+01:00", "GMT+01:00", 3600),
        (" +0100 ", "GMT+01:00", 3600), ("gmt-03:30", "GMT-03:30", -12_600), ("+5:45", "GMT+05:45", 20_700),
        ("Etc/GMT-14", "GMT+14:00", 50_400), ("Etc/GMT+5", "GMT-05:00", -18_000),
        ("Europe/Berlin", "Europe/Berlin", None), ("america/NEW_york", "America/New_York", None),
    ],
)  # fmt: skip
def test_names(text: str, name: str, seconds: int | None) -> None:
    zone = Zone.of(text)
    assert (zone.name, zone.fixed, str(zone)) == (name, seconds, name)
    assert Zone.of(name) == zone == Zone.of(zone)
    assert hash(Zone.of(name)) == hash(zone)
    assert zone.is_fixed is (seconds is not None)
    assert zone.is_utc is (seconds == 0)
    assert pickle.loads(pickle.dumps(zone)) == zone  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Europe/Berln",
        "+24:00",
        "+01:60",
        "GMT+1:2:3",
        "../UTC",
        "posix/UTC",
        "right/UTC",
        "localtime",
        "1",
    ],
)
def test_unknown_names_are_refused(text: str) -> None:
    with pytest.raises(NotFoundError, match="there is no time zone"):
        Zone.of(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("Madird", "did you mean 'Europe/Madrid'?"),
        ("new yrok", "did you mean 'America/New_York'?"),
        ("Foo", "name one as Europe/Berlin, or an offset as GMT+02:00"),
    ],
)
def test_a_mistyped_name_gets_the_nearest_else_how_zones_are_written(text: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as found:
        Zone.of(text)
    assert found.value.hint == hint


@pytest.mark.parametrize("name", sorted(_known_zones().values())[::23])
def test_offsets_are_those_of_zoneinfo(name: str) -> None:
    # Of the same data: an operating system's may keep more of the times before 1970.
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        zone, rules = Zone.of(name), ZoneInfo.from_file(file)
    moment = datetime(1880, 1, 1, tzinfo=PYTHON_UTC)
    while moment.year < 2045:
        us = (moment - datetime(1970, 1, 1, tzinfo=PYTHON_UTC)) // timedelta(microseconds=1)
        assert zone.offset(us) == moment.astimezone(rules).utcoffset().total_seconds(), moment  # type: ignore[union-attr] - it has a zone
        moment += timedelta(days=5, hours=7, microseconds=1)


def test_a_change_is_found_to_the_microsecond() -> None:
    berlin, change = Zone.of("Europe/Berlin"), parse_instant("2024-03-31T01:00:00Z")
    assert (berlin.offset(change - 1), berlin.offset(change)) == (3600, 7200)


@pytest.mark.parametrize(
    ("name", "day", "start", "hours"),
    [
        ("Europe/Berlin", "2024-03-31", "2024-03-30T23:00Z", 23),
        ("Europe/Berlin", "2024-10-27", "2024-10-26T22:00Z", 25),
        ("America/New_York", "2024-03-10", "2024-03-10T05:00Z", 23),
        ("America/New_York", "2024-11-03", "2024-11-03T04:00Z", 25),
        ("America/New_York", "2024-07-04", "2024-07-04T04:00Z", 24),
        # Midnight itself is skipped: the day starts at one o'clock.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", 23),
        # Set back at midnight: 23 o'clock comes twice, on the day that ends.
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00Z", 25),
        # Set back at 00:01: the day begins, is interrupted, and goes on.
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30Z", 24),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", 25),
        ("America/St_Johns", "2010-03-14", "2010-03-14T03:30Z", 23),
        ("Australia/Lord_Howe", "2024-04-07", "2024-04-06T13:00Z", 24.5),
        ("Australia/Lord_Howe", "2024-10-06", "2024-10-05T13:30Z", 23.5),
        ("Asia/Kathmandu", "2024-01-01", "2023-12-31T18:15Z", 24),
        ("Asia/Kathmandu", "1986-01-01", "1985-12-31T18:30Z", 23.75),
        # Until 7 January 1972 Monrovia was 44 minutes and 30 seconds behind.
        ("Africa/Monrovia", "1972-01-06", "1972-01-06T00:44:30Z", 24),
        ("Africa/Monrovia", "1972-01-07", "1972-01-07T00:44:30Z", 24 - 44.5 / 60),
        ("Africa/Monrovia", "1972-01-08", "1972-01-08T00:00Z", 24),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00Z", 24),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00Z", 24),
        ("Europe/Amsterdam", "1925-01-01", "1924-12-31T23:59:59.999999Z", None),
    ],
)  # fmt: skip
def test_days(name: str, day: str, start: str, hours: float | None) -> None:
    zone, number = Zone.of(name), day_number(day)
    if hours is None:
        # Offsets of old are no whole minutes: only that the day is where its clock says.
        assert zone.local_day(zone.day_start(number)) == number
        assert zone.local_day(zone.day_start(number) - 1) == number - 1
        return
    assert zone.day_start(number) == parse_instant(
        start.replace("Z", ":00Z") if start.count(":") == 1 else start
    )
    assert zone.day_start(number + 1) - zone.day_start(number) == hours * HOUR
    assert zone.local_day(zone.day_start(number)) == number
    assert zone.local_day(zone.day_start(number) - 1) < number


def test_a_skipped_day_is_empty() -> None:
    apia, skipped = Zone.of("Pacific/Apia"), day_number("2011-12-30")
    assert apia.day_start(skipped) == apia.day_start(skipped + 1)
    assert apia.local_day(apia.day_start(skipped)) == skipped + 1
    assert apia.local_day(apia.day_start(skipped) - 1) == skipped - 1


def test_a_day_that_came_twice_is_one_day() -> None:
    # Alaska moved to this side of the date line: Friday 18 October 1867 followed a Friday.
    juneau = Zone.of("America/Juneau")
    days = [juneau.local_day(parse_instant("1867-10-17T00:00:00Z") + h * HOUR) for h in range(72)]
    assert days == sorted(days)
    assert sorted(set(days)) == list(range(days[0], days[-1] + 1))


def test_the_clock_of_a_day_set_back_goes_on_until_the_new_midnight() -> None:
    zone = Zone.of("America/St_Johns")
    change = parse_instant("2010-11-07T02:31:00Z")
    window = Window(change - DAY, change + DAY)
    assert zone.offset(change) == -12_600
    assert zone.shifts(window) == ((window.start, -9000), (parse_instant("2010-11-07T03:30:00Z"), -12_600))


def test_the_first_shift_is_the_start_of_the_window() -> None:
    berlin = Zone.of("Europe/Berlin")
    year = Window(parse_instant("2024-01-01"), parse_instant("2025-01-01"))
    spring, autumn = parse_instant("2024-03-31T01:00:00Z"), parse_instant("2024-10-27T01:00:00Z")
    assert berlin.shifts(year) == ((year.start, 3600), (spring, 7200), (autumn, 3600))
    assert berlin.shifts(Window(spring, autumn)) == ((spring, 7200),)
    assert berlin.shifts(Window(spring - 1, autumn + 1)) == (
        (spring - 1, 3600),
        (spring, 7200),
        (autumn, 3600),
    )
    assert UTC.shifts(Window(BEGINNING, FOREVER)) == ((BEGINNING, 0),)


def test_shifts_from_the_beginning_are_those_of_all_time() -> None:
    berlin = Zone.of("Europe/Berlin")
    shifts = berlin.shifts(Window(BEGINNING, parse_instant("1900-01-01")))
    assert shifts == ((BEGINNING, 3208), (parse_instant("1893-03-31T23:06:32Z"), 3600))
    assert berlin.shifts(Window(BEGINNING, BEGINNING + 1)) == ((BEGINNING, 3208),)


def test_shifts_without_an_end_are_refused() -> None:
    with pytest.raises(QueryError, match="have no end"):
        Zone.of("Europe/Berlin").shifts(Window(0, FOREVER))


@pytest.mark.parametrize("name", ["America/St_Johns", "Pacific/Apia", "America/Sao_Paulo", "Africa/Monrovia"])
def test_local_days_by_shifts_are_local_days(name: str) -> None:
    zone = Zone.of(name)
    window = Window(parse_instant("1965-01-01"), parse_instant("2015-01-01"))
    shifts = zone.shifts(window)
    assert all(left[1] != right[1] and left[0] < right[0] for left, right in pairwise(shifts))
    for (at, offset), following in zip(shifts, [*shifts[1:], (window.end, 0)], strict=True):
        for us in (at, (at + following[0]) // 2, following[0] - 1):
            assert zone.local_day(us) == (us + offset * 1_000_000) // DAY


def test_years_that_datetime_does_not_have() -> None:
    berlin = Zone.of("Europe/Berlin")
    july = parse_instant("9989-07-01")
    cycle = 146_097 * DAY
    assert berlin.offset(july) == berlin.offset(july + cycle) == berlin.offset(july + 300 * cycle) == 7200
    assert berlin.offset(july + cycle - 182 * DAY) == 3600
    assert berlin.offset(BEGINNING) == 3208
    assert berlin.day_start(berlin.local_day(july + 5 * cycle)) <= july + 5 * cycle


def test_wall_times() -> None:
    berlin = Zone.of("Europe/Berlin")

    def at(wall: str) -> int:
        return berlin.at_wall(parse_instant(wall))

    assert at("2024-07-01T12:00:00") == parse_instant("2024-07-01T10:00:00Z")
    assert at("2024-03-31T02:30:00") == parse_instant("2024-03-31T01:00:00Z")  # never shown
    assert at("2024-10-27T02:30:00") == parse_instant("2024-10-27T00:30:00Z")  # shown twice
    assert Zone.of("-03:30").at_wall(0) == 3.5 * HOUR


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Lodon", "did you mean 'Europe/London'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("new  york", "did you mean 'America/New_York'?"),
        ("PST", "did you mean 'America/Los_Angeles'?"),
        ("cest", "did you mean 'Europe/Berlin'?"),
        ("EST5", "an offset is written GMT-05:00"),
        ("XYZ-3", "an offset is written GMT+03:00"),
        ("utc+25", "an offset is written GMT+02:00 or -05:30, and is less than a day"),
        ("Z+1", "an offset is written GMT+02:00 or -05:30, and is less than a day"),
    ],
)
def test_what_is_meant_by_no_zone_is_suggested(name: str, hint: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        Zone.of(name)
    assert caught.value.hint == hint


def test_an_offset_may_be_written_in_short() -> None:
    assert Zone.of("utc+2") == Zone.of("GMT+02:00")
