"""Reductions: cells of immutable segments, merged for one form of a question and kept for the next.

A segment never changes, so what was merged of a window of it stays right: only a build puts another
segment in its place, and that has another name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from aggflow.measures.cells import Cells


@dataclass(frozen=True)
class Merged:
    """The cells of a part of a segment, one a group.

    Attributes
    ----------
    cells
        One a group.
    read
        How many cells they were merged of.
    """

    cells: Cells
    read: int


class Reductions:
    """Merged cells, the least recently used of them given up when the budget is full.

    Parameters
    ----------
    budget
        Bytes to keep at most; 0 keeps nothing.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._kept: OrderedDict[Hashable, Merged] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable | None, make: Callable[[], Merged]) -> Merged:
        """What is kept under a key, made and kept where it is not there; None keeps nothing."""
        if key is None or not self._budget:
            return make()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = make()
        self._keep(key, made)
        return made

    def _keep(self, key: Hashable, made: Merged) -> None:
        size = made.cells.bytes
        with self._lock:
            if key in self._kept or size > self._budget:
                return
            self._kept[key] = made
            self._bytes += size
            while self._bytes > self._budget:
                _, old = self._kept.popitem(last=False)
                self._bytes -= old.cells.bytes
