from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from aggflow.catalog import Catalog, CoverageRow, NewSegment, Rollup
from aggflow.errors import SegmentDamagedError, SegmentMissingError
from aggflow.store import SegmentStore, compact
from aggflow.store.compaction import SMALL_BYTES, choose
from aggflow.store.segment import buckets_of
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Window

HOUR = 3_600_000_000
START = int(datetime(2025, 1, 30, tzinfo=UTC).timestamp()) * 1_000_000


def hours(first: int, last: int) -> Window:
    """A window by hours since 2025-01-30T00:00Z."""
    return Window(START + first * HOUR, START + last * HOUR)


def row(number: int, window: Window, size: int = 1000) -> CoverageRow:
    return CoverageRow(number, "r", 1, window, f"f{number}", 1, size, "", 0, None)


def chosen(rows: list[CoverageRow], least: int = 2) -> list[list[int]]:
    return [[r.id for r in run] for run in choose(rows, least=least)]


def test_nothing_is_done_before_there_are_enough() -> None:
    rows = [row(i, hours(i, i + 1)) for i in range(5)]
    assert chosen(rows, least=6) == []
    assert chosen(rows, least=5) == [[0, 1, 2, 3, 4]]


def test_the_last_month_goes_by_days_and_earlier_ones_whole() -> None:
    rows = [row(i, hours(12 * i, 12 * i + 12)) for i in range(8)]  # two days of January, two of February
    assert chosen(rows) == [[0, 1, 2, 3], [4, 5], [6, 7]]


def test_what_does_not_touch_stays_apart() -> None:
    rows = [row(i, hours(i, i + 1)) for i in (0, 1, 3, 4, 6)]
    assert chosen(rows) == [[0, 1], [3, 4]]


def test_what_reaches_beyond_a_period_is_left_alone() -> None:
    rows = [
        row(1, Window(BEGINNING, START)),
        row(2, hours(0, 30)),
        row(3, hours(30, 31)),
        row(4, hours(31, 32)),
        row(5, hours(32, 60)),
        row(6, Window(START + 60 * HOUR, FOREVER)),
    ]
    assert chosen(rows) == [[3, 4]]


def test_large_files_are_left_alone() -> None:
    rows = [row(i, hours(i, i + 1), SMALL_BYTES if i == 2 else 1000) for i in range(5)]
    assert chosen(rows) == [[0, 1], [3, 4]]


def test_a_run_has_a_size_that_fits_in_memory() -> None:
    rows = [row(i, hours(i, i + 1), SMALL_BYTES - 1) for i in range(10)]
    assert chosen(rows) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def fill(
    catalog: Catalog,
    store: SegmentStore,
    rollup: Rollup,
    window: Window,
    stamp: int | None,
    *,
    empty: bool = False,
) -> None:
    """Replace a window by rows of each hour in it that carry a stamp."""
    lease = catalog.acquire_lease(rollup.id, window, "test", 0, 30)
    assert lease
    low, high = buckets_of(window)
    buckets = np.repeat(np.arange(low, high, 3600), 2)
    table = pa.table(
        {"bucket": buckets, "stamp": [stamp] * len(buckets), "bins": [[b] for b in buckets.tolist()]}
    )
    segment = NewSegment(window, None)
    if not empty:
        made = store.write(table, rollup_id=rollup.id, version=1, window=window)
        segment = NewSegment(window, made.file, made.rows, made.bytes, made.checksum)
    catalog.replace_window(rollup.id, 1, window, [segment], lease, 1)
    catalog.release_lease(lease)


def content(catalog: Catalog, store: SegmentStore, rollup: Rollup) -> list[dict[str, object]]:
    rows = catalog.coverage(rollup.id).rows
    return [
        state
        for r in rows
        if r.file is not None
        for state in store.read(r.file, r.checksum, buckets_of(r.window)).to_pylist()
    ]


