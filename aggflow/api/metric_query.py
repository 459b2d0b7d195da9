"""A metric query: one value of a filter over time, as clients of aggregations.io ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Limits
from pydantic.alias_generators import to_camel

from aggflow.api.failure import Detail, invalid
from aggflow.errors import ParseError, QueryError
from aggflow.quote import quoted
from aggflow.spec.aggregation import Aggregation, CalculationText
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import Aggregate, All, AnyChoice, Fixed, GroupingValue
from aggflow.spec.endpoint import Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.vendor_filter import IntervalType, reaching
from aggflow.timeline import Interval, parse_instant

AGGREGATED: Final = "$__agg"
"""As a filter of a grouping: all of its values together."""
_VALUE: Final = "value"
_TITLES: Final = {"top": "Top", "bottom": "Bottom"}


def _time(value: Any) -> Any:
    """A time as it was written, if it is one."""
    try:
        parse_instant(value)
    except (QueryError, TypeError):
        raise ValueError("must be a time: RFC 3339, a date, or epoch milliseconds") from None
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise ValueError("must be text, a number, true, false or null")  # noqa: TRY004 - pydantic asks for it
    return value


def _title(value: Any) -> Any:
    return _TITLES.get(value.lower(), value) if isinstance(value, str) else value


Time = Annotated[Any, BeforeValidator(_time)]
Scalar = Annotated[Any, BeforeValidator(_scalar)]


class _Sent(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class GroupingFilter(_Sent):
    """What is done with one grouping.

    Attributes
    ----------
    grouping
        Its path or alias.
    filters
        The values to keep; ``$__agg`` for all together.  An empty text stands for a missing value too,
        since clients that know only texts cannot say null.
    return_grouping_values
        Whether the answer tells its values apart.
    """

    grouping: str
    filters: Annotated[list[Scalar], Limits(min_length=1)] | None = None
    return_grouping_values: bool = True

    @property
    def values(self) -> tuple[GroupingValue, ...] | None:
        """The values to keep; None for all."""
        if self.filters is None or AGGREGATED in self.filters:
            return None
        missing = (None,) if "" in self.filters and None not in self.filters else ()
        return (*self.filters, *missing)

    @property
    def choice(self) -> AnyChoice:
        """The same as an endpoint says it."""
        if self.values is not None:
            return Fixed(self.values, self.return_grouping_values)
        aggregated = self.filters is not None or not self.return_grouping_values
        return Aggregate() if aggregated else All()


class RecalculatedInterval(_Sent):
    """A wider interval that points are asked for at.

    Attributes
    ----------
    type, frequency
        The unit, and how many of it; 0 for the filter's own.
    """

    type: IntervalType
    frequency: Annotated[int, Limits(ge=0)]


class _OfFilter(_Sent):
    filter_id: str
    start_time: Time
    end_time: Time
    grouping_filters: list[GroupingFilter] | None = None
    exclude_empty_groupings: bool = False

    def _known(self, of: Filter) -> Iterator[Detail]:
        """Times in the wrong order; groupings that the filter does not have, or that stand there twice."""
        if parse_instant(self.start_time) >= parse_instant(self.end_time):
            yield Detail("endTime", "must be after startTime")
        seen: set[str] = set()
        names = {text: one.name for one in of.groupings for text in (one.path, one.name)}
        for place, one in enumerate(self.grouping_filters or ()):
            path = f"groupingFilters[{place}].grouping"
            if one.grouping not in names:
                yield Detail(path, f"the filter has no grouping {quoted(one.grouping)}")
            elif names[one.grouping] in seen:
                yield Detail(path, "stands here twice")
            else:
                seen.add(names[one.grouping])


class GroupingsQuery(_OfFilter):
    """Which values of a grouping have events.

    Attributes
    ----------
    filter_id, grouping_name
        What is asked.
    start_time, end_time
        Intervals that start in between count.
    grouping_filters
        Values to keep, of any grouping.
    exclude_empty_groupings
        Whether the empty value is left out.
    """

    grouping_name: str

    def asked(self, of: Filter) -> dict[str, Any]:
        """What the workspace is asked.

        Raises
        ------
        Refused
            400: what does not fit the filter.
        """
        details = [*self._known(of)]
        if self.grouping_name not in {text for one in of.groupings for text in (one.path, one.name)}:
            details.append(Detail("groupingName", f"the filter has no grouping {quoted(self.grouping_name)}"))
        if details:
            raise invalid(details)
        filters = {one.grouping: one.values for one in self.grouping_filters or () if one.values is not None}
        return {
            "grouping": self.grouping_name,
            "start": self.start_time,
            "end": self.end_time,
            "grouping_filters": filters,
        }


class MetricQuery(_OfFilter):
    """One value of a filter over time.

    Attributes
    ----------
    filter_id, aggregation_id, calculation, percentile
        What is asked; aggregations are numbered from 1 in the filter's order.
    start_time, end_time
        Intervals that start in between count.
    grouping_filters
        What is done with groupings; those not named are returned.
    limit, limit_type
        How many groups of each interval, those with the largest values or the smallest.
    exclude_empty_groupings
        Whether groups are left out in which a returned grouping has no value.
    include_incomplete_intervals
        Whether the interval counts that the end, or the present where that is earlier, lies in.
    recalculated_interval
        A wider interval of points.
    query_id, optimized
        What the query is called in the answer to several, and whether that is compact.
    """

    aggregation_id: int
    calculation: CalculationText
    percentile: Annotated[float, Limits(ge=0, le=1)] | None = None
    limit: Annotated[int, Limits(ge=1)] | None = None
    limit_type: Annotated[Literal["Top", "Bottom"] | None, BeforeValidator(_title)] = None
    include_incomplete_intervals: bool = True
    recalculated_interval: RecalculatedInterval | None = None
    query_id: str | None = None
    optimized: bool = False

    def asked(self, of: Filter) -> dict[str, Any]:
        """What the workspace is asked.

        Raises
        ------
        Refused
            400: what does not fit the filter.
        """
        details = [*self._known(of), *self._misfits(of)]
        if details:
            raise invalid(details)
        field = self._field(of)
        direction = "asc" if self.limit_type == "Bottom" else "desc"
        sort = [] if self.limit is None else [Sort("dt"), Sort(field.name, direction)]
        return {
            "fields": [field],
            "start": self.start_time,
            "end": self.end_time,
            "groupings": self._choices(of),
            "interval": str(self._interval(of)),
            "include_incomplete": self.include_incomplete_intervals,
            "sort": sort,
            "per_bucket": self.limit,
            "exclude_empty": self.exclude_empty_groupings,
        }

    def _misfits(self, of: Filter) -> Iterator[Detail]:
        count = len(of.aggregations)
        if not 1 <= self.aggregation_id <= count:
            yield Detail(
                "aggregationId", f"the filter has no aggregation {self.aggregation_id}; 1 to {count}"
            )
        elif self.calculation not in self._aggregation(of).calculations:
            kept = ", ".join(one.value for one in self._aggregation(of).calculations)
            yield Detail(
                "calculation", f"the aggregation does not keep {self.calculation.value}; it keeps {kept}"
            )
        if self.calculation is Calculation.PERCENTILES and self.percentile is None:
            yield Detail("percentile", "PERCENTILES needs a percentile")
        try:
            self._interval(of)
        except ParseError as error:
            yield Detail("recalculatedInterval", error.message)

    def _choices(self, of: Filter) -> dict[str, AnyChoice]:
        """The choice of every grouping: those that are not named are returned."""
        named = {one.grouping: one.choice for one in self.grouping_filters or ()}
        return {one.name: named.get(one.name) or named.get(one.path) or All() for one in of.groupings}

    def _field(self, of: Filter) -> Field:
        taken = {one.name for one in of.groupings}
        name = next(name for size in range(len(taken) + 1) if (name := _VALUE + "_" * size) not in taken)
        # Forms leave percentiles behind when another calculation is chosen.
        percentile = self.percentile if self.calculation is Calculation.PERCENTILES else None
        return Field(name, self._aggregation(of).name, self.calculation, percentile)

    def _aggregation(self, of: Filter) -> Aggregation:
        return of.aggregations[self.aggregation_id - 1]

    def _interval(self, of: Filter) -> Interval:
        own, wider = Interval.of(of.interval), self.recalculated_interval
        if wider is None or not wider.frequency:
            return own
        return reaching(wider.type, wider.frequency, own, of.zone)
