"""A daemon: a server program that a test starts on loopback, as another user than root, and stops by its pid."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.02
_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST_PORT = 15_000
_given: set[int] = set()


def free_port() -> int:
    """A port of loopback on which nothing listens, given to nobody else here.

    None of those that the system gives to connections, where it says which: one may be opened before the
    server begins, or between its end and its next beginning.
    """
    first = int(_CONNECTIONS.read_text().split()[0]) if _CONNECTIONS.exists() else 0
    # Not by a seed, which other processes that run tests may have as well.
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(_FIRST_PORT, first) if first > _FIRST_PORT + 1000 else 0
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found = int(probe.getsockname()[1])
            if found not in _given:
                _given.add(found)
                return found


def server_user(*names: str) -> str | None:
    """Who runs a server that refuses root: the first of some users that there is; None for who runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in (*names, "nobody") if name in known)


def server_folder(prefix: str, user: str | None) -> Path:
    """A fresh folder of a server's own, below ``/tmp``: pytest's folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


def as_user(user: str | None, command: Sequence[str]) -> list[str]:
    """A command that runs as a user, and ends when who started it is gone."""
    who = [] if user is None else [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    if user == "nobody":
        who[1] = "--regid=nogroup"
    return ["setpriv", *who, "--pdeathsig=TERM", "--", *command]


@dataclass
class Daemon:
    """A running server program.

    Attributes
    ----------
    process
        It.
    log
        The file with what it says.
    """

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def started(
        cls,
        command: Sequence[str],
        *,
        user: str | None,
        log: Path,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> Daemon:
        """Start a server and wait until it answers.

        Raises
        ------
        RuntimeError
            It ended or did not answer in time; with the end of its log.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(
                as_user(user, command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=None if environment is None else {**os.environ, **environment},
            )
        daemon = cls(process, log)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                daemon.kill()
                raise RuntimeError(f"{command[0]} does not answer:\n{daemon.said()}")
            time.sleep(_PAUSE_SECONDS)
        return daemon

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(_PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(_PATIENCE_SECONDS)


def program(name: str, *folders: str) -> str:
    """Where a program is: on the path, or in one of the folders of its package (the newest first).

    Raises
    ------
    RuntimeError
        Nowhere: it is a package of ``tests/debian``.
    """
    for pattern in folders:
        found = sorted(Path("/").glob(f"{pattern.lstrip('/')}/{name}"))
        if found:
            return str(found[-1])
    there = shutil.which(name)
    if there is None:
        raise RuntimeError(f"there is no program {name}: bash tests/debian installs it")
    return there
