from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from aggflow.catalog import Catalog, NewSegment, Rollup
from aggflow.store import GarbageReport, SegmentStore, collect_garbage
from aggflow.timeline import Window

NOW = 1_700_000_000_000_000
SECOND = 1_000_000
WINDOW = Window(0, 60 * SECOND)


def write(store: SegmentStore, tmp_path: Path, modified_us: int, rollup_id: str = "r") -> NewSegment:
    made = store.write(pa.table({"bucket": [0]}), rollup_id=rollup_id, version=1, window=WINDOW)
    os.utime(tmp_path / "segments" / made.file, (modified_us / SECOND, modified_us / SECOND))
    return NewSegment(WINDOW, made.file, made.rows, made.bytes, made.checksum)


def names(store: SegmentStore) -> set[str | None]:
    return {stored.file for stored in store.files()}


def test_superseded_files_go_after_the_grace(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    lease = catalog.acquire_lease(rollup.id, WINDOW, "test", NOW, 30)
    assert lease
    old, new = write(store, tmp_path, NOW), write(store, tmp_path, NOW)
    catalog.replace_window(rollup.id, 1, WINDOW, [old], lease, NOW)
    catalog.replace_window(rollup.id, 1, WINDOW, [new], lease, NOW + 10 * SECOND)
    assert collect_garbage(catalog, store, grace=60, now_us=NOW + 69 * SECOND) == GarbageReport()
    assert names(store) == {old.file, new.file}
    report = collect_garbage(catalog, store, grace=60, now_us=NOW + 70 * SECOND)
    assert report == GarbageReport(superseded=1, strays=0, bytes=old.bytes)
    assert names(store) == {new.file}
    assert collect_garbage(catalog, store, grace=60, now_us=NOW + 999 * SECOND) == GarbageReport()
    assert names(store) == {new.file}


def test_strays_go_after_the_grace(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    stray = write(store, tmp_path, NOW - 100 * SECOND, rollup.id)
    young = write(store, tmp_path, NOW - 10 * SECOND, rollup.id)
    half = tmp_path / "segments" / rollup.id / "1" / f".0-1-{'0' * 32}.parquet.tmp"
    half.write_bytes(b"x")
    os.utime(half, (NOW / SECOND - 100, NOW / SECOND - 100))
    report = collect_garbage(catalog, store, grace=60, now_us=NOW)
    assert report == GarbageReport(superseded=0, strays=2, bytes=stray.bytes + 1)
    assert names(store) == {young.file}


def test_what_a_build_is_writing_is_no_garbage(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    lease = catalog.acquire_lease(rollup.id, WINDOW, "test", NOW, 30)
    assert lease
    with store.draft(rollup_id=rollup.id, version=1, window=WINDOW) as draft:
        draft.add(pa.table({"bucket": [0]}))
        os.utime(draft.path, (0, 0))
        assert collect_garbage(catalog, store, grace=0, now_us=NOW + 29 * SECOND) == GarbageReport()
        made = store.keep(draft)
    os.utime(tmp_path / "segments" / made.file, (0, 0))
    assert collect_garbage(catalog, store, grace=0, now_us=NOW + 29 * SECOND) == GarbageReport()
    assert store.read(made.file, made.checksum).num_rows == 1
    catalog.release_lease(lease)
    assert collect_garbage(catalog, store, grace=0, now_us=NOW + 29 * SECOND).strays == 1


def test_what_is_not_this_catalogs_is_never_deleted(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    of_another_home = write(store, tmp_path, 0, "another-rollup")
    for name in ("thesis.docx", f"{rollup.id}/1/notes.parquet", f"{rollup.id}/readme.txt"):
        foreign = tmp_path / "segments" / name
        foreign.parent.mkdir(parents=True, exist_ok=True)
        foreign.write_bytes(b"mine")
        os.utime(foreign, (0, 0))
    assert collect_garbage(catalog, store, grace=60, now_us=NOW) == GarbageReport()
    assert len(names(store)) == 4
    assert of_another_home.file in names(store)


def test_a_deletion_that_was_interrupted_is_finished(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    lease = catalog.acquire_lease(rollup.id, WINDOW, "test", NOW, 30)
    assert lease
    old = write(store, tmp_path, NOW)
    catalog.replace_window(rollup.id, 1, WINDOW, [old], lease, NOW)
    catalog.drop_window(rollup.id, 1, WINDOW, NOW)
    store.delete([old.file or ""])  # and then the process was killed
    assert collect_garbage(catalog, store, grace=0, now_us=NOW) == GarbageReport()
    assert catalog.garbage(NOW) == ()


def test_superseded_files_are_not_strays(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, tmp_path: Path
) -> None:
    # Written long ago, superseded just now: readers may still want it.
    lease = catalog.acquire_lease(rollup.id, WINDOW, "test", NOW, 30)
    assert lease
    old = write(store, tmp_path, NOW - 9999 * SECOND)
    catalog.replace_window(rollup.id, 1, WINDOW, [old], lease, NOW)
    catalog.drop_window(rollup.id, 1, WINDOW, NOW)
    assert collect_garbage(catalog, store, grace=60, now_us=NOW) == GarbageReport()
    assert names(store) == {old.file}


def test_an_object_store_is_collected_too(catalog: Catalog, rollup: Rollup, tmp_path: Path) -> None:
    store = SegmentStore(f"memory://{tmp_path.name}")
    store.write(pa.table({"bucket": [0]}), rollup_id=rollup.id, version=1, window=WINDOW)
    assert collect_garbage(catalog, store, grace=0, now_us=NOW * 2).strays == 1
    assert store.files() == ()
