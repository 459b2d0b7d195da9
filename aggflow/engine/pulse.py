"""A pulse: the signs of life of a batch, given by a thread of its own while the batch runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from aggflow.catalog import Catalog
from aggflow.errors import AggflowError
from aggflow.timeline import Micros


class Pulse:
    """Signs of life of one batch, until it is stopped or the batch has ended.

    Parameters
    ----------
    catalog, batch_id
        Which batch.
    seconds
        Between two signs.
    clock
        Microseconds since the epoch, now.
    """

    def __init__(self, catalog: Catalog, batch_id: str, seconds: float, clock: Callable[[], Micros]) -> None:
        self._catalog = catalog
        self._batch_id = batch_id
        self._seconds = seconds
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="aggflow-pulse")
        self._thread.start()

    def stop(self) -> None:
        """Give no more signs."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                running = self._catalog.beat_build(self._batch_id, self._clock()).status == "running"
            except AggflowError:
                # A catalog that is busy for a moment: the next sign may get through.
                continue
            if not running:
                return
