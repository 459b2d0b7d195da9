"""Serving: answers saved questions, keeping what they share between one request and the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aggflow.catalog import Catalog
from aggflow.catalog import Rollup as StoredRollup
from aggflow.engine.answer import Answer
from aggflow.engine.answerer import Answerer
from aggflow.engine.columns import Columns
from aggflow.engine.declarations import Declarations
from aggflow.engine.explanation import Explanation
from aggflow.engine.inquiry import Inquiry, Router
from aggflow.engine.plan import Need, pieces
from aggflow.engine.question import Question
from aggflow.engine.question_log import QuestionLog
from aggflow.engine.reader import Reader
from aggflow.engine.reductions import Reductions
from aggflow.engine.served import Served, ServedRollups
from aggflow.engine.shape import Shape, checked_rows
from aggflow.engine.tail import Tails
from aggflow.engine.targets import Targets
from aggflow.engine.version import Version
from aggflow.errors import ConflictError, NotFoundError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Resident

# How often, and after how many seconds, a change that is under way is looked at again.
_TRIES, _PAUSE = 40, 0.05


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
    catalog, workspace_id, declarations, targets
        What is declared and built.
    resident, tails, reductions
        States in memory.
    log
        Notes what is asked.
    draw
        Makes charts of answers.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        declarations: Declarations,
        targets: Targets,
        resident: Resident,
        tails: Tails,
        reductions: Reductions,
        log: QuestionLog,
        draw: Callable[..., Any],
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._declarations = declarations
        self._targets = targets
        self._resident = resident
        self._tails = tails
        self._reductions = reductions
        self._log = log
        self._draw = draw
        self._rollups = ServedRollups(catalog)
        self._router = Router(self._rollups)
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
            served = self._rollups.get(asked.rollup.id)
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
        reader = self._reader(source)
        columns = Answerer(
            question,
            partial(pieces, served.versions, served.coverage),
            reader.vocabularies(served.versions[-1]),
            reader,
            self._reductions,
        ).columns()
        checked_rows(shape, columns.count)
        keys = tuple(dict.fromkeys(asked.key for asked in question.fields if asked.key is not None))
        need = Need(shape.filter.source, shape.filter.where, keys, question)
        return self._finished(
            asked.name,
            f"filter {shape.filter.name}",
            question,
            columns,
            reader,
            served.versions[-1],
            need,
            started,
        )

    def inquire(self, inquiry: Inquiry) -> Answer:
        """The answer to an ad hoc question, from the best rollup of the source, or the source itself.

        Raises
        ------
        QueryError
            It cannot be answered.
        SourceError
            The source was needed, and cannot be read.
        """
        started = time.perf_counter()
        targets = self._targets.of_source(inquiry.source.name)
        route = self._router.route(inquiry, targets, lambda: self._declarations.open(inquiry.source))
        reader = self._reader(inquiry.source)
        question = route.inquiry.question
        columns = Answerer(
            question, route.pieces, reader.vocabularies(route.version), reader, self._reductions
        ).columns()
        return self._finished(
            inquiry.name,
            route.name or f"source {inquiry.source.name}",
            question,
            columns,
            reader,
            route.version,
            inquiry.need,
            started,
        )

    def _reader(self, source: Source) -> Reader:
        return Reader(self._resident, self._tails, lambda: self._declarations.open(source))

    def _finished(
        self,
        name: str,
        rollup: str,
        question: Question,
        columns: Columns,
        reader: Reader,
        version: Version,
        need: Need,
        started: float,
    ) -> Answer:
        """The answer of columns, with the reason for it."""
        vocabularies = reader.vocabularies(version)
        trace = reader.trace
        explanation = Explanation(
            rollup=rollup,
            find_candidates=lambda: self._router.candidates(need, self._targets.of_source(need.source)),
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
        self._log.note(name, need, explanation)
        return Answer(
            name=name,
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

    def served(self, rollup_id: str) -> Served:
        """Versions and coverage of a rollup as of now."""
        return self._rollups.get(rollup_id)
