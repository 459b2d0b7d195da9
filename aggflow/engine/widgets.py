"""Widgets: answers widget queries, each kept for a while, or until what it was made of changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Final

from aggflow.catalog import Catalog
from aggflow.engine.declarations import Declarations
from aggflow.engine.event_readings import EventReadings
from aggflow.engine.plan import miss
from aggflow.engine.results import Results
from aggflow.engine.serving import Serving
from aggflow.engine.targets import Targets
from aggflow.engine.widget_answer import WidgetAnswer
from aggflow.engine.widget_question import WidgetQuestion
from aggflow.errors import NotFoundError
from aggflow.spec.declaration import digest, plain
from aggflow.spec.widget import WidgetQuery
from aggflow.timeline import Micros

_MOST_KEPT: Final = 1024


@dataclass(frozen=True)
class WidgetCall:
    """A widget query, and to which brand and catalog it is narrowed.

    Attributes
    ----------
    query
        What is asked.
    brand, catalog
        None for all.
    """

    query: WidgetQuery
    brand: str | None = None
    catalog: str | None = None

    @property
    def normal(self) -> Hashable:
        """Equal for calls that mean the same."""
        return (self.query.normal, self.brand, self.catalog)


@dataclass(frozen=True)
class _Prepared:
    """What a call asks, and of what it may be answered, as of a generation of the definitions."""

    generation: int
    question: WidgetQuestion
    definitions: str
    rollup_ids: tuple[str, ...]


class Widgets:
    """Answers widget queries of a workspace.

    Parameters
    ----------
    catalog, workspace_id, declarations, targets
        What is declared and built.
    serving
        Answers inquiries.
    clock
        Microseconds since the epoch, now.
    ttl
        Seconds for which answers are kept.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        declarations: Declarations,
        targets: Targets,
        serving: Serving,
        clock: Callable[[], Micros],
        ttl: float,
    ) -> None:
        self._catalog = catalog
        self._targets = targets
        self._serving = serving
        self._clock = clock
        self._generation = lambda: catalog.definitions_generation(workspace_id)
        self._events = EventReadings(declarations, self._generation)
        self._results: Results[WidgetAnswer] = Results(ttl)
        self._prepared: dict[Hashable, _Prepared] = {}

    def answer(self, call: WidgetCall, now_us: Micros | None = None) -> WidgetAnswer:
        """The answer to a call.

        Parameters
        ----------
        call
            What is asked.
        now_us
            Where its window ends; by default the present.

        Raises
        ------
        ConflictError
            There is no event source, or it cannot tell brands or catalogs.
        QueryError
            It lacks what is asked for, or the question cannot be answered.
        SourceError
            The source was needed, and cannot be read.
        """
        prepared = self._prepare(call)
        found, is_hit = self._results.get(
            (call.normal, now_us), self._state(prepared), lambda: self._computed(prepared.question, now_us)
        )
        return _given(found, call, is_hit=is_hit)

    def find(self, call: WidgetCall) -> WidgetAnswer | None:
        """The answer to a call that is kept, if there is one; no source and no rollup is looked at."""
        prepared = self._prepared.get(call.normal)
        if prepared is None or prepared.generation != self._generation():
            return None
        found = self._results.find((call.normal, None), self._state(prepared))
        return None if found is None else _given(found, call, is_hit=True)

    def _computed(self, question: WidgetQuestion, now_us: Micros | None) -> WidgetAnswer:
        generated_us = self._clock()
        window = question.query.window(generated_us if now_us is None else now_us)
        answer = self._serving.inquire(question.inquiry(window))
        # As most will get it.
        return replace(WidgetAnswer.of(question.query, answer, generated_us), cache_hit=True)

    def _state(self, prepared: _Prepared) -> Hashable:
        """Of what an answer is made: changes with every build of a rollup that could answer."""
        return prepared.definitions, tuple(map(self._generation_of, prepared.rollup_ids))

    def _generation_of(self, rollup_id: str) -> int:
        """The generation of a rollup; 0 where it was dropped at this moment."""
        try:
            return self._catalog.generation(rollup_id)
        except NotFoundError:
            return 0

    def _prepare(self, call: WidgetCall) -> _Prepared:
        generation, known = self._generation(), self._prepared.get(call.normal)
        if known is not None and known.generation == generation:
            return known
        events = self._events.get()
        targets = self._targets.of_source(events.source.name)
        grouped = {path for target in targets for path in target.rollup.groupings}
        question = WidgetQuestion.of(call.query, events, call.brand, call.catalog, grouped)
        # Which rollups can answer does not hang on the window: what its edges cut is read live.
        need = question.inquiry(call.query.window(0)).need
        covering = sorted(
            (target.rollup_id, target.data_hash) for target in targets if not miss(target.rollup, need)
        )
        definitions = digest([plain(events.spec), plain(events.source), covering])
        found = _Prepared(generation, question, definitions, tuple(rollup_id for rollup_id, _ in covering))
        if len(self._prepared) >= _MOST_KEPT:
            self._prepared.clear()
        self._prepared[call.normal] = found
        return found


def _given(kept: WidgetAnswer, call: WidgetCall, *, is_hit: bool) -> WidgetAnswer:
    """What is kept, as who asked gets it."""
    if is_hit and kept.query == call.query:
        return kept
    return replace(kept, query=call.query, cache_hit=is_hit)
