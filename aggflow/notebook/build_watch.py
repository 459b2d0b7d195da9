"""A build watch: looks at the builds of a workspace again and again, beside the kernel's own work."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aggflow.catalog import Process
from aggflow.errors import AggflowError
from aggflow.notebook.build_row import BuildRow, rows_of
from aggflow.notebook.running_cell import running_cell
from aggflow.workspace import Workspace

BUSY: Final = 1.0
"""Seconds between two looks while something is built."""
IDLE: Final = (2.0, 3.0, 5.0, 10.0)
"""Seconds between looks while nothing is, the longer nothing was the more."""
_RECORDS: Final = 60


@dataclass(frozen=True)
class Seen:
    """What a look saw.

    Attributes
    ----------
    open
        What runs or waits, oldest first.
    ended
        What ended, newest first.
    error
        Why nothing could be seen; empty where it could.
    """

    open: tuple[BuildRow, ...] = ()
    ended: tuple[BuildRow, ...] = ()
    error: str = ""


class BuildWatch:
    """Looks at the builds of a workspace.

    Parameters
    ----------
    ws
        The workspace.
    """

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._idle = 0
        self._cell = running_cell()

    def look(self) -> Seen:
        """What is built, and was: one small read of the catalog.

        A build whose process can be seen to be dead is closed by it.
        """
        try:
            records = self._ws.build_records(limit=_RECORDS)
            runs = any(one.build.is_batch and one.build.status == "running" for one in records)
            if runs and self._ws.close_dead_batches():
                records = self._ws.build_records(limit=_RECORDS)
        except AggflowError as error:
            self._idle += 1
            return Seen(error=str(error))
        rows = rows_of(records, self._ws.now_us(), Process.this() if self._cell.runs else None)
        found = tuple(reversed([row for row in rows if row.is_open]))
        self._idle = 0 if any(row.status == "running" for row in found) else self._idle + 1
        return Seen(found, tuple(row for row in rows if not row.is_open))

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return IDLE[min(self._idle, len(IDLE)) - 1] if self._idle else BUSY

    def cancel(self, build_id: str) -> str:
        """Ask a build or a batch to stop; why it cannot, or empty."""
        try:
            self._ws.cancel(build_id)
        except AggflowError as error:
            return str(error)
        return ""


class Watchman:
    """A thread that looks, and tells who wants to know, until nobody does.

    Parameters
    ----------
    watch
        Looks.
    tell
        A method of who wants to know; called from the thread.  It is held weakly: when its object is
        gone, the thread ends.
    """

    def __init__(self, watch: BuildWatch, tell: Callable[[Seen], None]) -> None:
        self._watch = watch
        self._tell = weakref.WeakMethod(tell)
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=_go_on,
            args=(watch, self._tell, self._wake, self._stopped),
            name="aggflow-watch",
            daemon=True,
        )

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def look_now(self) -> None:
        """Look again at once."""
        self._wake.set()

    def stop(self, timeout: float | None = None) -> bool:
        """Look no more; whether the thread has ended, after so many seconds at most."""
        self._stopped.set()
        self._wake.set()
        if timeout is not None and self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether it looks."""
        return self._thread.is_alive()


def _go_on(
    watch: BuildWatch, tell: weakref.WeakMethod[Any], wake: threading.Event, stopped: threading.Event
) -> None:
    # A function, not a method: the thread must keep nobody alive that wants to know.
    while not stopped.is_set():
        wake.clear()
        seen = watch.look()
        told = tell()
        if told is None or stopped.is_set():
            return
        told(seen)
        del told
        wake.wait(watch.pause)
