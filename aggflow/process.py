"""Process: who is at work, known by host, number and start, so that the dead can be told from the living."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

# The start of a process is derived from the boot time, which moves when the clock is set.
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process of some host.

    Attributes
    ----------
    host, pid
        Where it runs, and its number there.
    started
        Its start, in seconds since the epoch: numbers come again.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def this(cls) -> Process:
        """The process that asks."""
        pid = os.getpid()
        return cls(_this_host(), pid, psutil.Process(pid).create_time())

    def is_dead(self) -> bool:
        """Whether it can be seen from here that it has ended; one of another host cannot be seen."""
        return self.host == _this_host() and not _is_running(self.pid, self.started)


@cache
def _this_host() -> str:
    """The name of this host; two containers of one name differ by their process namespace."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {namespace}".strip()


def _is_running(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        dead = process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return not dead and abs(process.create_time() - started) < _SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
