"""Patience: waiting for what another process or thread does, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_SECONDS = 0.05


def awaited(what: str, look: Callable[[], T], seconds: float = 300) -> T:
    """The first truth that a look gives.

    Raises
    ------
    AssertionError
        None came in time; it names what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(_PAUSE_SECONDS)
    return found
