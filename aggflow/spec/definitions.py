"""Definitions: everything that is declared in a workspace, as YAML.

One document holds lists under ``sources``, ``filters``, ``endpoints``, ``tasks``, ``projects``,
``cubes``, ``schedules``, ``event_sources`` (one at most); several files of a folder are read as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import yaml

from aggflow.brief import brief
from aggflow.errors import ParseError, Problem, SpecError, did_you_mean
from aggflow.spec.cube import Cube
from aggflow.spec.declaration import plain, read
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.event_source import EventSource
from aggflow.spec.filter import Filter
from aggflow.spec.project import Project
from aggflow.spec.schedule import Schedule
from aggflow.spec.source import Source
from aggflow.spec.task import Task

# In the order in which they refer to one another.
KINDS: dict[str, type[Any]] = {
    "sources": Source,
    "filters": Filter,
    "endpoints": Endpoint,
    "tasks": Task,
    "projects": Project,
    "cubes": Cube,
    "schedules": Schedule,
    "event_sources": EventSource,
}


@dataclass(frozen=True)
class Definitions:
    """Declarations of all kinds, in the order of the text."""

    sources: tuple[Source, ...] = ()
    filters: tuple[Filter, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    tasks: tuple[Task, ...] = ()
    projects: tuple[Project, ...] = ()
    cubes: tuple[Cube, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    event_sources: tuple[EventSource, ...] = ()

    def __repr__(self) -> str:
        names = {kind.replace("_", " "): [spec.name for spec in getattr(self, kind)] for kind in KINDS}
        return brief("definitions", names)

    def __add__(self, other: Definitions) -> Definitions:
        return Definitions(**{kind: getattr(self, kind) + getattr(other, kind) for kind in KINDS})

    @property
    def endpoint_names(self) -> frozenset[str]:
        """What its endpoints are called."""
        return frozenset(endpoint.name for endpoint in self.endpoints)

    def doubled(self) -> Iterator[Problem]:
        """Names that stand more than once within a kind: only one of them could be kept."""
        for kind in KINDS:
            for name, times in Counter(spec.name for spec in getattr(self, kind)).items():
                if times > 1:
                    yield Problem(kind, f"{name!r} stands here {times} times; names are unique within a kind")

    def to_yaml(self) -> str:
        """As a YAML document; defaults are left out."""
        data = {
            kind: [plain(spec, defaults=False) for spec in getattr(self, kind)]
            for kind in KINDS
            if getattr(self, kind)
        }
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def from_yaml(text: str, name: str = "the document") -> Definitions:
    """The definitions of a YAML document.

    Parameters
    ----------
    text
        The document.
    name
        What errors call it.

    Raises
    ------
    ParseError
        It is no YAML.
    SpecError
        Every problem of every definition, each with its path.
    """
    data = _loaded(text, name)
    problems = [
        Problem(str(kind), "unknown kind of definition", did_you_mean(str(kind), KINDS))
        for kind in data
        if kind not in KINDS
    ]
    found = Definitions()
    for kind, cls in KINDS.items():
        specs = tuple(_specs([] if data.get(kind) is None else data[kind], kind, cls, problems))
        found = replace(found, **{kind: specs})
    if problems:
        raise SpecError(name, problems)
    return found


def _specs(items: Any, kind: str, cls: type[Any], problems: list[Problem]) -> Iterator[Any]:
    if not isinstance(items, Sequence) or isinstance(items, str):
        problems.append(Problem(kind, "a list is needed"))
        return
    for i, item in enumerate(cast("Sequence[Any]", items)):
        if not isinstance(item, Mapping):
            problems.append(Problem(f"{kind}[{i}]", "a mapping of keys to values is needed"))
            continue
        try:
            yield read(cls, cast("Mapping[str, Any]", item))
        except SpecError as error:
            problems += [replace(p, path=f"{kind}[{i}].{p.path}".rstrip(".")) for p in error.problems]


def _loaded(text: str, name: str) -> Mapping[Any, Any]:
    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark.index if error.problem_mark else 0
        raise ParseError(f"{name} is no YAML: {error.problem}", text=text, position=place) from None
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise SpecError(name, [Problem("", f"lists under {', '.join(KINDS)} are needed")])
    return cast("Mapping[Any, Any]", data)
