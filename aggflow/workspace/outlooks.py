"""Outlooks of a workspace: what drafts of tasks, cubes and schedules would do; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from aggflow.engine.check import cube_problems_at_source
from aggflow.engine.cube_question import CubeQuestion
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.readings import reading_on, table_of
from aggflow.engine.tasks import form_of_update
from aggflow.engine.trial import Trial
from aggflow.engine.wish import Wish
from aggflow.errors import AggflowError, ConflictError, NotFoundError, Problem
from aggflow.spec.changes import Effect
from aggflow.spec.cube import Cube
from aggflow.spec.lifecycle import Operation, Status, after
from aggflow.spec.reading import Reading
from aggflow.spec.rollups import rollups_of
from aggflow.spec.task import Task
from aggflow.timeline import BEGINNING, Interval, Micros, Window, Zone, format_instant
from aggflow.workspace.cubes import CubesPart
from aggflow.workspace.drafts import DraftsPart
from aggflow.workspace.tasks import TasksPart
from aggflow.workspace.trials import TrialsPart


class OutlooksPart(DraftsPart, CubesPart, TasksPart, TrialsPart):
    """The part of a workspace that says what drafts would do."""

    def read_linq(self, text: str) -> Reading:
        """What a LINQ text needs, checked as :meth:`add_task` checks it; columns may be a moment old.

        Raises
        ------
        ParseError
            It is no query, or names a table, column or function that is not there; with its place.
        SourceError
            The source cannot be opened.
        """
        return reading_on(text, self._shapes.rows(table_of(text, self.sources)))

    def misfits_of_cube(self, draft: Cube) -> list[Problem]:
        """What of a cube its source, or the workspace, cannot serve; columns may be a moment old.

        Raises
        ------
        SourceError
            The source cannot be opened.
        """
        found: list[Problem] = []
        if draft.project not in self.projects:
            found.append(_lacking("project", draft.project, self.projects))
        if draft.source not in self.sources:
            return [_lacking("source", draft.source, self.sources), *found]
        return [*found, *cube_problems_at_source(draft, self._shapes.rows(draft.source))]

    def try_task(self, draft: Task, wish: Wish | None = None) -> Trial:
        """What a task's query gives of its newest buckets, before the task is saved.

        Parameters
        ----------
        draft
            The task.
        wish
            Whether all events are to be read, or a sample; may be withdrawn.

        Raises
        ------
        ParseError
            The query names what is not there.
        QueryError
            It cannot be answered; NotCoveredError where the source has no events.
        SourceError
            The source cannot be read.
        CancelledError
            The wish was withdrawn.
        """
        period = self._readings.read(draft.linq).reading.period

        def ask(newest_us: Micros) -> Inquiry:
            start_us = BEGINNING if period is None else _back(newest_us, period, draft.zone)
            window = Window(max(start_us, min(draft.from_us, newest_us)), newest_us + 1)
            return replace(self._readings.inquiry(draft.linq, window, draft.zone), name=draft.name)

        return self._trials.inquire(self._source(draft.source), ask, wish or Wish())

    def try_cube(
        self, draft: Cube, fields: Sequence[str], dimensions: Sequence[str] = (), wish: Wish | None = None
    ) -> Trial:
        """What a question to a cube is answered, before the cube is saved.

        Parameters
        ----------
        draft
            The cube.
        fields, dimensions
            As :meth:`ask_cube` takes them; the largest groups, or the newest buckets, are answered.
        wish
            Whether all events are to be read, or a sample; may be withdrawn.

        Raises
        ------
        QueryError
            It cannot be answered; NotCoveredError where the source has no events.
        SourceError
            The source cannot be read.
        CancelledError
            The wish was withdrawn.
        """
        source = self._source(draft.source)

        def ask(newest_us: Micros) -> Inquiry:
            window = Window(BEGINNING, newest_us + 1)
            series = CubeQuestion(fields, dimensions).inquiry(draft, source, window).question.series
            if series is not None:
                window = Window(_back(newest_us, series, draft.zone), newest_us + 1)
                return CubeQuestion(fields, dimensions).inquiry(draft, source, window)
            order = [(fields[0], "desc")]
            return CubeQuestion(fields, dimensions, sort=order, limit=_GROUPS).inquiry(draft, source, window)

        return self._trials.inquire(source, ask, wish or Wish())

    def effects_of_task(self, draft: Task) -> tuple[Effect, ...]:
        """What saving a task would do to what is built and to endpoints, or why it cannot be saved now."""
        stored = self.tasks.get(draft.name)
        if stored is None:
            since = f"from {format_instant(draft.from_us)} on" if draft.from_date else "all events"
            return (Effect(draft.name, f"the next run of tasks begins to build it: {since}", kind="task"),)
        if stored.spec == draft:
            return ()
        form = form_of_update(stored.spec, draft)
        try:
            after(form, _settled(stored.status))
        except ConflictError as error:
            return (Effect(draft.name, str(error), blocks=True, kind="task"),)
        own = Effect(draft.name, _OF_TASK[form], kind="task")
        return (own, *self._declarations.effects(stored.spec, draft))

    def effects_of_cube(self, draft: Cube) -> tuple[Effect, ...]:
        """What saving a cube would do to its aggregates, and to endpoints."""
        stored = self.cubes.get(draft.name)
        asking = () if stored is None else self._declarations.effects(stored.spec, draft)
        return (*self._effects_of_cube(draft), *asking)

    def _effects_of_cube(self, draft: Cube) -> Iterator[Effect]:
        stored = self.cubes.get(draft.name)
        old = {} if stored is None else self._hashes(stored.spec)
        new = self._hashes(draft)
        for name in sorted(old.keys() - new.keys()):
            yield Effect(f"{draft.name}/{name}", "is dropped with what is built of it", kind="aggregate")
        for name, data_hash in new.items():
            what = (
                "is to be built"
                if name not in old
                else "stays as it is built"
                if old[name] == data_hash
                else "is to be built anew: what it is made of changes"
            )
            yield Effect(f"{draft.name}/{name}", what, kind="aggregate")

    def _hashes(self, cube: Cube) -> dict[str, str]:
        """By aggregate, the hash of what its states are made of; of a source that is gone without its part."""
        try:
            source = self._source(cube.source)
        except AggflowError:
            return dict.fromkeys(rollups_of(cube), "")
        return {name: rollup.data_hash(source) for name, rollup in rollups_of(cube).items()}


def _back(newest_us: Micros, width: Interval, zone: Zone) -> Micros:
    """The start of the first of so many buckets, the last of which has the newest event."""
    return width.floor(newest_us - (_BUCKETS - 1) * width.seconds_at_most * 1_000_000, zone)


_BUCKETS = 90
_GROUPS = 20
_OF_TASK = {
    Operation.UPDATE: "holds at once: what is built stays",
    Operation.REBUILD: "everything is thrown away and built anew: what it is made of changes",
    Operation.EXTEND: "what is built stays; the time from the earlier beginning on is built as well",
}


def _settled(status: Status) -> Status:
    """What a task is as soon as what was asked of it is settled, which takes no build."""
    return Status.RUNNING if status in (Status.PENDING_CREATE, Status.PENDING_RESUME) else status


def _lacking(kind: str, name: str, known: Iterable[str]) -> Problem:
    error = NotFoundError(kind, name, known)
    return Problem(kind, error.message, error.hint)
