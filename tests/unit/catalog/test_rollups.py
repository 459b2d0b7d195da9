from __future__ import annotations

import pytest

from aggflow.catalog import Catalog, NewSegment, Rollup, Workspace
from aggflow.errors import ConflictError, LeaseLostError, NotFoundError
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Window


def build(catalog: Catalog, rollup: Rollup, version: int, window: Window, file: str | None) -> int:
    lease = catalog.acquire_lease(rollup.id, window, "test", 0, 30)
    assert lease
    generation = catalog.replace_window(
        rollup.id, version, window, [NewSegment(window, file, 1, 1, "c")], lease, 0
    )
    catalog.release_lease(lease)
    return generation


def validities(catalog: Catalog, rollup: Rollup) -> list[tuple[int, int, int]]:
    return [(v.number, v.validity.start, v.validity.end) for v in catalog.versions(rollup.id)]


def test_a_new_one_has_one_version_for_all_time(catalog: Catalog, rollup: Rollup) -> None:
    (version,) = catalog.versions(rollup.id)
    assert (version.number, version.spec, version.data_hash, version.layout) == (1, {"v": 1}, "h1", None)
    assert version.validity == ALWAYS
    assert catalog.rollup(rollup.id) == rollup == catalog.rollup_of(rollup.owner_id)
    assert catalog.rollups(rollup.workspace_id) == (rollup,)


def test_a_definition_may_have_several(catalog: Catalog, rollup: Rollup) -> None:
    more = catalog.create_rollup(rollup.workspace_id, "cube", rollup.owner_id, "by day", "flights", {}, "h")
    assert catalog.rollups_of(rollup.owner_id) == (more, rollup)
    with pytest.raises(ConflictError):
        catalog.create_rollup(rollup.workspace_id, "cube", rollup.owner_id, "by day", "flights", {}, "h")


def test_it_needs_a_definition(catalog: Catalog, workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        catalog.create_rollup(workspace.id, "filter", "nobody", "x", "flights", {}, "h")


def test_a_new_version_closes_the_last(catalog: Catalog, rollup: Rollup) -> None:
    build(catalog, rollup, 1, Window(0, 100), "old")
    added = catalog.add_version(rollup.id, {"v": 2}, "h2", 60, now_us=7)
    assert (added.number, added.validity) == (2, Window(60, FOREVER))
    assert validities(catalog, rollup) == [(1, BEGINNING, 60), (2, 60, FOREVER)]
    coverage = catalog.coverage(rollup.id)
    assert [(r.version, r.window, r.file) for r in coverage.rows] == [(1, Window(0, 60), "old")]
    assert catalog.garbage(FOREVER) == ()


def test_a_version_that_becomes_empty_goes_with_its_coverage(catalog: Catalog, rollup: Rollup) -> None:
    catalog.add_version(rollup.id, {"v": 2}, "h2", 60, now_us=7)
    build(catalog, rollup, 2, Window(60, 100), "second")
    catalog.add_version(rollup.id, {"v": 3}, "h3", 60, now_us=9)
    assert validities(catalog, rollup) == [(1, BEGINNING, 60), (3, 60, FOREVER)]
    assert catalog.coverage(rollup.id).rows == ()
    assert catalog.garbage(8) == ()
    assert catalog.garbage(9) == ("second",)


def test_a_version_from_an_earlier_instant_takes_the_later_ones_place(
    catalog: Catalog, rollup: Rollup
) -> None:
    catalog.add_version(rollup.id, {"v": 2}, "h2", 60, now_us=7)
    catalog.add_version(rollup.id, {"v": 3}, "h3", 40, now_us=7)
    assert validities(catalog, rollup) == [(1, BEGINNING, 40), (3, 40, FOREVER)]


def test_numbers_are_never_used_twice(catalog: Catalog, rollup: Rollup) -> None:
    numbers = [catalog.add_version(rollup.id, {}, "h", 60, now_us=7).number for _ in range(3)]
    numbers.append(catalog.reset_versions(rollup.id, {}, "h", now_us=7).number)
    numbers.append(catalog.add_version(rollup.id, {}, "h", 60, now_us=7).number)
    assert numbers == [2, 3, 4, 5, 6]


def test_a_reset_leaves_one_version_and_no_coverage(catalog: Catalog, rollup: Rollup) -> None:
    build(catalog, rollup, 1, Window(0, 100), "old")
    build(catalog, rollup, 1, Window(40, 50), None)
    before = catalog.generation(rollup.id)
    version = catalog.reset_versions(rollup.id, {"v": 9}, "h9", now_us=7, source="trips")
    assert catalog.versions(rollup.id) == (version,)
    assert (version.validity, version.spec) == (ALWAYS, {"v": 9})
    coverage = catalog.coverage(rollup.id)
    assert (coverage.rows, coverage.generation) == ((), before + 1)
    assert catalog.garbage(FOREVER) == ("old",)
    assert catalog.rollup(rollup.id).source == "trips"


@pytest.mark.parametrize("change", ["reset", "add", "drop"])
def test_a_change_takes_the_lease_from_a_build_at_work(catalog: Catalog, rollup: Rollup, change: str) -> None:
    window = Window(0, 100)
    lease = catalog.acquire_lease(rollup.id, window, "test", 0, 30)
    assert lease
    if change == "reset":
        catalog.reset_versions(rollup.id, {}, "h2", now_us=7)
    elif change == "add":
        catalog.add_version(rollup.id, {}, "h2", 60, now_us=7)
    else:
        catalog.drop_rollup(rollup.id, now_us=7)
    with pytest.raises((LeaseLostError, NotFoundError)):
        catalog.replace_window(rollup.id, 1, window, [NewSegment(window, "late")], lease, 8)
    assert "late" not in catalog.live_files()


def test_a_change_leaves_the_lease_of_a_build_before_it(catalog: Catalog, rollup: Rollup) -> None:
    window = Window(0, 60)
    lease = catalog.acquire_lease(rollup.id, window, "test", 0, 30)
    assert lease
    catalog.add_version(rollup.id, {}, "h2", 60, now_us=7)
    catalog.replace_window(rollup.id, 1, window, [NewSegment(window, "fine")], lease, 8)


def test_the_first_layout_stays(catalog: Catalog, rollup: Rollup) -> None:
    assert catalog.set_layout(rollup.id, 1, "duckdb-1") == "duckdb-1"
    assert catalog.set_layout(rollup.id, 1, "spark-4") == "duckdb-1"
    assert catalog.versions(rollup.id)[0].layout == "duckdb-1"
    with pytest.raises(NotFoundError):
        catalog.set_layout(rollup.id, 2, "duckdb-1")


def test_dropping_leaves_only_garbage(catalog: Catalog, rollup: Rollup) -> None:
    build(catalog, rollup, 1, Window(0, 100), "old")
    catalog.drop_rollup(rollup.id, now_us=7)
    assert catalog.garbage(FOREVER) == ("old",)
    assert catalog.live_files() == frozenset()
    for call in (catalog.rollup, catalog.coverage, catalog.generation):
        with pytest.raises(NotFoundError):
            call(rollup.id)
    assert catalog.versions(rollup.id) == ()
    assert catalog.rollup_of(rollup.owner_id) is None


def test_a_version_cannot_begin_at_the_end_of_time(catalog: Catalog, rollup: Rollup) -> None:
    before = catalog.generation(rollup.id)
    with pytest.raises(ConflictError):
        catalog.add_version(rollup.id, {}, "h", FOREVER, now_us=7)
    assert catalog.generation(rollup.id) == before
    assert validities(catalog, rollup) == [(1, BEGINNING, FOREVER)]
