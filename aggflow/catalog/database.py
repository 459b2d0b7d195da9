"""Database: the connections of a catalog, one reading connection a thread, one transaction a write."""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc

from aggflow.catalog import sqlite
from aggflow.catalog.errors import catalog_error, mapped
from aggflow.errors import CatalogError, NotFoundError

# SQLAlchemy's default for this name is a driver that aggflow does not install.
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

_MOST_KEPT = 4096

Mark: TypeAlias = tuple[int, int]
"""Names what is committed, as far as a catalog on SQLite has come: see :meth:`Database.mark`."""

# Connections that a fork brought along belong to the parent: never used, never closed.
_INHERITED: list[Any] = []


@dataclass(frozen=True)
class Lookup:
    """A statement that is compiled once and takes one text, ``key``, as its only parameter."""

    statement: sa.Select[Any]


class _Reading:
    """A thread's connection for reading.

    Attributes
    ----------
    connection
        Of SQLAlchemy.
    driver
        The driver's own beneath it.
    lock
        Held while it reads: whoever closes it waits.
    number
        Of no other connection of the process.
    """

    __slots__ = ("connection", "driver", "lock", "number")
    _numbers: ClassVar = itertools.count()

    def __init__(self, connection: sa.Connection, driver: Any) -> None:
        self.connection = connection
        self.driver = driver
        self.lock = threading.Lock()
        self.number = next(self._numbers)


class _Engines:
    """What one process has open; made anew after a fork."""

    def __init__(self, url: sa.URL) -> None:
        self.pid = os.getpid()
        self.path = sqlite.file_of(url)
        self.frozen = self.path is not None and self.path.exists() and sqlite.is_frozen(self.path)
        self.local = threading.local()
        self.opened: dict[threading.Thread, _Reading] = {}
        self.lock = threading.Lock()
        self.writer = self._engine(url)
        self.reader = self._engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        if url.get_backend_name() == "sqlite":
            # Taking the lock at once: a transaction that reads first could not become a writing one.
            sqlalchemy.event.listen(self.writer, "begin", _begin_immediate)
            for engine in (self.writer, self.reader):
                sqlalchemy.event.listen(engine, "connect", _prepare)
        self.driver_error: Any = self.reader.dialect.loaded_dbapi.Error
        self.compiled: dict[int, tuple[str, bool]] = {}
        self.has_marks = url.get_backend_name() == "sqlite"
        self.kept: dict[tuple[int, str], tuple[Mark, list[Any]]] = {}

    def _engine(self, url: sa.URL, **options: Any) -> sa.Engine:
        if (path := self.path) is not None:
            options["creator"] = lambda: sqlite.connect(path, frozen=self.frozen)
        elif "poolclass" not in options:
            options["pool_pre_ping"] = True
        return sa.create_engine(url, hide_parameters=True, **options)

    def has_thawed(self) -> bool:
        """Whether somebody has begun to write a file that was taken for frozen."""
        return self.frozen and self.path is not None and not sqlite.is_frozen(self.path)

    def reading(self) -> _Reading:
        """The thread's connection for reading."""
        try:
            return self.local.reading
        except AttributeError:
            connection = self.reader.connect()
            reading = _Reading(connection, connection.connection.dbapi_connection)
            self.local.reading = reading
            with self.lock:
                for thread in [t for t in self.opened if not t.is_alive()]:
                    self.opened.pop(thread).connection.close()
                self.opened[threading.current_thread()] = reading
            return reading

    def drop_reading(self) -> None:
        """Close this thread's connection for reading: the next read opens another."""
        with self.lock:
            reading = self.opened.pop(threading.current_thread(), None)
        if reading is not None:
            # Another thread may have closed everything meanwhile.
            self.local.__dict__.pop("reading", None)
            reading.connection.invalidate()
            reading.connection.close()

    def close(self) -> None:
        with self.lock:
            opened = tuple(self.opened.values())
            self.opened.clear()
            self.local = threading.local()
        for reading in opened:
            # A read that is under way in another thread ends first: closed below it, SQLite ends the process.
            with reading.lock:
                reading.connection.close()
        self.writer.dispose()
        self.reader.dispose()


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    sqlite.prepare(connection)


