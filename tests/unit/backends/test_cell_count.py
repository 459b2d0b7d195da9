"""Cells are counted where the rows are, and are those that a build would make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from aggflow.backends.cell_count import CellCount, count_cells, count_rows
from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.spec.rollup import Rollup
from aggflow.spec.source import Source
from aggflow.store import Vocabularies
from aggflow.timeline import ALWAYS, BEGINNING, Window, parse_instant


@pytest.fixture
def source(tmp_path: Path) -> Source:
    file = tmp_path / "events.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            """
            create table events as
            select timestamp '2025-03-29 05:00' + to_minutes(i * 7) as moment,
                if(i % 5 = 0, null, 'team' || (i * i % 11)) as team,
                if(i % 7 = 0, 'nan'::double, i % 3) as level
            from range(600) t(i)
            union all select null, 'timeless', 1
            """
        )
    return Source("events", f"duckdb://{file}", "moment", "events")


@contextmanager
def opened(source: Source) -> Iterator[SourceRows]:
    with session(source, None) as found:
        yield SourceRows(found)


def rollup(interval: str, *groupings: str, where: str = "", zone: str = "UTC") -> Rollup:
    return Rollup("events", where, interval, zone, groupings, ())


def window(start: str, end: str) -> Window:
    return Window(parse_instant(start), parse_instant(end))


def built(rows: SourceRows, of: Rollup, asked: Window) -> dict[int, tuple[int, int]]:
    """By bucket, the cells that a build would make, and their rows."""
    cells = read_states(rows, of, layout_of(of, rows), asked, Vocabularies()).grains[0]
    found: dict[int, tuple[int, int]] = {}
    for bucket, n in zip(cells.buckets.tolist(), cells.rows.tolist(), strict=True):
        count, total = found.get(bucket, (0, 0))
        found[bucket] = (count + 1, total + n)
    return found


def as_dict(count: CellCount) -> dict[int, tuple[int, int]]:
    pairs = zip(count.cells.tolist(), count.rows.tolist(), strict=True)
    return dict(zip(count.buckets.tolist(), pairs, strict=True))


@pytest.mark.parametrize(
    "of",
    [
        rollup("1h"),
        rollup("1h", "team"),
        rollup("15m", "team", "level"),
        rollup("1d", "team", zone="Europe/Berlin"),
        rollup("1w", "level", zone="Asia/Kathmandu"),
        rollup("1mo", "team"),
        rollup("1h", "team", where="@.level == 1"),
        rollup("1h", "team", where="@.level == 77"),
        rollup("1d", "=upper(team)"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "asked",
    [
        window("2025-03-29", "2025-04-02"),
        window("2025-03-30T00:30:00Z", "2025-03-31"),
        Window(BEGINNING, parse_instant("2025-03-31")),
        window("2030-01-01", "2030-01-02"),
    ],
    ids=str,
)
def test_cells_are_those_of_a_build(source: Source, of: Rollup, asked: Window) -> None:
    with opened(source) as rows:
        count = count_cells(rows, of, asked)
        readable = asked & window("2025-03-01", "2031-01-01")
        assert readable
        assert as_dict(count) == built(rows, of, readable)
    assert count.buckets.tolist() == sorted(count.buckets.tolist())


def test_all_of_time_is_counted_where_nothing_bounds_it(source: Source) -> None:
    with opened(source) as rows:
        assert count_cells(rows, rollup("1h"), ALWAYS).rows.sum() == 600


def test_rows_are_those_that_are_taken_whenever_they_are_of(source: Source) -> None:
    with opened(source) as rows:
        assert count_rows(rows, rollup("1d")) == 601
        assert count_rows(rows, rollup("1d", where="@.team == 'timeless'")) == 1
