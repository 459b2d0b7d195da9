"""A live tail: states of what no segment covers, computed from the source and kept for a moment."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from aggflow.backends.rollup_sql import Read
from aggflow.measures.cells import Layout

TailKey: TypeAlias = tuple[object, ...]
_MOST_KEPT = 256


@dataclass(frozen=True)
class Tail:
    """States of a live window.

    Attributes
    ----------
    read
        What was read.
    layout
        Where its states stand.
    computed
        When, on the process's monotonic clock, in seconds.
    """

    read: Read
    layout: Layout
    computed: float


class Tails:
    """Live tails, each computed by one caller for all and kept ``ttl`` seconds.

    Parameters
    ----------
    ttl
        Seconds for which a tail is kept; 0 computes it anew each time.
    clock
        Seconds that only grow.
    """

    def __init__(self, ttl: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl = ttl
        self._clock = clock
        self._kept: OrderedDict[TailKey, Tail] = OrderedDict()
        self._lock = threading.Lock()
        self._computing: defaultdict[TailKey, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: TailKey | None, compute: Callable[[], tuple[Read, Layout]]) -> tuple[Tail, float]:
        """The tail of a key, computed if none is fresh, and its age in seconds; without a key it is not kept."""
        asked = self._clock()
        if key is None:
            return Tail(*compute(), asked), 0.0
        with self._lock:
            computing = self._computing[key]
        with computing:
            tail = self._fresh(key, asked)
            if tail is None:
                started = self._clock()
                read, layout = compute()
                tail = Tail(read, layout, started)
                self._keep(key, tail)
            found = tail, max(0.0, self._clock() - tail.computed)
        if self._ttl <= 0:
            with self._lock:
                self._computing.pop(key, None)
        return found

    def at_hand(self, key: TailKey) -> tuple[Tail, float] | None:
        """The tail of a key and its age where one is kept and fresh; None where it had to be computed."""
        now = self._clock()
        tail = self._fresh(key, now)
        return None if tail is None else (tail, max(0.0, now - tail.computed))

    def _fresh(self, key: TailKey, asked: float) -> Tail | None:
        with self._lock:
            tail = self._kept.get(key)
        # One that was begun after this question was asked is fresh whatever the ttl.
        return tail if tail is not None and asked - tail.computed < self._ttl else None

    def _keep(self, key: TailKey, tail: Tail) -> None:
        with self._lock:
            if self._ttl > 0:
                self._kept[key] = tail
                self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                old, _ = self._kept.popitem(last=False)
                self._computing.pop(old, None)
