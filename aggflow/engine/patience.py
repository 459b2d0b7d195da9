"""Patience: what is asked of a server that is away for a moment is asked again, until it answers or for too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from aggflow.errors import AggflowError, CatalogUnavailableError, StoreUnavailableError

T = TypeVar("T")
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 2.0


class Patience:
    """How long a build waits for its catalog and its store: a restart of either stops no build.

    Parameters
    ----------
    seconds
        For which they may be away.
    sleep
        Waits some seconds.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, seconds: float, sleep: Callable[[float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._sleep = sleep
        self._clock = clock

    def ask(self, call: Callable[[], T], again: Callable[[], T] | None = None) -> T:
        """The result of a call, made again as long as its server is away.

        Parameters
        ----------
        call
            What is asked.
        again
            What is asked after a first failure, where that may have done its work before it was cut off.

        Raises
        ------
        CatalogUnavailableError, StoreUnavailableError
            The server was away for too long.
        AggflowError
            It answered, with this.
        """
        deadline = self._clock() + self._seconds
        wait = _FIRST_WAIT
        while True:
            try:
                return call()
            except AggflowError as error:
                if not isinstance(error, CatalogUnavailableError | StoreUnavailableError):
                    raise
                left = deadline - self._clock()
                if left <= 0:
                    raise
            self._sleep(min(wait, left))
            wait = min(2 * wait, _LONGEST_WAIT)
            call = again or call
