"""What is sent: a window is read from its source once, pruned by time and predicate, and of one moment."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
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
from aggflow.backends.quirks import adapted
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


def monthly(folder: Path, minutes: int = 60) -> str:
    """A file of events a month: one every so many minutes, for 25 days."""
    with duckdb.connect() as con:
        for month in range(1, 7):
            con.execute(
                f"COPY (SELECT TIMESTAMP '2024-0{month}-01' + to_minutes(i * {minutes}) AS happened, i AS n, 'a' AS kind"
                f" FROM range({25 * 24 * 60 // minutes}) t(i)) TO '{folder / f'month-{month}.parquet'}' (ROW_GROUP_SIZE 2048)"
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


@pytest.mark.slow
def test_spark_groups_by_itself_and_sends_states_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten events an hour: what was asked is explained by Spark, and what came back is counted."""
    options = "spark.master=local[2]&spark.sql.shuffle.partitions=2&spark.sql.maxMetadataStringLength=10000"
    url = f"pyspark://{monthly(tmp_path, minutes=6)}?{options}&spark.sql.warehouse.dir={tmp_path}"
    plain, asked = SourceRows.fetch, list[tuple[str, int]]()

    def watched(self: SourceRows, expression: Any) -> Any:
        frame = self.con.raw_sql(self.con.compile(adapted(expression, self.can)))
        plan = frame._jdf.queryExecution().executedPlan().toString()
        found = plain(self, expression)
        asked.append((plan, found.num_rows))
        return found

    monkeypatch.setattr(SourceRows, "fetch", watched)
    rollup = rollup_of(DECLARED)
    with session(Source("events", url, "happened")) as opened:
        rows = SourceRows(opened)
        read = read_states(rows, rollup, layout_of(rollup, rows), FEBRUARY, Vocabularies())
    assert read.rows == 25 * 24 * 10 - 4
    # How many there are and their range; then a row an hour, of the only kind.
    (_, surveyed), (plan, sent) = asked
    assert (surveyed, sent) == (1, 25 * 24)
    assert re.search(r"HashAggregate\(keys=\[bucket#\w+, by0#\w+\], functions=\[.*count", plan), plan
    pushed = plan[plan.index("PushedFilters: ") :]
    assert "GreaterThanOrEqual(happened,2024-02-01T00:00)" in pushed
    assert "LessThan(happened,2024-03-01T00:00)" in pushed
    assert "GreaterThan(n,3)" in pushed


def test_sqlite_reads_all_times_since_their_texts_do_not_order_them(tmp_path: Path) -> None:
    """Times are texts of many spellings there: an index of them would find others than those of the window."""
    spelled = ["2024-02-01", "2024-02-01T00:00:00", "2024-02-29 23:59:59.999999", "2024-02-29T23:59:59"]
    outside = ["2024-01-31T23:59:59", "2024-03-01", "2024-03-01 00:00:00"]
    path = tmp_path / "events.sqlite"
    by_text = (
        "SELECT * FROM events WHERE happened >= '2024-02-01 00:00:00' AND happened < '2024-03-01 00:00:00'"
    )
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE events (happened timestamp, n bigint, kind text)")
        con.executemany("INSERT INTO events VALUES (?, 5, 'a')", [(text,) for text in spelled + outside])
        con.execute("CREATE INDEX by_time ON events (happened)")
        assert "USING INDEX by_time" in str(con.execute(f"EXPLAIN QUERY PLAN {by_text}").fetchall())
        assert {text for text, *_ in con.execute(by_text)} != set(spelled)
    rollup = rollup_of(DECLARED)
    with session(Source("events", f"sqlite://{path}", "happened", "events")) as opened:
        rows = SourceRows(opened)
        asked = rows.con.compile(first_query(rows))
        plan = [step for *_, step in rows.con.raw_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall()]
        read = read_states(rows, rollup, layout_of(rollup, rows), FEBRUARY, Vocabularies())
    # Once, however: what groups asks the copy.
    assert [step.split()[0] for step in plan] == ["SCAN"]
    assert "INDEX" not in plan[0]
    assert read.rows == len(spelled)


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
