"""Reductions: what immutable segments came to, for one form of a question, kept for the next.

A segment never changes, so what was merged or answered of it stays right: only a build puts another
segment in its place, and that has another name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aggflow.measures.cells import Cells


class Sized(Protocol):
    """What can be kept."""

    @property
    def bytes(self) -> int:
        """Bytes that it holds."""
        ...


S = TypeVar("S", bound=Sized)


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

    @property
    def bytes(self) -> int:
        """Bytes that the cells hold."""
        return self.cells.bytes


class Reductions(Generic[S]):
    """What was made of segments, the least recently used given up when the budget is full.

    Parameters
    ----------
    budget
        Bytes to keep at most; 0 keeps nothing.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._kept: OrderedDict[Hashable, S] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable | None, make: Callable[[], S]) -> S:
        """What is kept under a key, made and kept where it is not there; None keeps nothing."""
        kept = self.find(key)
        if kept is not None:
            return kept
        made = make()
        if key is not None and self.budget:
            self._keep(key, made)
        return made

    def find(self, key: Hashable | None) -> S | None:
        """What is kept under a key, if anything is."""
        if key is None:
            return None
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
            return kept

    def _keep(self, key: Hashable, made: S) -> None:
        size = made.bytes
        with self._lock:
            if key in self._kept or size > self.budget:
                return
            self._kept[key] = made
            self._bytes += size
            while self._bytes > self.budget:
                _, old = self._kept.popitem(last=False)
                self._bytes -= old.bytes
