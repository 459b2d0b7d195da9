from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from little_disk import files_of_at_most

from aggflow.errors import (
    SegmentDamagedError,
    SegmentMissingError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from aggflow.store import SegmentFile, SegmentStore
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Window

ROLLUP = "8f1c5a52-0000-4000-8000-000000000000"


def states(rows: int, *, first: int = 0, step: int = 60) -> pa.Table:
    numbers = np.arange(rows)
    return pa.table(
        {
            "bucket": first + numbers // 3 * step,
            "carrier": pa.array([f"c{i % 7}" for i in numbers], pa.string()).dictionary_encode(),
            "n": numbers * 3,
            "sum": numbers / 7,
            "bins": pa.array([[i, i + 1] if i % 5 else None for i in range(rows)], pa.list_(pa.int32())),
            "sketch": pa.array(
                [{"k": i, "v": [b"x" * (i % 3)]} for i in range(rows)],
                pa.struct([("k", pa.int64()), ("v", pa.list_(pa.binary()))]),
            ),
        }
    )


def write(store: SegmentStore, table: pa.Table, window: Window = ALWAYS) -> SegmentFile:
    return store.write(table, rollup_id=ROLLUP, version=1, window=window)


@pytest.fixture(params=["folder", "file://", "memory://"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> SegmentStore:
    return {
        "folder": SegmentStore(tmp_path / "a" / "segments"),
        "file://": SegmentStore(f"file://{tmp_path}/b/segments/"),
        "memory://": SegmentStore(f"memory://{tmp_path.name}"),
    }[request.param]


def test_what_is_written_is_read(any_store: SegmentStore) -> None:
    table = states(1000)
    written = write(any_store, table)
    assert written.rows == 1000
    assert any_store.read(written.file, written.checksum).equals(table)
    assert any_store.read(written.file).equals(table)
    (stored,) = any_store.files()
    assert (stored.file, stored.bytes) == (written.file, written.bytes)


def test_the_schema_comes_back_with_its_metadata(store: SegmentStore) -> None:
    table = states(10).replace_schema_metadata({"of": "delays"})
    written = write(store, table)
    assert store.read(written.file, written.checksum).schema.equals(table.schema, check_metadata=True)


def test_a_file_is_plain_parquet_with_statistics_of_buckets(store: SegmentStore, tmp_path: Path) -> None:
    written = write(store, states(300_000))
    file = pq.ParquetFile(tmp_path / "segments" / written.file)
    assert file.metadata.num_row_groups > 2
    first, second = file.metadata.row_group(0), file.metadata.row_group(1)
    assert first.column(0).statistics.min == 0
    assert first.column(0).statistics.max <= second.column(0).statistics.min
    assert first.column(1).statistics is None
    assert first.column(0).compression == "ZSTD"


def test_names_are_never_used_twice(store: SegmentStore) -> None:
    names = {write(store, states(3)).file for _ in range(10)}
    assert len(names) == 10
    assert {stored.file for stored in store.files()} == names


@pytest.mark.parametrize(
    "window", [ALWAYS, Window(BEGINNING, 60_000_000), Window(-1_500_000, FOREVER), Window(0, 60_000_001)]
)
def test_any_window_gives_a_name(store: SegmentStore, window: Window) -> None:
    written = write(store, states(3), window)
    assert store.read(written.file, written.checksum).num_rows == 3


def test_a_table_without_rows_is_a_segment(any_store: SegmentStore) -> None:
    written = write(any_store, states(0))
    for buckets in (None, (0, 10)):
        table = any_store.read(written.file, written.checksum, buckets)
        assert table.schema.equals(states(0).schema)
        assert table.num_rows == 0


@pytest.mark.parametrize("buckets", [(0, 60), (60, 180), (-9, 10**9), (10**9, 2 * 10**9), (59, 61), (61, 62)])
def test_a_range_of_buckets_is_what_a_filter_gives(any_store: SegmentStore, buckets: tuple[int, int]) -> None:
    table = states(1000)
    written = write(any_store, table)
    starts = table["bucket"].to_numpy()
    expected = table.filter(pa.array((starts >= buckets[0]) & (starts < buckets[1])))
    assert any_store.read(written.file, written.checksum, buckets).equals(expected)


def test_random_ranges_of_a_large_segment(store: SegmentStore, rng: np.random.Generator) -> None:
    table = states(300_000)
    written = write(store, table)
    starts = table["bucket"].to_numpy()
    for low, high in np.sort(rng.integers(-100, 6_100_000, (20, 2))).tolist():
        expected = table.filter(pa.array((starts >= low) & (starts < high)))
        assert store.read(written.file, written.checksum, (low, high)).equals(expected)


def test_a_range_of_buckets_leaves_the_rest_unread(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    written = write(store, states(300_000))
    path = tmp_path / written.file
    # What is not asked for may even be damaged: proof that it was not looked at.
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    assert store.read(written.file, written.checksum, (5_999_940, 6_000_000)).num_rows == 3
    with pytest.raises(SegmentDamagedError):
        store.read(written.file, written.checksum, (0, 60))
    with pytest.raises(SegmentDamagedError):
        store.read(written.file, written.checksum)


def test_a_flipped_bit_is_never_a_wrong_number(tmp_path: Path, rng: np.random.Generator) -> None:
    store = SegmentStore(tmp_path)
    table = states(2000)
    written = write(store, table)
    path = tmp_path / written.file
    content = path.read_bytes()
    starts = table["bucket"].to_numpy()
    for place in {0, 3, 4, len(content) - 1, len(content) - 5, *rng.integers(0, len(content), 300).tolist()}:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(SegmentDamagedError) as caught:
            store.read(written.file, written.checksum)
        assert written.file in str(caught.value)
        with pytest.raises(SegmentDamagedError):
            store.read(written.file, written.checksum, (0, int(starts[-1]) + 1))


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 100, -1, -8, -100])
def test_a_file_that_was_cut_short_is_damaged(tmp_path: Path, keep: int) -> None:
    store = SegmentStore(tmp_path)
    written = write(store, states(200))
    path = tmp_path / written.file
    path.write_bytes(path.read_bytes()[:keep])
    for buckets in (None, (0, 10**9)):
        for checksum in (None, written.checksum):
            with pytest.raises(SegmentDamagedError):
                store.read(written.file, checksum, buckets)


def test_another_segment_in_its_place_is_damage(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    one, two = write(store, states(200)), write(store, states(201))
    shutil.copy(tmp_path / two.file, tmp_path / one.file)
    with pytest.raises(SegmentDamagedError):
        store.read(one.file, one.checksum)


def test_a_missing_file_is_named(any_store: SegmentStore) -> None:
    with pytest.raises(SegmentMissingError, match=r"r/1/none\.parquet"):
        any_store.read("r/1/none.parquet", "0")


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"n": [1]}),
        pa.table({"n": [1], "bucket": [1]}),
        pa.table({"bucket": pa.array([1], pa.int32())}),
        pa.table({"bucket": [1.5]}),
        pa.table({"bucket": pa.array([1, None], pa.int64())}),
        pa.table({"bucket": [2, 1]}),
        pa.table({"bucket": [9, 10]}),
        pa.table({"bucket": [-1, 0]}),
        pa.table({}),
    ],
)
def test_what_is_no_segment_of_the_window_is_refused(store: SegmentStore, table: pa.Table) -> None:
    with pytest.raises(StoreError):
        write(store, table, Window(0, 10_000_000))
    assert store.files() == ()


