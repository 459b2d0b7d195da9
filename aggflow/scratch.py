"""Scratch: what a process keeps in the temporary folder for a while, named after it, so that others sweep it when it died."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Final
from uuid import uuid4

from aggflow.process import Process

# A dot and a word may stand before it: what is written for a moment beside such a file.
_NAME: Final = re.compile(r"(\.[a-z]+)?aggflow-(?P<host>[0-9a-f]{12})-(?P<pid>[0-9]+)-(?P<ms>[0-9]+)-.+")


def scratch(name: str = "") -> Path:
    """A path in the temporary folder, where nothing is yet, for a file or folder of this process.

    Parameters
    ----------
    name
        What its name ends in, for people.

    Returns
    -------
    Path
        Its name says which process it is of; ``TMPDIR`` says where it is.
    """
    end = f"-{name}" if name else ""
    return Path(gettempdir(), f"{_begin(os.getpid())}-{uuid4().hex}{end}")


def sweep() -> int:
    """Delete what processes of this host left in the temporary folder when they died.

    Of a process that lives, of another host or another user, nothing is touched.

    Returns
    -------
    int
        How many files and folders were deleted.
    """
    swept = 0
    for path in _left():
        with suppress(OSError):  # another process sweeps as well, or it is another user's
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            swept += 1
    return swept


def _left() -> Iterator[Path]:
    """What dead processes left."""
    folder, here = Path(gettempdir()), Process.this().host
    dead: dict[tuple[int, int], bool] = {}
    names: list[str] = []
    with suppress(OSError):  # one that may be written, but not listed
        names = [path.name for path in folder.iterdir()]
    for match in map(_NAME.fullmatch, names):
        if match is None or match["host"] != _digest(here):
            continue
        whose = int(match["pid"]), int(match["ms"])
        if whose not in dead:
            dead[whose] = Process(here, whose[0], whose[1] / 1000).is_dead()
        if dead[whose]:
            yield folder / match.string


@cache
def _begin(pid: int) -> str:
    """What names begin with, of a process: a fork has names of its own."""
    this = Process.this()
    return f"aggflow-{_digest(this.host)}-{pid}-{round(this.started * 1000)}"


def _digest(host: str) -> str:
    return sha256(host.encode()).hexdigest()[:12]
