"""A connection: from a source's URL to an Ibis backend, opened for one piece of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from aggflow.backends.capabilities import CAPABILITIES, capability, capability_of_scheme
from aggflow.backends.capability import Capability
from aggflow.backends.errors import mapped
from aggflow.backends.event_folder import ARRIVED, EVENT, TIME, EventFolder
from aggflow.backends.file_engine import files_as_table, must_match, started
from aggflow.backends.plain_text import with_plain_texts
from aggflow.backends.pool import pool, prepared
from aggflow.errors import LONGEST_PATH, SourceMissingError, SourceUnavailableError, did_you_mean
from aggflow.language import Path as LanguagePath
from aggflow.language import read_subject
from aggflow.quote import cut, quoted
from aggflow.scratch import scratch
from aggflow.spec.source import Source

_DATABASES = {
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}
_OF_FILES = {scheme for row in CAPABILITIES.values() if row.reads_files for scheme in row.schemes}
EVENTS = "events"
"""The scheme of the URL of an event folder; sources say ``embedded://``, wherever their home is."""


@dataclass(frozen=True)
class Session:
    """A source, opened: the backend, its capability and the table of events.

    Attributes
    ----------
    source
        What is open.
    con
        The Ibis backend.
    can
        Its row in the capability table.
    table
        All rows of the source.
    """

    source: Source
    con: Any
    can: Capability
    table: ir.Table


def absolute_url(url: str, base: Path) -> str:
    """A URL whose file path, if it has one, does not depend on the working directory.

    Examples
    --------
    >>> absolute_url("duckdb://flights.ddb", Path("/data"))
    'duckdb:///data/flights.ddb'
    >>> absolute_url("events/*.parquet", Path("/data"))
    '/data/events/*.parquet'
    >>> absolute_url("shop.sqlite", Path("/data")), absolute_url("sqlite:////data/shop.db", Path("/"))
    ('sqlite:///data/shop.sqlite', 'sqlite:///data/shop.db')
    >>> absolute_url("polars://events/*.parquet", Path("/data"))
    'polars:///data/events/%2A.parquet'
    >>> absolute_url("postgresql://host/db", Path("/data"))
    'postgresql://host/db'
    """
    scheme, path = split_url(url)
    scheme = scheme or _DATABASES.get(Path(path).suffix.lower(), "")
    if scheme in _OF_FILES and path and path != ":memory:":
        _, mark, options = url.partition("?") if "://" in url else ("", "", "")
        return f"{scheme}://{quote(_absolute(path, base))}{mark}{options}"
    return _absolute(path, base) if scheme == "" and path else url


def split_url(url: str) -> tuple[str, str]:
    """A URL's scheme and file path; a bare path has no scheme, another scheme no path."""
    scheme, sign, rest = url.partition("://")
    if not sign:
        return "", url
    if scheme in (*_OF_FILES, EVENTS):
        path = unquote(rest.partition("?")[0])
        # SQLAlchemy's habit of four slashes before an absolute path is understood, too.
        return scheme, f"/{path.lstrip('/')}" if path.startswith("/") else path
    return scheme, ""


def embedded_at(source: Source, folder: Path) -> Source:
    """An embedded source as it is opened: its events are in a folder, and have the columns of one.

    Examples
    --------
    >>> source = Source("clicks", "embedded://", "at")
    >>> embedded_at(source, Path("/data/clicks"))
    Source(name='clicks', url='events:///data/clicks', time='at', table='events', ingestion_time='_arrived', json='_event')
    """
    url = f"{EVENTS}://{quote(str(folder))}"
    subject = read_subject(source.time)
    # The time of the event is found under its own name: as a time, and not as what was sent.
    parts = subject.parts if isinstance(subject, LanguagePath) else ()
    time = parts[0] if len(parts) == 1 else source.time
    return replace(source, url=url, time=time, table="events", ingestion_time=ARRIVED, json=EVENT)


@contextmanager
def session(source: Source, table: ir.Table | None = None, memory: int = 0) -> Iterator[Session]:
    """Open a source for one piece of work.

    Parameters
    ----------
    source
        What to open.
    table
        A table of this Python session that stands for the source: it is used as it is.
    memory
        Bytes that DuckDB may use, if it is opened here; 0 leaves it to DuckDB.

    Raises
    ------
    SourceError
        It cannot be opened, or its table is not there.
    """
    with mapped(source.name):
        if table is not None:
            con: Any = table.get_backend()
            can = capability(con.name)
            yield Session(source, prepared(con, can), can, with_plain_texts(con, can, table))
            return
        con, owned = _open(source)
        if owned and isinstance(con.con, duckdb.DuckDBPyConnection):
            _bound(con, memory)
        try:
            can = capability(con.name)
            yield Session(source, con, can, with_plain_texts(con, can, _table(con, source)))
        finally:
            if owned:
                con.disconnect()


