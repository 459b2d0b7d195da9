"""Errors of the catalog's database, mapped to aggflow's own, in this one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc

from aggflow.errors import (
    CatalogBusyError,
    CatalogDamagedError,
    CatalogError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    ConflictError,
)

_FULL = (CatalogError, "has no space left: the disk is full", "free some space, then try again")
_BUSY = (CatalogBusyError, "is locked by another process", "try again in a moment")
_READ_ONLY = (CatalogReadOnlyError, "cannot be written: it is read-only", "")
_DAMAGED = (
    CatalogDamagedError,
    "is damaged, or is no catalog",
    "restore a backup; the states can be built again from their sources",
)
_SHUT = (CatalogError, "cannot be opened", "")
_AWAY = (CatalogUnavailableError, "cannot be reached just now", "its server may be starting: try again")
_OLD = (CatalogError, "lacks a table or column", "open it again: that brings it to the newest revision")

# By the name of SQLite's result code; its longer names begin with the shorter ones.
_SQLITE = {
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR_WRITE": _FULL,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_FORMAT": _DAMAGED,
    "SQLITE_CANTOPEN": _SHUT,
}
# By the beginning of the SQLSTATE that servers give.
_SQLSTATE = {
    "53100": _FULL,
    "55P03": _BUSY,
    "57014": _BUSY,
    "40": _BUSY,
    "25006": _READ_ONLY,
    "42501": _READ_ONLY,
    "42P01": _OLD,
    "42703": _OLD,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "08": _AWAY,
    "57P": _AWAY,
    "28": _SHUT,
    "3D": _SHUT,
}


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error inside one of SQLAlchemy's, or the error itself."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        return error.orig
    return error


def is_busy(error: BaseException) -> bool:
    """Whether SQLite says that another connection holds the lock."""
    name = getattr(driver_error(error), "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def catalog_error(shown: str, error: Exception) -> CatalogError | ConflictError:
    """The error of aggflow that says what a driver's error means.

    Parameters
    ----------
    shown
        The catalog's URL without its password.
    error
        What SQLAlchemy or the driver raised.
    """
    cause = driver_error(error)
    if isinstance(error, sqlalchemy.exc.IntegrityError):
        return ConflictError(f"the catalog {shown} refused a change: {_first_line(cause)}")
    sqlite_name = getattr(cause, "sqlite_errorname", None) or ""
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
    for code, table in ((sqlite_name, _SQLITE), (state, _SQLSTATE)):
        for beginning, (kind, sentence, hint) in table.items():
            if code.startswith(beginning):
                return kind(f"the catalog {shown} {sentence}", hint=hint)
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.connection_invalidated:
        return CatalogUnavailableError(f"the connection to the catalog {shown} was lost", hint="try again")
    if isinstance(error, sqlalchemy.exc.NoSuchModuleError):
        return CatalogError(f"there is no driver for the catalog {shown}", hint="install it")
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return CatalogBusyError(f"the catalog {shown} has no free connection", hint="try again in a moment")
    if not sqlite_name and not state and _is_operational(cause):
        # Drivers have no code for a server that refuses the connection, or breaks it off.
        return CatalogUnavailableError(
            f"the catalog {shown} cannot be reached: {_first_line(cause)}",
            hint="is its server up, and the login right?",
        )
    return CatalogError(f"the catalog {shown} failed: {_first_line(cause)}")


def _is_operational(error: BaseException) -> bool:
    """Whether a driver blames the operation of its database: every driver has a class of that name."""
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextmanager
def mapped(shown: str) -> Iterator[None]:
    """Raise aggflow's errors in place of the database's, inside a ``with``.

    Parameters
    ----------
    shown
        The catalog's URL without its password.
    """
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise catalog_error(shown, error) from error
