"""Tasks of a workspace: rollups written as LINQ and built continually; what is due is built by a run."""

from __future__ import annotations

import time
from collections.abc import Collection as Some
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aggflow.catalog import TaskRecord
from aggflow.collection import Collection
from aggflow.engine.answer import Answer
from aggflow.engine.build_report import BuildReport
from aggflow.engine.definition_kind import KindName
from aggflow.engine.progress import Progress, Report
from aggflow.engine.stored_task import StoredTask
from aggflow.engine.task_figures import measures_of, stats_of
from aggflow.engine.task_run import Built, Settlement, TaskRun
from aggflow.engine.tasks import Tasks, counts_as_failure, may_try
from aggflow.errors import AggflowError, CancelledError, NotFoundError, QueryError
from aggflow.spec.declaration import plain
from aggflow.spec.definitions import Definitions
from aggflow.spec.lifecycle import Operation, Status
from aggflow.spec.task import Task
from aggflow.timeline import BEGINNING, Window, format_instant, parse_instant
from aggflow.workspace.builds import BuildsPart
from aggflow.workspace.foundation import Instant


class TasksPart(BuildsPart):
    """The part of a workspace that holds tasks, and runs what is due."""

    @cached_property
    def _tasks(self) -> Tasks:
        return Tasks(
            self._catalog, self._id, self._declarations, self._clock, lease_ttl=self.settings.lease_ttl
        )

    # -- reading

    @property
    def tasks(self) -> Collection[StoredTask]:
        """The tasks that are not deleted, by name."""
        return Collection(
            "task",
            lambda: {stored.name: stored for stored in sorted(self._tasks.all(), key=lambda one: one.name)},
            {
                "name": lambda t: t.name,
                "id": lambda t: t.task_id,
                "status": lambda t: t.status.value,
                "query": lambda t: t.linq,
                "from": lambda t: format_instant(t.from_us),
                "grain": lambda t: t.grain,
                "error": lambda t: (t.status_data or {}).get("message", ""),
            },
        )

    def task(self, task: str) -> StoredTask:
        """The task of an id or a name; by its id also one that was deleted not long ago.

        Raises
        ------
        NotFoundError
            There is none.
        """
        return StoredTask.of(self._tasks.get(task))

    def list_tasks(
        self, *, statuses: Some[str] | None = None, ids: Some[str] | None = None
    ) -> list[StoredTask]:
        """Tasks, oldest first.

        Parameters
        ----------
        statuses
            Only those; by default all but DELETED.
        ids
            Only those.

        Raises
        ------
        NotFoundError
            There is no such status.
        """
        for status in statuses or ():
            if status not in Status.__members__:
                raise NotFoundError("status of a task", str(status), Status)
        return self._tasks.all(statuses, ids)

    # -- what is asked

    def add_task(
        self,
        name: str,
        *,
        linq: str,
        from_date: Instant,
        delay: int = 0,
        time_zone: str = "UTC",
        min_grain: str | int | None = None,
        replaces: bool = True,
        **options: Any,
    ) -> StoredTask:
        """Add a task, or change the one of that name; the next run of tasks begins to build it.

        Parameters
        ----------
        name
            Its name.
        linq
            A grouped query, such as ``from flights where origin = "LGA" group every 1h by carrier``.
        from_date
            From when on events are aggregated; 0 is the beginning of the data.
        delay
            Nothing younger than so many seconds is aggregated.
        time_zone
            The zone whose calendar buckets of a day and longer follow.
        min_grain
            Width of the finest bucket that is stored; by default the query's period.
        replaces
            Whether a task of that name is changed; without it, it is an error.
        options
            The other attributes of :class:`aggflow.Task`.

        Raises
        ------
        ParseError
            The query is wrong, or names a table, column or function that is not there; with its place.
        SpecError
            Another attribute is wrong.
        ConflictError
            The task of that name takes no change now, or is not to be replaced.
        """
        self._readings.read(linq)
        spec = Task(name, linq, from_date, delay, time_zone, min_grain=min_grain, **options)  # pyright: ignore[reportArgumentType] - texts are read
        return self._put_task(spec, replaces=replaces)

    def _put_task(self, spec: Task, *, replaces: bool = True, replaced: Some[str] = ()) -> StoredTask:
        record = self._tasks.find(spec.name) if replaces else None
        if record is not None and record.name == spec.name:
            # What is pending is settled first: a cell of a notebook may be run again at once.
            record = self._tasks.settle(record)
        if record is None or record.name != spec.name or record.status == Status.DELETED:
            return StoredTask.of(self._tasks.add(spec))
        if plain(spec) == dict(record.spec):
            return StoredTask.of(record)
        return self._updated(record, spec, replaced)

    def _updated(self, record: TaskRecord, spec: Task, replaced: Some[str] = ()) -> StoredTask:
        """A task that was changed, with what that does to the endpoints that ask it and are not replaced."""
        happened = self._declarations.check_change(StoredTask.of(record).spec, spec, replaced)
        return replace(StoredTask.of(self._tasks.update(record, spec)), effects=happened)

    def update_task(self, task: str, **changes: Any) -> StoredTask:
        """Change a task.

        Changes of what is stored (the query, the grain, the zone of days) build it anew; an earlier
        beginning builds what is missing; all others hold at once.  Endpoints follow: they answer by the
        new query once the next run has begun it.

        Parameters
        ----------
        task
            Its id or name.
        changes
            Attributes of :class:`aggflow.Task`, its name among them.

        Raises
        ------
        ParseError, SpecError
            A change is wrong.
        ConflictError
            It takes no update now, there is a task of its new name, or an endpoint needs what it would lose.
        """
        record = self._tasks.get(task)
        if "linq" in changes:
            self._readings.read(changes["linq"])
        return self._updated(record, replace(StoredTask.of(record).spec, **changes))

    def stop_task(self, task: str) -> StoredTask:
        """Pause a task; a build of it that is under way ends after the batch that it is at.

        Raises
        ------
        ConflictError
            It cannot be stopped now; the error names its status.
        """
        return StoredTask.of(self._tasks.ask(self._tasks.get(task), Operation.STOP))

    def resume_task(self, task: str) -> StoredTask:
        """Let a stopped task go on from where it stopped; the gap is filled.

        Raises
        ------
        ConflictError
            It is not stopped; the error names its status.
        """
        return StoredTask.of(self._tasks.ask(self._tasks.get(task), Operation.RESUME))

    def start_task(self, task: str, from_date: Instant) -> StoredTask:
        """Aggregate again from a date on; what is built of the time before it stays.

        Raises
        ------
        ConflictError
            It is deleted, or about to be; the error names its status.
        SpecError
            The date is none.
        """
        return StoredTask.of(self._tasks.start(self._tasks.get(task), from_date))

    def delete_task(self, task: str) -> StoredTask:
        """Delete a task; the next run drops what was built, and it is listed for 30 days more as DELETED.

        Raises
        ------
        ConflictError
            It is deleted, or about to be, or an endpoint asks it.
        """
        record = self._tasks.get(task)
        self._check_unasked(record)
        return StoredTask.of(self._tasks.ask(record, Operation.DELETE))

    def _check_unasked(self, record: TaskRecord) -> None:
        # A task that was deleted may be called as one that is there.
        if record.status not in (Status.PENDING_DELETE, Status.DELETED):
            self._declarations.check_removal("task", record.name)

    def remove(self, kind: KindName, name: str) -> None:
        """Remove a definition, and what was built for it; of a task, at once.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind == "task":
            record = self._tasks.get(name)
            self._check_unasked(record)
            if record.status != Status.PENDING_DELETE:
                record = self._tasks.ask(record, Operation.DELETE)
            self._tasks.settle(record)
        else:
            super().remove(kind, name)

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        ConflictError
            A task takes no change now, or an endpoint that is not among them needs what it would lose; nothing is
            added then.
        """
        applied = super().apply_definitions(found, base)
        for task in applied.tasks:
            self._put_task(task, replaced=applied.endpoint_names)
        return applied

    def _check_together(self, found: Definitions) -> None:
        super()._check_together(found)
        there = [(self._tasks.find(task.name), task) for task in found.tasks]
        changed = [(one, task) for one, task in there if one is not None and plain(task) != dict(one.spec)]
        for record, task in changed:
            self._declarations.check_change(StoredTask.of(record).spec, task, found.endpoint_names)
        for name in (task.name for record, task in there if record is None):
            self._catalog.check_task_name(self._id, name)
        # What was asked of them before is done last, when nothing else can refuse all of it.
        for record, task in changed:
            self._tasks.check_update(self._tasks.settle(record), task)

    def declared(self) -> Definitions:
        """All definitions."""
        ending = Status.PENDING_DELETE
        tasks = tuple(stored.spec for stored in self.tasks.values() if stored.status is not ending)
        return replace(super().declared(), tasks=tasks)

    # -- asking

    def ask_task(
        self, task: str, *, start: Instant | None = None, end: Instant | None = None, live: bool = True
    ) -> Answer:
        """What a task's query gives, of the time that the task aggregates.

        Parameters
        ----------
        task
            Its id or name.
        start, end
            Events count from the start on and before the end; by default, and at most, from the
            task's beginning until now, less its delay.
        live
            Whether what is not built may be read from the source; without it, a gap is an error.

        Raises
        ------
        QueryError
            The task aggregates nothing of that time, or a part is not built and ``live`` is false.
        """
        stored = self.task(task)
        spec = stored.spec
        until_us = spec.wait.before(self._clock())
        asked_from = BEGINNING if start is None else parse_instant(start)
        asked_to = until_us if end is None else parse_instant(end)
        if start is not None and end is not None:
            Window.between(asked_from, asked_to)
        start_us, end_us = max(asked_from, spec.from_us), min(asked_to, until_us)
        if start_us >= end_us:
            raise QueryError(
                f"task {spec.name!r} aggregates nothing of that time",
                hint=f"it begins at {format_instant(spec.from_us)} and ends at {format_instant(until_us)}",
            )
        inquiry = self._readings.inquiry(spec.linq, Window(start_us, end_us), spec.zone, live=live)
        return self._serving.inquire(replace(inquiry, name=spec.name))

    # -- building

    @contextmanager
    def _watched(self, reference: str, report: Report, *, whole: bool) -> Iterator[tuple[str, Report]]:
        """Around a build: a task is told how it went, and ends it when it is asked to stop."""
        record = self._tasks.of_reference(reference)
        if record is None:
            with super()._watched(reference, report, whole=whole) as watched:
                yield watched
            return
        record = self._tasks.settle(record)
        try:
            yield f"task {record.name}", lambda now: self._go_on(record, now, report)
        except Exception as error:
            if counts_as_failure(error):
                self._tasks.failed(record, error)
            raise
        if whole:
            self._tasks.succeeded(record)

    def _go_on(self, record: TaskRecord, now: Progress, report: Report) -> None:
        report(now)
        if self._tasks.is_to_stop(record):
            raise CancelledError(f"task {record.name!r} was stopped or changed as it was built")

    def due(self, now: Instant | None = None) -> list[str]:
        """References of what a run of tasks has to build: no source is opened to tell.

        A filter or task is due when a bucket has closed that is not built, a task also when something
        was asked of it, or its time to try again has come.

        Parameters
        ----------
        now
            The instant; by default the present.
        """
        return self._tasks.due(self._clock() if now is None else parse_instant(now))

    def settle_tasks(self) -> list[Settlement]:
        """Do what was asked of tasks, as far as it takes no build; forget those deleted long ago."""
        found = [self._settled(record) for record in list(self._tasks.pending())]
        self._tasks.purge()
        return [one for one in found if one.before != one.after or one.error]

    def _settled(self, record: TaskRecord) -> Settlement:
        try:
            after = self._tasks.settle(record)
        except AggflowError as error:
            after = self._tasks.failed(record, error)
            return Settlement(record.name, record.status, after.status, error)
        return Settlement(record.name, record.status, after.status)

    def run_task(self, reference: str, *, progress: bool | Report = False) -> BuildReport | None:
        """Build one rollup that is due.

        Parameters
        ----------
        reference
            ``task by client``, ``filter delays``: one of :meth:`due`.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every batch.

        Returns
        -------
        BuildReport or None
            None where there is nothing to build: a task that was stopped or deleted meanwhile.

        Raises
        ------
        AggflowError
            The build failed; a task's third failure in a row is an error of the task.
        """
        record = self._tasks.of_reference(reference)
        if record is not None:
            record = self._tasks.settle(record)
            if not Status(record.status).is_building or not may_try(record, self._clock()):
                return None
        return self.build(reference, progress=progress)

    def run_tasks(self, *, progress: bool | Report = False) -> TaskRun:
        """Settle what was asked of tasks, then build everything that is due; what fails stops nothing else.

        Parameters
        ----------
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every batch.
        """
        started = time.perf_counter()
        settled = self.settle_tasks()
        undone = {f"task {one.task}" for one in settled if one.error is not None}
        built = [
            self._built(reference, progress=progress) for reference in self.due() if reference not in undone
        ]
        return TaskRun(tuple(settled), tuple(built), time.perf_counter() - started)

    def _built(self, reference: str, *, progress: bool | Report) -> Built:
        try:
            return Built(reference, self.run_task(reference, progress=progress))
        except Exception as error:  # noqa: BLE001 - it is in the report, and in the task's status
            return Built(reference, error=error)

    # -- figures

    def task_figures(self, task: str) -> dict[str, Any]:
        """The columns that a task aggregates, and how its work goes, as clients of the tasks API see them.

        Parameters
        ----------
        task
            Its id or name.

        Returns
        -------
        dict
            ``{"id", "measures", "stats"}``.

        Raises
        ------
        SourceError
            Its source, which knows the types, cannot be opened.
        """
        stored = self.task(task)
        with self._declarations.open(self._source(stored.source)) as rows:
            measures = measures_of(stored.spec, rows)
        stats = stats_of(stored, self._catalog, self._clock())
        return {"id": stored.task_id, "measures": measures, "stats": stats}
