"""A wish: something that is made for somebody who may stop waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aggflow.errors import CancelledError

_AGAIN = 0.2  # seconds


class Wish:
    """A wish, which may be withdrawn while it is fulfilled.

    Parameters
    ----------
    exact
        Whether all events are to be read, however long it takes.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self.exact = exact
        self._lock = threading.Lock()
        self._withdrawn = False
        self._stops: list[Callable[[], None]] = []

    @property
    def is_withdrawn(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._withdrawn

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Let something that runs inside the block be stopped when the wish is withdrawn.

        Parameters
        ----------
        stop
            Stops it; called from another thread, again until the block ends, and never after it.

        Raises
        ------
        CancelledError
            The wish was withdrawn before.
        """
        with self._lock:
            if self._withdrawn:
                raise CancelledError("nobody waits for it any more")
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops = [one for one in self._stops if one is not stop]

    def withdraw(self) -> None:
        """Nobody waits for it any more; what runs for it is stopped, and what begins just then, too."""
        with self._lock:
            self._withdrawn = True
        self._stop()

    def _stop(self) -> None:
        with self._lock:
            for stop in self._stops:
                stop()
            is_left = bool(self._stops)
        if is_left:
            # A statement that began after the stop before it does not know of that.
            again = threading.Timer(_AGAIN, self._stop)
            again.daemon = True
            again.start()
