"""The laws of sets of windows, held against sets of small integers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Interval, Window, WindowSet, Zone

SIZE = 24
DAY = 86_400_000_000
YEARS = 100 * 365 * DAY

small_windows = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).filter(lambda p: p[0] < p[1])
small_sets = st.lists(small_windows.map(lambda p: Window(*p)), max_size=6).map(WindowSet)
UNIVERSE = WindowSet.of(Window(0, SIZE))
NOTHING = WindowSet()

zones = st.sampled_from(
    ["UTC", "GMT+05:30", "Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia"]
).map(Zone.of)
intervals = st.sampled_from(["13m", "1h", "1d", "3d", "1w", "1mo", "1q", "1y"]).map(Interval.of)
windows = st.builds(
    lambda start, length: Window(start, start + length), st.integers(-YEARS, YEARS), st.integers(1, 30 * DAY)
)
sets = st.lists(windows, max_size=4).map(WindowSet)
open_ends = st.sampled_from([NOTHING, WindowSet.of(Window(BEGINNING, 0)), WindowSet.of(Window(0, FOREVER))])


def members(windows: WindowSet) -> set[int]:
    return {n for n in range(SIZE) if n in windows}


@given(small_sets, small_sets)
def test_operations_are_those_of_sets(a: WindowSet, b: WindowSet) -> None:
    assert members(a | b) == members(a) | members(b)
    assert members(a & b) == members(a) & members(b)
    assert members(a - b) == members(a) - members(b)
    assert (a <= b) is (members(a) <= members(b))
    assert (a == b) is (members(a) == members(b))
    assert (hash(a) == hash(b)) or a != b
    assert a.microseconds == len(members(a))
    assert bool(a) is bool(members(a))


@given(small_sets, small_sets)
def test_results_are_sorted_disjoint_and_do_not_touch(a: WindowSet, b: WindowSet) -> None:
    for result in (a | b, a & b, a - b):
        assert all(left.end < right.start for left, right in pairwise(result))


@given(small_sets)
def test_identity_idempotence_and_domination(a: WindowSet) -> None:
    assert a | NOTHING == a == NOTHING | a
    assert a & UNIVERSE == a == a & WindowSet.of(ALWAYS)
    assert a - NOTHING == a
    assert a | a == a == a & a
    assert a - a == NOTHING == a & NOTHING == NOTHING - a
    assert a | UNIVERSE == UNIVERSE
    assert WindowSet(a) == a


@given(small_sets, small_sets, small_sets)
def test_commutativity_associativity_distributivity_absorption(
    a: WindowSet, b: WindowSet, c: WindowSet
) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)
    assert a | (a & b) == a == a & (a | b)


@given(small_sets, small_sets)
def test_de_morgan_within_a_universe(a: WindowSet, b: WindowSet) -> None:
    assert UNIVERSE - (a | b) == (UNIVERSE - a) & (UNIVERSE - b)
    assert UNIVERSE - (a & b) == (UNIVERSE - a) | (UNIVERSE - b)
    assert UNIVERSE - (UNIVERSE - a) == a


@given(sets, sets)
def test_missing_and_covered_make_up_what_is_wanted(wanted: WindowSet, covered: WindowSet) -> None:
    missing = wanted - covered
    assert not missing & covered
    assert missing | (wanted & covered) == wanted
    assert missing <= wanted


@given(sets, open_ends, intervals, zones)
def test_snapping_in_and_out_encloses_the_set(
    finite: WindowSet, ends: WindowSet, interval: Interval, zone: Zone
) -> None:
    some = finite | ends
    inner, outer = some.snap_in(interval, zone), some.snap_out(interval, zone)
    assert inner <= some <= outer
    assert inner.snap_in(interval, zone) == inner == inner.snap_out(interval, zone)
    assert outer.snap_in(interval, zone) == outer == outer.snap_out(interval, zone)
    # None larger inside, none smaller outside: what is left over holds no whole bucket.
    assert not (some - inner).snap_in(interval, zone)
    assert not (outer - some).snap_in(interval, zone)


@given(sets, intervals, zones, st.integers(1, 400 * DAY))
def test_cut_is_a_partition_into_whole_buckets(
    some: WindowSet, interval: Interval, zone: Zone, at_most: int
) -> None:
    if not interval.is_calendar:
        at_most += 40 * (interval.seconds or 0) * 1_000_000  # so that batches stay few
    batches = some.cut(interval, zone, at_most)
    outer = some.snap_out(interval, zone)
    assert WindowSet(batches) == outer
    assert sum(batch.microseconds for batch in batches) == outer.microseconds
    assert all(left.end <= right.start for left, right in pairwise(batches))
    for batch in batches:
        assert interval.floor(batch.start, zone) == batch.start
        assert interval.floor(batch.end, zone) == batch.end
        assert batch.microseconds <= at_most or interval.next(batch.start, zone) == batch.end
