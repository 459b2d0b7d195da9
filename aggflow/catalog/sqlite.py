"""SQLite file: how the embedded catalog is opened, for writing or read-only."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from aggflow.catalog.errors import is_busy

BUSY_SECONDS = 30.0
_RETRY_SECONDS = 0.01


def file_of(url: sa.URL) -> Path | None:
    """The file of a SQLite URL; None for another database, or where the URL has options of its own."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return Path(url.database)


def is_frozen(path: Path) -> bool:
    """Whether nobody can be writing the file: its folder takes no files, and no log stands beside it."""
    return not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()


def connect(path: Path, *, frozen: bool) -> sqlite3.Connection:
    """A connection in autocommit mode; read-only where the file or its folder cannot be written.

    Parameters
    ----------
    path
        The database file.
    frozen
        The answer of `is_frozen`: then SQLite is told to look for no log, which it could not create.
    """
    may_write = os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
    mode = "mode=rwc" if may_write else "mode=ro"
    uri = f"file:{quote(str(path))}?{mode}" + ("&immutable=1" if frozen else "")
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def prepare(connection: sqlite3.Connection) -> None:
    """Set what SQLite keeps for each connection."""
    connection.isolation_level = None  # transactions are begun by the catalog, not by the driver
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def use_log(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, for good, so that readers and a writer do not wait.

    Raises
    ------
    sqlite3.OperationalError
        The file stayed locked for the whole busy time.
    """
    # SQLite does not wait for this lock by itself.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return
