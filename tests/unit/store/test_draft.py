"""A segment that is written part by part is the one that is written at once, or none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggflow.errors import StoreError, StoreFullError
from aggflow.store import Draft, SegmentStore
from aggflow.timeline import Window

WINDOW = Window(0, 1_000_000_000)


def draft_of(store: SegmentStore) -> Draft:
    return store.draft(rollup_id="r", version=1, window=WINDOW)


def part(first: int, by: pa.Array, rows: int = 3) -> pa.Table:
    return pa.table({"bucket": [first + i for i in range(rows)], "by g": by, "n": [first] * rows})


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string()).dictionary_encode()


@pytest.fixture(params=["folder", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> SegmentStore:
    return SegmentStore(
        tmp_path / "segments" if request.param == "folder" else f"memory://{tmp_path.name}-draft"
    )


def test_parts_are_one_segment(any_store: SegmentStore) -> None:
    parts = [part(0, texts("a", "b", "a")), part(10, texts("c", None, "a")), part(20, texts("b", "b", "b"))]
    with draft_of(any_store) as draft:
        for one in parts:
            draft.add(one.replace_schema_metadata({"of": "f"}))
        assert any_store.files() == () or all(file.file.endswith(".tmp") for file in any_store.files())
        written = any_store.keep(draft)
    assert written.rows == 9
    assert [(file.file, file.bytes) for file in any_store.files()] == [(written.file, written.bytes)]
    found = any_store.read(written.file, written.checksum)
    assert found.to_pylist() == pa.concat_tables(parts).to_pylist()
    assert found.schema.metadata == {b"of": b"f"}
    assert any_store.read(written.file, written.checksum, buckets=(10, 12)).num_rows == 2


@pytest.mark.parametrize(
    "values",
    [
        [pa.nulls(3), pa.nulls(3), texts("a", None, "b")],
        [texts("a", "b", "c"), pa.nulls(3), texts("d", "a", None)],
        [pa.nulls(3), pa.array([1, 2, None]).dictionary_encode(), pa.nulls(3)],
        [pa.nulls(3), pa.array([Decimal("1.50")] * 3, pa.decimal128(38, 2)).dictionary_encode()],
    ],
)
def test_a_column_takes_the_type_that_it_first_has(any_store: SegmentStore, values: list[pa.Array]) -> None:
    parts = [part(10 * i, column) for i, column in enumerate(values)]
    with draft_of(any_store) as draft:
        for one in parts:
            draft.add(one)
        written = any_store.keep(draft)
    found = any_store.read(written.file, written.checksum)
    assert found.to_pylist() == [row for one in parts for row in one.to_pylist()]
    assert [file.file for file in any_store.files()] == [written.file]


@pytest.mark.parametrize(
    "values", [[1, None, 7], [True, None, False], [1.5, None, 2.0], [Decimal("1.5")] * 3]
)
def test_a_column_takes_its_type_beside_others_of_any(any_store: SegmentStore, values: list[Any]) -> None:
    numbers = pa.array(values).dictionary_encode()
    parts = [
        part(10 * i, numbers).append_column("by h", other)
        for i, other in enumerate([pa.nulls(3), texts("a", None, "b"), pa.nulls(3)])
    ]
    with draft_of(any_store) as draft:
        for one in parts:
            draft.add(one)
        written = any_store.keep(draft)
    found = any_store.read(written.file, written.checksum)
    assert found.to_pylist() == [row for one in parts for row in one.to_pylist()]


@pytest.mark.parametrize("large_first", [False, True])
def test_whole_numbers_without_a_sign_are_of_one_type(any_store: SegmentStore, large_first: bool) -> None:
    small, large = pa.array([1, None, 7]), pa.array([2**64 - 1, None, 7], pa.uint64())
    values = [large, small, large] if large_first else [small, large, small]
    parts = [part(10 * i, column.dictionary_encode()) for i, column in enumerate(values)]
    with draft_of(any_store) as draft:
        for one in parts:
            draft.add(one)
        written = any_store.keep(draft)
    found = any_store.read(written.file, written.checksum)
    assert found["by g"].to_pylist() == [value for column in values for value in column.to_pylist()]
    assert found.schema.field("by g").type == pa.uint64()


@pytest.mark.parametrize("scales", [(2, 5, 0), (5, 2, 5), (0, 2, 5)])
def test_decimals_are_of_one_type_of_128_bits(any_store: SegmentStore, scales: tuple[int, ...]) -> None:
    values = [[Decimal(12345).scaleb(-scale), None, Decimal(-1)] for scale in scales]
    parts = [
        part(10 * i, pa.array(some, pa.decimal128(38, scale)).dictionary_encode())
        for i, (some, scale) in enumerate(zip(values, scales, strict=True))
    ]
    with draft_of(any_store) as draft:
        for one in parts:
            draft.add(one)
        written = any_store.keep(draft)
    found = any_store.read(written.file, written.checksum)
    assert found["by g"].to_pylist() == [value for some in values for value in some]
    assert found.schema.field("by g").type == pa.decimal128(38, 5)


def test_decimals_of_too_many_digits_together_are_refused(any_store: SegmentStore) -> None:
    with draft_of(any_store) as draft:
        draft.add(part(0, pa.array([Decimal(10**37)] * 3, pa.decimal128(38, 0)).dictionary_encode()))
        with pytest.raises(StoreError, match="different columns"):
            draft.add(part(10, pa.array([Decimal("0.01")] * 3, pa.decimal128(38, 2)).dictionary_encode()))
    assert any_store.files() == ()


def test_numbers_that_no_type_holds_are_refused(any_store: SegmentStore) -> None:
    with draft_of(any_store) as draft:
        draft.add(part(0, pa.array([-1, 2, 3]).dictionary_encode()))
        with pytest.raises(StoreError, match="different columns"):
            draft.add(part(10, pa.array([2**64 - 1, 2, 3], pa.uint64()).dictionary_encode()))
    assert any_store.files() == ()


@pytest.mark.parametrize(
    "wrong",
    [
        part(2, texts("a", "b", "c")),
        part(0, texts("a", "b", "c")),
        part(998, texts("a", "b", "c")),
        pa.table({"bucket": [10], "by g": [{"x": 1}], "n": [1]}),
    ],
    ids=["again", "before", "outside", "other columns"],
)
def test_what_is_no_later_part_is_refused(any_store: SegmentStore, wrong: pa.Table) -> None:
    with draft_of(any_store) as draft:
        draft.add(part(0, texts("a", "b", "c")))
        with pytest.raises(StoreError):
            draft.add(wrong)
    assert any_store.files() == ()


def test_what_is_not_kept_is_gone(
    any_store: SegmentStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("aggflow.scratch.gettempdir", lambda: str(tmp_path / "scratch"))
    with draft_of(any_store) as draft:
        draft.add(part(0, texts("a", "b", "c")))
        assert draft.path.exists()
    assert not draft.path.exists()
    assert any_store.files() == ()
    assert not list((tmp_path / "scratch").iterdir())


def test_a_draft_that_somebody_deleted_is_an_error_of_the_store(any_store: SegmentStore) -> None:
    with draft_of(any_store) as draft:
        draft.add(part(0, texts("a", "b", "c")))
        draft.path.unlink()
        with pytest.raises(StoreError, match="is gone"):
            any_store.keep(draft)
    assert any_store.files() == ()


def test_a_draft_without_columns_is_no_segment(any_store: SegmentStore) -> None:
    with draft_of(any_store) as draft, pytest.raises(StoreError):
        any_store.keep(draft)
    assert any_store.files() == ()


def test_an_upload_may_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = SegmentStore("memory://again")
    fs: Any = type(store._fs)
    put = fs.put_file
    calls: list[str] = []

    def once(self: Any, source: str, target: str, **options: Any) -> None:
        calls.append(target)
        if len(calls) == 1:
            raise OSError(5, "slow down")
        put(self, source, target, **options)

    monkeypatch.setattr(fs, "put_file", once)
    with draft_of(store) as draft:
        draft.add(part(0, texts("a", "b", "c")))
        with pytest.raises(StoreError):
            store.keep(draft)
        written = store.keep(draft)
    assert store.read(written.file, written.checksum).num_rows == 3
    store.delete([written.file])


def test_a_disk_that_is_full_when_a_part_comes_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SegmentStore(tmp_path)
    whole = pq.ParquetWriter.write_table
    calls: list[int] = []

    def fill(self: pq.ParquetWriter, table: pa.Table, **options: Any) -> None:
        calls.append(table.num_rows)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        whole(self, table, **options)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fill)
    with draft_of(store) as draft:
        draft.add(part(0, texts("a", "b", "c")))
        with pytest.raises(StoreFullError):
            draft.add(part(10, texts("a", "b", "c")))
    assert store.files() == ()
