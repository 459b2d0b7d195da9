"""A live tail: states of what no segment covers, computed from the source and kept for a moment."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from aggflow.backends.rollup_sql import Read
from aggflow.errors import AggflowError
from aggflow.measures.cells import Layout

TailKey: TypeAlias = tuple[object, ...]
Compute: TypeAlias = Callable[[], tuple[Read, Layout]]
_LOG = logging.getLogger(__name__)
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

    One that is asked for in the second half of its time is computed anew meanwhile, so that while it is
    asked for nobody waits for it.

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
        self._ahead: set[TailKey] = set()
        self._thread: ThreadPoolExecutor | None = None

    def get(self, key: TailKey | None, compute: Compute) -> tuple[Tail, float]:
        """The tail of a key, computed if none is fresh, and its age in seconds; without a key it is not kept."""
        asked = self._clock()
        if key is None:
            return Tail(*compute(), asked), 0.0
        kept = self.at_hand(key, compute)
        if kept is not None:
            return kept
        with self._lock:
            computing = self._computing[key]
        try:
            with computing:
                tail = self._fresh(key, asked)
                if tail is None:
                    tail = self._computed(key, compute)
                return tail, max(0.0, self._clock() - tail.computed)
        finally:
            with self._lock:
                # Nothing is kept where there is no time for it, or the source is away: nothing would drop the key.
                if key not in self._kept:
                    self._computing.pop(key, None)

    def at_hand(self, key: TailKey, compute: Compute) -> tuple[Tail, float] | None:
        """The tail of a key and its age where one is kept and fresh; None where it had to be computed."""
        now = self._clock()
        tail = self._fresh(key, now)
        if tail is None:
            return None
        age = max(0.0, now - tail.computed)
        if age > self._ttl / 2:
            self._renew(key, compute)
        return tail, age

    def close(self) -> None:
        """Wait for what is computed ahead, and compute nothing more ahead."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(cancel_futures=True)

    def _renew(self, key: TailKey, compute: Compute) -> None:
        """Compute a tail ahead, in a thread, if nobody does."""
        with self._lock:
            if key in self._ahead:
                return
            self._ahead.add(key)
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="aggflow-tails")
            self._thread.submit(self._compute_ahead, key, compute)

    def _compute_ahead(self, key: TailKey, compute: Compute) -> None:
        try:
            self._computed(key, compute)
        except AggflowError as error:
            # Who asks when the tail has ended is told; until then the one that is there is right.
            _LOG.info("a live tail was not computed ahead: %s", error)
        finally:
            with self._lock:
                self._ahead.discard(key)

    def _computed(self, key: TailKey, compute: Compute) -> Tail:
        started = self._clock()
        read, layout = compute()
        tail = Tail(read, layout, started)
        self._keep(key, tail)
        return tail

    def _fresh(self, key: TailKey, asked: float) -> Tail | None:
        with self._lock:
            tail = self._kept.get(key)
        # One that was begun after this question was asked is fresh whatever the ttl.
        return tail if tail is not None and asked - tail.computed < self._ttl else None

    def _keep(self, key: TailKey, tail: Tail) -> None:
        with self._lock:
            kept = self._kept.get(key)
            # One that was begun earlier may end later: what it read is older.
            if self._ttl > 0 and (kept is None or kept.computed <= tail.computed):
                self._kept[key] = tail
                self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                old, _ = self._kept.popitem(last=False)
                self._computing.pop(old, None)
