"""A filter question: values of a filter, asked of it directly, without a saved endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from aggflow.engine.question import Question
from aggflow.engine.shape import QuestionError, Shape
from aggflow.errors import Problem, QueryError
from aggflow.spec.choice import AnyChoice
from aggflow.spec.endpoint import Endpoint, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.fit import problems_with
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.timeline import Interval, Micros, Window, format_instant

# How far back is said by the window: as far as a duration can reach, so that any interval fits.
_ANY: Final = "10000y"


@dataclass(frozen=True)
class FilterQuestion:
    """What is asked of a filter.

    Attributes
    ----------
    start_us, end_us
        The buckets that begin in between count, each with all of its events.
    fields
        What is returned.
    groupings
        A choice a grouping, by its name or path; those not named are aggregated.
    interval
        Width of the buckets of a series, a whole multiple of the filter's; None for one total.
    include_incomplete
        Whether the bucket counts that the end, or the present where that is earlier, lies in.
    sort
        The order, as an endpoint's.
    limit, per_bucket
        How many rows at most, None for 1000 of a total and all of a series; how many of each bucket.
    exclude_empty
        Whether rows are left out in which a returned grouping has no value, or an empty text.
    """

    start_us: Micros
    end_us: Micros
    fields: Sequence[Field]
    groupings: Mapping[str, AnyChoice] = field(default_factory=dict[str, AnyChoice])
    interval: str | None = None
    include_incomplete: bool = True
    sort: Sequence[Sort] = ()
    limit: int | None = None
    per_bucket: int | None = None
    exclude_empty: bool = False

    def question(self, of: Filter, now_us: Micros, *, live: bool) -> Question:
        """The question to a filter's rollup.

        Parameters
        ----------
        of
            The filter.
        now_us
            The present.
        live
            Whether what no state covers may be read from the source.

        Raises
        ------
        SpecError
            What is wrong with it, or does not fit the filter.
        QueryError
            No bucket begins in the time that a total is asked for; a series is empty then.
        """
        timing = Lookback(_ANY) if self.interval is None else TimeSeries(_ANY, self.interval)
        endpoint = Endpoint(
            f"filter {of.name}"[:255], of.name, timing, self.fields, self.groupings, self.sort, self.limit
        )
        problems = [*problems_with(endpoint, of), *self._problems()]
        if problems:
            raise QuestionError(f"the question to filter {of.name!r}", problems)
        interval = Interval.of(self.interval or of.interval)
        end = self.end_us if self.include_incomplete else interval.floor(min(self.end_us, now_us), of.zone)
        window = interval.starting(self.start_us, end, of.zone)
        if window is None and self.interval is None:
            span = f"between {format_instant(self.start_us)} and {format_instant(self.end_us)}"
            raise QueryError(f"no bucket of {interval} starts {span}", hint="move the start or the end")
        bucket = interval.floor(self.start_us, of.zone)
        shape = Shape.of(endpoint, of)
        question = shape.within(window or Window(bucket, interval.next(bucket, of.zone)), live=live)
        if window is None:
            question = replace(question, fields=tuple(replace(asked, key=None) for asked in question.fields))
        return replace(question, per_bucket=self.per_bucket, exclude_empty=self.exclude_empty)

    def _problems(self) -> Iterator[Problem]:
        try:
            Window.between(self.start_us, self.end_us)
        except QueryError as error:
            yield Problem("end", error.message, error.hint)
        if self.per_bucket is not None and self.per_bucket < 1:
            yield Problem("per_bucket", f"at least one row is answered, not {self.per_bucket}")
        if self.per_bucket is not None and self.interval is None:
            yield Problem("per_bucket", "only a series has rows of each bucket", "limit is for a total")
