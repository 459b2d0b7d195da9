"""What is sent: a window is read from its source once, pruned by time and predicate, and of one moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import ibis.expr.operations as ops
import polars as pl
import pytest
from conftest import Open
from events import Loaded, micros
from mariadb_server import MariadbServer
from postgres_server import PostgresServer
from test_states import ALL_TIME, EVERYTHING, asking, declare, window

from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.backends.state_query import queries
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Vocabularies
from aggflow.timeline import Window

FEBRUARY = Window(*map(micros, window("2024-02-01T00:00:00", "2024-03-01T00:00:00")))
DECLARED = declare(
    "1h", where="@.n > 3", groupings=("kind",), aggregations=(asking("n", "n", ("COUNT", "SUM", "VAR")),)
)


def names(expression: Any) -> set[str]:
    return {table.name for table in expression.op().find(ops.PhysicalTable)}


def test_a_window_is_read_from_its_source_by_one_statement(loaded: Loaded, open_rows: Open) -> None:
    rollup = rollup_of(declare("1d", aggregations=(asking("it", "amount", EVERYTHING),)))
    with open_rows() as rows:
        read = read_states(rows, rollup, layout_of(rollup, rows), ALL_TIME, Vocabularies())
        first, *rest = (names(statement.expression) for statement in read.sql)
        assert first == names(rows.table)
        assert all("SELECT" in str(statement) for statement in read.sql)
    assert len(rest) >= 4
    assert all(not asked & first for asked in rest)


def test_nulls_arrive_as_nulls(loaded: Loaded, open_rows: Open) -> None:
    """Neither as the text NaN, nor as a number, whatever the driver makes of them on the way."""
    with open_rows() as rows:
        found = rows.fetch(rows.table.select("id", "kind", "units", "extreme", "small"))
    got = {row["id"]: row for row in found.to_pylist()}
    for row in loaded.rows:
        assert all(got[row["id"]][column] == row[column] for column in ("kind", "units", "extreme", "small"))


def first_query(rows: SourceRows, within: Window = FEBRUARY) -> Any:
    rollup = rollup_of(DECLARED)
    (_, query), *_ = queries(rows, rollup, layout_of(rollup, rows), within)
    return query


def monthly(folder: Path) -> str:
    """A file of events a month."""
    with duckdb.connect() as con:
        for month in range(1, 7):
            con.execute(
                f"COPY (SELECT TIMESTAMP '2024-0{month}-01' + to_hours(i) AS happened, i AS n, 'a' AS kind"
                f" FROM range(600) t(i)) TO '{folder / f'month-{month}.parquet'}' (ROW_GROUP_SIZE 2048)"
            )
    return str(folder / "month-*.parquet")


def test_duckdb_reads_only_what_the_window_needs(tmp_path: Path) -> None:
    with session(Source("events", monthly(tmp_path), "happened")) as opened:
        rows = SourceRows(opened)
        plan = rows.con.raw_sql("EXPLAIN ANALYZE " + rows.con.compile(first_query(rows))).fetchall()[0][1]
    assert "happened>='2024-02-01" in plan.replace(" ", "").replace("\n", "").replace("│", "")
    assert "n>3" in plan.replace(" ", "")


def test_polars_filters_where_it_scans(tmp_path: Path) -> None:
    with session(Source("events", f"polars://{monthly(tmp_path)}", "happened")) as opened:
        rows = SourceRows(opened)
        plan: pl.LazyFrame = rows.con.compile(first_query(rows))
    text = plan.explain()
    scan = text[text.index("Parquet SCAN") :]
    assert 'col("happened") >= 2024-02-01' in scan
    assert 'col("n") > 3' in scan


def test_datafusion_prunes_files_and_row_groups(tmp_path: Path) -> None:
    with session(Source("events", f"datafusion://{monthly(tmp_path)}", "happened")) as opened:
        rows = SourceRows(opened)
        plan = str(
            rows.con.raw_sql("EXPLAIN " + rows.con.compile(first_query(rows))).to_pandas()["plan"].tolist()
        )
    assert "pruning_predicate" in plan
    assert "happened_max" in plan
    assert "n_max" in plan


def test_postgres_reads_only_the_partitions_of_the_window(postgres: PostgresServer) -> None:
    postgres.create("partitioned")
    postgres.run(
        "CREATE TABLE events (happened timestamp, n bigint, kind text) PARTITION BY RANGE (happened)",
        database="partitioned",
    )
    for month in range(1, 6):
        postgres.run(
            f"CREATE TABLE month_{month} PARTITION OF events FOR VALUES FROM ('2024-0{month}-01') TO ('2024-0{month + 1}-01')",
            database="partitioned",
        )
    with session(Source("events", postgres.url("partitioned"), "happened", "events")) as opened:
        rows = SourceRows(opened)
        with rows.con.raw_sql("EXPLAIN " + rows.con.compile(first_query(rows))) as cursor:
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "month_2" in plan
    assert not any(f"month_{month}" in plan for month in (1, 3, 4, 5))
    assert "n > 3" in plan


def test_mysql_reads_only_the_partitions_of_the_window(mariadb: MariadbServer) -> None:
    mariadb.create("partitioned")
    parts = ", ".join(
        f"PARTITION month_{month} VALUES LESS THAN ('2024-0{month + 1}-01')" for month in range(1, 6)
    )
    mariadb.run(
        f"CREATE TABLE events (happened datetime(6), n bigint, kind text) PARTITION BY RANGE COLUMNS (happened) ({parts})",
        database="partitioned",
    )
    mariadb.run(
        "INSERT INTO events VALUES ('2024-02-05', 4, 'a'), ('2024-03-05', 4, 'a')", database="partitioned"
    )
    with session(Source("events", mariadb.url("partitioned"), "happened", "events")) as opened:
        rows = SourceRows(opened)
        with rows.con.raw_sql("EXPLAIN PARTITIONS " + rows.con.compile(first_query(rows))) as cursor:
            plan = str(cursor.fetchall())
    assert "month_2" in plan
    assert not any(f"month_{month}" in plan for month in (1, 3, 4, 5))


@pytest.mark.parametrize("fixture", ["postgres", "mariadb"])
def test_rows_that_come_while_a_batch_is_read_are_not_in_it(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, fixture: str
) -> None:
    """A connection that commits every statement has no transaction to read in: the copy is the snapshot."""
    server: Any = request.getfixturevalue(fixture)
    server.create("moving")
    server.run("CREATE TABLE events (happened timestamp NULL, n bigint, kind varchar(9))", database="moving")
    insert = "INSERT INTO events VALUES ('2024-02-05 00:00:00', 5, 'a')"
    server.run(insert, database="moving")
    plain = SourceRows.fetch

    def inserting(self: SourceRows, expression: Any) -> Any:
        server.run(insert, database="moving")
        return plain(self, expression)

    monkeypatch.setattr(SourceRows, "fetch", inserting)
    rollup = rollup_of(
        declare(
            "1h", groupings=("kind",), aggregations=(asking("n", "n", ("SUM", "VAR", "PERCENTILES", "LAST")),)
        )
    )
    with session(Source("events", server.url("moving"), "happened", "events")) as opened:
        rows = SourceRows(opened)
        read = read_states(rows, rollup, layout_of(rollup, rows), FEBRUARY, Vocabularies())
    assert read.rows == 1
    assert int(server.run("SELECT count(*) FROM events", database="moving")[0][0]) > 3
