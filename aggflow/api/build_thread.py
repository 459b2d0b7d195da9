"""A build thread: carries out the builds that a service was asked for, one after another."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from typing import Final

from fastapi import FastAPI

from aggflow.engine.progress import Progress
from aggflow.errors import AggflowError, CancelledError
from aggflow.workspace import Workspace

_LOG = logging.getLogger("aggflow.service")
_SECONDS: Final = 20.0


class BuildThread:
    """The thread of one service process; what is queued in the catalog is taken by whichever process is first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Workspace] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @classmethod
    def of(cls, app: FastAPI) -> BuildThread:
        """The one of an app."""
        found = getattr(app.state, "build_thread", None)
        if found is None:
            found = app.state.build_thread = cls()
        return found

    def wake(self, ws: Workspace) -> None:
        """Carry out what is queued in a workspace, after what is under way; returns at once."""
        with self._lock:
            if self._is_closed:
                return
            if ws not in self._waiting:
                self._waiting.append(ws)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="aggflow-builds", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def close(self) -> None:
        """Begin nothing more, let a build stop after the window that it is at, and wait for that a while."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
        atexit.unregister(self.close)
        if thread is not None:
            thread.join(_SECONDS)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._is_closed:
                    self._thread = None
                    return
                ws = self._waiting.popleft()
            self._build(ws)

    def _build(self, ws: Workspace) -> None:
        try:
            while not self._is_closed and ws.run_queued(progress=self._go_on) is not None:
                continue
        except AggflowError as error:
            # The catalog is away: what waits is taken by the next run of tasks, or by the carrier.
            _LOG.warning("builds of workspace %s wait: %s", ws.name, error)
        except Exception:  # noqa: BLE001 - a mistake of ours stops one build, and not those after it
            # Not again at once: what fails before a build is begun would fail without end.
            _LOG.exception("a build of workspace %s failed", ws.name)

    def _go_on(self, _: Progress) -> None:
        if self._is_closed:
            raise CancelledError("the service ended as it was built")
