"""An event folder: the events of an embedded source, kept by aggflow itself.

A ledger, which is a SQLite file, holds the newest events and the names of Parquet files with all others;
when it holds many, it moves them into one more file.  Of the forms that need no server this is the one
that any number of processes can append to and read at the same time: a request is one transaction, so all
of its events are there or none; a reader takes names and newest events in one transaction, and files are
never changed, so that it keeps seeing the same rows; ids are a unique index; and DuckDB reads Parquet by
columns, leaving out files of other times.  (A DuckDB file takes one process at a time; a file for every
request would soon be too many; SQLite alone reads every row for every question.)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from aggflow.timeline import Micros

ARRIVED: Final = "_arrived"
"""The column with the time at which an event was appended; rises from one request to the next."""

EVENT: Final = "_event"
"""The column with the event, as JSON text."""

TIME: Final = "_time"
"""The column with the time of the event, under whatever name its source has for it."""

_LEDGER: Final = "ledger.db"
_BUSY_SECONDS: Final = 30.0
_PAUSE: Final = 0.01
_MOST_ROWS: Final = 20_000
_MOST_BYTES: Final = 8 << 20
# No reader of a file's name, taken before it was removed, is as slow.
_ORPHAN_SECONDS: Final = 3600.0
_TIMESTAMP: Final = pa.timestamp("us")
SCHEMA: Final = pa.schema([(TIME, _TIMESTAMP), (ARRIVED, _TIMESTAMP), (EVENT, pa.string())])

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS events (time INTEGER NOT NULL, arrived INTEGER NOT NULL, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, rows INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ids (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (arrived INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals);
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes
    ----------
    time_us
        When it happened; None for when it arrives.
    text
        All of it, as JSON.
    id
        By which it is known if it comes again; None where it has none.
    """

    time_us: Micros | None
    text: str
    id: str | None = None


@dataclass(frozen=True)
class Appended:
    """What was appended.

    Attributes
    ----------
    accepted
        How many events are new.
    duplicates
        How many were there already, by their ids.
    arrived_us
        When they arrived.
    """

    accepted: int
    duplicates: int
    arrived_us: Micros


@dataclass(frozen=True)
class EventSnapshot:
    """All events as of one moment.

    Attributes
    ----------
    files
        Parquet files.
    newest
        The events that are in none of them.
    """

    files: tuple[Path, ...]
    newest: pa.Table


