"""A shape: an endpoint resolved against what it asks once; a request only binds times and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Final, cast

from aggflow.engine.question import Asked, Order, Question
from aggflow.errors import Problem, QueryError, SpecError, did_you_mean
from aggflow.language import canonical_subject
from aggflow.measures.registry import StateKey, state_key
from aggflow.measures.vocabulary import GroupingValue
from aggflow.problem import MOST_PROBLEMS
from aggflow.quote import quoted
from aggflow.spec.askable import Askable
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import Fixed, QueryTime, is_returned
from aggflow.spec.endpoint import LOOKBACK_LIMIT, SERIES_ROWS, Endpoint
from aggflow.spec.field import Field
from aggflow.spec.fit import AskedOf, canonical_grouping, choices, former_choices, sort_subject
from aggflow.spec.rollup import kept_for, rollup_of
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.timeline import Duration, Interval, Window, Zone, lookback

_MOST_KEPT: Final = 1024


@dataclass(frozen=True)
class Span:
    """How a window is made of an end.

    Attributes
    ----------
    interval, zone
        What a bucket is.
    duration, offset, include_incomplete
        As the endpoint, or a field of it, says.
    """

    interval: Interval
    zone: Zone
    duration: Duration
    offset: Duration
    include_incomplete: bool

    def window(self, end_us: int) -> Window:
        """The buckets that it selects."""
        return lookback(
            end_us,
            interval=self.interval,
            zone=self.zone,
            duration=self.duration,
            offset=self.offset,
            include_incomplete=self.include_incomplete,
        )


@dataclass(frozen=True)
class Shape:
    """An endpoint, resolved.

    Attributes
    ----------
    endpoint, asked
        The endpoint, and the filter, task or cube that it asks.
    fields
        Every field with its state and its span.  There is no state where a filter keeps it no more, and
        none of tasks and cubes, whose fields may be made of several.
    question
        The question but for windows and the values of Query Time groupings.
    query_time
        By the name that answers use, the path of each Query Time grouping.
    """

    endpoint: Endpoint
    asked: AskedOf
    fields: tuple[tuple[Field, StateKey | None, Span], ...]
    question: Question
    query_time: Mapping[str, str]

    @classmethod
    def of(cls, endpoint: Endpoint, of: AskedOf) -> Shape:
        """The shape of an endpoint and what it asks, which may have changed since the endpoint was saved.

        Of a task or a cube, it says all but what fields are made of.
        """
        # A grouping that a filter has no more keeps its values in the past.
        former = former_choices(endpoint, of)
        paths = {grouping.name: canonical_subject(grouping.path) for grouping in of.groupings}
        paths |= {name: canonical_subject(name) for name in former}
        chosen = choices(endpoint, of) | former
        returned = [name for name, choice in chosen.items() if is_returned(choice)]
        timing = endpoint.timing
        interval = timing.interval if isinstance(timing, TimeSeries) else None
        series = Interval.of(interval or of.interval) if isinstance(timing, TimeSeries) else None
        fields = tuple(
            (
                field,
                _state(field, of),
                _span(field, endpoint, series or Interval.of(of.interval), of),
            )
            for field in endpoint.fields
        )
        known = {*returned, *(field.name for field in endpoint.fields), *(["dt"] if series else [])}
        orders = (Order(sort_subject(endpoint, of, s.by), s.direction == "desc") for s in endpoint.sort)
        limits = ((canonical_grouping(of, item.grouping), item.limit) for item in endpoint.grouping_limits)
        question = Question(
            fields=(),
            groupings={name: paths[name] for name in returned},
            filters={
                paths[n]: tuple(choice.values) for n, choice in chosen.items() if isinstance(choice, Fixed)
            },
            series=series,
            zone=of.zone,
            order=tuple(order for order in orders if order.by in known),
            limit=endpoint.limit or (None if series else LOOKBACK_LIMIT),
            limits=tuple(limit for limit in limits if limit[0] in returned),
            fill=timing.fill if isinstance(timing, TimeSeries) else "none",
        )
        query_time = {name: paths[name] for name, choice in chosen.items() if isinstance(choice, QueryTime)}
        return cls(endpoint, of, fields, question, query_time)

    def ask(
        self,
        end_us: int,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        *,
        live: bool = True,
    ) -> Question:
        """The question of one request.

        Parameters
        ----------
        end_us
            Its end, microseconds since the epoch.
        grouping_filters
            By name or path, the values of every Query Time grouping.
        live
            Whether what no state covers may be read from the source.

        Raises
        ------
        QueryError
            A Query Time grouping has no values, or another grouping has some.
        """
        return self.bound(end_us, grouping_filters, live=live).make()

    def bound(
        self,
        end_us: int,
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None = None,
        *,
        live: bool = True,
    ) -> Bound:
        """The values of one request, as `ask` takes them; the question is made where it is needed."""
        return self._bound(self._windows(end_us), grouping_filters, live=live)

    def within(self, window: Window, *, live: bool = True) -> Question:
        """The question about a window that is not the endpoint's own, one for all fields.

        Parameters
        ----------
        window
            Whole buckets.
        live
            Whether what no state covers may be read from the source.

        Raises
        ------
        QueryError
            A Query Time grouping has no values.
        """
        return self._bound((window,) * len(self.fields), None, live=live).make()

    @cached_property
    def common(self) -> Question:
        """What all its questions have in common: of no time, and of any values."""
        paths = dict.fromkeys(self.query_time.values(), ())
        always = [Window(0, 1)] * len(self.fields)
        return Bound(self, tuple(always), {**self.question.filters, **paths}, live=True).make()

    @cached_property
    def _spans(self) -> tuple[list[Span], list[int]]:
        """Every span once, and which of them each field has: most endpoints have one for all."""
        spans = list(dict.fromkeys(span for _, _, span in self.fields))
        return spans, [spans.index(span) for _, _, span in self.fields]

    def _windows(self, end_us: int) -> tuple[Window, ...]:
        """The window of each field; many ask about the same end."""
        found = self._kept.get(end_us)
        if found is None:
            spans, places = self._spans
            windows = [span.window(end_us) for span in spans]
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[end_us] = tuple(windows[place] for place in places)
        return found

    @cached_property
    def _kept(self) -> dict[int, tuple[Window, ...]]:
        return {}

    def _bound(
        self,
        windows: tuple[Window, ...],
        grouping_filters: Mapping[str, Sequence[GroupingValue]] | None,
        *,
        live: bool,
    ) -> Bound:
        filters = self.question.filters
        if grouping_filters or self.query_time:
            filters = {**filters, **self._values(grouping_filters or {})}
        return Bound(self, windows, filters, live)

    def _values(self, given: Any) -> dict[str, tuple[GroupingValue, ...]]:
        if not isinstance(given, Mapping):
            problem = Problem("groupingFilters", "must be of groupings, each with a list of its values")
            raise QuestionError(f"endpoint {self.endpoint.name!r}", [problem])
        named = {canonical_grouping(self.asked, name): values for name, values in given.items()}
        lacking = [name for name in self.query_time if name not in named]
        problems = [
            Problem(f"groupingFilters.{name}", "this Query Time grouping needs its values")
            for name in lacking
        ]
        misfits = (problem for name, values in named.items() for problem in self._misfits(name, values))
        problems += islice(misfits, MOST_PROBLEMS + 1)
        if problems:
            raise QuestionError(f"endpoint {self.endpoint.name!r}", problems)
        return {self.query_time[name]: tuple(values) for name, values in named.items()}

    def _misfits(self, name: str, values: Any) -> Iterator[Problem]:
        path = f"groupingFilters.{name}"
        if name not in self.query_time:
            hint = did_you_mean(name, self.query_time) if self.query_time else "this endpoint takes none"
            yield Problem(path, f"{quoted(name)} takes no values from the question", hint)
        elif isinstance(values, str) or not isinstance(values, Sequence):
            yield Problem(path, "a list of values is needed")
        elif not values:
            yield Problem(path, "at least one value is needed")


@dataclass(frozen=True)
class Bound:
    """The times and values of one request.

    Attributes
    ----------
    shape
        Which they are bound to.
    windows
        Of each field.
    filters
        By path, the values to keep.
    live
        Whether what no state covers may be read from the source.
    """

    shape: Shape
    windows: tuple[Window, ...]
    filters: Mapping[str, tuple[GroupingValue, ...]]
    live: bool

    def make(self) -> Question:
        """The question."""
        fields = tuple(
            Asked(
                field.name,
                state,
                # Fields of filters have one.
                cast("Calculation", field.calculation),
                None if field.percentile is None else repr(field.percentile),
                window,
            )
            for (field, state, _), window in zip(self.shape.fields, self.windows, strict=True)
        )
        return replace(self.shape.question, fields=fields, filters=self.filters, live=self.live)


class QuestionError(SpecError, QueryError):
    """A question whose parts do not fit its endpoint; carries every problem."""

    def named(self, names: Mapping[str, str]) -> QuestionError:
        """The same of parts that are called otherwise.

        Parameters
        ----------
        names
            By the first part of a path, what whoever asked calls it.

        Examples
        --------
        >>> error = QuestionError("endpoint 'e'", [Problem("groupingFilters.team", "needs its values")])
        >>> str(error.named({"groupingFilters": "grouping_filters"}))
        "endpoint 'e': grouping_filters.team: needs its values"
        """
        problems: list[Problem] = []
        for problem in self.problems:
            first, dot, rest = problem.path.partition(".")
            problems.append(replace(problem, path=names.get(first, first) + dot + rest))
        return QuestionError(self.what, problems)


def checked_rows(question: Question, count: int) -> None:
    """Refuse a series that has too many rows.

    Raises
    ------
    QueryError
        It has more than 100,000 rows.
    """
    if question.series is not None and count > SERIES_ROWS:
        raise QueryError(
            f"the series has {count:,} rows; at most {SERIES_ROWS:,} are answered",
            hint="shorten the duration, widen the interval, filter or limit a grouping",
        )


def _state(field: Field, of: AskedOf) -> StateKey | None:
    if isinstance(of, Askable):
        return None
    calculation = cast("Calculation", field.calculation)
    for aggregation in of.aggregations:
        if aggregation.name == field.aggregation and calculation in aggregation.calculations:
            return state_key(kept_for(aggregation, calculation, of), rollup_of(of))
    return None


def _span(field: Field, endpoint: Endpoint, interval: Interval, of: AskedOf) -> Span:
    timing: Any = endpoint.timing
    own = isinstance(timing, Lookback)
    duration = field.duration if own and field.duration is not None else timing.duration
    offset = field.offset if own and field.offset is not None else timing.offset
    complete = field.include_incomplete if own and field.include_incomplete is not None else None
    return Span(
        interval,
        of.zone,
        Duration.of(duration),
        Duration.of(offset),
        timing.include_incomplete if complete is None else complete,
    )
