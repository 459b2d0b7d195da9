"""The peer is only worth a race when it is right: its states and answers against the events."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import run
import sql_peer
from generated_events import COUNTRIES, TYPES, events_of_day, generate

DAYS = 8  # more than are built at once


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return generate(tmp_path_factory.mktemp("events"), rows=40_000, days=DAYS, seed=7)


@pytest.fixture(scope="module")
def con(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with sql_peer.connect(tmp_path_factory.mktemp("states") / "states.duckdb", files) as con:
        sql_peer.build(con, files, run.FIRST)
        yield con


def test_events_are_the_same_for_the_same_seed():
    assert events_of_day(3, 1000, 7).equals(events_of_day(3, 1000, 7))
    assert not events_of_day(3, 1000, 7).equals(events_of_day(3, 1000, 8))
    assert not events_of_day(3, 1000, 7).equals(events_of_day(4, 1000, 7))


def test_events_fill_their_days_in_order(files: list[Path]):
    assert len(files) == DAYS
    for day, file in enumerate(files):
        times = pq.read_table(file)["ts"].to_numpy()
        midnight = np.datetime64(run.FIRST + timedelta(days=day))
        assert len(times) == 5000
        assert (np.diff(times) >= np.timedelta64(0)).all()
        assert times[0] >= midnight
        assert times[-1] < midnight + np.timedelta64(1, "D")


def test_a_session_is_short_and_of_one_country(con: duckdb.DuckDBPyConnection):
    longest, countries, mean = con.sql(
        """
        select max(last - first), max(countries), avg(n)
        from (
            select min(ts) as first, max(ts) as last, count(distinct country) as countries, count(*) as n
            from events group by session_id
        )
        """
    ).fetchall()[0]
    assert longest <= timedelta(minutes=30)
    assert countries == 1
    assert 9 < mean < 11
    names = con.sql("select count(distinct country), count(distinct type) from events").fetchall()[0]
    assert names == (len(COUNTRIES), len(TYPES))


def test_generated_once(files: list[Path]):
    before = [file.stat().st_mtime_ns for file in files]
    assert generate(files[0].parent, rows=40_000, days=DAYS, seed=7) == files
    assert [file.stat().st_mtime_ns for file in files] == before


def test_cells_are_those_of_the_events(con: duckdb.DuckDBPyConnection):
    wrong = con.sql(
        """
        from (
            select date_trunc('hour', ts) as hour, type, country, count(*) as row_count, sum(amount) as total,
                min(amount) as lowest, max(amount) as highest, var_pop(amount) as variance
            from events group by all
        ) as event
        full join cells using (hour, type, country)
        select count(*)
        where event.row_count is distinct from cells.row_count or event.lowest <> cells.lowest
            or event.highest <> cells.highest or abs(event.total - cells.total) > 1e-9 * event.total
            or abs(event.variance * n - m2) > 1e-9 * (1 + m2) or cells.n <> cells.row_count
        """
    ).fetchall()
    assert wrong == [(0,)]


def test_bins_hold_every_amount(con: duckdb.DuckDBPyConnection):
    counts = "select cell, n, (select sum(n) from bins where bins.cell = cells.cell) as in_bins from cells"
    assert con.sql(f"select count(*) from ({counts}) where n is distinct from in_bins").fetchall() == [(0,)]
    amounts = con.sql("select amount from events").fetchnumpy()["amount"]
    keys, counted = np.unique(np.ceil(np.log(amounts) / math.log(1.01)) + 80000, return_counts=True)
    merged = con.sql("select key, sum(n) from bins group by key order by key").fetchall()
    assert merged == list(zip(keys.tolist(), counted.tolist(), strict=True))


def test_slots_are_those_of_the_hashes(con: duckdb.DuckDBPyConnection):
    hashes = con.sql("select distinct hash(session_id) from events").fetchall()
    highest: dict[int, int] = {}
    for (value,) in hashes:
        rest = value >> 12
        rank = (rest & -rest).bit_length() or 53
        highest[value & 4095] = max(rank, highest.get(value & 4095, 0))
    merged = con.sql("select slot, max(rank) from slots group by slot").fetchall()
    assert dict(merged) == highest


def test_plain_states_are_the_same(con: duckdb.DuckDBPyConnection, files: list[Path], tmp_path: Path):
    with sql_peer.connect(tmp_path / "plain.duckdb", files) as other:
        sql_peer.build_plainly(other)
        for table, value in (("bins", "key, bins.n"), ("slots", "slot, rank")):
            numbered = (
                f"select hour, type, country, {value} from {table} join cells using (cell) order by all"
            )
            assert other.sql(f"from plain_{table} order by all").fetchall() == con.sql(numbered).fetchall()


@pytest.mark.parametrize("hours", [1, 24, 7 * 24])
def test_answers_agree_with_the_events(
    con: duckdb.DuckDBPyConnection, files: list[Path], tmp_path: Path, hours: int
):
    window = run.Course(files, tmp_path).last(hours=hours)
    near = {3: 0.005, 4: 0.005, 5: 0.005}
    assert not run.differ(
        sql_peer.total(con, *window), sql_peer.total_of_events(con, *window), {1: 1e-9, 2: 1e-9, **near}
    )
    assert not run.differ(sql_peer.series(con, *window), sql_peer.series_of_events(con, *window), {3: 0.005})
    assert not run.differ(
        sql_peer.distinct(con, *window), sql_peer.distinct_of_events(con, *window), {0: 0.08}
    )


def test_a_window_replaced_is_what_it_was(con: duckdb.DuckDBPyConnection, files: list[Path]):
    def states() -> list[list[tuple[object, ...]]]:
        return [
            con.sql(f"select * exclude cell from {table} order by all").fetchall()
            for table in ("cells", "bins", "slots")
        ]

    before = states()
    sql_peer.replace(con, files[-1:], *run.Course(files, files[0].parent).last(hours=3))
    assert states() == before


def test_differ_sees_what_differs():
    assert not run.differ([(1, 100.0)], [(1, 100.4)], {1: 0.005})
    assert run.differ([(1, 100.0)], [(1, 101.0)], {1: 0.005}) == "row 0, column 1: 100.0 and 101.0"
    assert run.differ([(1,)], [(2,)], {}) == "row 0, column 0: 1 and 2"
    assert run.differ([(1,)], [], {}) == "1 and 0 rows"
    assert run.differ(None, [(1,)], {})
    assert not run.differ(None, None, {})
