"""A build: one run that replaces windows of one rollup by states made of source rows.

Missing windows are cut into portions; each is read, checked, written and committed on its own.
Killed at any moment, a build leaves old states or new states, and the next one goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aggflow.catalog import Build, Catalog
from aggflow.engine.build_report import BuildReport
from aggflow.engine.build_run import BuildRun
from aggflow.engine.coarsen import Coarsening
from aggflow.engine.progress import Report, silent
from aggflow.engine.target import Target
from aggflow.errors import AggflowError, CancelledError
from aggflow.settings import Settings
from aggflow.store import SegmentStore
from aggflow.timeline import BEGINNING, Micros


class Builder:
    """Builds rollups of one workspace.

    Parameters
    ----------
    catalog, store
        Where coverage and segments go.
    settings
        Sizes of batches, leases, retries.
    clock
        Microseconds since the epoch, now.
    sleep
        Waits some seconds.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        clock: Callable[[], Micros],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._settings = settings
        self._clock = clock
        self._sleep = sleep

    def build(
        self,
        target: Target,
        *,
        since_us: int = BEGINNING,
        until_us: int | None = None,
        full: bool = False,
        newest_first: bool = False,
        kind: str = "",
        report: Report = silent,
        build: Build | None = None,
        batch_id: str | None = None,
        finer: Coarsening | None = None,
    ) -> BuildReport:
        """Build what is missing of a rollup.

        Parameters
        ----------
        target
            What to build.
        since_us
            From when on; what is wanted begins where the target says, or later.
        until_us
            Up to when; now where None, and never later than now - delay.
        full
            Build everything anew.
        newest_first
            Begin with the newest batch, not with the oldest.
        kind
            What the catalog calls this build; by default ``full`` or ``incremental``.
        report
            Told of every batch.
        build
            A build that the catalog has begun to record; by default a new one.
        batch_id
            The batch that it is a part of.
        finer
            Rollups whose states may stand for source rows.

        Raises
        ------
        AggflowError
            The build stopped; what was committed stays.
        """
        build = build or self._catalog.start_build(
            target.workspace_id,
            kind or ("full" if full else "incremental"),
            self._clock(),
            rollup_id=target.rollup_id,
            owner_id=target.owner_id,
            batch_id=batch_id,
        )
        run = BuildRun(
            self._catalog, self._store, self._settings, self._clock, self._sleep, target, build, report, finer
        )
        try:
            done = run.go(since_us, until_us, full=full, newest_first=newest_first)
        except BaseException as error:
            status = "cancelled" if isinstance(error, CancelledError | KeyboardInterrupt) else "error"
            try:
                self._catalog.finish_build(build.id, status, self._clock(), error=error)
            except AggflowError as second:
                # The first error is the one that matters; that it could not be noted goes with it.
                error.add_note(f"and the build's end could not be noted: {second}")
            raise
        run.patience.ask(lambda: self._catalog.finish_build(build.id, "done", self._clock()))
        return done
