"""A held lease: the right of one build to replace a window, kept by signs of life from a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aggflow.catalog import Build, Catalog, Lease
from aggflow.engine.patience import Patience
from aggflow.engine.target import Target
from aggflow.errors import AggflowError, BuildError, CatalogBusyError, LeaseLostError
from aggflow.settings import Settings
from aggflow.timeline import Micros, Window

_POLL_SECONDS: Final = 0.2


class HeldLease:
    """The lease of a build.

    Parameters
    ----------
    catalog
        Where leases are.
    target, build
        What is built, and by which build.
    settings
        How long a lease lives and is waited for.
    patience
        With a catalog that is away.
    clock
        Microseconds since the epoch, now.
    sleep
        Waits some seconds.
    """

    def __init__(
        self,
        catalog: Catalog,
        target: Target,
        build: Build,
        settings: Settings,
        patience: Patience,
        clock: Callable[[], Micros],
        sleep: Callable[[float], None],
    ) -> None:
        self._catalog = catalog
        self._target = target
        self._build = build
        self._settings = settings
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._stopped = threading.Event()
        self._lost: AggflowError | None = None

    @contextmanager
    def of(self, window: Window) -> Iterator[Lease]:
        """Hold the right to build a window.

        Raises
        ------
        CatalogBusyError
            Another build held it for too long.
        """
        lease = self._acquired(window)
        beating = threading.Thread(target=self._beat, args=(lease,), daemon=True, name="aggflow-heartbeat")
        beating.start()
        try:
            yield lease
        finally:
            self._stopped.set()
            beating.join()
            self._patience.ask(lambda: self._catalog.release_lease(lease))

    def _acquired(self, window: Window) -> Lease:
        deadline = time.monotonic() + self._settings.lease_wait
        holder = _holder(self._build.id)
        while True:
            lease = self._patience.ask(
                lambda: self._catalog.acquire_lease(
                    self._target.rollup_id, window, holder, self._clock(), self._settings.lease_ttl
                )
            )
            if lease is not None:
                self._close_dead()
                return lease
            if time.monotonic() >= deadline:
                raise CatalogBusyError(
                    f"another build of {self._target.name} is at work on {window}",
                    hint="wait for it, or cancel it",
                )
            self._sleep(_POLL_SECONDS)

    def _close_dead(self) -> None:
        """Close the records of builds whose process died: they hold no lease, and wait for none any more."""
        now_us = self._clock()
        alive = {
            lease.holder for lease in self._catalog.leases(self._target.rollup_id) if lease.is_live(now_us)
        }
        longest_us = round((self._settings.lease_wait + self._settings.lease_ttl) * 1_000_000)
        for build in self._catalog.builds(
            self._target.workspace_id, rollup_id=self._target.rollup_id, status="running"
        ):
            old = (build.started_us or 0) < now_us - longest_us
            if build.id != self._build.id and old and _holder(build.id) not in alive:
                self._catalog.finish_build(build.id, "error", now_us, error=BuildError("its process died"))

    def _beat(self, lease: Lease) -> None:
        while not self._stopped.wait(self._settings.lease_heartbeat):
            try:
                lease = self._catalog.renew_lease(lease, self._clock(), self._settings.lease_ttl)
            except LeaseLostError as error:
                self._lost = error
                return
            except AggflowError:
                # A catalog that is busy for a moment: the next sign of life may get through, and
                # the commit checks the lease in any case.
                continue

    def check(self) -> None:
        """Make sure that it is held still.

        Raises
        ------
        LeaseLostError
            It gave no sign of life for too long.
        """
        if self._lost is not None:
            raise self._lost


def _holder(build_id: str) -> str:
    """What a build's lease says of who holds it."""
    return f"build {build_id}"
