"""Errors of drivers, mapped in one place to the tree of aggflow."""

from __future__ import annotations

import re
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
)

# Most specific first: the first class that an error is an instance of decides.
DRIVER_ERRORS: tuple[tuple[type[BaseException], type[SourceError]], ...] = (
    (duckdb.CatalogException, SourceMissingError),
    (duckdb.IOException, SourceUnavailableError),
    (duckdb.ConnectionException, SourceUnavailableError),
    (duckdb.ConversionException, SourceTypeError),
    (duckdb.OutOfRangeException, SourceTypeError),
    (duckdb.OutOfMemoryException, SourceUnavailableError),
    (duckdb.TransactionException, SourceUnavailableError),
    (duckdb.InterruptException, SourceUnavailableError),
    (duckdb.Error, SourceQueryError),
    (sqlite3.OperationalError, SourceUnavailableError),
    (sqlite3.DatabaseError, SourceQueryError),
    (ibis_errors.TableNotFound, SourceMissingError),
    (ibis_errors.OperationNotDefinedError, UnsupportedError),
    (ibis_errors.UnsupportedOperationError, UnsupportedError),
    (ibis_errors.UnsupportedBackendType, UnsupportedError),
    (ibis_errors.IbisTypeError, SourceTypeError),
    (ibis_errors.IbisError, SourceQueryError),
    (pa.ArrowInvalid, SourceTypeError),
    (FileNotFoundError, SourceUnavailableError),
    (ConnectionError, SourceUnavailableError),
    (OSError, SourceUnavailableError),
)

_HINTS: dict[type[SourceError], str] = {
    SourceMissingError: "check the table's name and that it still exists",
    SourceUnavailableError: "check that the file or server is there, and that no other process locks it",
    SourceTypeError: "check the column's type and its values",
    SourceQueryError: "the database's own message is above",
}
_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")


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
        ours = next(ours for kind, ours in DRIVER_ERRORS if isinstance(error, kind))
        raise ours(f"source {source!r}: {_first_line(error)}", hint=_HINTS.get(ours, "")) from error


def without_password(text: str) -> str:
    """A text with the password of every URL in it hidden.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/db")
    'postgresql://me:***@host/db'
    """
    return _PASSWORD.sub(r"\1:***@", text)


def _first_line(error: BaseException) -> str:
    text = without_password(str(error)).strip()
    return text.split("\n", 1)[0][:300] or type(error).__name__
