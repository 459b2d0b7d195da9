"""Results: answers kept for a moment, computed once however many ask for them at the same time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

V = TypeVar("V")
_MOST_KEPT: Final = 1024


@dataclass(frozen=True)
class _Result(Generic[V]):
    """A value, of which state of the data it is, and when its computation began."""

    value: V
    state: Hashable
    began: float


class Results(Generic[V]):
    """Values by what was asked, each kept ``ttl`` seconds or until what it was made of changes.

    Parameters
    ----------
    ttl
        Seconds from the beginning of its computation for which a value is kept; 0 keeps and shares nothing.
    clock
        Seconds that only grow.
    most
        How many are kept.
    """

    def __init__(
        self, ttl: float, clock: Callable[[], float] = time.monotonic, most: int = _MOST_KEPT
    ) -> None:
        self._ttl = ttl
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Result[V]] = OrderedDict()
        self._computing: dict[tuple[Hashable, Hashable], Future[V]] = {}

    def find(self, key: Hashable, state: Hashable) -> V | None:
        """The value of a key that is kept, if it is of a state; takes microseconds.

        Parameters
        ----------
        key
            What is asked.
        state
            Of what it is made of, now.
        """
        with self._lock:
            return self._fresh(key, state)

    def get(self, key: Hashable, state: Hashable, compute: Callable[[], V]) -> tuple[V, bool]:
        """The value of a key.

        Parameters
        ----------
        key
            What is asked.
        state
            Of what it is made of; read before this call, so that a change while it is computed ends it.
        compute
            Gives it where it is not kept.

        Returns
        -------
        tuple
            The value, and whether it was computed for another caller; an error is shared as well,
            but not kept.
        """
        if self._ttl <= 0:
            return compute(), False
        place = (key, state)
        with self._lock:
            kept = self._fresh(key, state)
            if kept is not None:
                return kept, True
            mine: Future[V] = Future()
            shared = self._computing.setdefault(place, mine)
        if shared is not mine:
            return shared.result(), True
        return self._computed(place, mine, compute), False

    def _fresh(self, key: Hashable, state: Hashable) -> V | None:
        result = self._kept.get(key)
        if result is None or result.state != state or self._clock() - result.began >= self._ttl:
            return None
        self._kept.move_to_end(key)
        return result.value

    def _computed(self, place: tuple[Hashable, Hashable], mine: Future[V], compute: Callable[[], V]) -> V:
        began = self._clock()
        try:
            value = compute()
        except BaseException as error:
            with self._lock:
                del self._computing[place]
            mine.set_exception(error)
            raise
        with self._lock:
            self._kept[place[0]] = _Result(value, place[1], began)
            self._kept.move_to_end(place[0])
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            del self._computing[place]
        mine.set_result(value)
        return value
