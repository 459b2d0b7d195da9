"""A window is read slice by slice and batch by batch: what is held at once is a small part of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import aggflow as af
from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states, stream_states
from aggflow.backends.source_rows import SourceRows
from aggflow.measures.cells import Cells
from aggflow.spec.calculation import Calculation
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.source import Source
from aggflow.store import Vocabularies
from aggflow.timeline import Window, parse_instant

DAY = Window(parse_instant("2024-01-01"), parse_instant("2024-01-02"))
ROWS = 100_000
BATCH = 1_000


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A day of events, of five kinds and as many visitors as events."""
    file = tmp_path_factory.mktemp("events") / "day.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT TIMESTAMP '2024-01-01' + to_microseconds(i * 86400000000 // {ROWS}) AS at,"
            f" 'kind ' || hash(i) % 5 AS kind, exp(hash(i) % 1000 / 50) AS v, hash(i * 3)::text AS visitor"
            f" FROM range({ROWS}) t(i)) TO '{file}'"
        )
    return str(file)


def rollup(*aggregations: af.Aggregation) -> Rollup:
    return rollup_of(Filter("f", "events", "1m", groupings=(af.Grouping("kind"),), aggregations=aggregations))


SKETCHED = [
    af.Aggregation("v", "v", (Calculation.SUM, Calculation.STDDEV, Calculation.PERCENTILES)),
    af.Aggregation("u", "visitor", (Calculation.APPROX_COUNT_DISTINCT,)),
]
SKETCHES = rollup(*SKETCHED)
SUMS = rollup(af.Aggregation("v", "v", (Calculation.SUM, Calculation.MAX)))


def equal(one: Cells, two: Cells) -> bool:
    def columns(cells: Cells) -> Iterator[Any]:
        yield from (cells.buckets, cells.rows, *cells.codes.values())
        for state in cells.states.values():
            for column in state.values():
                parts = ("offsets", "keys", "counts") if hasattr(column, "offsets") else ()
                yield from [getattr(column, part) for part in parts] or [column]

    return all(np.allclose(a, b, rtol=1e-12) for a, b in zip(columns(one), columns(two), strict=True))


@pytest.mark.parametrize("of", [SKETCHES, SUMS], ids=["sketches", "sums"])
def test_slices_are_together_what_is_read_at_once(events: str, of: Rollup) -> None:
    with session(Source("events", events, "at")) as opened:
        rows, vocabularies = SourceRows(opened), Vocabularies()
        layout = layout_of(of, rows)
        whole = read_states(rows, of, layout, DAY, vocabularies)
        reads = list(stream_states(rows, of, layout, DAY, vocabularies, 5_000))
    assert len(reads) > 1
    assert sum(read.rows for read in reads) == whole.rows == ROWS
    for grain, cells in enumerate(whole.grains):
        parts = [read.grains[grain] for read in reads]
        assert equal(Cells.concat(parts), cells)
        assert all(a.buckets[-1] < b.buckets[0] for a, b in pairwise(parts))


def test_one_record_batch_is_held_at_a_time(events: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are moved to where Arrow counts its bytes: whoever keeps one, or looks into one, is seen."""
    monkeypatch.setattr("aggflow.backends.stream.BATCH_ROWS", BATCH)
    plain, sizes, held = SourceRows.stream, list[int](), list[int]()
    before = pa.total_allocated_bytes()

    def counted(self: SourceRows, expression: Any) -> Iterator[pa.RecordBatch]:
        for batch in plain(self, expression):
            held.append(pa.total_allocated_bytes() - before)
            yield counted_copy(batch, sizes)

    monkeypatch.setattr(SourceRows, "stream", counted)
    with session(Source("events", events, "at")) as opened:
        rows, vocabularies = SourceRows(opened), Vocabularies()
        reads = stream_states(rows, SKETCHES, layout_of(SKETCHES, rows), DAY, vocabularies, ROWS // 10)
        assert sum(read.rows for read in reads) == ROWS
    assert len(sizes) > 100
    # Before the next is made the last one may be alive, and nothing else.
    assert max(held) < 3 * max(sizes) < sum(sizes) / 20


def counted_copy(batch: pa.RecordBatch, sizes: list[int]) -> pa.RecordBatch:
    copy = batch.take(pa.array(np.arange(batch.num_rows)))
    sizes.append(copy.nbytes)
    return copy


def most_held(events: str, home: Path, slice_rows: int) -> int:
    """The most bytes that Python and numpy held at once while a rollup was built."""
    with af.open(home) as ws:
        ws.settings = ws.settings.model_copy(update={"slice_rows": slice_rows})
        ws.add_source("events", events, time="at")
        ws.add_filter("f", source="events", interval="1m", groupings=["kind"], aggregations=SKETCHED)
        tracemalloc.start()
        try:
            assert ws.build("f", progress=False).rows_read == ROWS
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.slow
def test_a_build_holds_a_slice_at_a_time(events: str, tmp_path: Path) -> None:
    whole = most_held(events, tmp_path / "whole", ROWS)
    assert most_held(events, tmp_path / "sliced", ROWS // 20) < whole / 3
