"""Lookbacks: the five totals of "Duration calculations", and what the rule means beside them.

Of the printed example, four totals follow from the table as it stands in only one way each;
the other two that include 12:00:00 are ten too high for it.  With 11 events at 12:00:00 one
rule gives all five, so both tables are held: as it must have been, and as printed.
"""

from __future__ import annotations

import pytest

from aggflow.errors import QueryError
from aggflow.timeline import FOREVER, UTC, Duration, Interval, Window, Zone, lookback, parse_instant

TWO_MINUTES = Interval.of("2m")
NOW = "2025-01-01T12:07:00Z"
AS_PRINTED = {0: 1, 1: 10, 2: 2, 3: 8, 4: 1, 5: 2, 6: 100}
AS_TOTALLED = {**AS_PRINTED, 0: 11}

SCENARIOS = [
    # duration, incomplete, offset, end, total with 11 at 12:00, total as printed
    ("4m", True, "0s", NOW, 103, 103),
    ("3m", False, "0s", NOW, 3, 3),
    ("6m", True, "0s", NOW, 113, 113),
    ("6m", False, "1m", NOW, 34, 24),
    ("6m", False, "1m", "2025-01-01T12:04:00Z", 21, 11),
]


def window_of(duration: str, incomplete: bool, offset: str, end: str) -> Window:
    return lookback(
        parse_instant(end),
        interval=TWO_MINUTES,
        zone=UTC,
        duration=Duration.of(duration),
        offset=Duration.of(offset),
        include_incomplete=incomplete,
    )


def total(events: dict[int, int], window: Window) -> int:
    """What the two-minute buckets that start in a window count."""
    buckets: dict[int, int] = {}
    for minute, count in events.items():
        bucket = TWO_MINUTES.floor(parse_instant(f"2025-01-01T12:{minute:02d}:00Z"))
        buckets[bucket] = buckets.get(bucket, 0) + count
    return sum(count for bucket, count in buckets.items() if bucket in window)


@pytest.mark.parametrize(("duration", "incomplete", "offset", "end", "totalled", "printed"), SCENARIOS)
def test_duration_calculations(
    duration: str, incomplete: bool, offset: str, end: str, totalled: int, printed: int
) -> None:
    window = window_of(duration, incomplete, offset, end)
    assert total(AS_TOTALLED, window) == totalled
    assert total(AS_PRINTED, window) == printed


@pytest.mark.parametrize("duration", ["2m", "3m", "4m", "5m", "1h", "26h"])
@pytest.mark.parametrize("offset", ["0s", "30s", "1m", "2m", "7m"])
@pytest.mark.parametrize("incomplete", [True, False])
@pytest.mark.parametrize(
    "end", [NOW, "2025-01-01T12:06:00Z", "2025-01-01T12:06:00.000001Z", "1969-12-31T23:59:59Z"]
)
def test_the_window_holds_just_the_buckets_of_the_rule(
    duration: str, offset: str, incomplete: bool, end: str
) -> None:
    window = window_of(duration, incomplete, offset, end)
    until = parse_instant(end) - Duration.of(offset).seconds_at_least * 10**6
    if not incomplete:
        until -= until % 120_000_000
    start = until - Duration.of(duration).seconds_at_least * 10**6
    aligned = (start // 120_000_000 - 2) * 120_000_000
    every = range(aligned, until + 240_000_000, 120_000_000)
    selected = [bucket for bucket in every if start <= bucket < until]
    assert [bucket for bucket in every if bucket in window] == selected
    assert window == Window(selected[0], selected[-1] + 120_000_000)


def test_days_and_months_of_a_zone() -> None:
    window = lookback(
        parse_instant("2024-04-15T12:00:00Z"),
        interval=Interval.of("1mo"),
        zone=Zone.of("Europe/Berlin"),
        duration=Duration.of("1mo"),
        offset=Duration.of("0s"),
        include_incomplete=False,
    )
    assert window == Window(
        parse_instant("2024-03-01T00:00:00+01:00"), parse_instant("2024-04-01T00:00:00+02:00")
    )


@pytest.mark.parametrize("end", ["2024-03-31T22:00:00Z", "2024-03-31T22:00:01Z", "2024-10-27T23:30:00Z"])
def test_complete_days_are_as_many_as_were_asked(end: str) -> None:
    berlin, day = Zone.of("Europe/Berlin"), Interval.of("1d")
    for count in (1, 2, 30):
        window = lookback(
            parse_instant(end),
            interval=day,
            zone=berlin,
            duration=Duration.of(f"{count}d"),
            offset=Duration.of("0s"),
            include_incomplete=False,
        )
        assert len(day.edges(window, berlin)) == count


def test_a_duration_that_selects_nothing_is_refused() -> None:
    with pytest.raises(QueryError, match="no bucket of 2m starts between"):
        window_of("0s", True, "0s", NOW)
    with pytest.raises(QueryError, match="no bucket of 2m starts between"):
        window_of("30s", True, "0s", NOW)


def test_the_end_of_time_is_no_end() -> None:
    with pytest.raises(QueryError, match="needs an end"):
        lookback(
            FOREVER,
            interval=TWO_MINUTES,
            zone=UTC,
            duration=Duration.of("4m"),
            offset=Duration.of("0s"),
            include_incomplete=True,
        )
