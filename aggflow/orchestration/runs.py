"""The runs of a workspace: the process that serves its flows by Prefect's own runner, and reconciles.

It is a child of `aggflow up`, which tells it by the environment where everything is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aggflow.errors import AggflowError, OrchestrationError, PrefectUnavailableError
from aggflow.figure import counted
from aggflow.orchestration.apart import apart
from aggflow.orchestration.deployment import Deployments
from aggflow.orchestration.interrupted import at_work, go_on_later
from aggflow.orchestration.place import told
from aggflow.orchestration.reach import reached
from aggflow.orchestration.reconciler import Reconciler
from aggflow.terminal import console

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

    from aggflow.workspace import Workspace

PASS_EVERY: Final = 5.0
"""Seconds between two passes of the reconciler."""
_START: Final = 120.0
_AGAIN: Final = 5.0
_POLL: Final = 2.0
_AT_ONCE: Final = 4
_STOP: Final = 60.0


class Serving:
    """Prefect's runner in a thread of its own, begun again when Prefect comes back.

    Parameters
    ----------
    deployments
        What is served.
    """

    def __init__(self, deployments: Deployments) -> None:
        # Made here: in a loop, Prefect makes them another way.
        self._made = [deployments.made(flow) for flow in deployments.flows]
        self._runner: Runner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aggflow-runner", daemon=True)

    def start(self, seconds: float = _START) -> None:
        """Begin to serve.

        Raises
        ------
        OrchestrationError
            It did not begin in time.
        """
        self._thread.start()
        if not self._begun.wait(seconds):
            raise OrchestrationError(f"Prefect's runner did not begin within {seconds:.0f} s")

    def apply(self, deployment: RunnerDeployment) -> UUID:
        """Register a deployment, and serve it from now on if serving has begun."""
        if self._runner is None or self._loop is None:
            return apart(deployment.apply)  # pyright: ignore[reportReturnType] - sync here
        adding = asyncio.run_coroutine_threadsafe(self._runner.aadd_deployment(deployment), self._loop)
        return adding.result(_STOP)

    def stop(self) -> None:
        """End, and the processes of its runs."""
        self._stopping.set()
        if self._runner is not None and self._loop is not None and self._runner.started:
            with suppress(RuntimeError, TimeoutError):
                asyncio.run_coroutine_threadsafe(self._runner.astop(), self._loop).result(_STOP)
        self._thread.join(_STOP)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        import httpx
        from prefect.runner import Runner

        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            # What is deployed stays deployed while nobody serves it: runs that come due meanwhile wait.
            runner = Runner(name="aggflow", query_seconds=_POLL, limit=_AT_ONCE, pause_on_shutdown=False)
            try:
                for deployment in self._made:
                    await runner.aadd_deployment(deployment)
                self._runner = runner
                self._begun.set()
                await runner.start()
            except (httpx.HTTPError, RuntimeError, ExceptionGroup):
                # Prefect is away: the reconciler says so.
                self._runner = None
            if not self._stopping.is_set():
                await asyncio.sleep(_AGAIN)


def serve(
    ws: Workspace,
    deployments: Deployments,
    tasks_every: float,
    ready: Callable[[], None],
    stop: threading.Event,
    *,
    elsewhere: bool = False,
) -> None:
    """Serve the flows of a workspace until it is stopped.

    Parameters
    ----------
    ws, deployments
        Whose, and how they are deployed.
    tasks_every
        Seconds between two runs of tasks.
    ready
        Called when it has begun.
    stop
        Set to end it.
    elsewhere
        Whether Prefect is begun by others: that it is waited for is said then.

    Raises
    ------
    OrchestrationError
        Prefect cannot be reached, or does not fit.
    """
    _wait_for_prefect(stop, elsewhere=elsewhere)
    # Of each run its own lines are enough; set once Prefect has set up its logging.
    logging.getLogger("prefect.runner").setLevel(logging.WARNING)
    serving = Serving(deployments)
    reconciler = Reconciler(ws, deployments, serving.apply, tasks_every)
    _take_up(deployments)
    # Before anything is served: of the runs that are late by now, one of each schedule is kept.
    passes = _Passes(reconciler)
    passes.run()
    serving.start()
    ready()
    while not stop.wait(PASS_EVERY):
        passes.run()
    _end(serving, deployments)


def _wait_for_prefect(stop: threading.Event, *, elsewhere: bool) -> None:
    deadline = time.monotonic() + _START
    while not stop.is_set():
        try:
            with reached(check=True):
                return
        except PrefectUnavailableError as error:
            if time.monotonic() > deadline:
                raise
            if elsewhere:
                _say(f"{error}; it is waited for")
                elsewhere = False
        stop.wait(0.5)


def _take_up(deployments: Deployments) -> None:
    """Take up the runs of an `aggflow up` that was killed: it holds the home no more, so nobody runs them."""
    if deployments.home is None or "://" in deployments.home:
        return  # a catalog that many machines share: another one may be at work
    with reached() as client:
        mine = [deployment.id for deployment in deployments.known(client).values()]
        later = go_on_later(client, at_work(client, mine))
    if later:
        _say(f"{counted(later, 'run')} that had been interrupted, taken up again")


def _end(serving: Serving, deployments: Deployments) -> None:
    """End, and let what is at work go on the next time."""
    try:
        with reached() as client:
            mine = [deployment.id for deployment in deployments.known(client).values()]
            interrupted = at_work(client, mine)
            serving.stop()
            later = go_on_later(client, interrupted)
        if later:
            _say(f"{counted(later, 'run')} interrupted, to go on with the next `aggflow up`")
    except AggflowError as error:
        _say(str(error))
        serving.stop()


class _Passes:
    """Passes of a reconciler that say what they did, and of what goes wrong each thing once."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler
        self._wrong = ""

    def run(self) -> None:
        try:
            for what in self._reconciler.run():
                _say(what)
        except AggflowError as error:
            if str(error) != self._wrong:
                _say(f"{error}; nothing is lost: it is tried again")
            self._wrong = str(error)
        else:
            if self._wrong:
                _say("Prefect answers again")
            self._wrong = ""


def _say(what: str) -> None:
    shown = time.strftime("%H:%M:%S")
    console(stderr=True).print(f"{shown} | aggflow | {what}", markup=False, soft_wrap=True, style="dim")


def main() -> None:
    """Serve what the environment names, and write into a file of `aggflow up` that it has begun, or why not."""
    import os

    from aggflow.workspace import open_workspace

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    home, workspace = os.environ["AGGFLOW_HOME"], os.environ["AGGFLOW_WORKSPACE"]
    begun = Path(os.environ.pop("_AGGFLOW_UP_BEGUN"))
    every = float(os.environ.pop("_AGGFLOW_UP_TASKS_EVERY"))
    elsewhere = bool(os.environ.pop("_AGGFLOW_UP_ELSEWHERE"))
    try:
        with open_workspace(home, workspace) as ws:
            deployments = Deployments(ws.name, ws.home_id, told(home))
            serve(ws, deployments, every, lambda: _write(begun, {}), stop, elsewhere=elsewhere)
    except AggflowError as error:
        _write(begun, {"message": error.message, "hint": error.hint})
        raise SystemExit(1) from None


def _write(file: Path, what: dict[str, str]) -> None:
    new = file.with_suffix(".new")
    new.write_text(json.dumps(what), encoding="utf-8")
    new.replace(file)


if __name__ == "__main__":
    main()
