"""Up: the Prefect server, the runs and the service of one home, each a process, begun and ended together."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aggflow.errors import OrchestrationError, PortTakenError, without_password
from aggflow.orchestration import server
from aggflow.orchestration.child import Child, end_leftovers, remember
from aggflow.orchestration.lock import locked
from aggflow.orchestration.place import state_folder
from aggflow.orchestration.reconciler import TASKS_EVERY
from aggflow.orchestration.release import require_installed
from aggflow.orchestration.tail import Tail

SERVICE_PORT: Final = 8787
_START: Final = 180.0
_LOOK_EVERY: Final = 0.2
# The runs come first: while they end, they still talk to Prefect.
_PATIENCE: Final = {"runs": 90.0, "service": 10.0, "prefect": 20.0}


@dataclass(frozen=True)
class Addresses:
    """Where everything is.

    Attributes
    ----------
    prefect_ui
        Where people look; empty where a Prefect elsewhere keeps its UI somewhere else.
    prefect_api
        Where programs ask Prefect.
    service
        Where questions to aggflow are asked.
    """

    prefect_ui: str
    prefect_api: str
    service: str


@dataclass(frozen=True)
class Up:
    """What is to be begun.

    Attributes
    ----------
    home, workspace
        Of which workspace.
    home_id
        The id of its home.
    service
        The command that starts the service, which listens on the port.
    port
        Of the service.
    prefect_port
        Of the embedded Prefect server; None for 4200, or any that is free.
    tasks_every
        Seconds between two runs of tasks.
    """

    home: str
    workspace: str
    home_id: str
    service: Sequence[str]
    port: int = SERVICE_PORT
    prefect_port: int | None = None
    tasks_every: float = TASKS_EVERY

    def run(
        self,
        begun: Callable[[Addresses], None],
        waiting: Callable[[str], None],
        said: Callable[[str], None],
    ) -> None:
        """Begin everything, watch it, and end it when this process is asked to end.

        Parameters
        ----------
        begun
            Called when everything answers.
        waiting
            Told what is waited for.
        said
            Told what the runs say.

        Raises
        ------
        OrchestrationError
            Something did not begin, or ended by itself; everything is ended then.
        """
        require_installed()
        folder = state_folder(self.home, self.home_id)
        with locked(folder, without_password(self.home)), _asked_to_end() as asked:
            end_leftovers(folder / "processes.json")
            children: dict[str, Child] = {}
            try:
                addresses = self._start(folder, children)
                tail = Tail(folder / "runs.log")

                def look() -> None:
                    _say(tail, said)
                    _check(children)

                if self._wait(folder, children, addresses, asked, waiting, look):
                    begun(addresses)
                while not asked.wait(_LOOK_EVERY):
                    look()
            finally:
                waiting("everything to end")
                _end(children, asked)
                (folder / "processes.json").unlink(missing_ok=True)
            _say(tail, said)

    def _start(self, folder: Path, children: dict[str, Child]) -> Addresses:
        """Start the processes; those that need another one wait for it themselves."""
        require_free(self.port, "--port")
        elsewhere = os.environ.get("PREFECT_API_URL", "")
        if elsewhere:
            environment = {**server.QUIET, **os.environ}
            addresses = Addresses(
                elsewhere.removesuffix("/api"), elsewhere, f"http://{server.HOST}:{self.port}"
            )
        else:
            port = _prefect_port(self.prefect_port)
            environment = server.environment(os.environ, folder / "prefect", port)
            children["prefect"] = Child.start(
                "the Prefect server", server.command(port), environment, folder / "prefect.log"
            )
            addresses = Addresses(
                server.address(port), server.api_address(port), f"http://{server.HOST}:{self.port}"
            )
        environment |= {"AGGFLOW_HOME": self._absolute(), "AGGFLOW_WORKSPACE": self.workspace}
        children["service"] = Child.start("the service", self.service, environment, folder / "service.log")
        (folder / "begun.json").unlink(missing_ok=True)
        own = {
            "_AGGFLOW_UP_BEGUN": str(folder / "begun.json"),
            "_AGGFLOW_UP_TASKS_EVERY": str(self.tasks_every),
            "_AGGFLOW_UP_ELSEWHERE": "1" if elsewhere else "",
        }
        runs = [sys.executable, "-m", "aggflow.orchestration.runs"]
        children["runs"] = Child.start("the runs", runs, environment | own, folder / "runs.log")
        remember([children[name] for name in _PATIENCE if name in children], folder / "processes.json")
        return addresses

    def _absolute(self) -> str:
        return self.home if "://" in self.home else str(Path(self.home).absolute())

    def _wait(
        self,
        folder: Path,
        children: Mapping[str, Child],
        addresses: Addresses,
        asked: threading.Event,
        waiting: Callable[[str], None],
        look: Callable[[], None],
    ) -> bool:
        """Wait until everything answers; whether it does, and was not asked to end meanwhile."""
        steps: list[tuple[str, Callable[[], bool]]] = [
            ("the service", lambda: _answers(f"{addresses.service}/healthz")),
            ("the runs", lambda: _begun(folder / "begun.json")),
        ]
        if "prefect" in children:
            steps.insert(0, ("the Prefect server", lambda: _answers(f"{addresses.prefect_api}/health")))
        looked = 0
        for what, is_there in steps:
            waiting(what)
            while not is_there():
                _begun(folder / "begun.json")
                look()
                looked += 1
                if looked * _LOOK_EVERY > _START:
                    raise OrchestrationError(
                        f"{what} did not begin within {_START:.0f} s", hint=f"see {folder}"
                    )
                if asked.wait(_LOOK_EVERY):
                    return False
        return True


def _say(tail: Tail, said: Callable[[str], None]) -> None:
    for line in tail.lines():
        said(line)


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, instead of ending this process where it stands."""
    asked = threading.Event()
    before: dict[int, Any] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda *_: asked.set())
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(children: Mapping[str, Child], asked: threading.Event) -> None:
    """End what runs, the runs first; who asks again while they end does not want to wait."""
    asked.clear()
    for name, patience in _PATIENCE.items():
        if name in children:
            children[name].stop(patience, asked)


def _check(children: Mapping[str, Child]) -> None:
    """Raise if a process has ended by itself."""
    for child in children.values():
        if child.code is not None:
            words = child.last_words()
            log = f"; all of it is in {child.log}" if child.log else ""
            raise OrchestrationError(
                f"{child.name} ended with code {child.code}", hint=f"it said: {words}{log}" if words else ""
            )


def _begun(file: Path) -> bool:
    """Whether the runs have begun.

    Raises
    ------
    OrchestrationError
        They say why they cannot.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    if said:
        raise OrchestrationError(said["message"], hint=said["hint"])
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of our own
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _prefect_port(wanted: int | None) -> int:
    if wanted is not None:
        require_free(wanted, "--prefect-port")
        return wanted
    if _is_free(server.PORT):
        return server.PORT
    with socket.socket() as any_port:
        any_port.bind((server.HOST, 0))
        return any_port.getsockname()[1]


def require_free(port: int, option: str) -> None:
    """Make sure that a server can listen on a port.

    Raises
    ------
    PortTakenError
        Another process does.
    """
    if not _is_free(port):
        raise PortTakenError(
            f"port {port} of this machine is taken by another process", hint=f"{option} names another one"
        )


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((server.HOST, port))
        except OSError:
            return False
    return True
