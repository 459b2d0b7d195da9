"""A trial: what a draft would answer before it is saved: an endpoint with its filter, a query, a cube."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aggflow.engine.answer import Answer
from aggflow.engine.declarations import Declarations
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.sample import OpenRows, Sample, Samples, opened
from aggflow.engine.serving import Serving
from aggflow.engine.shape import Shape
from aggflow.engine.wish import Wish
from aggflow.errors import NotCoveredError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All
from aggflow.spec.endpoint import Endpoint, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.spec.timing import Lookback
from aggflow.timeline import Interval, Micros, Window, WindowSet

_MOST_VALUES = 3
_FEW_ROWS = 1000  # so few of a sample say little: one of just the rows that are asked about is taken
_NOBODY: tuple[GroupingValue, ...] = (None,)
_EVENTS = Aggregation("events")
_EVENT_COUNT = Field("events", _EVENTS.name, Calculation.COUNT)
_ANY = Lookback("10000y")


@dataclass(frozen=True)
class Trial:
    """What a draft would answer.

    Attributes
    ----------
    answer
        The answer.
    rows
        How many events it was made of; 0 where it was made of what is built.
    share
        Which part of the events they were taken from; 1 where all were looked at, and the answer is exact.
    """

    answer: Answer
    rows: int
    share: float = 1.0

    @property
    def is_exact(self) -> bool:
        """Whether all events are in it."""
        return self.share == 1


class Trials:
    """Tries drafts on the sources of a workspace.

    Parameters
    ----------
    declarations
        The sources.
    serving
        Answers.
    """

    def __init__(self, declarations: Declarations, serving: Serving) -> None:
        self._declarations = declarations
        self._serving = serving
        self._samples = Samples(declarations)

    def answer(self, draft: Endpoint, of: Filter, wish: Wish) -> Trial:
        """What an endpoint would answer of a filter about the newest events, neither of which need be saved.

        Parameters
        ----------
        draft, of
            The endpoint and its filter, which fit one another; of its Query Time groupings, the most
            frequent values are asked for.
        wish
            Whether all events are to be read, or a sample.

        Raises
        ------
        NotCoveredError
            The source has no events.
        QueryError
            It cannot be answered.
        SourceError
            The source cannot be read.
        CancelledError
            Nobody waits for it any more.
        """
        source: Source = self._declarations.get("source", of.source).spec
        sample = self._samples.get(source, wish, anew=wish.exact)
        if sample.newest is None:
            raise NotCoveredError(f"source {source.name!r} has no events yet")
        end_us = Interval.of(of.interval).next(sample.newest, of.zone)
        tried = self._on(sample, draft, of, end_us)
        if tried.is_exact:
            return tried
        if wish.exact:
            return self._exactly(source, draft, of, end_us, wish)
        if tried.rows < _FEW_ROWS:
            window = _window(Shape.of(draft, of), end_us)
            return self._on(self._samples.get(source, wish, of.where, window), draft, of, end_us)
        return tried

    def inquire(self, source: Source, ask: Callable[[Micros], Inquiry], wish: Wish) -> Trial:
        """What an ad hoc question to a source would be answered about the newest events.

        Parameters
        ----------
        source
            Whose events are asked of.
        ask
            The question, given when the newest event was, in microseconds since the epoch.
        wish
            Whether all events are to be read, or a sample.

        Raises
        ------
        NotCoveredError
            The source has no events.
        QueryError
            It cannot be answered.
        SourceError
            The source cannot be read.
        CancelledError
            Nobody waits for it any more.
        """
        sample = self._samples.get(source, wish, anew=wish.exact)
        if sample.newest is None:
            raise NotCoveredError(f"source {source.name!r} has no events yet")
        inquiry = ask(sample.newest)
        answer = self._serving.attempt_inquiry(inquiry, sample.open)
        tried = Trial(answer, answer.explanation.rows, sample.share)
        if tried.is_exact:
            return tried
        if wish.exact:
            answer = self._serving.attempt_inquiry(inquiry, lambda: opened(self._declarations, source, wish))
            return Trial(answer, answer.explanation.rows)
        window = WindowSet(inquiry.question.windows).span
        if tried.rows < _FEW_ROWS and window is not None:
            sample = self._samples.get(source, wish, inquiry.rollup.where, window)
            answer = self._serving.attempt_inquiry(inquiry, sample.open)
            return Trial(answer, answer.explanation.rows, sample.share)
        return tried

    def _on(self, sample: Sample, draft: Endpoint, of: Filter, end_us: int) -> Trial:
        answer = self._asked(draft, of, end_us, sample.open)
        return Trial(answer, answer.explanation.rows, sample.share)

    def _exactly(self, source: Source, draft: Endpoint, of: Filter, end_us: int, wish: Wish) -> Trial:
        answer = self._asked(draft, of, end_us, lambda: opened(self._declarations, source, wish))
        return Trial(answer, answer.explanation.rows)

    def _asked(self, draft: Endpoint, of: Filter, end_us: int, open_rows: OpenRows) -> Answer:
        shape = Shape.of(draft, of)
        window = _window(shape, end_us)
        values = {name: self._frequent(name, of, window, open_rows) for name in shape.query_time}
        return self._serving.attempt(draft.name, of, shape.ask(end_us, values), open_rows)

    def _frequent(
        self, grouping: str, of: Filter, window: Window, open_rows: OpenRows
    ) -> Sequence[GroupingValue]:
        """The most frequent values of a grouping; none at all are a missing one."""
        counted = replace(of, aggregations=(_EVENTS,))
        order = (Sort("events", "desc"),)
        asked = Endpoint("values", of.name, _ANY, (_EVENT_COUNT,), {grouping: All()}, order, _MOST_VALUES)
        question = Shape.of(asked, counted).within(window)
        answer = self._serving.attempt("values", counted, question, open_rows)
        return list(*answer.groupings.values()) or list(_NOBODY)


def _window(shape: Shape, end_us: int) -> Window:
    """The time that an endpoint asks about."""
    window = WindowSet(shape.bound(end_us, dict.fromkeys(shape.query_time, _NOBODY)).windows).span
    assert window is not None  # noqa: S101 - an endpoint has fields, and each its window
    return window
