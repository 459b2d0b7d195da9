from __future__ import annotations

from dataclasses import replace

import pytest

from aggflow.catalog import Catalog, Lease, NewSegment, Rollup
from aggflow.errors import CatalogError, ConflictError, LeaseLostError, NotFoundError
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Window, WindowSet


@pytest.fixture
def lease(catalog: Catalog, rollup: Rollup) -> Lease:
    acquired = catalog.acquire_lease(rollup.id, ALWAYS, "test", 0, 30)
    assert acquired
    return acquired


def put(catalog: Catalog, lease: Lease, start: int, end: int, file: str | None, now_us: int = 1) -> int:
    window = Window(start, end)
    segment = NewSegment(window, file, 10, 1000, "sum") if file else NewSegment(window, None)
    return catalog.replace_window(lease.rollup_id, 1, window, [segment], lease, now_us, build_id="b")


def live(catalog: Catalog, rollup: Rollup) -> list[tuple[int, int, str | None]]:
    return [(r.window.start, r.window.end, r.file) for r in catalog.coverage(rollup.id).rows]


def test_a_new_rollup_has_none(catalog: Catalog, rollup: Rollup) -> None:
    coverage = catalog.coverage(rollup.id)
    assert (coverage.generation, coverage.rows) == (catalog.generation(rollup.id), ())
    assert not coverage.windows(1)


def test_a_row_says_all_of_its_segment(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    generation = put(catalog, lease, 0, 10, "a", now_us=7)
    coverage = catalog.coverage(rollup.id)
    (row,) = coverage.rows
    assert coverage.generation == generation == catalog.generation(rollup.id)
    assert (row.rollup_id, row.version, row.window, row.file) == (rollup.id, 1, Window(0, 10), "a")
    assert (row.rows, row.bytes, row.checksum, row.built_us, row.build_id) == (10, 1000, "sum", 7, "b")


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (3, 6, [(0, 3, "a"), (3, 6, "b"), (6, 10, "a")]),
        (0, 6, [(0, 6, "b"), (6, 10, "a")]),
        (3, 10, [(0, 3, "a"), (3, 10, "b")]),
        (-5, 6, [(-5, 6, "b"), (6, 10, "a")]),
        (10, 12, [(0, 10, "a"), (10, 12, "b")]),
        (0, 10, [(0, 10, "b")]),
        (BEGINNING, FOREVER, [(BEGINNING, FOREVER, "b")]),
    ],
)
def test_a_replaced_window_cuts_what_was_there(
    catalog: Catalog, rollup: Rollup, lease: Lease, start: int, end: int, left: list[tuple[int, int, str]]
) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, start, end, "b")
    assert live(catalog, rollup) == left
    still_named = any(file == "a" for _, _, file in left)
    assert catalog.garbage(FOREVER) == (() if still_named else ("a",))
    assert catalog.live_files() == frozenset(file for _, _, file in left)


def test_a_file_is_garbage_when_its_last_part_goes(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 3, 6, "b", now_us=2)
    put(catalog, lease, 0, 3, None, now_us=3)
    assert catalog.garbage(FOREVER) == ()
    put(catalog, lease, 6, 10, None, now_us=4)
    assert catalog.garbage(3) == ()
    assert catalog.garbage(4) == ("a",)
    catalog.forget_garbage(["a"])
    assert catalog.garbage(FOREVER) == ()


def test_an_empty_window_is_covered(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, BEGINNING, 0, None)
    put(catalog, lease, 5, 9, "a")
    assert catalog.coverage(rollup.id).windows(1) == WindowSet.of(Window(BEGINNING, 0), Window(5, 9))
    assert catalog.live_files() == {"a"}