class Database:
    """The connections of a catalog; safe for threads, and for use on both sides of a fork.

    Parameters
    ----------
    url
        Any SQLAlchemy URL.
    """

    def __init__(self, url: sa.URL) -> None:
        self._url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        # A password may stand in the query part too, so that is never shown.
        self.shown = url.set(query={}).render_as_string(hide_password=True)
        try:
            with mapped(self.shown):
                self._open: _Engines = _Engines(self._url)
        except ImportError as error:
            raise CatalogError(
                f"the catalog {self.shown} needs a driver that is not installed"
                + (f": {error.name}" if error.name else ""),
                hint="pip install 'aggflow[postgres]', or another of its databases",
            ) from error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r})"

    @property
    def url(self) -> sa.URL:
        """Where the catalog is; prints without its password."""
        return self._url

    def close(self) -> None:
        """Close every connection of this process; a later call would open new ones."""
        if self._open.pid == os.getpid():
            self._open.close()

    def _engines(self) -> _Engines:
        engines = self._open
        if engines.pid != os.getpid():
            _INHERITED.append(engines)
            self._open = engines = _Engines(self._url)
        elif engines.frozen and engines.has_thawed():
            self._open = _Engines(self._url)
            engines.close()
            engines = self._open
        return engines

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, rolled back by an error."""
        with mapped(self.shown), self._engines().writer.begin() as connection:
            yield connection

    def _read(self, statement: sa.Select[Any], **values: Any) -> Sequence[sa.Row[Any]]:
        """The rows of one statement, read in autocommit mode."""
        if any(map(_is_nowhere, values.values())):
            return []
        with mapped(self.shown):
            try:
                return self._read_once(statement, values)
            except sqlalchemy.exc.DBAPIError as error:
                # A server may have closed an idle connection: a second try opens another.
                if not error.connection_invalidated:
                    raise
                return self._read_once(statement, values)

    def _read_once(self, statement: sa.Select[Any], values: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
        engines = self._engines()
        reading = engines.reading()
        try:
            with reading.lock:
                return reading.connection.execute(statement, values).all()
        except sqlalchemy.exc.SQLAlchemyError:
            engines.drop_reading()
            raise

    def mark(self) -> Mark | None:
        """Names what is committed now: of equal marks, lookups are equal; None where a server would be asked.

        Whoever looks several things up takes it once, before the first: each is then as new as the mark,
        and what was looked up before under the same mark is not looked up again.
        """
        engines = self._engines()
        if not engines.has_marks:
            return None
        number = engines.reading().number
        ((version,),) = self._driven(engines, "PRAGMA data_version", ())
        # A version is one of the connection that told it, which may have been another.
        return (number, version) if engines.reading().number == number else None

    def _look_up(self, lookup: Lookup, key: str, as_of: Mark | None = None) -> list[Any]:
        """The rows of a lookup, by the driver alone: a tenth of what `_read` takes."""
        if _is_nowhere(key):
            return []
        engines = self._engines()
        name = (id(lookup), key)
        if as_of is not None:
            kept = engines.kept.get(name)
            if kept is not None and kept[0] == as_of:
                return kept[1]
        try:
            text, by_position = engines.compiled[id(lookup)]
        except KeyError:
            text, by_position = engines.compiled[id(lookup)] = _compile(lookup, engines.reader.dialect)
        rows = self._driven(engines, text, (key,) if by_position else {"key": key})
        if as_of is not None:
            if len(engines.kept) >= _MOST_KEPT:
                engines.kept.clear()
            engines.kept[name] = as_of, rows
        return rows

    def _looked_up(self, lookup: Lookup, what: str, key: str) -> list[Any]:
        """The rows of a lookup of what has to be there.

        Raises
        ------
        NotFoundError
            It is not.
        """
        rows = self._look_up(lookup, key)
        if not rows:
            raise NotFoundError(what, key)
        return rows

    def _driven(self, engines: _Engines, text: str, values: tuple[str, ...] | dict[str, str]) -> list[Any]:
        """The rows of a statement, by the driver alone."""
        for is_last in (False, True):
            driver = None
            try:
                reading = engines.reading()
                driver = reading.driver
                with reading.lock:
                    cursor = driver.cursor()
                    cursor.execute(text, values)
                    rows = cursor.fetchall()
                    cursor.close()
            except sqlalchemy.exc.SQLAlchemyError as error:
                raise catalog_error(self.shown, error) from error
            except engines.driver_error as error:
                engines.drop_reading()
                lost = driver is not None and engines.reader.dialect.is_disconnect(error, driver, None)
                if is_last or not lost:
                    raise catalog_error(self.shown, error) from error
            else:
                return rows
        return []


def _is_nowhere(value: object) -> bool:
    """Whether no row can have a value: no text of Postgres holds a NUL, and a driver takes none."""
    return isinstance(value, str) and "\x00" in value


def _compile(lookup: Lookup, dialect: sa.Dialect) -> tuple[str, bool]:
    compiled = lookup.statement.compile(dialect=dialect)
    return str(compiled), bool(getattr(compiled, "positional", False))
