"""Cubes of a workspace: dimensions and measures, the batches that build their aggregates, questions by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from aggflow.catalog import BuildStatus
from aggflow.collection import Collection
from aggflow.engine.answer import Answer
from aggflow.engine.batch import Batch, BatchReport
from aggflow.engine.batches import Batches
from aggflow.engine.build_report import BuildReport
from aggflow.engine.cube_question import CubeQuestion, FieldNames, FilterValues, SortTerm
from aggflow.engine.cube_readings import CubeReadings
from aggflow.engine.definition_kind import KindName
from aggflow.engine.progress import Report
from aggflow.engine.stored import Stored
from aggflow.engine.stored_cube import StoredCube
from aggflow.errors import ConflictError, NotFoundError, SpecError
from aggflow.language import from_ibis, to_jpath
from aggflow.progress_bar import reporting
from aggflow.spec.cube import Cube
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import Sort
from aggflow.spec.project import DEFAULT_PROJECT, Project
from aggflow.timeline import BEGINNING, Window, format_instant, parse_instant
from aggflow.workspace.builds import BuildsPart
from aggflow.workspace.foundation import Instant


class CubesPart(BuildsPart):
    """The part of a workspace that holds projects and cubes, and builds what speeds them up."""

    @cached_property
    def _batches(self) -> Batches:
        return Batches(
            self._catalog, self._id, self._targets, self._builder, self._store, self.settings, self._clock
        )

    # -- projects

    @property
    def projects(self) -> Collection[Stored[Project]]:
        """The projects, by name; ``default`` is there by itself."""
        return Collection(
            "project", self._projects, {"name": lambda p: p.name, "description": lambda p: p.description}
        )

    def add_project(self, name: str, *, description: str = "") -> Stored[Project]:
        """Add a project, or change the one of that name."""
        return self._declarations.put("project", Project(name, description))

    def _projects(self) -> dict[str, Stored[Project]]:
        found = self._declarations.all("project")
        if DEFAULT_PROJECT not in found:
            made = self._declarations.put("project", Project(DEFAULT_PROJECT))
            found = {DEFAULT_PROJECT: made, **found}
        return found

    # -- cubes

    def add_cube(
        self,
        name: str,
        *,
        source: str,
        dimensions: Sequence[Any] = (),
        where: Any = "",
        rebuild: bool = False,
        **options: Any,
    ) -> StoredCube:
        """Add a cube, or change the one of that name: aggregates whose data would change are built anew.

        Parameters
        ----------
        name, source
            Its name, and its source.
        dimensions
            Columns by name, and :class:`aggflow.Dimension`.
        where
            JPath text, LINQ behind ``=``, or an Ibis deferred predicate.
        rebuild
            Build all aggregates anew.
        options
            The other attributes of :class:`aggflow.Cube`: ``measures``, ``aggregates`` ...

        Raises
        ------
        SpecError
            The definition is wrong, or does not fit its source: every problem of it.
        NotFoundError
            There is no such source, or project.
        ConflictError
            An endpoint needs what the cube would lose.
        """
        if not isinstance(where, str):
            with self._declarations.open(self._source(source)) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        return self._put_cube(Cube(name, source, dimensions, where=where, **options), rebuild=rebuild)

    def _put_cube(self, spec: Cube, *, rebuild: bool = False) -> StoredCube:
        project = self.projects[spec.project]
        problems = self._declarations.problems_of_cube(spec)
        if problems:
            raise SpecError(f"cube {spec.name!r}", problems)
        old = self._declarations.find("cube", spec.name)
        happened = () if old is None else self._declarations.check_change(old.spec, spec)
        if old is not None:
            self._declarations.carry(old.spec, spec)
        stored = self._declarations.put_owner("cube", spec, rebuild=rebuild)
        return StoredCube(stored.id, spec, happened, stored.generation, project_id=project.id)

    @property
    def cubes(self) -> Collection[StoredCube]:
        """The cubes, by name."""
        return Collection(
            "cube",
            self._cubes,
            {
                "name": lambda c: c.name,
                "source": lambda c: c.source,
                "project": lambda c: c.project,
                "dimensions": lambda c: c.dimensions,
                "measures": lambda c: c.measures,
                "aggregates": lambda c: c.spec.materialised,
            },
        )

    def cube(self, cube: str) -> StoredCube:
        """The cube of a name or an id.

        Raises
        ------
        NotFoundError
            There is none.
        """
        declared = self._declarations
        found = declared.find("cube", cube) or declared.by_id("cube", cube)
        if found is None:
            raise NotFoundError("cube", cube, declared.all("cube"))
        return self._in_project(found, self._projects())

    def _cubes(self) -> dict[str, StoredCube]:
        projects = self._projects()
        return {
            name: self._in_project(cube, projects) for name, cube in self._declarations.all("cube").items()
        }

    def _in_project(self, cube: Stored[Cube], projects: dict[str, Stored[Project]]) -> StoredCube:
        project = projects.get(cube.project)
        return StoredCube(
            cube.id,
            cube.spec,
            generation=cube.generation,
            project_id="" if project is None else project.id,
        )

    # -- batches

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
        """
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

    # -- questions

    def ask_cube(
        self,
        cube: str,
        fields: FieldNames | None = None,
        dimensions: str | Sequence[str] = (),
        *,
        start: Instant | None = None,
        end: Instant | None = None,
        where: Any = "",
        filters: FilterValues | None = None,
        sort: SortTerm | Sequence[SortTerm] = (),
        limit: int | None = None,
        live: bool = True,
    ) -> Answer:
        """Ask a cube by the names of its dimensions and measures; the cheapest aggregate that covers it answers.

        Parameters
        ----------
        cube
            Its name, or its id.
        fields
            Measures: ``delay:AVG``, ``delay:PERCENTILES:0.95``, a ratio, an aggregation with one calculation,
            :class:`aggflow.Field`; or by the name that the answer uses.  None for all but percentiles.
        dimensions
            Dimensions and levels to group by, each with the levels above it; a level of time
            (``date.month``, ``month``) makes a series.
        start, end
            Events count from the start on and before the end; by default from the first event on, until now.
        where
            A predicate on columns of the source: JPath, LINQ behind ``=``, or an Ibis deferred one.
        filters
            By dimension or level, the value or values to keep: ``{"carrier": ["AA", None]}``.
        sort
            Names of fields and dimensions, ``dt``; ``("delay:AVG", "desc")``.
        limit
            How many rows at most.
        live
            Whether what no aggregate covers may be read from the source; without it, a gap is an error.

        Raises
        ------
        NotFoundError
            There is no such cube.
        QueryError
            A name means nothing, or the question cannot be answered; with every problem.
        SourceError
            The source was needed, and cannot be read.
        """
        found = self._cube_readings.get(cube)
        if not isinstance(where, str):
            with self._declarations.open(found.source) as rows:
                where = to_jpath(from_ibis(where, rows.table))
        question = CubeQuestion(
            [fields] if isinstance(fields, str) else fields,
            [dimensions] if isinstance(dimensions, str) else dimensions,
            filters or {},
            where,
            _terms(sort),
            limit,
        )
        start_us = BEGINNING if start is None else parse_instant(start)
        end_us = self._clock() if end is None else parse_instant(end)
        window = Window.between(start_us, end_us)
        inquiry = question.inquiry(found.cube, found.source, window, live=live)
        return self._serving.inquire(replace(inquiry, plain=self._cube_readings.plain(found, where)))

    @cached_property
    def _cube_readings(self) -> CubeReadings:
        generation = self._catalog.definitions_generation
        return CubeReadings(self._declarations, lambda: generation(self._id))

    # -- definitions

    def remove(self, kind: KindName, name: str) -> None:
        """Remove a definition, and what was built for it.

        Raises
        ------
        NotFoundError
            There is none of that name.
        ConflictError
            Another definition needs it.
        """
        if kind == "project":
            self._check_project(name)
        super().remove(kind, name)

    def _check_project(self, name: str) -> None:
        """Refuse to remove a project that is needed."""
        if name == DEFAULT_PROJECT:
            raise ConflictError("the project 'default' is always there")
        needing = [f"cube {cube.name!r}" for cube in self.cubes.values() if cube.project == name]
        if needing:
            raise ConflictError(f"{', '.join(needing)} needs project {name!r}", hint="remove that first")

    def apply_definitions(self, found: Definitions, base: Path | None = None) -> Definitions:
        """Add declarations, sources first; relative paths are taken from ``base``.

        Raises
        ------
        SpecError
            Every problem of all of them; nothing is added then.
        """
        self._projects()
        applied = super().apply_definitions(found, base)
        for project in applied.projects:
            self._declarations.put("project", project)
        for cube in applied.cubes:
            self._put_cube(cube)
        return applied

    def declared(self) -> Definitions:
        """All definitions."""
        own = Project(DEFAULT_PROJECT)
        projects = tuple(stored.spec for stored in self._declarations.all("project").values())
        return replace(
            super().declared(),
            projects=tuple(project for project in projects if project != own),
            cubes=tuple(stored.spec for stored in self._declarations.all("cube").values()),
        )


def _terms(sort: SortTerm | Sequence[SortTerm]) -> Sequence[SortTerm]:
    """The terms of an order; one may be given by itself."""
    if isinstance(sort, str | Sort):
        return [sort]
    pair = isinstance(sort, tuple) and len(sort) == 2 and sort[1] in ("asc", "desc")
    return [cast("SortTerm", sort)] if pair else cast("Sequence[SortTerm]", sort)
