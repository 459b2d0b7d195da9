"""Batches: builds of whole cubes, one at a time a cube, coarser aggregates made of finer ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from statistics import median

from aggflow.catalog import Build, BuildStatus, Catalog
from aggflow.engine.batch import Batch, BatchReport
from aggflow.engine.build import Builder
from aggflow.engine.build_report import BuildReport
from aggflow.engine.build_run import STATES_READ
from aggflow.engine.coarsen import Coarsening, Finer, build_order
from aggflow.engine.outstanding import SEEN
from aggflow.engine.progress import Report, silent
from aggflow.engine.pulse import Pulse
from aggflow.engine.stored_cube import StoredCube
from aggflow.engine.target import Target
from aggflow.engine.targets import Targets
from aggflow.engine.version import Version
from aggflow.errors import BuildError, CancelledError, ConflictError, NotFoundError
from aggflow.settings import Settings
from aggflow.spec.cube_rollup import cube_rollups
from aggflow.store import SegmentStore
from aggflow.timeline import Micros

_SAMPLE = 5
_MOST_LOOKED_AT = 100


class Batches:
    """The batches of a workspace's cubes.

    Parameters
    ----------
    catalog, workspace_id, targets
        What is declared and recorded.
    builder, store
        Build, and hold what is built.
    settings
        Sizes of batches, signs of life.
    clock
        Microseconds since the epoch, now.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        targets: Targets,
        builder: Builder,
        store: SegmentStore,
        settings: Settings,
        clock: Callable[[], Micros],
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._targets = targets
        self._builder = builder
        self._store = store
        self._settings = settings
        self._clock = clock
        self._pulses: dict[str, Pulse] = {}
        self._lock = threading.Lock()

    # -- what is recorded

    def all(
        self,
        *,
        cube_id: str | None = None,
        job_id: str | None = None,
        status: BuildStatus | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Batch]:
        """Batches, newest first."""
        found = self._catalog.builds(
            self._workspace_id,
            owner_id=cube_id,
            job_id=job_id,
            status=status,
            batches=True,
            limit=limit,
            offset=offset,
        )
        return [Batch.of(build) for build in found]

    def get(self, batch_id: str) -> Batch:
        """The batch of an id.

        Raises
        ------
        NotFoundError
            There is none in this workspace.
        """
        build = self._catalog.build(batch_id)
        if build is None or build.workspace_id != self._workspace_id or not build.is_batch:
            raise NotFoundError("batch", batch_id)
        return Batch.of(build)

    def estimate(self, cube_id: str, *, full: bool) -> int:
        """How many milliseconds a batch may take: the median of the last five of that kind; 0 if none."""
        done = self.all(cube_id=cube_id, status="done", limit=_MOST_LOOKED_AT)
        found = [batch.seconds for batch in done if batch.full is full and batch.seconds is not None]
        return round(median(found[:_SAMPLE]) * 1000) if found else 0

    # -- what is asked

    def request(self, cube: StoredCube, *, full: bool, job_id: str | None) -> Batch:
        """Ask for a batch; it joins the one that waits."""
        build = self._catalog.request_batch(
            self._workspace_id,
            cube.id,
            full,
            self._clock(),
            job_id=job_id,
            detail=self._detail(cube, full=full),
        )
        return Batch.of(build)

    def begin(
        self, cube: StoredCube, *, full: bool, job_id: str | None, batch_id: str | None
    ) -> Batch | None:
        """Begin the batch that waits, or a new one; None while another one of the cube runs."""
        build = self._catalog.claim_batch(
            self._workspace_id,
            cube.id,
            full,
            self._clock(),
            ttl_us=self._ttl_us,
            batch_id=batch_id,
            job_id=job_id,
            detail=self._detail(cube, full=full),
        )
        if build is None:
            return None
        with self._lock:
            self._pulses[build.id] = Pulse(
                self._catalog, build.id, self._settings.lease_heartbeat, self._clock
            )
        return Batch.of(build)

    def cancel(self, batch_id: str) -> None:
        """Cancel what a batch that was cancelled is made of, and what was to be told of it."""
        now_us = self._clock()
        for build in self._catalog.builds(self._workspace_id, batch_id=batch_id, status="running"):
            self._catalog.finish_build(build.id, "cancelled", now_us)
        for dispatch in self._catalog.pending_dispatches(self._workspace_id):
            if (dispatch.kind, dispatch.key) == ("batch", batch_id):
                self._catalog.finish_dispatch(dispatch.number, now_us)

    def close_dead(self) -> list[Batch]:
        """Close the batches whose process died."""
        closed = self._catalog.close_dead_batches(self._workspace_id, self._clock(), self._ttl_us)
        return [Batch.of(build) for build in closed]

    # -- what is done

    def build(self, batch: Batch, aggregate: str, report: Report = silent) -> BuildReport:
        """Build one aggregate of a batch that runs, of finer ones that the batch built as far as that goes.

        All aggregates of a batch are built up to the instant at which it began, so that one made of
        another is as fresh as it says.

        Raises
        ------
        NotFoundError
            The cube has no such aggregate any more.
        CancelledError
            The batch was cancelled.
        ConflictError
            The batch does not run.
        AggflowError
            The build stopped; what was committed stays.
        """
        self._check(batch)
        targets = self._targets.of_owner(batch.cube_id)
        if aggregate not in targets:
            raise NotFoundError("aggregate", aggregate, targets)
        target = targets[aggregate]
        build = self._catalog.start_build(
            self._workspace_id,
            batch.kind,
            self._clock(),
            rollup_id=target.rollup_id,
            owner_id=batch.cube_id,
            batch_id=batch.id,
            job_id=batch.job_id,
        )
        try:
            # Whoever cancels a batch cancels the builds that there are: this one may have come later.
            self._check(batch)
        except BaseException as error:
            self._catalog.finish_build(build.id, "cancelled", self._clock(), error=error)
            raise
        return self._builder.build(
            target,
            until_us=batch.started_us,
            full=batch.full,
            report=report,
            build=build,
            finer=Coarsening(self._finer(batch, targets), self._store, self._settings.batch_rows),
        )

    def finish(self, batch: Batch, error: BaseException | str | None = None) -> BatchReport:
        """End a batch, and sum up what its builds did.

        Parameters
        ----------
        batch
            Which.
        error
            What stopped it, if anything did.
        """
        with self._lock:
            pulse = self._pulses.pop(batch.id, None)
        if pulse is not None:
            pulse.stop()
        parts = self._parts(batch)
        self._sum_up(batch, parts)
        if error is None:
            lacking = [name for name in batch.aggregates if name not in parts or parts[name].status != "done"]
            error = f"not built: {', '.join(lacking)}" if lacking else None
        if isinstance(error, str):
            error = BuildError(error)
        status = (
            "done"
            if error is None
            else "cancelled"
            if isinstance(error, CancelledError | KeyboardInterrupt)
            else "error"
        )
        ended = self._catalog.finish_build(batch.id, status, self._clock(), error=error)
        return BatchReport(Batch.of(ended), {name: _report(build) for name, build in parts.items()})

    def close(self) -> None:
        """Give no more signs of life of batches that run here."""
        with self._lock:
            pulses, self._pulses = list(self._pulses.values()), {}
        for pulse in pulses:
            pulse.stop()

    def _check(self, batch: Batch) -> None:
        status = self.get(batch.id).status
        if status == "cancelled":
            raise CancelledError(f"the batch of cube {batch.cube!r} was cancelled")
        if status != "running":
            raise ConflictError(
                f"the batch of cube {batch.cube!r} does not run: it is {status}", hint="begin a new one"
            )

    def _parts(self, batch: Batch) -> dict[str, Build]:
        """The newest build of every aggregate that a batch built, by name, in the batch's order."""
        names = {target.rollup_id: name for name, target in self._targets.of_owner(batch.cube_id).items()}
        newest: dict[str, Build] = {}
        for build in self._catalog.builds(self._workspace_id, batch_id=batch.id):
            if build.rollup_id in names:
                newest.setdefault(names[build.rollup_id], build)
        return {name: newest[name] for name in batch.aggregates if name in newest}

    def _sum_up(self, batch: Batch, parts: Mapping[str, Build]) -> None:
        builds = parts.values()
        detail = dict(self._detail_of(batch))
        detail[STATES_READ] = sum(int(build.detail.get(STATES_READ, 0)) for build in builds)
        self._catalog.progress_build(
            batch.id,
            windows_done=sum(build.windows_done for build in builds),
            windows_total=sum(build.windows_total or 0 for build in builds),
            rows_read=sum(build.rows_read for build in builds),
            null_times=max((build.null_times for build in builds), default=0),
            states_written=sum(build.states_written for build in builds),
            bytes_written=sum(build.bytes_written for build in builds),
            detail=detail,
        )

    def _finer(self, batch: Batch, targets: Mapping[str, Target]) -> Iterator[Finer]:
        """The aggregates that this batch has built: they hold what their source held just now."""
        built: dict[str, Build] = {}
        for build in self._catalog.builds(self._workspace_id, batch_id=batch.id, status="done"):
            built.setdefault(build.rollup_id or "", build)
        for target in targets.values():
            if target.rollup_id not in built:
                continue
            coverage = self._catalog.coverage(target.rollup_id)
            versions = [Version.of(stored) for stored in self._catalog.versions(target.rollup_id)]
            if len(versions) == 1 and versions[0].data_hash == target.data_hash:
                seen = built[target.rollup_id].detail.get(SEEN)
                yield Finer(target.name, versions[0], coverage, None if seen is None else int(seen))

    def _detail(self, cube: StoredCube, *, full: bool) -> dict[str, object]:
        return {
            "cube": cube.name,
            "project_id": cube.project_id,
            "aggregates": build_order(cube_rollups(cube.spec)),
            "estimate_ms": self.estimate(cube.id, full=full),
        }

    def _detail_of(self, batch: Batch) -> Mapping[str, object]:
        build = self._catalog.build(batch.id)
        return {} if build is None else build.detail

    @property
    def _ttl_us(self) -> Micros:
        return round(self._settings.lease_ttl * 1_000_000)


def _report(build: Build) -> BuildReport:
    started, finished = build.started_us or 0, build.finished_us or 0
    return BuildReport(
        windows=build.windows_done,
        rows_read=build.rows_read,
        states_written=build.states_written,
        seconds=max(finished - started, 0) / 1_000_000,
        null_times=build.null_times,
        bytes_written=build.bytes_written,
        build_id=build.id,
        states_read=int(build.detail.get(STATES_READ, 0)),
    )
