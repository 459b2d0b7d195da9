"""Connecting: URLs, what cannot be opened, and that nothing stays open."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import ibis
import pytest

from aggflow.backends.connect import absolute_url, session, source_of_table, split_url
from aggflow.backends.fetch import fetch
from aggflow.backends.source_rows import SourceRows
from aggflow.errors import (
    SourceError,
    SourceMissingError,
    SourceQueryError,
    SourceTypeError,
    SourceUnavailableError,
    UnsupportedError,
)
from aggflow.spec.source import Source
from aggflow.timeline import ALWAYS

AWKWARD = "it's 100% a?b#c & d.db"


def make(path: Path, kind: str) -> str:
    """A file of two events, and its URL."""
    con: Any = duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path)
    con.execute("CREATE TABLE events (happened timestamp, n integer)")
    con.execute("INSERT INTO events VALUES ('2024-01-01 00:00:00', 1), ('2024-01-02 00:00:00', 2)")
    con.commit()
    con.close()
    return f"{kind}://{path}"


def count(source: Source) -> int:
    with session(source) as opened:
        return fetch(opened.con, opened.can, opened.table.aggregate(n=opened.table.count()))["n"][0].as_py()


def source(url: str, **options: Any) -> Source:
    return Source("events", url, "happened", **({"table": "events"} | options))


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


kinds = pytest.mark.parametrize("kind", ["duckdb", "sqlite"])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("duckdb://a.ddb", "duckdb:///base/a.ddb"),
        ("sqlite://sub/a.db", "sqlite:///base/sub/a.db"),
        ("duckdb:///abs/a.ddb", "duckdb:///abs/a.ddb"),
        ("duckdb://", "duckdb://"),
        ("duckdb://:memory:", "duckdb://:memory:"),
        ("events-*.parquet", "/base/events-*.parquet"),
        ("/abs/*.csv", "/abs/*.csv"),
        ("", ""),
        ("postgresql://me:pw@host/db", "postgresql://me:pw@host/db"),
    ],
)
def test_relative_paths_are_taken_from_a_base(url: str, expected: str) -> None:
    assert absolute_url(url, Path("/base")) == expected


@pytest.mark.parametrize("name", ["a b.ddb", "100%.ddb", "a?b.ddb", "a#b.ddb", "ä.ddb", "50%41.ddb"])
def test_any_path_survives_being_made_absolute_twice(name: str) -> None:
    once = absolute_url(f"duckdb://{quote(name)}", Path("/base"))
    assert split_url(once) == ("duckdb", f"/base/{name}")
    assert absolute_url(once, Path("/other")) == once


@kinds
def test_any_file_name_opens(tmp_path: Path, kind: str) -> None:
    make(tmp_path / AWKWARD, kind)
    assert count(source(f"{kind}://{quote(str(tmp_path / AWKWARD))}")) == 2


@kinds
def test_a_table_of_this_session_is_found_again_by_its_url(tmp_path: Path, kind: str) -> None:
    make(tmp_path / AWKWARD, kind)
    con = getattr(ibis, kind).connect(str(tmp_path / AWKWARD))
    url, table, sql = source_of_table(con.table("events"))
    assert (split_url(url), table, sql) == ((kind, str(tmp_path / AWKWARD)), "events", "")
    url, table, sql = source_of_table(con.table("events").filter(ibis._.n > 1))
    con.disconnect()
    assert table == ""
    assert count(source(url, table="", sql=sql)) == 1


def test_a_table_of_a_database_in_memory_has_no_url() -> None:
    con = ibis.duckdb.connect()
    con.raw_sql("CREATE TABLE t AS SELECT TIMESTAMP '2024-01-01' AS happened")
    assert source_of_table(con.table("t")) == ("", "", "")
    with session(source("", table=""), con.table("t")) as opened:
        assert opened.con is con
    assert con.raw_sql("SELECT count(*) FROM t").fetchall() == [(1,)]  # whoever brought it keeps it
    con.disconnect()


@kinds
def test_a_missing_file_is_not_made(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SourceUnavailableError, match=r"source 'events': there is no file .*none\.db"):
        count(source(f"{kind}://{tmp_path / 'none.db'}"))
    assert not (tmp_path / "none.db").exists()


@kinds
def test_a_missing_table_is_named_with_the_nearest(tmp_path: Path, kind: str) -> None:
    url = make(tmp_path / "a.db", kind)
    with pytest.raises(SourceMissingError, match=r"there is no table 'event'.*did you mean 'events'"):
        count(source(url, table="event"))


@kinds
def test_a_file_of_something_else_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, whatever its name says" * 200)
    with pytest.raises(SourceError, match="source 'events': ") as caught:
        count(source(f"{kind}://{tmp_path / 'a.db'}"))
    assert "\n" not in str(caught.value)


def test_files_that_match_nothing_or_are_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"no file matches .*\.parquet"):
        count(source(str(tmp_path / "*.parquet"), table=""))
    (tmp_path / "a.parquet").write_text("no parquet")
    with pytest.raises(SourceError, match="source 'events': "):
        count(source(str(tmp_path / "*.parquet"), table=""))


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(
        UnsupportedError, match=r"sources on 'duckdbb' are not supported.*did you mean 'duckdb'"
    ):
        count(source("duckdbb://x"))


def test_what_ibis_does_not_connect_to_is_refused_without_its_password() -> None:
    with pytest.raises(UnsupportedError, match="compiled, and no more") as caught:
        count(source("redshift://me:hunter2@host/db"))
    assert "hunter2" not in repr(caught.value)


def test_a_wrong_select_is_the_databases_own_sentence(tmp_path: Path) -> None:
    url = make(tmp_path / "a.db", "duckdb")
    with pytest.raises(SourceQueryError, match="syntax error"):
        count(source(url, table="", sql="SELECT FROM WHERE"))
    assert count(source(url, table="", sql="SELECT * FROM events WHERE n = 2")) == 1


@kinds
def test_a_select_is_a_source_like_a_table(tmp_path: Path, kind: str) -> None:
    url = make(tmp_path / "a.db", kind)
    assert count(source(url, table="", sql="SELECT happened, n + 1 AS m FROM events")) == 2


@kinds
def test_a_source_is_opened_read_only(tmp_path: Path, kind: str) -> None:
    url = make(tmp_path / "a.db", kind)
    with pytest.raises(SourceError), session(source(url)) as opened:
        opened.con.raw_sql("DELETE FROM events")
    assert count(source(url)) == 2


def test_duckdb_that_this_process_has_open_for_writing_is_read(tmp_path: Path) -> None:
    url = make(tmp_path / "a.ddb", "duckdb")
    with duckdb.connect(str(tmp_path / "a.ddb")) as con:
        con.execute("INSERT INTO events VALUES ('2024-01-03', 3)")
        assert count(source(url)) == 3
        con.execute("INSERT INTO events VALUES ('2024-01-04', 4)")  # and it stays open for its owner
        assert count(source(url)) == 4


def test_duckdb_that_another_process_has_open_for_writing_is_a_clear_error(tmp_path: Path) -> None:
    url = make(tmp_path / "a.ddb", "duckdb")
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(tmp_path / 'a.ddb')!r}); print('open', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    with owner:
        owner.stdout.readline()
        with pytest.raises(
            SourceUnavailableError, match=r"lock.*check that .* no other process locks it"
        ) as caught:
            count(source(url))
        assert caught.value.retryable
        owner.stdin.close()
    assert count(source(url)) == 2


@kinds
def test_its_owner_can_write_between_two_pieces_of_work(tmp_path: Path, kind: str) -> None:
    url = make(tmp_path / "a.db", kind)
    assert count(source(url)) == 2
    program = (
        f"import {'duckdb' if kind == 'duckdb' else 'sqlite3'} as d; c = d.connect({str(tmp_path / 'a.db')!r});"
        "c.execute(\"INSERT INTO events VALUES ('2024-01-03 00:00:00', 3)\"); c.commit()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert count(source(url)) == 3


@kinds
def test_nothing_stays_open_after_an_error(tmp_path: Path, kind: str) -> None:
    url = make(tmp_path / "a.db", kind)
    before = open_files()
    for _ in range(3):
        with pytest.raises(SourceMissingError):
            count(source(url, table="event"))
        with pytest.raises(ZeroDivisionError), session(source(url)):
            _ = 1 / 0
    assert open_files() == before


def test_times_with_a_zone_read_in_utc_whatever_the_session_is(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "a.ddb")) as con:
        con.execute("CREATE TABLE events AS SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00' AS happened")
    con = ibis.duckdb.connect(str(tmp_path / "a.ddb"), read_only=True)
    con.raw_sql("SET TimeZone = 'America/New_York'")
    for table in (None, con.table("events")):
        with session(source(f"duckdb://{tmp_path / 'a.ddb'}"), table) as opened:
            rows = SourceRows(opened)
            found = rows.fetch(rows.table.select(us=rows.time_us(ALWAYS)))
            assert found["us"].to_pylist() == [1_704_067_200_000_000]
    con.disconnect()


@pytest.mark.parametrize(
    ("column", "what"),
    [("n", "column 'n' is int32, no time"), ("x", "there is no column 'x'")],
)
def test_a_time_column_must_be_there_and_hold_times(tmp_path: Path, column: str, what: str) -> None:
    url = make(tmp_path / "a.ddb", "duckdb")
    with (
        pytest.raises((SourceTypeError, SourceMissingError), match=what),
        session(Source("events", url, column, "events")) as opened,
    ):
        SourceRows(opened)


@pytest.mark.parametrize("of_files", [False, True])
def test_what_is_more_than_its_memory_is_kept_on_disk_as_long_as_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, of_files: bool
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("aggflow.scratch.gettempdir", lambda: str(scratch))
    url = make(tmp_path / "a.ddb", "duckdb")
    if of_files:
        with duckdb.connect() as con:
            con.execute(f"COPY (SELECT TIMESTAMP '2024-01-01' AS happened) TO '{tmp_path / 'a.parquet'}'")
        url = str(tmp_path / "a.parquet")
    with session(source(url), memory=50_000_000) as opened:
        assert not list(scratch.iterdir())
        opened.con.raw_sql("CREATE TEMP TABLE t AS SELECT i, hash(i) AS h FROM range(6000000) r(i)")
        assert len(list(scratch.iterdir())) == 1
        assert opened.con.raw_sql("SELECT count(*), max(i) FROM t").fetchall() == [(6_000_000, 5_999_999)]
    assert not list(scratch.iterdir())


def test_too_little_memory_is_said_with_what_to_set(tmp_path: Path) -> None:
    url = make(tmp_path / "a.ddb", "duckdb")
    with (
        pytest.raises(SourceUnavailableError) as caught,
        session(source(url), memory=20_000_000) as opened,
    ):
        opened.con.raw_sql("SELECT len(list(i)) FROM range(20000000) r(i)").fetchall()
    assert "AGGFLOW_SOURCE_MEMORY" in caught.value.hint
