"""Cell counts: from the states of a finer rollup the same as from the source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from shop import Aggregation

import aggflow as af
from aggflow.backends.cell_count import CellCount
from aggflow.backends.source_rows import SourceRows
from aggflow.engine.cell_counts import CellCounter, Counted
from aggflow.errors import SourceUnavailableError
from aggflow.spec.rollup import Rollup
from aggflow.timeline import UTC, Interval, Window, Zone, parse_instant

DAYS = Window(parse_instant("2026-01-01"), parse_instant("2026-01-04"))


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[af.Workspace]:
    with duckdb.connect(str(tmp_path / "events.ddb")) as con:
        con.execute(
            """
            create table events as
            select timestamp '2026-01-01' + to_minutes(i) as moment, 'team' || (i * i % 7) as team,
                if(i % 4 = 0, null, i // 900) as level, i % 10 as amount
            from range(4320) t(i)
            """
        )
    with af.open(tmp_path / "home") as opened:
        opened.add_source("events", f"duckdb://{tmp_path / 'events.ddb'}", table="events", time="moment")
        amounts = Aggregation("amounts", field="amount", calculations=["SUM"])
        groupings: Any = ["team", "level"]
        opened.add_filter(
            "fine", source="events", interval="15m", groupings=groupings, aggregations=[amounts]
        )
        yield opened


def counter(ws: af.Workspace, window: Window = DAYS, may_read: bool = True) -> CellCounter:
    def open_rows() -> AbstractContextManager[SourceRows]:
        if not may_read:
            raise SourceUnavailableError("it is away")
        return ws._declarations.open(ws._source("events"))

    targets = ws._targets.of_source("events")
    return CellCounter(targets, ws._posing.rollups.get, ws._resident, open_rows, window)


def rollup(interval: str, *groupings: str, zone: str = "UTC", where: str = "") -> Rollup:
    return Rollup("events", where, interval, zone, groupings, ())


def numbers(counted: Counted) -> list[list[int]]:
    return [column.tolist() for column in (counted.count.buckets, counted.count.cells, counted.count.rows)]


@pytest.mark.parametrize(
    "of",
    [
        rollup("15m", "team", "level"),
        rollup("1h", "team"),
        rollup("1h", "level", "team"),
        rollup("1d"),
        rollup("1d", "level", zone="America/New_York"),
        rollup("1mo", "team"),
    ],
    ids=str,
)
def test_states_tell_the_same_as_the_source(ws: af.Workspace, of: Rollup) -> None:
    source = counter(ws).of(of)
    assert not source.is_stored, "nothing is built"
    assert source.read == 4320
    # In several segments, so that cells of one bucket are in two of them.
    for until in ("2026-01-01T07:10:00Z", "2026-01-02T12:00:00Z", "2026-01-04"):
        ws.build("fine", until=until, progress=False)
    ws.build("fine", progress=False)
    stored = counter(ws, may_read=False).of(of)
    assert stored.is_stored
    assert numbers(stored) == numbers(source)


@pytest.mark.parametrize(
    "of",
    [
        rollup("5m", "team"),
        rollup("1h", "team", where="@.amount == 1"),
        rollup("1h", "amount"),
        rollup("1d", "team", zone="+00:07"),
    ],
    ids=str,
)
def test_where_no_states_tell_it_the_source_does(ws: af.Workspace, of: Rollup) -> None:
    ws.build("fine", progress=False)
    assert not counter(ws).of(of).is_stored
    with pytest.raises(SourceUnavailableError):
        counter(ws, may_read=False).of(of)


def test_what_is_built_must_cover_the_window_but_for_what_is_younger(ws: af.Workspace) -> None:
    ws.build("fine", since="2026-01-02", until="2026-01-03", progress=False)
    of = rollup("1h", "team")
    assert not counter(ws).of(of).is_stored
    later = replace(DAYS, start=parse_instant("2026-01-02"))
    assert counter(ws, later).of(of).is_stored


def test_each_is_counted_once(ws: af.Workspace) -> None:
    found = counter(ws)
    first = found.of(rollup("1h", "team", "level"))
    assert found.of(rollup("1h", "level", "team")) is first
    assert list(found.all) == [first]


def test_buckets_that_the_window_cuts_are_counted_whole(ws: af.Workspace) -> None:
    cut = Window(parse_instant("2026-01-01T00:20:00Z"), parse_instant("2026-01-01T01:10:00Z"))
    assert counter(ws, cut).of(rollup("1h")).count.rows.tolist() == [60, 60]


@pytest.fixture
def counted() -> Counted:
    """Three hours with 2, 0 and 4 cells of 60, 0 and 120 rows."""
    buckets, cells, rows = (np.array(column, dtype=np.int64) for column in ([0, 7200], [2, 4], [60, 120]))
    return Counted(CellCount(buckets, cells, rows), Interval.of("1h"), UTC, 0, 0.0, is_stored=False)


@pytest.mark.parametrize(
    ("start", "end", "cells", "cut_cells", "cut_rows"),
    [
        (0, 180, 6, 0, 0),
        (-600, 600, 6, 0, 0),
        (0, 60, 2, 0, 0),
        (30, 180, 4, 2, 30),
        (30, 150, 0, 6, 30 + 60),
        (10, 40, 0, 2, 30),
        (70, 80, 0, 0, 0),
        (60, 120, 0, 0, 0),
        (121, 122, 0, 4, 2),
        (200, 300, 0, 0, 0),
    ],
)
def test_whole_buckets_are_cells_and_cut_ones_are_rows(
    counted: Counted, start: int, end: int, cells: int, cut_cells: int, cut_rows: int
) -> None:
    window = Window(start * 60_000_000, end * 60_000_000)
    assert (counted.cells_in(window), counted.cut_cells(window)) == (cells, cut_cells)
    assert counted.cut_rows(window) == cut_rows


def test_days_of_a_zone_are_whole_at_its_midnights(counted: Counted) -> None:
    daily = replace(counted, width=Interval.of("1d"), zone=Zone.of("+02:00"))
    daily = replace(daily, count=replace(counted.count, buckets=np.array([-7200, 79200])))
    day = Window(parse_instant("1969-12-31T22:00:00Z"), parse_instant("1970-01-01T22:00:00Z"))
    assert daily.cells_in(day) == 2
    assert daily.cells_in(replace(day, start=day.start + 1)) == 0
