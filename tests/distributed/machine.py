"""A machine: processes of a home that see no process of another machine, and can be killed as a whole."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from daemon import free_port

PATIENCE = 300.0
# Numbers of processes mean nothing outside of it; whoever runs the tests need not be root for that.
_APART = [
    *("unshare", *(() if os.geteuid() == 0 else ("--user", "--map-root-user"))),
    *("--pid", "--fork", "--mount-proc", "--kill-child"),
]


@cache
def apart() -> list[str]:
    """What begins a command on a machine of its own; nothing where the system gives nobody a namespace."""
    done = subprocess.run([*_APART, "true"], capture_output=True, check=False)
    return _APART if done.returncode == 0 else []


class Machine:
    """A program on a machine of its own.

    Parameters
    ----------
    words
        What is run, by this Python.
    environment
        More variables.
    log
        Where its errors go.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [*apart(), sys.executable, *words],
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.told: list[dict[str, Any]] = []

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)

    def hear(self) -> None:
        """Take note of what it has told until now."""
        while not self._lines.empty():
            self.told.append(json.loads(self._lines.get()))

    def wait_for(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next thing of a kind that it tells."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"it tells nothing more: {self.said()}") from None
            self.told.append(json.loads(line))
            if what(self.told[-1]):
                return self.told[-1]

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]

    def kill(self) -> None:
        """As if its power were cut."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            with suppress(BrokenPipeError):
                pipe.close()

    def end(self) -> int:
        """Let it come to its end; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self._close()
        self.hear()
        return code


def builder(home: str, since: str, until: str, environment: Mapping[str, str], log: Path) -> Machine:
    """A machine that builds a part of the filter."""
    program = Path(__file__).with_name("builder.py")
    return Machine([str(program), since, until], {**environment, "AGGFLOW_HOME": home}, log)


class Api:
    """A machine that answers over HTTP.

    Parameters
    ----------
    home
        Of which home.
    environment
        More variables.
    log
        Where its errors go.
    """

    def __init__(self, home: str, environment: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._home, self._environment, self._log = home, environment, log
        self.machine = self._started()

    def _started(self) -> Machine:
        words = ["-m", "aggflow", "serve", "--port", str(self.port), "--no-access-log"]
        # Not as a word of the command: everybody on a machine sees those, and its URL holds a password.
        return Machine(words, {**self._environment, "AGGFLOW_HOME": self._home}, self._log)

    def start_again(self) -> None:
        """After it was killed: on the same port."""
        self.machine = self._started()

    def ask(self, client: httpx.Client, endpoint: str, end: str) -> list[dict[str, Any]] | int | None:
        """The rows of an answer; the status of a refusal that passes; None while nobody answers."""
        try:
            answer = client.post(
                f"http://127.0.0.1:{self.port}/api/v1/data/{endpoint}", json={"end": end, "format": "JSON"}
            )
        except httpx.TransportError:
            return None
        if answer.status_code == 503:
            return 503
        assert answer.status_code == 200, answer.text
        return answer.json()
