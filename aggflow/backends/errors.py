"""Errors of drivers, mapped in one place to the tree of aggflow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import ibis.common.exceptions as ibis_errors
import pyarrow as pa

from aggflow.errors import (
    AggflowError,
    SourceError,
    SourceMissingError,
    SourceQueryError,
    SourceTypeError,
    SourceUnavailableError,
    UnsupportedError,
    without_password,
)

# Most specific first: the first class that an error is an instance of decides.
DRIVER_ERRORS: tuple[tuple[type[Exception], type[SourceError]], ...] = (
    (duckdb.CatalogException, SourceMissingError),
    (duckdb.IOException, SourceUnavailableError),
    (duckdb.ConnectionException, SourceUnavailableError),
    (duckdb.ConversionException, SourceTypeError),
    (duckdb.OutOfRangeException, SourceTypeError),
    (duckdb.OutOfMemoryException, SourceUnavailableError),
    (duckdb.TransactionException, SourceUnavailableError),
    (duckdb.InterruptException, SourceUnavailableError),
    (duckdb.Error, SourceQueryError),
    (sqlite3.Error, SourceQueryError),
    (ibis_errors.TableNotFound, SourceMissingError),
    (ibis_errors.OperationNotDefinedError, UnsupportedError),
    (ibis_errors.UnsupportedOperationError, UnsupportedError),
    (ibis_errors.UnsupportedBackendType, UnsupportedError),
    (ibis_errors.IbisTypeError, SourceTypeError),
    (ibis_errors.IbisError, SourceQueryError),
    (pa.ArrowException, SourceTypeError),
    (OSError, SourceUnavailableError),
)
# SQLite has one class for a wrong statement and for a file that is locked; these codes say the latter.
_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}

_HINTS: dict[type[SourceError], str] = {
    SourceMissingError: "check the table's name and that it still exists",
    SourceUnavailableError: "check that the file or server is there, and that no other process locks it",
    SourceTypeError: "check the column's type and its values",
    UnsupportedError: "compute it in the source's own SELECT, or keep the events in DuckDB",
    SourceQueryError: "this is the database's own message",
}
# Greedy, so that a password with an @ in it is hidden to its end.


@contextmanager
def mapped(source: str) -> Iterator[None]:
    """Turn a driver's error inside the block into one of ours that names the source.

    Raises
    ------
    SourceError
        Of the class that :data:`DRIVER_ERRORS` says.
    """
    try:
        yield
    except AggflowError:
        raise
    except tuple(kind for kind, _ in DRIVER_ERRORS) as error:
        ours = _ours(error)
        raise ours(f"source {source!r}: {_first_line(error)}", hint=_HINTS.get(ours, "")) from error


def _ours(error: Exception) -> type[SourceError]:
    # The lower byte of an extended code is the code.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_UNAVAILABLE:
        return SourceUnavailableError
    return next(ours for kind, ours in DRIVER_ERRORS if isinstance(error, kind))


def _first_line(error: BaseException) -> str:
    text = without_password(str(error)).strip()
    return text.split("\n", 1)[0][:300] or type(error).__name__
