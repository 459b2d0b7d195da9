"""Sources that cannot be read: who must do what is said, no password is shown, and states stay as they were."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from database_server import DatabaseServer
from postgres_server import PostgresServer

import aggflow as af
from aggflow.backends import fetch as fetching
from aggflow.backends import stream as streaming
from aggflow.backends.connect import session
from aggflow.errors import (
    SourceError,
    SourceMissingError,
    SourceQueryError,
    SourceTypeError,
    SourceUnavailableError,
)
from aggflow.spec.source import Source

# Declarations take the texts of calculations, which type checkers do not know.
Aggregation: Any = af.Aggregation
Field: Any = af.Field
SERVERS = ("postgres", "mariadb")
DAY = "2024-01-{:02}"


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> DatabaseServer:
    return request.getfixturevalue(request.param)


@pytest.fixture
def shop(server: DatabaseServer, request: pytest.FixtureRequest) -> str:
    """A database of events: two a day, for ten days."""
    name = f"shop_{abs(hash(request.node.nodeid))}"
    server.create(name)
    server.run("CREATE TABLE events (happened timestamp NULL, n bigint, kind varchar(20))", database=name)
    rows = ", ".join(
        f"('{DAY.format(day)} 0{hour}:00:00', {day}, 'a')" for day in range(1, 11) for hour in (1, 2)
    )
    server.run(f"INSERT INTO events VALUES {rows}", database=name)
    return name


@pytest.fixture
def ws(server: DatabaseServer, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AGGFLOW_SOURCE_RETRIES", "0")  # a build that fails says so at once
    made: Any = af.open(str(tmp_path / "home"))
    made.add_source("events", server.url(shop), table="events", time="happened")
    made.add_filter(
        "f", source="events", interval="1d", groupings=["kind"],
        aggregations=[Aggregation("n", "n", ("COUNT", "SUM"))],
    )  # fmt: skip
    made.add_endpoint(
        "total",
        filter="f",
        timing=af.Lookback("30d"),
        fields=[Field("rows", "n", "COUNT"), Field("sum", "n", "SUM")],
    )
    yield made
    made.close()


def build(ws: Any, until: int) -> Any:
    return ws.build("f", until=f"{DAY.format(until)}T00:00:00Z", progress=False)


def stored(ws: Any, end: int) -> dict[str, Any]:
    """What is answered of states alone."""
    (row,) = ws.query("total", end=f"{DAY.format(end)}T00:00:00Z", live=False).rows
    return row["fields"]


def everything_shown(error: BaseException, source: Source, caplog: pytest.LogCaptureFixture) -> str:
    trace = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), trace, repr(source), str(source.shown()), caplog.text])


# -- URLs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind", "hint"),
    [
        (lambda url: url.replace("s3cret%2Fw%40rd", "hunter2%2Fx"), SourceQueryError, "check user, password"),
        (
            lambda url: url.replace("127.0.0.1", "127.0.0.2"),
            SourceUnavailableError,
            "the file or server is there",
        ),
        (lambda url: url.rpartition("/")[0] + "/nowhere", SourceMissingError, "check the table's name"),
        (lambda url: url.replace("s3cret%2Fw%40rd", "hunter2/x"), SourceQueryError, "%2F for /"),
        (lambda url: url.replace("s3cret%2Fw%40rd", "hunter2#x"), SourceQueryError, "%23 for #"),
    ],
    ids=["password", "host", "database", "unquoted", "fragment"],
)
def test_a_wrong_url_is_said_without_its_password(
    server: DatabaseServer,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[str], str],
    kind: type[SourceError],
    hint: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    source = Source(
        "events",
        change(server.url("mysql" if "mysql" in server.url("x") else "postgres")),
        "happened",
        "events",
    )
    with pytest.raises(kind) as caught, session(source):
        pass
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert caught.value.message.startswith(("source 'events': ", "the URL "))
    shown = everything_shown(caught.value, source, caplog)
    assert "hunter2" not in shown
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("postgresql://me:hunter2@127.0.0.1/x", "psycopg", "postgres"),
        ("mysql://me:hunter2@127.0.0.1/x", "MySQLdb", "mysql"),
        ("polars://{}", "polars", "polars"),
        ("datafusion://{}", "datafusion", "datafusion"),
        ("pyspark://{}", "pyspark", "pyspark"),
    ],
)
def test_a_missing_driver_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, url: str, module: str, extra: str
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    program = f"""
import sys
sys.modules[{module!r}] = None
from aggflow.backends.connect import session
from aggflow.errors import UnsupportedError
from aggflow.spec.source import Source
try:
    with session(Source("events", {url.format(tmp_path / "a.parquet")!r}, "happened", "events")):
        pass
