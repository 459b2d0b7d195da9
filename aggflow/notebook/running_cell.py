"""A running cell: whether the kernel is at work just now, and hears no button before it is done."""

from __future__ import annotations

import sys
import threading
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell


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
        # What is known of each cell that runs, the outermost first; of those that began before, nothing.
        self._cells: list[Any] = []
        if shell is not None:
            self._cells += [None] * _at_work()
            shell.events.register("pre_run_cell", self._begins)
            shell.events.register("post_run_cell", self._ends)

    @property
    def runs(self) -> bool:
        """Whether a cell runs."""
        return bool(self._cells)

    def _begins(self, info: Any) -> None:
        # One whose end was never told is not around this one.
        self._cells = [*self._cells[: max(0, _at_work() - 1)], info]

    def _ends(self, result: Any) -> None:
        ended = getattr(result, "info", None)
        places = [i for i, info in enumerate(self._cells) if info is ended or info is None]
        # Of an empty cell only the end is told.
        if places:
            del self._cells[places[-1]]


def _at_work() -> int:
    """How many cells are being run, one by the other; whichever thread asks."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)  # noqa: SLF001 - there is no other way to see another thread
    count = 0
    while frame is not None:
        is_cell = frame.f_code is InteractiveShell.run_cell_async.__code__
        # A silent one tells nobody that it begins or ends.
        count += is_cell and not frame.f_locals["silent"]
        frame = frame.f_back
    return count


_LOCK = threading.Lock()
_FOLLOWED: dict[int, RunningCell] = {}


def running_cell() -> RunningCell:
    """What follows the cells of this process' kernel; there is one, however many ask."""
    shell = get_ipython()
    with _LOCK:
        if id(shell) not in _FOLLOWED:
            _FOLLOWED[id(shell)] = RunningCell(shell)
        return _FOLLOWED[id(shell)]