def test_a_chunked_table_is_one_segment(store: SegmentStore) -> None:
    table = pa.concat_tables([states(10), states(10, first=1000), states(0)])
    written = write(store, table)
    assert store.read(written.file, written.checksum).equals(table)


def test_deleting_is_counted_and_may_be_repeated(any_store: SegmentStore) -> None:
    written = [write(any_store, states(3)).file for _ in range(3)]
    assert any_store.delete(written[:2]) == 2
    assert any_store.delete(written) == 1
    assert any_store.files() == ()


def test_a_store_that_was_never_written_has_no_files(any_store: SegmentStore) -> None:
    assert any_store.files() == ()


def test_an_unknown_kind_of_store_is_an_error() -> None:
    with pytest.raises(StoreError):
        SegmentStore("nosuchprotocol://x")


def test_pickles_as_its_url(any_store: SegmentStore) -> None:
    written = write(any_store, states(3))
    other: SegmentStore = pickle.loads(pickle.dumps(any_store))  # noqa: S301 - pickled here
    assert other.read(written.file, written.checksum).num_rows == 3


def test_without_room_nothing_half_written_stays(store: SegmentStore) -> None:
    first = write(store, states(3))
    with files_of_at_most(10_000), pytest.raises(StoreFullError) as caught:
        write(store, states(20_000))
    assert caught.value.retryable
    assert [stored.file for stored in store.files()] == [first.file]
    write(store, states(20_000))


