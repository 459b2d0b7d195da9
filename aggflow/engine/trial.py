"""A trial: what a draft would answer before it is saved: an endpoint with its filter, a query, a cube."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aggflow.engine.answer import Answer
from aggflow.engine.declarations import Declarations
from aggflow.engine.inquiry import Inquiry
from aggflow.engine.sample import OpenRows, Samples, opened
from aggflow.engine.saved_inquiry import SavedInquiry
from aggflow.engine.serving import Serving
from aggflow.engine.shape import Shape
from aggflow.engine.wish import Wish
from aggflow.errors import NotCoveredError
from aggflow.measures.vocabulary import GroupingValue
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.askable import Askable
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All
from aggflow.spec.endpoint import Endpoint, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.spec.timing import Lookback
from aggflow.timeline import ALWAYS, Interval, Micros, Window, WindowSet

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
        end_us = Interval.of(of.interval).next(self._newest(source, wish), of.zone)
        window = _window(Shape.of(draft, of), end_us)
        return self._tried(
            source, of.where, window, lambda rows: self._asked(draft, of, end_us, window, rows), wish
        )

    def answer_of_inquiry(self, draft: Endpoint, of: Askable, now_us: Micros, wish: Wish) -> Trial:
        """What an endpoint of a task or a cube would answer about the newest events, before it is saved.

        Parameters
        ----------
        draft, of
            The endpoint and what it asks, which fit one another; of its Query Time groupings, the first
            values are asked for.
        now_us
            The present.
        wish
            Whether all events are to be read, or a sample.

        Raises
        ------
        NotCoveredError, QueryError, SourceError, CancelledError
            As :meth:`answer`.
        """
        source: Source = self._declarations.get("source", of.source).spec
        saved = SavedInquiry.of_draft(draft, of, source)
        interval = Interval.of(of.interval)
        values: dict[str, Sequence[GroupingValue]] = {}
        for name in saved.shape.query_time:
            first = SavedInquiry.of_values(draft, of, source, name)
            found = self.inquire(source, lambda _, first=first: first.within(ALWAYS), wish).answer
            values[name] = list(dict.fromkeys(found.groupings[name]))[:_MOST_VALUES] or list(_NOBODY)
        return self.inquire(
            source, lambda newest: saved.inquiry(interval.next(newest, of.zone), now_us, values), wish
        )

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
        inquiry = ask(self._newest(source, wish))
        window = WindowSet(inquiry.question.windows).span or ALWAYS
        where = inquiry.rollup.where
        return self._tried(
            source, where, window, lambda rows: self._serving.attempt_inquiry(inquiry, rows), wish
        )

    def _newest(self, source: Source, wish: Wish) -> Micros:
        """When the newest event of a source was, as far as its sample knows."""
        newest = self._samples.get(source, wish, anew=wish.exact).newest
        if newest is None:
            raise NotCoveredError(f"source {source.name!r} has no events yet")
        return newest

    def _tried(
        self, source: Source, where: str, window: Window, ask: Callable[[OpenRows], Answer], wish: Wish
    ) -> Trial:
        """The answer of a sample that says enough, or of all events.

        First one of the whole source, which serves all questions; where few of its rows are of the time
        that is asked about, one of that time; where few of these are meant, one of just them.
        """
        ways = list(dict.fromkeys([("", ALWAYS), ("", window), (where, window)]))
        kept = [i for i, way in enumerate(ways) if self._samples.has(source, *way)]
        tried = None
        # All events are those of just now; a sample may be of a while ago.
        for way in ways[kept[-1] if kept and not wish.exact else 0 :]:
            sample = self._samples.get(source, wish, *way)
            if wish.exact and sample.share < 1:
                answer = ask(lambda: opened(self._declarations, source, wish))
                return Trial(answer, answer.explanation.rows)
            answer = ask(sample.open)
            tried = Trial(answer, answer.explanation.rows, sample.share)
            if tried.is_exact or tried.rows >= _FEW_ROWS:
                break
        assert tried is not None  # noqa: S101 - there is a way
        return tried

    def _asked(
        self, draft: Endpoint, of: Filter, end_us: Micros, window: Window, open_rows: OpenRows
    ) -> Answer:
        shape = Shape.of(draft, of)
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


def _window(shape: Shape, end_us: Micros) -> Window:
    """The time that an endpoint asks about."""
    window = WindowSet(shape.bound(end_us, dict.fromkeys(shape.query_time, _NOBODY)).windows).span
    assert window is not None  # noqa: S101 - an endpoint has fields, and each its window
    return window