def _open(source: Source) -> tuple[Any, bool]:
    scheme, path = split_url(source.url)
    if scheme == "":
        return _open_files(source, path), True
    if scheme == "duckdb":
        return _open_duckdb(source, path), True
    if scheme == EVENTS:
        return _open_events(source, EventFolder(Path(path))), True
    if scheme == "sqlite":
        _must_exist(source, path)
        # URI form, since only that opens read-only.
        opened = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, check_same_thread=False)
        return prepared(ibis.sqlite.from_connection(opened), capability_of_scheme(scheme)), True
    can = capability_of_scheme(urlsplit(source.url).scheme)
    if can.reads_files:
        return started(source.url, can), False
    return pool().connection(source.url, can), False


def _open_duckdb(source: Source, path: str) -> Any:
    if not path or path == ":memory:":
        return _in_utc(ibis.duckdb.connect())
    _must_exist(source, path)
    try:
        return _in_utc(ibis.duckdb.connect(path, read_only=True))
    except duckdb.ConnectionException:
        # This process has the file open for writing: DuckDB allows one mode a process and path.
        return _in_utc(ibis.duckdb.connect(path))


def _in_utc(con: Any) -> Any:
    """A session whose times with a zone read in UTC, wherever it runs."""
    con.raw_sql("SET TimeZone = 'UTC'")
    return con


def _bound(con: Any, memory: int) -> None:
    """Let DuckDB keep on disk what is more than it may hold in memory."""
    with suppress(duckdb.NotImplementedException):  # who shares its file with us has spilled already
        # A folder of its own, made when it is needed and gone with the session: by default it would be one
        # that all processes which began in the same folder share, or that of the source, which may be read-only.
        con.raw_sql(f"SET temp_directory = {_quoted(str(scratch()), chr(39))}")
    if memory:
        con.raw_sql(f"SET memory_limit = '{memory}B'")


def _open_files(source: Source, path: str) -> Any:
    must_match(path, source.name)
    con = _in_utc(ibis.duckdb.connect())
    # Footers are read once, not once a statement.
    con.raw_sql("SET parquet_metadata_cache = true")
    return con


def _open_events(source: Source, folder: EventFolder) -> Any:
    """The events of an embedded source, as of now, as the table ``events``."""
    con = _in_utc(ibis.duckdb.connect())
    con.raw_sql("SET parquet_metadata_cache = true")
    snapshot = folder.snapshot()
    con.con.register("newest", snapshot.newest)
    parts = ["SELECT * FROM newest"]
    if snapshot.files:
        files = ", ".join(_quoted(str(file), "'") for file in snapshot.files)
        parts.append(f"SELECT * FROM read_parquet([{files}])")  # noqa: S608 - quoted
    time = "" if source.time == ARRIVED else f"{TIME} AS {_quoted(source.time, chr(34))}, "
    # Not a temporary view: Ibis looks for tables by name in the main schema.
    con.raw_sql(f"CREATE VIEW events AS SELECT {time}{ARRIVED}, {EVENT} FROM ({' UNION ALL '.join(parts)})")  # noqa: S608 - quoted
    return con


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def _must_exist(source: Source, path: str) -> None:
    if not Path(path).exists():
        raise SourceUnavailableError(
            f"source {source.name!r}: there is no file {cut(path, LONGEST_PATH)}", hint="check the URL"
        )


def _table(con: Any, source: Source) -> ir.Table:
    scheme, path = split_url(source.url)
    if path and scheme != EVENTS and scheme not in _DATABASES.values() and not source.sql:
        return files_as_table(con, path, source.name)
    if source.sql:
        return con.sql(source.sql)
    database, _, name = source.table.rpartition(".")
    try:
        return con.table(name, database=database or None)
    except ibis.common.exceptions.TableNotFound:
        known = con.list_tables(database=database or None)
        raise SourceMissingError(
            f"source {source.name!r}: there is no table {quoted(source.table)}",
            hint=did_you_mean(name, known),
        ) from None


def _absolute(path: str, base: Path) -> str:
    return str(Path(path) if Path(path).is_absolute() else (base / path).absolute())


def source_of_table(table: ir.Table) -> tuple[str, str, str]:
    """The URL, table and SELECT by which a table of this Python session can be found again.

    Returns
    -------
    tuple of str
        URL, table, SQL; all empty for a table that lives in this session only.
    """
    con: Any = table.get_backend()
    url = _url_of(con)
    if not url:
        return "", "", ""
    operation: Any = table.op()
    if isinstance(operation, ops.DatabaseTable):
        database = operation.namespace.database
        plain = database in (None, "main", "public")
        return url, operation.name if plain else f"{database}.{operation.name}", ""
    return url, "", str(ibis.to_sql(table, dialect=con.name))


def _url_of(con: Any) -> str:
    if con.name in ("duckdb", "sqlite"):
        found = con.raw_sql("PRAGMA database_list").fetchall()
        path = next((row[2] for row in found if row[1] not in ("temp", "system")), None)
        return f"{con.name}://{quote(path)}" if path else ""
    return ""
