"""A child: a process that `aggflow up` starts, watches and ends, and finds again if it was killed itself."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_START_SECONDS = 2.0
_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Child:
    """A process under way.

    Attributes
    ----------
    name
        What it is, for people.
    process
        The process.
    log
        Where what it says goes; None for where this process's goes.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path | None = None
    ) -> Child:
        """Start a process, in a session of its own: Ctrl-C in a terminal reaches its parent alone.

        Parameters
        ----------
        name, command
            What it is called, and what is run.
        environment
            Its variables, all of them.
        log
            Where what it says goes.
        """
        out = None if log is None else log.open("wb")
        try:
            process = subprocess.Popen(  # noqa: S603 - commands of our own
                list(command),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=None if out is None else subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()
        return cls(name, process, log)

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll()

    def last_words(self, lines: int = 8) -> str:
        """The end of what it said."""
        if self.log is None:
            return ""
        said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "\n".join(said[-lines:])

    def stop(self, patience: float, hurry: threading.Event) -> None:
        """End it: it is asked to, and killed when it takes longer than so many seconds, or someone hurries."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        deadline = time.monotonic() + patience
        while self.process.poll() is None:
            if hurry.wait(_LOOK_EVERY) or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()


def remember(children: Iterable[Child], file: Path) -> None:
    """Write down which processes run, for the next `aggflow up` if this one is killed."""
    kept = [
        {"pid": child.process.pid, "started": psutil.Process(child.process.pid).create_time()}
        for child in children
        if child.code is None
    ]
    new = file.with_suffix(".new")
    new.write_text(json.dumps(kept), encoding="utf-8")
    new.replace(file)


def end_leftovers(file: Path, patience: float = 60.0) -> int:
    """End the processes of an `aggflow up` that was killed, in the order in which they were written down.

    Parameters
    ----------
    file
        Where they were written down.
    patience
        Seconds after which one that was asked to end is killed.

    Returns
    -------
    int
        How many there were.
    """
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    left = 0
    for one in kept:
        process = _running(one["pid"], one["started"])
        if process is None:
            continue
        left += 1
        process.terminate()
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
    file.unlink(missing_ok=True)
    return left


def _running(pid: int, started: float) -> psutil.Process | None:
    """The process of a number, if it is the one that was written down: numbers come again."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _SAME_START_SECONDS and pid != os.getpid()
        return process if same and process.is_running() else None
    except psutil.NoSuchProcess:
        return None
