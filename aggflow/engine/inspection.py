"""An inspection: what keeps declarations from being added, found before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aggflow.engine.check import check_reading, cube_problems_at_source, problems_at_source
from aggflow.engine.definition_kind import KindName
from aggflow.engine.event_reading import EventReading
from aggflow.engine.source_access import SourceAccess
from aggflow.errors import AggflowError, NotFoundError, ParseError, Problem
from aggflow.language import parse_linq
from aggflow.spec.asked import asked_of
from aggflow.spec.cube import Cube
from aggflow.spec.definitions import Definitions
from aggflow.spec.endpoint import SUBJECTS
from aggflow.spec.event_source import EventSource
from aggflow.spec.filter import Filter
from aggflow.spec.fit import problems_with
from aggflow.spec.project import DEFAULT_PROJECT
from aggflow.spec.reading import reading_of
from aggflow.spec.source import Source
from aggflow.spec.task import Task


class Inspection(SourceAccess):
    """What looks at declarations before they are added."""

    def problems_of(self, found: Definitions) -> list[Problem]:
        """What keeps declarations from being added together; nothing is written."""
        sources = {source.name: source for source in found.sources}
        askable = {(kind, one.name): one for kind in SUBJECTS for one in getattr(found, f"{kind}s")}
        checks: list[tuple[str, Callable[[], list[Problem]]]] = []
        checks += [(f"source {s.name!r}", lambda s=s: self._problems_at(s)) for s in found.sources]
        for spec in found.filters:
            source = sources.get(spec.source)
            checks.append((f"filter {spec.name!r}", lambda f=spec, s=source: self._problems_at(s, f)))
        for endpoint in found.endpoints:
            of = askable.get(endpoint.subject)
            checks.append(
                (
                    f"endpoint {endpoint.name!r}",
                    lambda e=endpoint, f=of: problems_with(e, asked_of(f) if f else self.to_be_asked(e)),
                )
            )
        for task in found.tasks:
            source = sources.get(task.source)
            checks.append((f"task {task.name!r}", lambda t=task, s=source: self._problems_of_task(s, t)))
        cubes = {cube.name for cube in found.cubes}
        projects = {DEFAULT_PROJECT, *(project.name for project in found.projects)}
        for cube in found.cubes:
            source = sources.get(cube.source)
            what = f"cube {cube.name!r}"
            checks.append((what, lambda c=cube, s=source: self.problems_of_cube(c, s)))
            if cube.project not in projects:
                checks.append((what, lambda c=cube: self._lacking("project", c.project)))
        for schedule in found.schedules:
            if schedule.cube not in cubes:
                what = f"schedule {schedule.time_expression!r}"
                checks.append((what, lambda s=schedule: self._lacking("cube", s.cube)))
        for events in found.event_sources:
            source = sources.get(events.source)
            checks.append(("the event source", lambda e=events, s=source: self.problems_of_events(e, s)))
        return [problem for what, check in checks for problem in _told(what, check, found)]

    def _lacking(self, kind: KindName, name: str) -> list[Problem]:
        self.get(kind, name)
        return []

    def problems_of_cube(self, cube: Cube, source: Source | None = None) -> list[Problem]:
        """What of a cube its source, by default the one of that name, cannot serve."""
        with self.open(source or self.get("source", cube.source).spec) as rows:
            return cube_problems_at_source(cube, rows)

    def problems_of_events(self, events: EventSource, source: Source | None = None) -> list[Problem]:
        """What of an event source its source, by default the one of that name, cannot serve."""
        with self.open(source or self.get("source", events.source).spec) as rows:
            return list(EventReading.of(events, rows).problems.values())

    def _problems_at(self, source: Source | None, spec: Filter | None = None) -> list[Problem]:
        if source is None and spec is not None:
            source = self.get("source", spec.source).spec
        assert source is not None  # noqa: S101 - one of the two is given
        with self.open(source) as rows:
            return [] if spec is None else problems_at_source(spec, rows)

    def _problems_of_task(self, source: Source | None, task: Task) -> list[Problem]:
        with self.open(source or self.get("source", task.source).spec) as rows:
            query = parse_linq(task.linq, columns=rows.columns)
            check_reading(reading_of(query), rows, task.linq)
        return []


def _told(what: str, check: Callable[[], list[Problem]], beside: Definitions) -> list[Problem]:
    """Problems of a check, each with what it is of; an error is one of them."""
    try:
        found = check()
    except ParseError as error:
        found = [Problem("", str(error))]
    except NotFoundError as error:
        # What is declared beside it may have been meant as well as what is there.
        known = (*error.known, *(one.name for one in getattr(beside, f"{error.kind}s", ())))
        found = [Problem("", error.message, NotFoundError(error.kind, error.name, known).hint)]
    except AggflowError as error:
        found = [Problem("", error.message, error.hint)]
    return [replace(problem, path=f"{what}{'.' if problem.path else ''}{problem.path}") for problem in found]