class EventFolder:
    """The events of one embedded source.

    Parameters
    ----------
    path
        The folder; made when something is first appended.
    most_rows
        How many events the ledger holds before they become a file.
    """

    def __init__(self, path: Path, most_rows: int = _MOST_ROWS) -> None:
        self.path = path
        self._most_rows = most_rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever appended."""
        snapshot = self.snapshot()
        return not snapshot.files and not snapshot.newest.num_rows

    def append(self, events: Sequence[Event], now_us: Micros) -> Appended:
        """Append events, all or none.

        Parameters
        ----------
        events
            Those with an id that is there already are left out; of those that have the same the first counts.
        now_us
            The present instant.  A later request has a later arrival, even where the clock was set back.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self._writing() as ledger:
            last, rows, size = ledger.execute("SELECT arrived, rows, bytes FROM totals").fetchone()
            arrived_us = max(now_us, last + 1)
            new = [event for event in events if event.id is None or _is_new(ledger, event.id)]
            ledger.executemany(
                "INSERT INTO events VALUES (?, ?, ?)",
                [
                    (arrived_us if event.time_us is None else event.time_us, arrived_us, event.text)
                    for event in new
                ],
            )
            rows, size = rows + len(new), size + sum(len(event.text) for event in new)
            if rows >= self._most_rows or size >= _MOST_BYTES:
                self._move(ledger)
                rows = size = 0
            ledger.execute("UPDATE totals SET arrived = ?, rows = ?, bytes = ?", (arrived_us, rows, size))
        return Appended(len(new), len(events) - len(new), arrived_us)

    def snapshot(self) -> EventSnapshot:
        """All events as of now."""
        if not (self.path / _LEDGER).exists():
            return EventSnapshot((), SCHEMA.empty_table())
        with self._opened("rw") as ledger:
            # One transaction: an event that is moved meanwhile is seen here once, and only once.
            ledger.execute("BEGIN")
            if not ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'totals'").fetchone():
                # The first request is under way.
                return EventSnapshot((), SCHEMA.empty_table())
            names = [name for (name,) in ledger.execute("SELECT name FROM files ORDER BY name")]
            newest = _newest(ledger)
        return EventSnapshot(tuple(self.path / name for name in names), newest)

    def copy_to(self, path: Path) -> int:
        """Copy all events as of one moment to a folder that is not there; it is there whole, or not at all.

        Parameters
        ----------
        path
            The folder.

        Returns
        -------
        int
            How many bytes.
        """
        new = path.with_name(f".copying-{uuid4().hex}")
        new.mkdir(parents=True)
        try:
            # Nobody appends meanwhile; a connection that writes could not be copied by itself.
            with (
                self._writing(),
                self._opened("rw") as ledger,
                closing(sqlite3.connect(new / _LEDGER)) as copy,
            ):
                ledger.backup(copy)
                for (name,) in ledger.execute("SELECT name FROM files"):
                    shutil.copyfile(self.path / name, new / name)
            size = sum(file.stat().st_size for file in new.iterdir())
            new.rename(path)
        except BaseException:
            shutil.rmtree(new)
            raise
        return size

    def remove(self) -> None:
        """Remove all events; who reads them at this moment may fail."""
        if not self.path.exists():
            return
        # Out of the way at once: what is not deleted, if this is cut off, is in nobody's way.
        gone = self.path.with_name(f".removed-{uuid4().hex}")
        self.path.rename(gone)
        for file in gone.iterdir():
            file.unlink(missing_ok=True)
        gone.rmdir()

    # -- the ledger

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        uri = f"file:{quote(str(self.path / _LEDGER))}?mode={mode}"
        ledger = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, during which nobody else writes."""
        with self._opened("rwc") as ledger:
            _use_log(ledger)
            ledger.execute("BEGIN IMMEDIATE")
            try:
                for statement in filter(str.strip, _TABLES.split(";")):
                    ledger.execute(statement)
                yield ledger
                ledger.execute("COMMIT")
            except BaseException:
                if ledger.in_transaction:
                    ledger.execute("ROLLBACK")
                raise

    def _move(self, ledger: sqlite3.Connection) -> None:
        """Move the newest events into a file."""
        events, name = _newest(ledger).sort_by(TIME), f"{uuid4().hex}.parquet"
        # On the disk before the ledger names it: if this is cut off in between, nobody knows the file.
        with (self.path / name).open("xb") as file:
            pq.write_table(events, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        ledger.execute("INSERT INTO files VALUES (?, ?)", (name, events.num_rows))
        ledger.execute("DELETE FROM events")
        self._forget_orphans(ledger)

    def _forget_orphans(self, ledger: sqlite3.Connection) -> None:
        """Delete files that were written by requests that were cut off."""
        known = {name for (name,) in ledger.execute("SELECT name FROM files")}
        for file in self.path.glob("*.parquet"):
            if file.name not in known and time.time() - file.stat().st_mtime > _ORPHAN_SECONDS:
                file.unlink(missing_ok=True)


def _is_new(ledger: sqlite3.Connection, event_id: str) -> bool:
    """Note an id; False where it is known."""
    # Ids may be long; a hash of 128 bits is as good.
    key = hashlib.sha256(event_id.encode()).digest()[:16]
    return ledger.execute("INSERT OR IGNORE INTO ids VALUES (?)", (key,)).rowcount == 1


def _newest(ledger: sqlite3.Connection) -> pa.Table:
    rows: list[Any] = ledger.execute("SELECT time, arrived, event FROM events").fetchall()
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    times = [pa.array(column, type=pa.int64()).cast(_TIMESTAMP) for column in columns[:2]]
    return pa.Table.from_arrays([*times, pa.array(columns[2], type=pa.string())], schema=SCHEMA)


def _use_log(ledger: sqlite3.Connection) -> None:
    """Let readers and a writer not wait for one another."""
    if ledger.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            # SQLite does not wait for this lock by itself.
            ledger.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return
