"""A running cell: whether the kernel is at work just now, and hears no button before it is done."""

from __future__ import annotations

import threading
from typing import Any

from IPython.core.getipython import get_ipython


class RunningCell:
    """Follows the cells of a kernel.

    Comm messages, those of buttons among them, go to the thread that runs cells: one that is clicked while
    a cell runs is handled after it.

    Parameters
    ----------
    shell
        What runs cells; None outside of IPython, where none ever runs.
    """

    def __init__(self, shell: Any) -> None:
        # Whoever begins to follow does so from within a cell.
        self.runs = shell is not None
        if shell is not None:
            shell.events.register("pre_run_cell", self._begins)
            shell.events.register("post_run_cell", self._ends)

    def _begins(self, _: Any) -> None:
        self.runs = True

    def _ends(self, _: Any) -> None:
        self.runs = False


_LOCK = threading.Lock()
_FOLLOWED: dict[int, RunningCell] = {}


def running_cell() -> RunningCell:
    """What follows the cells of this process' kernel; there is one, however many ask."""
    shell = get_ipython()
    with _LOCK:
        if id(shell) not in _FOLLOWED:
            _FOLLOWED[id(shell)] = RunningCell(shell)
        return _FOLLOWED[id(shell)]
