"""A service under load: `aggflow serve` as a process of its own, and wrk that asks it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

SCRIPT: Final = Path(__file__).with_suffix("").with_name("load.lua")
_PATIENCE_SECONDS: Final = 60
_WARM: Final = 5


@dataclass(frozen=True)
class Asking:
    """What wrk asks.

    Attributes
    ----------
    name
        For people.
    method, path
        Of every request.
    bodies
        A file with a body a line, each request taking the next; None for an empty one.
    header
        One more, name and value.
    """

    name: str
    method: str
    path: str
    bodies: Path | None = None
    header: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Service:
    """A service that answers.

    Attributes
    ----------
    url
        Where.
    token
        What opens it.
    process
        The one that was started.
    """

    url: str
    token: str
    process: psutil.Process

    def processor_seconds(self) -> float:
        """What it and its workers have used of processors."""
        all_of_it = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in all_of_it)

    def warm(self, asking: Asking) -> None:
        """Ask some questions, so that what is to be in memory is."""
        lines = [] if asking.bodies is None else asking.bodies.read_text().splitlines()[:_WARM]
        with httpx.Client(base_url=self.url, headers=self._headers(asking), timeout=60) as client:
            for line in lines or [""]:
                answered = client.request(asking.method, asking.path, content=line)
                assert answered.status_code in (200, 304), answered.text

    def _headers(self, asking: Asking) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | (
            {asking.header[0]: asking.header[1]} if asking.header[0] else {}
        )

    def wrk(self, asking: Asking, connections: int, seconds: float, first: int) -> dict[str, Any]:
        """What wrk counts, and ``processor``: seconds of processors that the service used meanwhile.

        Parameters
        ----------
        asking
            What is asked.
        connections
            At the same time.
        seconds
            How long; whole seconds, at least 1.
        first
            The number of the first body.
        """
        command = [
            *("wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"),
            *("-s", str(SCRIPT), self.url, "--", self.token, asking.method, asking.path),
            *(str(asking.bodies or ""), str(first), *asking.header),
        ]
        before = self.processor_seconds()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        processor = self.processor_seconds() - before
        found = re.search(r'^\{"requests".*\}$', done.stdout, re.MULTILINE)
        if found is None:
            raise SystemExit(f"wrk said nothing of use:\n{done.stdout}{done.stderr}")
        counted: dict[str, Any] = json.loads(found[0])
        if counted["failed"]:
            raise SystemExit(f"{asking.name}: {counted['failed']} of {counted['requests']} requests failed")
        if not counted["requests"] and seconds < _PATIENCE_SECONDS:
            # On a machine that has other things to do nothing may have been answered yet.
            return self.wrk(asking, connections, 2 * seconds, first)
        return {**counted, "processor": round(processor, 3)}


@contextmanager
def serving(home: Path, token: str, *, workers: int, log: Path, **settings: str) -> Iterator[Service]:
    """A service for the time of a ``with``.

    Parameters
    ----------
    home
        What it serves.
    token
        What opens it.
    workers
        How many processes answer.
    log
        Where its log goes.
    settings
        Variables of its environment.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "aggflow", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as errors, running([*command, "--home", str(home)], errors, settings) as process:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the service does not answer:\n{log.read_text()}")
            time.sleep(0.1)
        yield Service(url, token, psutil.Process(process.pid))


@contextmanager
def running(
    command: list[str], errors: Any, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the time of a ``with``; asked to end, then waited for."""
    environment = {**os.environ, **(settings or {})}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