def test_answers_stay_the_same(catalog: Catalog, store: SegmentStore, rollup: Rollup) -> None:
    for i in range(40):
        fill(catalog, store, rollup, hours(i * 2, i * 2 + 2), i, empty=i % 7 == 0)
    fill(catalog, store, rollup, hours(11, 14), 100)  # cuts two files, and swallows none whole
    fill(catalog, store, rollup, hours(20, 21), None, empty=True)
    before = content(catalog, store, rollup)
    covered = catalog.coverage(rollup.id).windows(1)
    report = compact(catalog, store, rollup.id, least=4, now_us=5)
    coverage = catalog.coverage(rollup.id)
    assert content(catalog, store, rollup) == before
    assert coverage.windows(1) == covered
    assert [r.window for r in coverage.rows] == [hours(0, 48), hours(48, 72), hours(72, 80)]
    assert (report.segments_written, report.superseded) == (3, 0)
    assert report.segments_read > 30
    live = {r.file for r in coverage.rows}
    assert set(catalog.garbage(5)) == {stored.file for stored in store.files()} - live
    assert compact(catalog, store, rollup.id, least=4, now_us=6).segments_written == 0


def test_empty_windows_become_one_without_a_file(
    catalog: Catalog, store: SegmentStore, rollup: Rollup
) -> None:
    for i in range(4):
        fill(catalog, store, rollup, hours(i, i + 1), i, empty=True)
    compact(catalog, store, rollup.id, least=2, now_us=5)
    assert [(r.window, r.file) for r in catalog.coverage(rollup.id).rows] == [(hours(0, 4), None)]
    assert store.files() == ()


def test_versions_are_not_mixed(catalog: Catalog, store: SegmentStore, rollup: Rollup) -> None:
    for i in range(4):
        fill(catalog, store, rollup, hours(i, i + 1), i)
    added = catalog.add_version(rollup.id, {}, "h2", hours(4, 5).start, 2)
    lease = catalog.acquire_lease(rollup.id, ALWAYS, "test", 0, 30)
    assert lease
    for i in range(4, 6):
        segment = NewSegment(hours(i, i + 1), None)
        catalog.replace_window(rollup.id, added.number, segment.window, [segment], lease, 3)
    compact(catalog, store, rollup.id, least=2, now_us=5)
    rows = catalog.coverage(rollup.id).rows
    assert [(r.version, r.window) for r in rows] == [(1, hours(0, 4)), (added.number, hours(4, 6))]


class BusyCatalog(Catalog):
    """A catalog in which a build commits just before each compaction does."""

    def compact(self, *arguments, **options):  # type: ignore[no-untyped-def] - as it is called
        self.drop_window(arguments[0], 1, hours(1, 2), 4)
        return super().compact(*arguments, **options)


def test_a_build_that_is_faster_wins(catalog: Catalog, store: SegmentStore, rollup: Rollup) -> None:
    for i in range(4):
        fill(catalog, store, rollup, hours(i, i + 1), i)
    with BusyCatalog.open(catalog.url) as busy:
        report = compact(busy, store, rollup.id, least=2, now_us=5)
    assert (report.segments_written, report.superseded) == (0, 1)
    rows = catalog.coverage(rollup.id).rows
    assert [r.window for r in rows] == [hours(0, 1), hours(2, 3), hours(3, 4)]
    known = {r.file for r in rows} | set(catalog.garbage(9))
    assert {stored.file for stored in store.files()} == known, "what it wrote in vain is gone"


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_a_segment_that_cannot_be_read_stops_it(
    catalog: Catalog, store: SegmentStore, rollup: Rollup, damage: str
) -> None:
    for i in range(4):
        fill(catalog, store, rollup, hours(i, i + 1), i)
    before = catalog.coverage(rollup.id)
    file = before.rows[2].file
    assert file
    path = f"{store._root}/{file}"
    if damage == "missing":
        store.delete([file])
    else:
        with open(path, "r+b") as opened:  # noqa: PTH123 - the store names it by a text
            opened.seek(20)
            opened.write(b"????")
    with pytest.raises((SegmentMissingError, SegmentDamagedError), match=file):
        compact(catalog, store, rollup.id, least=2, now_us=5)
    assert catalog.coverage(rollup.id) == before
