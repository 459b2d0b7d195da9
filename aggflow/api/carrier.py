"""A carrier: carries out what was asked of orchestration, in a service that no Prefect stands beside.

Batches of cubes and changes of tasks are asked for in the catalog's outbox, by any process.  Where no
Prefect is named whose flows would take them, the service takes them itself, so that who asks over HTTP gets
what it asked for.  Times are not kept here: schedules fire, and tasks run again and again, by Prefect alone.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from aggflow.catalog import Dispatch
from aggflow.engine.progress import Progress
from aggflow.errors import AggflowError, CancelledError, NotFoundError
from aggflow.workspace import Home, Workspace

_LOG = logging.getLogger("aggflow.service")
_LOOK_EVERY: Final = 1.0
_TAKE_UP_EVERY: Final = 30
"""So many looks lie between two for builds that are queued: the process that was asked takes them at once."""
_SECONDS: Final = 20.0
_PREFECT: Final = "PREFECT_API_URL"


class Carrier:
    """The thread of one service process; a batch that several processes see is built by the first of them.

    Parameters
    ----------
    home
        Of the service.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._closed = threading.Event()
        self._owed: set[Workspace] = set()
        self._thread = threading.Thread(target=self._work, name="aggflow-carrier", daemon=True)

    @staticmethod
    def is_needed() -> bool:
        """Whether no Prefect is named that would do the same."""
        return not os.environ.get(_PREFECT)

    def start(self) -> None:
        """Look for what waits, from now on; what waits since an earlier process ended, too."""
        _LOG.info(
            "%s is not set: builds that are asked for are carried out here; schedules do not fire "
            "(`aggflow up` starts a Prefect beside the service)",
            _PREFECT,
        )
        self._thread.start()

    def close(self) -> None:
        """Begin nothing more, let a build stop after the window that it is at, and wait for that a while."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(_SECONDS)

    def _work(self) -> None:
        self._guarded(self._take_up)
        looks = 0
        while not self._closed.wait(_LOOK_EVERY):
            looks += 1
            self._guarded(self.look)
            if looks % _TAKE_UP_EVERY == 0:
                self._guarded(self.take_queued)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except AggflowError as error:
            _LOG.warning("what was asked for waits: %s", error)
        except Exception:  # noqa: BLE001 - a mistake of ours stops one build, and not those after it
            _LOG.exception("what was asked for could not be carried out")

    def _take_up(self) -> None:
        """What processes that ended were asked for and had begun, or only they were told of."""
        for ws in self._home.workspaces():
            self._guarded(partial(self._take_up_of, ws))

    def _take_up_of(self, ws: Workspace) -> None:
        if any(task.status.is_pending for task in ws.tasks.values()):
            self._owed.add(ws)
            self._pay(ws)
        self._take_queued_of(ws)

    def take_queued(self) -> None:
        """Carry out the builds that wait: those of processes that ended, and those whose turn was missed."""
        for ws in self._home.workspaces():
            self._guarded(partial(self._take_queued_of, ws))

    def _take_queued_of(self, ws: Workspace) -> None:
        while not self._closed.is_set() and ws.run_queued(progress=self._go_on) is not None:
            continue

    def look(self) -> None:
        """Carry out what waits now."""
        for ws in self._home.waiting():
            told = ws.dispatches()
            for dispatch in told:
                if dispatch.kind == "batch" and not self._closed.is_set():
                    self._run_batch(ws, dispatch)
            asked = [dispatch for dispatch in told if dispatch.kind == "tasks"]
            if asked and not self._closed.is_set():
                self._take_on(ws, asked)
        for ws in tuple(self._owed):
            if not self._closed.is_set():
                self._guarded(partial(self._pay, ws))

    def _take_on(self, ws: Workspace, asked: Sequence[Dispatch]) -> None:
        """Owe one run, for whatever was asked before it; of several processes, the first to take it on makes it."""
        for dispatch in asked:
            if ws.dispatched(dispatch):
                self._owed.add(ws)

    def _pay(self, ws: Workspace) -> None:
        """Make the run of tasks that is owed; one that could not be made is owed still, and made at the next look."""
        run = ws.run_tasks(progress=self._go_on)
        self._owed.discard(ws)
        for built in run.built:
            if built.error is not None:
                _LOG.warning("%s of workspace %s is not built: %s", built.reference, ws.name, built.error)

    def _run_batch(self, ws: Workspace, dispatch: Dispatch) -> None:
        try:
            ws.run_batch(dispatch.key, progress=self._go_on)
        except NotFoundError:
            ws.dispatched(dispatch)  # the cube is gone
        except AggflowError as error:
            # It is in the record of the batch.
            batch = ws.batch(dispatch.key)
            _LOG.warning("batch %s of cube %s ended: %s", batch.id, batch.cube, error)
            if self._closed.is_set():
                ws.request_build(batch.cube, full=batch.full)  # the next process goes on

    def _go_on(self, _: Progress) -> None:
        if self._closed.is_set():
            raise CancelledError("the service ended as it was built")
