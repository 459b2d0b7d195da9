"""Durations: exact below a day, by the calendar from a day on."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from aggflow.errors import ParseError
from aggflow.timeline import BEGINNING, FOREVER, UTC, Duration, Interval, Zone, parse_instant


@pytest.mark.parametrize(
    ("value", "text", "seconds"),
    [
        ("0s", "0s", 0), (0, "0s", 0), ("0d", "0s", 0), ("0mo", "0s", 0), ("1s", "1s", 1), ("4m", "4m", 240), ("240s", "4m", 240),
        ("90m", "90m", 5400), ("24h", "1d", 86_400), ("36h", "36h", 129_600), ("30d", "30d", 2_592_000), ("2w", "14d", 1_209_600),
        (timedelta(minutes=4), "4m", 240), (240_000, "4m", 240), ("1mo", "1mo", 2_419_200), ("1q", "1q", 89 * 86_400),
        ("1y", "1y", 31_536_000), ("500y", "500y", 500 * 31_536_000),
    ],
)  # fmt: skip
def test_forms(value: str | int | timedelta, text: str, seconds: int) -> None:
    duration = Duration.of(value)
    assert (str(duration), duration.seconds_at_least) == (text, seconds)
    assert Duration.of(text) == duration == Duration.of(duration)
    assert pickle.loads(pickle.dumps(duration)) == duration  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "value", ["-1m", "1.5h", "", "soon", -1, 1, "10001y", timedelta(microseconds=1), None]
)
def test_what_is_refused(value: object) -> None:
    with pytest.raises(ParseError):
        Duration.of(value)  # type: ignore[arg-type] - wrong on purpose


@pytest.mark.parametrize(
    ("zone", "end", "duration", "start"),
    [
        ("UTC", "2025-01-01T12:07:00Z", "4m", "2025-01-01T12:03:00Z"),
        ("UTC", "2025-01-01T12:07:00Z", "0s", "2025-01-01T12:07:00Z"),
        ("UTC", "2024-03-01T12:00:00Z", "1d", "2024-02-29T12:00:00Z"),
        ("UTC", "2024-03-31T12:00:00Z", "1mo", "2024-02-29T12:00:00Z"),
        ("UTC", "2024-02-29T12:00:00Z", "1y", "2023-02-28T12:00:00Z"),
        ("UTC", "2024-01-15", "1q", "2023-10-15"),
        ("UTC", "1970-01-01T00:00:01.5Z", "1d", "1969-12-31T00:00:01.5Z"),
        # Clocks show the same time; the day between had 23 or 25 hours.
        ("Europe/Berlin", "2024-03-31T12:00:00+02:00", "1d", "2024-03-30T12:00:00+01:00"),
        ("Europe/Berlin", "2024-04-01T00:00:00+02:00", "1d", "2024-03-31T00:00:00+01:00"),
        ("Europe/Berlin", "2024-04-01T00:00:00+02:00", "24h", "2024-03-31T00:00:00+01:00"),
        ("Europe/Berlin", "2024-04-01T00:00:00+02:00", "23h", "2024-03-31T00:00:00+01:00"),
        ("Europe/Berlin", "2024-10-28T00:00:00+01:00", "1d", "2024-10-27T00:00:00+02:00"),
        ("Europe/Berlin", "2024-04-01T02:30:00+02:00", "1d", "2024-03-31T03:00:00+02:00"),
        ("Europe/Berlin", "2024-10-28T02:30:00+01:00", "1d", "2024-10-27T02:30:00+02:00"),
        ("Europe/Berlin", "2024-06-30T00:00:00+02:00", "6mo", "2023-12-30T00:00:00+01:00"),
        # The day starts at one o'clock, the one before it at midnight.
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "1d", "2018-11-03T03:00:00Z"),
        ("America/Sao_Paulo", "2018-11-05T02:00:00Z", "1d", "2018-11-04T03:00:00Z"),
        ("America/St_Johns", "2010-11-08T03:30:00Z", "1d", "2010-11-07T02:30:00Z"),
        # 30 December 2011 was skipped: a day before the 31st was the 29th.
        ("Pacific/Apia", "2011-12-31T00:00:00+14:00", "1d", "2011-12-29T00:00:00-10:00"),
        ("Pacific/Apia", "2012-01-01T00:00:00+14:00", "1d", "2011-12-31T00:00:00+14:00"),
    ],
)  # fmt: skip
def test_before(zone: str, end: str, duration: str, start: str) -> None:
    assert Duration.of(duration).before(parse_instant(end), Zone.of(zone)) == parse_instant(start)


def test_the_infinities_pass_through() -> None:
    for text in ("1h", "1d", "1mo"):
        for us in (BEGINNING, FOREVER):
            assert Duration.of(text).before(us, Zone.of("Europe/Berlin")) == us
    assert Duration.of("1d").before(0) == Duration.of("1d").before(0, UTC)


@pytest.mark.parametrize(
    ("duration", "interval", "reaches", "exceeds"),
    [
        ("4m", "2m", True, True), ("2m", "2m", True, False), ("1m", "2m", False, False), ("24h", "1d", True, False),
        ("23h", "1d", False, False), ("7d", "1w", True, False), ("1mo", "1mo", True, False), ("30d", "1mo", False, False),
        ("31d", "1mo", True, False), ("32d", "1mo", True, True), ("2mo", "1mo", True, True), ("1mo", "28d", True, False),
        ("1mo", "29d", False, False), ("1q", "3mo", True, False), ("1y", "1q", True, True), ("365d", "1y", False, False),
        ("366d", "1y", True, False), ("0s", "30s", False, False),
    ],
)  # fmt: skip
def test_against_an_interval(duration: str, interval: str, reaches: bool, exceeds: bool) -> None:
    width = Interval.of(interval)
    assert Duration.of(duration).reaches(width) is reaches
    assert Duration.of(duration).exceeds(width) is exceeds