except UnsupportedError as error:
    print(repr(error), error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"pip install 'aggflow[{extra}]'" in done.stdout, done.stderr
    assert "hunter2" not in done.stdout + done.stderr


# -- between two builds ----------------------------------------------------------------------------------


def test_a_table_that_is_dropped_leaves_what_was_built(server: DatabaseServer, shop: str, ws: Any) -> None:
    build(ws, 5)
    before = stored(ws, 5)
    server.run("ALTER TABLE events RENAME TO gone", database=shop)
    with pytest.raises(SourceMissingError, match="there is no table 'events'"):
        build(ws, 11)
    assert stored(ws, 5) == before == {"rows": 8, "sum": 20}
    server.run("ALTER TABLE gone RENAME TO events", database=shop)
    assert build(ws, 11).rows_read == 12
    assert stored(ws, 11) == {"rows": 20, "sum": 110}


def test_a_column_of_another_type_is_refused(server: DatabaseServer, shop: str, ws: Any) -> None:
    build(ws, 5)
    before = stored(ws, 5)
    alter = (
        "ALTER TABLE events ALTER n TYPE text"
        if server.url("x").startswith("postgres")
        else "ALTER TABLE events MODIFY n text"
    )
    server.run(alter, database=shop)
    with pytest.raises(SourceTypeError) as caught:
        build(ws, 11)
    assert caught.value.message == "source 'events': 'n' is string; SUM, AVG need numbers"
    assert caught.value.hint == "choose a numeric column, or cast it in the source"
    assert stored(ws, 5) == before == {"rows": 8, "sum": 20}


# -- in the middle of a build ----------------------------------------------------------------------------


def test_a_connection_that_is_cut_in_the_middle_leaves_the_window_as_it_was(
    server: DatabaseServer, shop: str, ws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(ws, 5)
    before = stored(ws, 5)
    plain, cut = fetching.fetch, threading.Event()

    def cutting(con: Any, can: Any, expression: Any) -> Any:
        # The window is staged and some of it read: now the server ends the connection.
        if "aggflow_" in str(expression) and not cut.is_set():
            cut.set()
            assert server.drop_connections(shop) >= 1
        return plain(con, can, expression)

    monkeypatch.setattr("aggflow.backends.source_rows.fetch", cutting)
    with pytest.raises(SourceUnavailableError) as caught:
        build(ws, 11)
    assert "the next build goes on" in str(caught.value)
    assert stored(ws, 5) == before == {"rows": 8, "sum": 20}
    assert build(ws, 11).rows_read == 12
    assert stored(ws, 11) == {"rows": 20, "sum": 110}


def test_a_connection_that_is_cut_in_the_middle_of_a_stream_leaves_the_window_as_it_was(
    server: DatabaseServer, shop: str, ws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some slices are written by then: they are of no segment, and gone."""
    ws.settings = ws.settings.model_copy(update={"slice_rows": 4})
    ws.add_filter(
        "p", source="events", interval="1d",
        aggregations=[Aggregation("n", "n", ("COUNT", "SUM", "PERCENTILES"))],
    )  # fmt: skip
    fields = [Field("rows", "n", "COUNT"), Field("most", "n", "PERCENTILES", percentile=1)]
    ws.add_endpoint("total", filter="p", timing=af.Lookback("30d"), fields=fields)
    assert ws.build("p", until="2024-01-05T00:00:00Z", progress=False).rows_read == 8
    before = stored(ws, 5)
    plain, streamed = streaming.stream, list[int]()

    def cutting(con: Any, can: Any, expression: Any) -> Any:
        for batch in plain(con, can, expression):
            streamed.append(batch.num_rows)
            if len(streamed) == 2:
                assert server.drop_connections(shop) >= 1
            yield batch

    monkeypatch.setattr("aggflow.backends.source_rows.stream", cutting)
    with pytest.raises(SourceUnavailableError):
        ws.build("p", until="2024-01-11T00:00:00Z", progress=False)
    assert stored(ws, 5) == before
    assert {file.file for file in ws._store.files()} == ws._catalog.live_files()
    assert ws.build("p", until="2024-01-11T00:00:00Z", progress=False).rows_read == 12
    assert stored(ws, 11)["rows"] == 20
    assert streamed == [2, 2, 2, 2, 2]


def test_a_server_that_was_restarted_is_connected_to_again(tmp_path: Path) -> None:
    with PostgresServer.started() as server:
        server.create("shop")
        server.run("CREATE TABLE events AS SELECT timestamp '2024-01-01' AS happened", database="shop")
        source = Source("events", server.url("shop"), "happened", "events")
        for restart in (False, True):
            if restart:
                server.restart()
            with session(source) as opened:
                assert int(opened.con.to_pyarrow(opened.table.count()).as_py()) == 1
