"""Batches of a workspace: the builds of the aggregates of one cube that run together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import get_args

from aggflow.catalog import BuildStatus
from aggflow.collection import Collection
from aggflow.engine.batch import Batch, BatchReport
from aggflow.engine.batches import Batches
from aggflow.engine.build_report import BuildReport
from aggflow.engine.progress import Report
from aggflow.errors import ConflictError, NotFoundError
from aggflow.progress_bar import reporting
from aggflow.timeline import format_instant
from aggflow.workspace.cubes import CubesPart


class BatchesPart(CubesPart):
    """The part of a workspace that builds what speeds up its cubes."""

    @cached_property
    def _batches(self) -> Batches:
        return Batches(
            self._catalog, self._id, self._targets, self._builder, self._store, self.settings, self._clock
        )

    @property
    def batches(self) -> Collection[Batch]:
        """The last hundred batches, by id, newest first."""
        return Collection(
            "batch",
            lambda: {batch.id: batch for batch in self._batches.all(limit=100)},
            {
                "started": lambda b: "" if b.started_us is None else format_instant(b.started_us),
                "cube": lambda b: b.cube,
                "kind": lambda b: b.kind,
                "status": lambda b: b.status,
                "rows": lambda b: f"{b.rows_read:,}",
                "states": lambda b: f"{b.states_written:,}",
                "seconds": lambda b: "" if b.seconds is None else f"{b.seconds:.1f}",
                "error": lambda b: b.error["message"] if b.error else "",
            },
            ("rows", "states", "seconds"),
        )

    def batch(self, batch_id: str) -> Batch:
        """The batch of an id, however old.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return self._batches.get(batch_id)

    def list_batches(
        self,
        *,
        cube: str | None = None,
        status: BuildStatus | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Batch]:
        """Batches, newest first.

        Parameters
        ----------
        cube
            Only of this cube: its name, or its id.
        status
            Only those.
        limit, offset
            How many at most, and how many to leave out before them.

        Raises
        ------
        NotFoundError
            There is no such cube, or no such status.
        """
        if status is not None and status not in get_args(BuildStatus):
            raise NotFoundError("status of a batch", str(status), get_args(BuildStatus))
        cube_id = None if cube is None else self.cube(cube).id
        return self._batches.all(cube_id=cube_id, status=status, limit=limit, offset=offset)

    def open_batches(self) -> list[Batch]:
        """The batches that run or wait, oldest first."""
        found = [*self._batches.all(status="running"), *self._batches.all(status="pending")]
        return sorted(found, key=lambda batch: batch.created_us)

    def close_dead_batches(self) -> list[Batch]:
        """Close the batches whose process died; those that were closed."""
        return self._batches.close_dead()

    def estimate(self, cube: str, *, full: bool = False) -> int:
        """How many milliseconds a batch of a cube may take: the median of its last five of that kind, 0 if none."""
        return self._batches.estimate(self.cube(cube).id, full=full)

    def request_build(self, cube: str, *, full: bool = False, job_id: str | None = None) -> Batch:
        """Ask for a batch of a cube, which the next run begins; it joins one that waits already.

        Parameters
        ----------
        cube
            Its name, or its id.
        full
            Build everything anew.
        job_id
            The schedule that asks.
        """
        found = self._batches.request(self.cube(cube), full=full, job_id=job_id)
        self._fired(job_id)
        return found

    def begin_batch(
        self, cube: str, *, full: bool = False, job_id: str | None = None, batch_id: str | None = None
    ) -> Batch | None:
        """Begin a batch of a cube in this process: the one that waits, whoever asked for it, or a new one.

        Parameters
        ----------
        cube
            Its name, or its id.
        full
            Build everything anew; a batch that waits may be full already, and stays it.
        job_id
            The schedule that asks.
        batch_id
            Only this one, which waits.

        Returns
        -------
        Batch or None
            To be ended by :meth:`finish_batch`; None while another batch of the cube runs, or where the
            one that is named does not wait any more.

        Raises
        ------
        NotFoundError
            There is no such cube.
        """
        found = self._batches.begin(self.cube(cube), full=full, job_id=job_id, batch_id=batch_id)
        if found is not None:
            self._fired(job_id)
        return found

    def _fired(self, job_id: str | None) -> None:
        """Note that a schedule's time was seen to, also where it joined what another asked for."""
        if job_id is not None and self._declarations.by_id("schedule", job_id) is not None:
            now_us = self._clock()
            self._catalog.put_schedule_state(job_id, now_us, fired_us=now_us)

    def build_aggregate(self, batch: Batch, aggregate: str, *, progress: bool | Report = True) -> BuildReport:
        """Build one aggregate of a batch that runs: of finer ones built before it, else of the source.

        Parameters
        ----------
        batch
            What :meth:`begin_batch` gave; ``batch.aggregates`` has the order.
        aggregate
            Its name.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every step.

        Raises
        ------
        CancelledError
            The batch was cancelled.
        AggflowError
            The build stopped; what was committed stays.
        """
        with reporting(progress) as report:
            done = self._batches.build(batch, aggregate, report)
        target = self._targets.of_owner(batch.cube_id).get(aggregate)
        if target is not None:
            self._compact(target)
        return done

    def finish_batch(self, batch: Batch, error: BaseException | str | None = None) -> BatchReport:
        """End a batch that was begun.

        Parameters
        ----------
        batch
            What :meth:`begin_batch` gave.
        error
            What stopped it, if anything did.
        """
        return self._batches.finish(batch, error)

    @contextmanager
    def _running(self, batch: Batch) -> Iterator[None]:
        """Whatever stops a batch is noted."""
        try:
            yield
        except BaseException as error:
            self.finish_batch(batch, error)
            raise

    def build_cube(self, cube: str, *, full: bool = False, progress: bool | Report = True) -> BatchReport:
        """Build the aggregates of a cube, the finest first, coarser ones of finer ones.

        Parameters
        ----------
        cube
            Its name, or its id.
        full
            Build everything anew.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every step.

        Raises
        ------
        ConflictError
            Another batch of the cube runs.
        AggflowError
            A build stopped; what was committed stays, and the next batch goes on from there.
        """
        batch = self.begin_batch(cube, full=full)
        if batch is None:
            raise ConflictError(
                f"another batch of cube {cube!r} is at work",
                hint="wait for it, or queue one by request_build",
            )
        return self._run(batch, progress)

    def run_batch(self, batch_id: str, *, progress: bool | Report = False) -> BatchReport | None:
        """Carry out a batch that was asked for and waits.

        Parameters
        ----------
        batch_id
            Which.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every step.

        Returns
        -------
        BatchReport or None
            None where it does not wait any more, or while another batch of its cube runs.

        Raises
        ------
        NotFoundError
            There is no such batch, or its cube is gone.
        AggflowError
            A build stopped; what was committed stays, and the batch's record says why.
        """
        waiting = self.batch(batch_id)
        batch = self.begin_batch(waiting.cube, full=waiting.full, batch_id=batch_id)
        return None if batch is None else self._run(batch, progress)

    def _run(self, batch: Batch, progress: bool | Report) -> BatchReport:  # noqa: FBT001 - as of build_cube
        with self._running(batch):
            for aggregate in batch.aggregates:
                self.build_aggregate(batch, aggregate, progress=progress)
        return self.finish_batch(batch)

    def cancel(self, build_id: str) -> None:
        """Ask a build, or all builds of a batch, to stop; a batch that waits is not begun any more."""
        super().cancel(build_id)
        self._batches.cancel(build_id)
