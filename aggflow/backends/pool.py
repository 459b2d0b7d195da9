"""A pool: the connections of one thread to database servers, each replaced when it died."""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from importlib.resources import files
from inspect import signature
from typing import Any
from urllib.parse import unquote, urlsplit

import ibis

from aggflow.backends import row_function
from aggflow.backends.capability import Capability
from aggflow.errors import SourceQueryError, UnsupportedError, without_password


class Pool:
    """Open connections, one a URL; closed when nobody holds the pool any more.

    A connection is used by one thread: drivers and Ibis keep what belongs to a statement in it.
    """

    def __init__(self) -> None:
        self._open: dict[str, Any] = {}
        weakref.finalize(self, _close, self._open)

    def connection(self, url: str, can: Capability) -> Any:
        """The connection to a server, opened where there is none that answers.

        Raises
        ------
        UnsupportedError
            The driver is not installed.
        """
        if url in self._open and not _answers(self._open[url]):
            _close({url: self._open.pop(url)})
        if url not in self._open:
            self._open[url] = prepared(connected(url, can), can)
        return self._open[url]


def pool() -> Pool:
    """The pool of this thread."""
    return _of_thread.pool


def connected(url: str, can: Capability) -> Any:
    """A new connection.

    Raises
    ------
    UnsupportedError
        The driver is not installed.
    SourceQueryError
        The URL is none.
    """
    if can.name not in {entry.name for entry in ibis.util.backend_entry_points()}:
        raise UnsupportedError(
            f"sources on {can.name} are compiled, and no more: Ibis does not connect to it",
            hint="bring the events to another backend",
        )
    login = _login(url)
    try:
        with warnings.catch_warnings():
            # A MariaDB that knows no zones by name: the setup sets it by its offset.
            warnings.filterwarnings("ignore", "Unable to set session timezone", UserWarning)
            return ibis.connect(url, **dict(can.options), **login)
    except ImportError as error:
        raise missing_driver(can, error) from error


def missing_driver(can: Capability, error: ImportError) -> UnsupportedError:
    """What is said where the driver of a backend is not installed."""
    return UnsupportedError(
        f"sources on {can.name} need a driver that is not installed"
        + (f": {error.name}" if error.name else ""),
        hint=f"pip install '{'aggflow' if can.tried else 'ibis-framework'}[{can.extra}]'",
    )


def _login(url: str) -> dict[str, str]:
    """User and password as they are meant: Ibis takes the one as it stands, and a ``+`` in the other for a blank.

    Raises
    ------
    SourceQueryError
        They cannot be told from the rest of the URL.
    """
    try:
        parts = urlsplit(url)
        found = {"user": parts.username, "password": parts.password}
        _ = parts.port
    except ValueError:
        # What Python says of it has a part of the password in it.
        raise SourceQueryError(
            f"the URL {without_password(url)} cannot be read",
            hint="write special characters of the password as %2F for /, %40 for @, %23 for #, %3F for ?",
        ) from None
    return {name: unquote(value) for name, value in found.items() if value is not None}


def prepared(con: Any, can: Capability) -> Any:
    """A connection that has the functions which this package expects of its backend."""
    for name, known_as in can.python_functions:
        called = getattr(row_function, known_as)
        con.con.create_function(name, len(signature(called).parameters), called, deterministic=True)
    if can.setup and not getattr(con, "aggflow_prepared", False):
        script = files("aggflow.backends").joinpath(can.setup).read_text(encoding="utf-8")
        for statement in script.split("\n\n"):
            con.raw_sql(statement).close()
        con.aggflow_prepared = True
    return con


def _answers(con: Any) -> bool:
    try:
        con.raw_sql("SELECT 1").close()
    except Exception:  # noqa: BLE001 - each driver has classes of its own; opening anew tells what is wrong
        return False
    return True


def _close(connections: dict[str, Any]) -> None:
    for con in connections.values():
        # What died cannot be closed, and need not be.
        with contextlib.suppress(Exception):
            con.disconnect()
    connections.clear()


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.pool = Pool()


_of_thread = _OfThread()