def _mount(folder: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(folder)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}")


@pytest.fixture
def mounted() -> Iterator[Path]:
    """A file system of 256 KB."""
    folder = Path(tempfile.mkdtemp())
    try:
        _mount(folder, "-t", "tmpfs", "-o", "size=256k", "tmpfs")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting is for root")
def test_a_full_disk_is_an_error_that_leaves_nothing(mounted: Path) -> None:
    store = SegmentStore(mounted)
    (mounted / "other").write_bytes(b"x" * 200_000)
    with pytest.raises(StoreFullError):
        write(store, states(50_000))
    assert [stored.file for stored in store.files()] == ["other"]
    (mounted / "other").unlink()
    write(store, states(1000))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting is for root")
def test_a_read_only_folder_is_read_and_not_written(mounted: Path) -> None:
    store = SegmentStore(mounted)
    written = write(store, states(10))
    _mount(mounted, "-o", "remount,ro")
    assert store.read(written.file, written.checksum).num_rows == 10
    with pytest.raises(StoreReadOnlyError):
        write(store, states(10))
    with pytest.raises(StoreReadOnlyError):
        store.delete([written.file])


def test_a_file_in_the_place_of_its_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("not a folder")
    with pytest.raises(StoreError):
        write(SegmentStore(tmp_path / "segments"), states(3))


class BrokenError(Exception):
    """What an object store's own library raises, no error of the operating system."""


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (BrokenError("cannot reach https://me:secret@store/x"), StoreUnavailableError),
        (OSError(5, "slow down"), StoreUnavailableError),
        (PermissionError(13, "access denied"), StoreReadOnlyError),
        (FileNotFoundError("The specified bucket does not exist"), StoreError),
    ],
)
def test_what_an_object_store_raises_is_an_error_of_the_tree(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, error: type[StoreError]
) -> None:
    store = SegmentStore("memory://broken")

    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(type(store._fs), "pipe_file", fail)
    with pytest.raises(error) as caught:
        store.put("r/1/a.parquet", b"")
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)


def test_an_object_is_read_by_one_request_and_a_part_of_it_by_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = SegmentStore("memory://requests")
    rows = 400_000
    table = pa.table({"bucket": range(rows), "x": np.random.default_rng(1).random(rows)})
    written = store.write(table, rollup_id="r", version=1, window=Window(0, rows * 1_000_000))
    read: list[int] = []
    whole = type(store._fs).cat_file

    def cat_file(fs: Any, *args: Any, **options: Any) -> bytes:
        data = whole(fs, *args, **options)
        read.append(len(data))
        return data

    monkeypatch.setattr(type(store._fs), "cat_file", cat_file)
    assert store.read(written.file, written.checksum).num_rows == rows
    assert read == [written.bytes]
    read.clear()
    part = store.read(written.file, written.checksum, buckets=(5, 10))
    assert part.column("bucket").to_pylist() == list(range(5, 10))
    assert len(read) == 2
    assert sum(read) < written.bytes / 2
