"""A previewer: shows what a draft would answer, a moment after it was changed, and never twice at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aggflow.engine.wish import Wish
from aggflow.errors import AggflowError

DEBOUNCE = 0.06  # seconds: between two keys of somebody who types, and not felt by somebody who waits


class Timer(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None:
        """Let it not happen."""
        ...


@dataclass(frozen=True)
class Shown:
    """What a preview shows.

    Attributes
    ----------
    chart
        An Altair chart; None where there is none.
    text
        A sentence: what it was made of, or why there is nothing to see.
    exact
        Whether it was made of all events.
    state
        ``done``; ``waiting`` from the change until it is made; ``failed`` and ``none`` where the text says why.
    seconds
        From the change until it was made.
    """

    chart: Any = None
    text: str = ""
    exact: bool = False
    state: str = "done"
    seconds: float = 0.0


# Makes a preview; asks the wish where to stop.
Work = Callable[[Wish], Shown]


def _timer(seconds: float, happen: Callable[[], None]) -> Timer:
    timer = threading.Timer(seconds, happen)
    timer.daemon = True
    timer.start()
    return timer


class Previewer:
    """Makes previews beside the kernel's own work: the last change counts, what went before it is stopped.

    Parameters
    ----------
    show
        Told what there is to see, from any thread.
    executor
        Where previews are made; by default two threads of its own.
    later
        Lets something happen after so many seconds.
    clock
        Seconds that only grow.
    """

    def __init__(
        self,
        show: Callable[[Shown], None],
        executor: Executor | None = None,
        later: Callable[[float, Callable[[], None]], Timer] = _timer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show
        # Two: one that cannot be stopped must not keep the next from being made.
        self._executor = executor or ThreadPoolExecutor(2, thread_name_prefix="aggflow-preview")
        self._later = later
        self._clock = clock
        # Held while something is shown: what is shown last is what was asked for last.
        self._lock = threading.RLock()
        self._wish: Wish | None = None
        self._timer: Timer | None = None

    def ask(self, work: Work, *, exact: bool = False, delay: float = DEBOUNCE) -> Wish:
        """Show something, instead of what was asked for before.

        Parameters
        ----------
        work
            Makes it.
        exact
            Whether all events are to be read.
        delay
            Seconds to wait for a further change.
        """
        wish, asked = Wish(exact=exact), self._clock()
        self._replace(wish)
        # At once: what is shown until then is of what was there before the change.
        self._tell(wish, Shown(text="reading every event …" if exact else "", state="waiting"))
        timer = self._later(delay, lambda: self._begin(wish, work, asked))
        with self._lock:
            if self._wish is wish:
                self._timer = timer
        return wish

    def stop(self) -> None:
        """Show nothing more of what was asked for."""
        self._replace(None)

    def say(self, shown: Shown) -> None:
        """Show this, instead of what was asked for before."""
        with self._lock:
            self._replace(None)
            self._show(shown)

    def close(self) -> None:
        """Make no more previews."""
        self.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _replace(self, wish: Wish | None) -> None:
        with self._lock:
            before, self._wish = self._wish, wish
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if before is not None:
            before.withdraw()

    def _begin(self, wish: Wish, work: Work, asked: float) -> None:
        if not wish.is_withdrawn:
            self._executor.submit(self._make, wish, work, asked)

    def _make(self, wish: Wish, work: Work, asked: float) -> None:
        if wish.is_withdrawn:
            return
        try:
            self._tell(wish, replace(work(wish), seconds=self._clock() - asked))
        except AggflowError as error:
            self._tell(wish, Shown(text=str(error), state="failed"))
        except Exception as error:  # noqa: BLE001 - nobody sees a thread's traceback: the preview says that it failed
            text = f"the preview failed: {type(error).__name__}: {error}"
            self._tell(wish, Shown(text=text, state="failed"))

    def _tell(self, wish: Wish, shown: Shown) -> None:
        with self._lock:
            if self._wish is wish:
                self._show(shown)
