from __future__ import annotations

import pytest

from aggflow.language import Cron
from aggflow.spec.fire import clock_changes, next_fires
from aggflow.timeline import UTC, Zone, parse_instant

BERLIN = Zone.of("Europe/Berlin")


def shown(expression: str, after: str, count: int, zone: Zone = BERLIN) -> list[tuple[str, str]]:
    fires = next_fires(Cron.of(expression), zone, parse_instant(after), count)
    return [(str(fire), fire.note) for fire in fires]


def test_a_fire_is_written_as_its_clock_shows_it() -> None:
    assert shown("0 25 6 ? * *", "2026-11-25T22:00Z", 2, Zone.of("Asia/Kolkata")) == [
        ("Thu 26 Nov 2026 06:25:00 +05:30", ""),
        ("Fri 27 Nov 2026 06:25:00 +05:30", ""),
    ]
    assert shown("0 0 0 ? * *", "2026-11-25T22:00Z", 1, Zone.of("America/New_York"))[0][0].endswith("-05:00")


def test_a_time_that_the_clock_leaves_out_is_told() -> None:
    found = shown("0 30 2 ? * *", "2026-03-28T12:00Z", 2)
    assert found[0][0] == "Sun 29 Mar 2026 03:00:00 +02:00"
    assert "leaves" in found[0][1]
    assert found[1] == ("Mon 30 Mar 2026 02:30:00 +02:00", "")


def test_a_time_that_comes_twice_is_told() -> None:
    once = shown("0 30 2 ? * *", "2026-10-24T12:00Z", 2)
    assert once[0][0] == "Sun 25 Oct 2026 02:30:00 +02:00"
    assert "first" in once[0][1]
    assert once[1][1] == ""
    hourly = shown("0 30 * * * *", "2026-10-25T00:00Z", 3)
    assert [fire for fire, _ in hourly] == [
        "Sun 25 Oct 2026 02:30:00 +02:00",
        "Sun 25 Oct 2026 02:30:00 +01:00",
        "Sun 25 Oct 2026 03:30:00 +01:00",
    ]
    assert ["first" in note for _, note in hourly] == [True, False, False]
    assert "second" in hourly[1][1]


def test_days_without_a_change_have_no_note() -> None:
    assert {note for _, note in shown("0 0 */6 * * *", "2026-06-01T00:00Z", 20)} == {""}
    assert {note for _, note in shown("0 30 2 ? * *", "2026-03-28T12:00Z", 20, UTC)} == {""}


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [
        ("Europe/Berlin", "2026-01-01", "2027-01-01", ["clocks go forward 1 h", "clocks go back 1 h"]),
        ("Australia/Lord_Howe", "2026-04-01", "2026-05-01", ["clocks go back 30 min"]),
        ("Asia/Kolkata", "2026-01-01", "2027-01-01", []),
        ("UTC", "2026-01-01", "2027-01-01", []),
        ("Europe/Berlin", "2026-01-01", "2026-01-01", []),
    ],
)
def test_changes_of_clocks(zone: str, start: str, end: str, expected: list[str]) -> None:
    found = clock_changes(Zone.of(zone), parse_instant(start), parse_instant(end))
    assert [str(change) for change in found] == expected


def test_a_change_stands_where_the_clock_goes_on() -> None:
    (change,) = clock_changes(BERLIN, parse_instant("2026-03-01"), parse_instant("2026-04-01"))
    assert change.at_us == parse_instant("2026-03-29T01:00:00Z")
    assert change.wall_us == parse_instant("2026-03-29T03:00:00Z")
