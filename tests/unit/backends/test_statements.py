"""The statements that are sent: lean, and in a form that prunes files and row groups."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Vocabularies
from aggflow.timeline import Window, parse_instant

DAY = Window(parse_instant("2024-01-03"), parse_instant("2024-01-04"))


@pytest.fixture
def files(tmp_path: Path) -> str:
    """Ten days of an event a minute, a Parquet file each."""
    with duckdb.connect() as con:
        for day in range(10):
            con.execute(
                f"COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL {day} DAY + to_minutes(i::integer) AS happened,"
                " happened::date AS day, i % 5 AS kind, i::bigint AS n, i / 7.0 AS x, 'unused' AS text"
                f" FROM range(1440) r(i)) TO '{tmp_path / f'day-{day}.parquet'}'"
            )
    return str(tmp_path / "day-*.parquet")


def staged(files: str, time: str = "happened", time_zone: str = "UTC") -> tuple[str, str]:
    """The statement that stages a day, and its analysed plan."""
    calculations = ("SUM", "MIN", "PERCENTILES")
    declared = Filter("f", "events", "1h", "@.kind == 2", aggregations=(Aggregation("n", "n", calculations),))  # type: ignore[arg-type] - texts are read
    rollup = rollup_of(declared)
    with session(Source("events", files, time, time_zone=time_zone)) as opened:
        rows = SourceRows(opened)
        read = read_states(rows, rollup, layout_of(rollup, rows), DAY, Vocabularies())
        assert read.rows > 0
        ((plan),) = opened.con.raw_sql(f"EXPLAIN ANALYZE {read.sql[0]}").fetchall()
    return str(read.sql[0]), plan[1]


def scan_of(plan: str) -> str:
    return plan[plan.index("READ_PARQUET") :].replace("│", " ")


def test_the_window_and_the_predicate_reach_the_files(files: str) -> None:
    _, plan = staged(files)
    scan = " ".join(scan_of(plan).split())
    assert "kind=2" in scan
    assert "happened>='2024-01-03" in scan
    assert "happened<'2024-01-04" in scan


@pytest.mark.parametrize(
    ("time", "zone"), [("happened", "UTC"), ("happened", "Europe/Berlin"), ("day", "UTC")]
)
def test_files_outside_the_window_give_no_rows(files: str, time: str, zone: str) -> None:
    _, plan = staged(files, time, zone)
    scan = scan_of(plan)
    rows = int(scan.split(" row")[0].split()[-1].replace(",", ""))
    # A zone's window is taken a little wider first, by less than two days to each side.
    assert rows <= (288 if zone == "UTC" else 288 * 4)


def test_only_columns_that_are_needed_are_read(files: str) -> None:
    _, plan = staged(files)
    scan = scan_of(plan)
    assert "text" not in scan
    assert "day" not in scan.replace("day-", "")


def test_columns_are_staged_without_casts(files: str) -> None:
    sql, _ = staged(files)
    assert "CAST" not in sql
    assert sql.count("EPOCH_US") == 1
