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
# Of drivers that may not be installed, by the names of their classes; nearer ones are found first, by the
# order of their bases.
DRIVER_ERRORS_BY_NAME: dict[str, type[SourceError]] = {
    "psycopg.errors.UndefinedTable": SourceMissingError,
    "psycopg.errors.UndefinedColumn": SourceMissingError,
    "psycopg.errors.InvalidSchemaName": SourceMissingError,
    "psycopg.errors.InvalidCatalogName": SourceMissingError,
    "psycopg.errors.DatatypeMismatch": SourceTypeError,
    "psycopg.errors.UndefinedFunction": SourceTypeError,
    "psycopg.DataError": SourceTypeError,
    "psycopg.OperationalError": SourceUnavailableError,
    "psycopg.InterfaceError": SourceUnavailableError,
    "psycopg.Error": SourceQueryError,
    "MySQLdb.DataError": SourceTypeError,
    "MySQLdb.InterfaceError": SourceUnavailableError,
    "MySQLdb.Error": SourceQueryError,
    "polars.exceptions.ColumnNotFoundError": SourceMissingError,
    "polars.exceptions.SchemaError": SourceTypeError,
    "polars.exceptions.PolarsError": SourceQueryError,
    "pyspark.errors.exceptions.base.ArithmeticException": SourceTypeError,
    "pyspark.errors.exceptions.base.NumberFormatException": SourceTypeError,
    "pyspark.errors.exceptions.base.PySparkException": SourceQueryError,
    "py4j.protocol.Py4JNetworkError": SourceUnavailableError,
    "py4j.protocol.Py4JError": SourceQueryError,
}
# MySQL's classes do not part what helps from what does not; its numbers do.
_MYSQL_UNAVAILABLE = {1040, 1053, 1205, 1213, 1317, 1927, 2002, 2003, 2006, 2013, 2055, 3024}
_MYSQL_MISSING = {1049, 1051, 1054, 1146}
_MYSQL_TYPE = {1264, 1690}
# What SQLite says of a Python function that raised: the one that is given what is no number.
_REFUSED_VALUE = "user-defined function raised exception"
# DataFusion raises plain exceptions.
_DATAFUSION = re.compile(r"^(DataFusion|Arrow|Execution|External|Internal) error:")
# What Java raised, and what each was caused by, as Python's side of Spark tells it.
_JAVA = re.compile(r"^(?:Caused by)?: (?:[\w.$]+: )?(\S.*)$", re.MULTILINE)
# A server that answers and refuses: trying again does not help.
_REFUSED = re.compile(
    r"authentication failed|Access denied|permission denied|no password supplied", re.IGNORECASE
)
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
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
    SourceUnavailableError: (
        "check that the file or server is there, and that no other process locks it; what was built stays as it "
        "was, and the next build goes on from there"
    ),
    SourceTypeError: "check the column's type and its values",
    UnsupportedError: "compute it in the source's own SELECT, or keep the events in DuckDB",
    SourceQueryError: "this is the database's own message",
}
_HINT_MEMORY = "let it use more memory by AGGFLOW_SOURCE_MEMORY, or read less at once by AGGFLOW_BATCH_ROWS"
_HINT_REFUSED = "check user, password and rights in the source's URL and on the server"


@contextmanager
def mapped(source: str) -> Iterator[None]:
    """Turn a driver's error inside the block into one of ours that names the source.

    Raises
    ------
    SourceError
        Of the class that :data:`DRIVER_ERRORS` says.
    KeyboardInterrupt
        Somebody interrupted a statement, of whatever the driver makes of that.
    """
    try:
        yield
    except AggflowError:
        raise
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            # DuckDB tells who interrupted a statement by an error of its own.
            raise error.__cause__ from None
        ours = _ours(error)
        if ours is None:
            raise
        text = _first_line(error)
        raise ours(f"source {source!r}: {text}", hint=_hint(error, ours, text)) from error


def _hint(error: Exception, ours: type[SourceError], text: str) -> str:
    if isinstance(error, duckdb.OutOfMemoryException):
        return _HINT_MEMORY
    return _HINT_REFUSED if _REFUSED.search(text) else _HINTS.get(ours, "")


def _ours(error: Exception) -> type[SourceError] | None:
    """The class of our tree; None for what is no driver's error."""
    # The lower byte of an extended code is the code.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_UNAVAILABLE:
        return SourceUnavailableError
    if str(error) == _REFUSED_VALUE:
        return SourceTypeError
    for kind, ours in DRIVER_ERRORS:
        if isinstance(error, kind):
            return ours
    for kind in type(error).__mro__:
        found = DRIVER_ERRORS_BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")
        if found is not None:
            return _by_what_it_says(error, found)
    if type(error) is Exception and _DATAFUSION.match(str(error)):
        return SourceQueryError
    return SourceTypeError if _unknown_type(error) else None


def _unknown_type(error: BaseException) -> str:
    """The type of Arrow that Ibis did not find among those it knows; empty for every other error."""
    found = error.args[0] if isinstance(error, KeyError) and error.args else None
    return str(found) if isinstance(found, pa.DataType) else ""


def _by_what_it_says(error: Exception, ours: type[SourceError]) -> type[SourceError]:
    text = str(error)
    if _REFUSED.search(text):
        return SourceQueryError
    if _NO_DATABASE.search(text):
        return SourceMissingError
    number = error.args[0] if error.args else None
    if number in _MYSQL_UNAVAILABLE:
        return SourceUnavailableError
    if number in _MYSQL_TYPE:
        return SourceTypeError
    return SourceMissingError if number in _MYSQL_MISSING else ours


def _first_line(error: BaseException) -> str:
    if str(error) == _REFUSED_VALUE:
        return "a column of numbers holds a value that is none"
    if type_ := _unknown_type(error):
        return f"a column is {type_}, which no engine but DuckDB reads (by the path alone)"
    # MySQL's errors are a number and a sentence.
    said = error.args[1] if len(error.args) == 2 and isinstance(error.args[1], str) else str(error)
    if said.startswith("An error occurred while calling"):
        said = [said, *_JAVA.findall(said)][-1]
    text = without_password(said).strip()
    return text.split("\n", 1)[0][:300] or type(error).__name__
