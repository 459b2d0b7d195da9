"""Serving: answers saved questions, keeping what they share between one request and the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggflow.catalog import Catalog, Coverage
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.answer import Answer
from aggflow.engine.answerer import Answerer
from aggflow.engine.declarations import Declarations
from aggflow.engine.explanation import Explanation
from aggflow.engine.plan import Candidate, Need, miss, stored_rows
from aggflow.engine.question import Question
from aggflow.engine.reader import Reader
from aggflow.engine.reductions import Reductions
from aggflow.engine.shape import Shape, checked_rows
from aggflow.engine.tail import Tails
from aggflow.engine.version import Version
from aggflow.errors import ConflictError, NotFoundError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Resident

# How often, and after how many seconds, a change that is under way is looked at again.
_TRIES, _PAUSE = 40, 0.05


@dataclass(frozen=True)
class Served:
    """What answering from one rollup needs, as of a generation.

    Attributes
    ----------
    generation
        Of the rollup.
    versions
        By validity.
    coverage
        What is built of them.
    """

    generation: int
    versions: tuple[Version, ...]
    coverage: Coverage


@dataclass(frozen=True)
class Resolved:
    """An endpoint with all that it refers to, as of a generation of the workspace's definitions.

    Attributes
    ----------
    generation
        Of the definitions.
    name
        The endpoint's.
    shape, rollup, source
        What it asks, of what, made from where.
    data_hash
        What the newest version of the rollup has to be of.
    """

    generation: int
    name: str
    shape: Shape
    rollup: StoredRollup
    source: Source
    data_hash: str


class Serving:
    """Answers questions of a workspace.

    Parameters
    ----------
    catalog, workspace_id, declarations
        What is declared and built.
    resident, tails, reductions
        States in memory.
    draw
        Makes charts of answers.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        declarations: Declarations,
        resident: Resident,
        tails: Tails,
        reductions: Reductions,
        draw: Callable[..., Any],
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._declarations = declarations
        self._resident = resident
        self._tails = tails
        self._reductions = reductions
        self._draw = draw
        self._served: dict[str, Served] = {}
        self._endpoints: dict[str, Resolved] = {}

    def answer(
        self,
        name: str,
        end_us: int,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None,
        *,
        live: bool,
    ) -> Answer:
        """The answer of an endpoint, by its name or id.

        Raises
        ------
        NotFoundError
            There is no such endpoint.
        QueryError
            The question does not fit the endpoint, or cannot be answered.
        """
        started = time.perf_counter()
        asked, served = self._in_step(name)
        question = asked.shape.ask(end_us, grouping_filters, live=live)
        return self._answer(asked, served, question, started)

    def _in_step(self, name: str) -> tuple[Resolved, Served]:
        """An endpoint and its rollup, both of the same declaration.

        Raises
        ------
        ConflictError
            A change of the filter or its source was cut off before its rollup followed.
        """
        for _ in range(_TRIES):
            asked = self._resolved(name)
            served = self.served(asked.rollup)
            if served.versions[-1].data_hash == asked.data_hash:
                return asked, served
            # A change that is under way: the definition is there, its rollup follows.
            self._endpoints.pop(name, None)
            time.sleep(_PAUSE)
        raise ConflictError(
            f"endpoint {name!r}: its filter and the filter's rollup are out of step: a change was cut off",
            hint="add the source and the filter again",
        )

    def _resolved(self, name: str) -> Resolved:
        """An endpoint with all that it refers to: read anew only when a definition changed."""
        generation = self._catalog.definitions_generation(self._workspace_id)
        known = self._endpoints.get(name)
        if known is not None and known.generation == generation:
            return known
        declared = self._declarations
        endpoint = declared.find("endpoint", name) or declared.by_id("endpoint", name)
        if endpoint is None:
            raise NotFoundError("endpoint", name, declared.all("endpoint"))
        filter_ = declared.get("filter", endpoint.filter)
        source = declared.get("source", filter_.source).spec
        resolved = Resolved(
            generation,
            endpoint.name,
            Shape.of(endpoint.spec, filter_.spec),
            declared.rollup(filter_),
            source,
            rollup_of(filter_.spec).data_hash(source),
        )
        # Names that do not exist are not kept, so what is kept is no more than what is declared twice.
        self._endpoints[name] = resolved
        return resolved

    def _answer(self, asked: Resolved, served: Served, question: Question, started: float) -> Answer:
        shape, source = asked.shape, asked.source
        reader = Reader(self._resident, self._tails, lambda: self._declarations.open(source))
        columns = Answerer(question, served.versions, served.coverage, reader, self._reductions).columns()
        checked_rows(shape, columns.count)
        vocabularies = reader.vocabularies(served.versions[-1])
        trace = reader.trace
        explanation = Explanation(
            rollup=f"filter {shape.filter.name}",
            find_candidates=lambda: self._candidates(shape, question),
            stored=trace.stored,
            live=trace.live,
            segments=len(trace.files),
            cells=sum(trace.cells.values()),
            rows=trace.rows,
            statements=tuple(trace.sql),
            tail_age=trace.tail_age,
            milliseconds=(time.perf_counter() - started) * 1000,
            source_milliseconds=trace.live_seconds * 1000,
            cut=columns.cut,
        )
        return Answer(
            name=asked.name,
            buckets=None if columns.buckets is None else tuple(columns.buckets.tolist()),
            groupings={
                grouping: tuple(vocabularies[path].decode(columns.codes[path]))
                for grouping, path in question.groupings.items()
            },
            fields=columns.fields,
            count=columns.count,
            explanation=explanation,
            draw=self._draw,
        )

    def served(self, stored: StoredRollup) -> Served:
        """Versions and coverage as of now: read anew only when the rollup's generation changed."""
        known = self._served.get(stored.id)
        if known is not None and known.generation == self._catalog.generation(stored.id):
            return known
        # Versions and coverage are two statements: they belong together if nothing changed between.
        while True:
            coverage = self._catalog.coverage(stored.id)
            versions = tuple(Version.of(version) for version in self._catalog.versions(stored.id))
            if self._catalog.generation(stored.id) == coverage.generation:
                served = self._served[stored.id] = Served(coverage.generation, versions, coverage)
                return served

    def _candidates(self, shape: Shape, question: Question) -> list[Candidate]:
        keys = tuple(dict.fromkeys(asked.key for asked in question.fields if asked.key is not None))
        need = Need(shape.filter.source, shape.filter.where, keys, question)
        found: list[Candidate] = []
        for filter_ in self._declarations.all("filter").values():
            if filter_.source == need.source:
                coverage = self.served(self._declarations.rollup(filter_)).coverage
                rows = stored_rows(coverage, question.windows)
                found.append(Candidate(f"filter {filter_.name}", miss(rollup_of(filter_.spec), need), rows))
        return sorted(found, key=lambda candidate: (bool(candidate.miss), candidate.rows))
