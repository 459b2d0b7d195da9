"""Windows: what they hold and refuse, how sets of them snap to buckets and are cut."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

from aggflow.errors import QueryError
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, UTC, Interval, Window, WindowSet, Zone, parse_instant

HOUR = 3_600_000_000
DAY = 24 * HOUR


def hours(*pairs: tuple[float, float]) -> WindowSet:
    return WindowSet(Window(int(start * HOUR), int(end * HOUR)) for start, end in pairs)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 0), (FOREVER, BEGINNING)])
def test_a_window_holds_time(start: int, end: int) -> None:
    with pytest.raises(QueryError, match="holds no time"):
        Window(start, end)


def test_a_window_is_half_open() -> None:
    window = Window(0, HOUR)
    assert 0 in window
    assert HOUR - 1 in window
    assert HOUR not in window
    assert -1 not in window
    assert window.microseconds == HOUR
    assert window & Window(HOUR, 2 * HOUR) is None
    assert window & Window(5, 2 * HOUR) == Window(5, HOUR)
    assert (window.is_bounded, ALWAYS.is_bounded, Window(0, FOREVER).is_bounded) == (True, False, False)


def test_windows_that_overlap_or_touch_become_one() -> None:
    assert hours((5, 6), (0, 1), (1, 2), (1.5, 3), (5, 5.5)) == hours((0, 3), (5, 6))
    assert len(hours((0, 1), (1, 2))) == 1
    assert [w.start for w in hours((5, 6), (0, 1))] == [0, 5 * HOUR]


def test_a_set_is_a_value() -> None:
    covered = hours((0, 1), (5, 6))
    assert hash(covered) == hash(hours((5, 6), (0, 1)))
    assert pickle.loads(pickle.dumps(covered)) == covered  # noqa: S301 - our own bytes
    with pytest.raises(FrozenInstanceError):
        covered.windows = ()  # type: ignore[misc] - refused when it runs
    assert str(hours((0, 1))) == "{[1970-01-01T00:00:00Z, 1970-01-01T01:00:00Z)}"


def test_what_is_in_a_set() -> None:
    covered = hours((0, 1), (5, 6))
    assert 0 in covered
    assert HOUR not in covered
    assert Window(0, HOUR) in covered
    assert Window(0, HOUR + 1) not in covered
    assert Window(0, 6 * HOUR) not in covered
    assert covered.span == Window(0, 6 * HOUR)
    assert covered.microseconds == 2 * HOUR
    assert (bool(covered), bool(WindowSet()), WindowSet().span, WindowSet().microseconds) == (
        True,
        False,
        None,
        0,
    )


def test_missing_is_wanted_without_covered() -> None:
    wanted = WindowSet.of(Window(BEGINNING, 10 * HOUR))
    covered = hours((0, 1), (5, 6), (9, 12))
    assert wanted - covered == WindowSet([Window(BEGINNING, 0), *hours((1, 5), (6, 9))])
    assert WindowSet.of(ALWAYS) - wanted == WindowSet.of(Window(10 * HOUR, FOREVER))
    assert wanted - WindowSet() == wanted


def test_snapping() -> None:
    hour = Interval.of("1h")
    some = hours((0.5, 1.5), (2.25, 2.75), (5, 6))
    assert some.snap_out(hour, UTC) == hours((0, 3), (5, 6))
    assert some.snap_in(hour, UTC) == hours((5, 6))
    assert hours((0.5, 3.5)).snap_in(hour, UTC) == hours((1, 3))
    assert (
        WindowSet.of(ALWAYS).snap_in(hour, UTC)
        == WindowSet.of(ALWAYS)
        == WindowSet.of(ALWAYS).snap_out(hour, UTC)
    )
    assert WindowSet.of(Window(BEGINNING, 1)).snap_out(hour, UTC) == WindowSet.of(Window(BEGINNING, HOUR))


def test_cut_into_batches_of_whole_buckets() -> None:
    hour = Interval.of("1h")
    assert hours((0, 5)).cut(hour, UTC, 2 * HOUR) == tuple(
        Window(a * HOUR, b * HOUR) for a, b in [(0, 2), (2, 4), (4, 5)]
    )
    assert hours((0, 2)).cut(hour, UTC, 1) == (Window(0, HOUR), Window(HOUR, 2 * HOUR))
    assert hours((0.5, 1.5)).cut(hour, UTC, DAY) == (Window(0, 2 * HOUR),)
    assert hours((0, 1), (3, 4)).cut(hour, UTC, DAY) == (Window(0, HOUR), Window(3 * HOUR, 4 * HOUR))
    assert WindowSet().cut(hour, UTC, DAY) == ()


def test_cut_by_days_of_23_and_25_hours() -> None:
    berlin = Zone.of("Europe/Berlin")
    start = parse_instant("2024-03-30T00:00:00+01:00")
    days = WindowSet.of(Window(start, start + 71 * HOUR))
    assert [w.microseconds // HOUR for w in days.cut(Interval.of("1d"), berlin, DAY)] == [24, 23, 24]
    assert [w.microseconds // HOUR for w in days.cut(Interval.of("1d"), berlin, 47 * HOUR)] == [47, 24]


@pytest.mark.parametrize("window", [ALWAYS, Window(0, FOREVER), Window(BEGINNING, 0)])
def test_what_has_no_end_is_not_cut(window: Window) -> None:
    with pytest.raises(QueryError, match="cannot be cut"):
        WindowSet.of(window).cut(Interval.of("1h"), UTC, HOUR)