def test_several_segments_replace_one_window(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 100, "old")
    parts = [
        NewSegment(Window(20, 30), "b"),
        NewSegment(Window(10, 20), "a"),
        NewSegment(Window(30, 40), None),
    ]
    catalog.replace_window(rollup.id, 1, Window(10, 40), parts, lease, 2)
    assert live(catalog, rollup) == [
        (0, 10, "old"), (10, 20, "a"), (20, 30, "b"), (30, 40, None), (40, 100, "old"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "windows",
    [[], [(0, 5)], [(5, 10)], [(0, 6), (5, 10)], [(0, 4), (5, 10)], [(0, 11)], [(0, 10), (0, 10)]],
)
def test_segments_must_fill_the_window(
    catalog: Catalog, rollup: Rollup, lease: Lease, windows: list[tuple[int, int]]
) -> None:
    before = catalog.coverage(rollup.id)
    parts = [NewSegment(Window(*ends), "x") for ends in windows]
    with pytest.raises(CatalogError, match="do not fill"):
        catalog.replace_window(rollup.id, 1, Window(0, 10), parts, lease, 2)
    assert catalog.coverage(rollup.id) == before


def test_without_the_lease_nothing_is_written(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a")
    before = catalog.coverage(rollup.id)
    late = lease.expires_us + 1
    assert catalog.acquire_lease(rollup.id, Window(0, 5), "another", late, 30)
    with pytest.raises(LeaseLostError):
        put(catalog, lease, 0, 10, "b", now_us=late)
    assert catalog.coverage(rollup.id) == before


def test_an_expired_lease_that_nobody_took_still_holds(
    catalog: Catalog, rollup: Rollup, lease: Lease
) -> None:
    put(catalog, lease, 0, 10, "a", now_us=lease.expires_us + 1)
    assert live(catalog, rollup) == [(0, 10, "a")]


def test_a_lease_holds_its_window_only(catalog: Catalog, rollup: Rollup) -> None:
    lease = catalog.acquire_lease(rollup.id, Window(0, 10), "test", 0, 30)
    assert lease
    for start, end in ((0, 11), (-1, 10), (20, 30)):
        with pytest.raises(LeaseLostError):
            put(catalog, lease, start, end, "a")


def test_a_version_takes_windows_of_its_validity_only(catalog: Catalog, rollup: Rollup) -> None:
    catalog.add_version(rollup.id, {}, "h2", 60, now_us=1)
    lease = catalog.acquire_lease(rollup.id, ALWAYS, "test", 0, 30)
    assert lease
    for version, start, end in ((1, 50, 61), (2, 59, 70), (3, 0, 10)):
        window = Window(start, end)
        with pytest.raises(ConflictError):
            catalog.replace_window(rollup.id, version, window, [NewSegment(window, "a")], lease, 2)
    for version, start, end in ((1, BEGINNING, 60), (2, 60, FOREVER)):
        window = Window(start, end)
        catalog.replace_window(rollup.id, version, window, [NewSegment(window, f"v{version}")], lease, 2)
    coverage = catalog.coverage(rollup.id)
    assert [row.file for row in coverage.of(2)] == ["v2"]
    assert len(coverage.rows) == 2


def test_a_dropped_window_is_missing(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 10, 20, "b")
    before = catalog.generation(rollup.id)
    assert catalog.drop_window(rollup.id, 1, Window(5, 20), 3) == before + 1
    assert live(catalog, rollup) == [(0, 5, "a")]
    assert catalog.garbage(3) == ("b",)


def test_compaction_puts_one_in_place_of_many(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a", now_us=5)
    put(catalog, lease, 10, 20, None, now_us=3)
    put(catalog, lease, 20, 30, "c", now_us=4)
    put(catalog, lease, 30, 40, "d", now_us=6)
    rows = catalog.coverage(rollup.id).rows[:3]
    before = catalog.generation(rollup.id)
    assert catalog.compact(rollup.id, 1, rows, NewSegment(Window(0, 30), "abc", 20, 9, "s"), 9) == before + 1
    assert live(catalog, rollup) == [(0, 30, "abc"), (30, 40, "d")]
    assert catalog.coverage(rollup.id).rows[0].built_us == 3
    assert set(catalog.garbage(9)) == {"a", "c"}


def test_compaction_keeps_files_that_others_name(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 4, 5, "b")
    rows = catalog.coverage(rollup.id).rows[:2]
    catalog.compact(rollup.id, 1, rows, NewSegment(Window(0, 5), "ab"), 9)
    assert live(catalog, rollup) == [(0, 5, "ab"), (5, 10, "a")]
    assert catalog.garbage(FOREVER) == ("b",)


@pytest.mark.parametrize("window", [(3, 4), (0, 10), (19, 25)])
def test_compaction_gives_up_when_a_row_is_gone(
    catalog: Catalog, rollup: Rollup, lease: Lease, window: tuple[int, int]
) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 10, 20, "b")
    rows = catalog.coverage(rollup.id).rows
    put(catalog, lease, *window, "new")
    before = catalog.coverage(rollup.id)
    assert catalog.compact(rollup.id, 1, rows, NewSegment(Window(0, 20), "ab"), 9) is None
    assert catalog.coverage(rollup.id) == before
    assert "ab" not in catalog.live_files()


def test_a_row_that_was_replaced_by_its_equal_is_gone_too(
    catalog: Catalog, rollup: Rollup, lease: Lease
) -> None:
    # Ids must not come back: the newest rows are deleted, and the same number is made again.
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 10, 20, "b")
    rows = catalog.coverage(rollup.id).rows
    catalog.drop_window(rollup.id, 1, Window(0, 20), 2)
    put(catalog, lease, 0, 10, "c")
    put(catalog, lease, 10, 20, "d")
    assert catalog.compact(rollup.id, 1, rows, NewSegment(Window(0, 20), "ab"), 9) is None


def test_compaction_must_fill_its_window(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    put(catalog, lease, 0, 10, "a")
    put(catalog, lease, 12, 20, "b")
    rows = catalog.coverage(rollup.id).rows
    with pytest.raises(CatalogError, match="do not fill"):
        catalog.compact(rollup.id, 1, rows, NewSegment(Window(0, 20), "ab"), 9)


def test_more_segments_than_one_statement_carries(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    parts = [NewSegment(Window(i, i + 1), f"f{i}") for i in range(2500)]
    catalog.replace_window(rollup.id, 1, Window(0, 2500), parts, lease, 1)
    put(catalog, lease, 100, 2500, "new")
    assert len(catalog.coverage(rollup.id).rows) == 101
    assert len(catalog.garbage(FOREVER)) == 2400
    catalog.forget_garbage(catalog.garbage(FOREVER))
    assert catalog.garbage(FOREVER) == ()


def test_rollups_do_not_touch_each_other(catalog: Catalog, rollup: Rollup, lease: Lease) -> None:
    other = catalog.create_rollup(rollup.workspace_id, "filter", rollup.owner_id, "b", "flights", {}, "h")
    put(catalog, lease, 0, 10, "a")
    generation = catalog.generation(rollup.id)
    other_lease = catalog.acquire_lease(other.id, ALWAYS, "test", 0, 30)
    assert other_lease
    put(catalog, other_lease, 0, 10, "b")
    assert live(catalog, rollup) == [(0, 10, "a")]
    assert catalog.generation(rollup.id) == generation
    window = Window(0, 1)
    forged = replace(lease, id="forged")
    with pytest.raises(LeaseLostError):
        catalog.replace_window(rollup.id, 1, window, [NewSegment(window, "x")], forged, 1)


def test_an_unknown_rollup_is_an_error(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError):
        catalog.generation("none")
    with pytest.raises(NotFoundError):
        catalog.coverage("none")
    with pytest.raises(NotFoundError):
        catalog.drop_window("none", 1, Window(0, 1), 1)
