"""A fit: how an endpoint and its filter belong together, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aggflow.errors import Problem, did_you_mean
from aggflow.spec.choice import Aggregate, AnyChoice, is_returned
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.timeline import Duration, Interval


def problems_with(endpoint: Endpoint, of: Filter) -> list[Problem]:
    """What is wrong with an endpoint, seen beside its filter; empty if it may be saved."""
    return [
        *_timing_problems(endpoint, of),
        *grouping_problems(endpoint.groupings, of),
        *_field_problems(endpoint, of),
        *_order_problems(endpoint, of),
    ]


def _timing_problems(endpoint: Endpoint, of: Filter) -> Iterator[Problem]:
    own = Interval.of(of.interval)
    timing = endpoint.timing
    if isinstance(timing, Lookback):
        yield from _too_short("timing.duration", timing.duration, own)
        for i, field in enumerate(endpoint.fields):
            if field.duration is not None:
                yield from _too_short(f"fields[{i}].duration", field.duration, own)
        return
    interval = own if timing.interval is None else Interval.of(timing.interval)
    zone = of.zone
    if interval.seconds_at_most < own.seconds_at_most:
        yield Problem("timing.interval", f"{interval} is shorter than the filter's interval, {own}")
    elif not own.divides(interval, zone, zone):
        yield Problem("timing.interval", f"{interval} is no whole multiple of the filter's interval, {own}")
    if not Duration.of(timing.duration).exceeds(interval):
        yield Problem(
            "timing.duration", f"{timing.duration} is not longer than the series' interval, {interval}"
        )


def _too_short(path: str, duration: str, interval: Interval) -> Iterator[Problem]:
    if not Duration.of(duration).reaches(interval):
        yield Problem(path, f"{duration} is shorter than the filter's interval, {interval}")


def grouping_problems(groupings: Iterable[str], of: Filter) -> Iterator[Problem]:
    """What is wrong with names of groupings, seen beside their filter."""
    known = [grouping.name for grouping in of.groupings]
    paths = {grouping.path: grouping.name for grouping in of.groupings}
    seen: set[str] = set()
    for name in groupings:
        canonical = paths.get(name, name)
        if canonical not in known:
            yield Problem(
                f"groupings.{name}", f"the filter has no grouping {name!r}", did_you_mean(name, known)
            )
        elif canonical in seen:
            yield Problem(f"groupings.{name}", "this grouping stands here twice")
        seen.add(canonical)


def _field_problems(endpoint: Endpoint, of: Filter) -> Iterator[Problem]:
    known = {aggregation.name: aggregation for aggregation in of.aggregations}
    taken = {*returned_groupings(endpoint, of), *(["dt"] if isinstance(endpoint.timing, TimeSeries) else [])}
    for i, field in enumerate(endpoint.fields):
        path = f"fields[{i}]"
        if field.name in taken:
            yield Problem(
                f"{path}.name", f"the answer has a column {field.name!r} already", "choose another name"
            )
        aggregation = known.get(field.aggregation)
        if aggregation is None:
            yield Problem(
                f"{path}.aggregation",
                f"the filter has no aggregation {field.aggregation!r}",
                did_you_mean(field.aggregation, known),
            )
        elif field.calculation not in aggregation.calculations:
            yield Problem(
                f"{path}.calculation",
                f"aggregation {field.aggregation!r} does not keep {field.calculation.value}",
                did_you_mean(field.calculation.value, [c.value for c in aggregation.calculations]),
            )
        elif field.calculation.is_sketch and aggregation.sketch_groupings is not None:
            yield from _sketch_problems(path, endpoint, of, aggregation.sketch_groupings)


def _sketch_problems(
    path: str,
    endpoint: Endpoint,
    of: Filter,
    kept: Sequence[str],
) -> Iterator[Problem]:
    kept_names = {of.grouping(name).name for name in kept}
    for grouping in of.groupings:
        if grouping.name not in kept_names and not isinstance(
            choices(endpoint, of)[grouping.name], Aggregate
        ):
            yield Problem(
                path,
                f"the sketches of this aggregation are not kept by {grouping.name!r}",
                "add it to the aggregation's sketch_groupings, or aggregate over it",
            )


def _order_problems(endpoint: Endpoint, of: Filter) -> Iterator[Problem]:
    returned = returned_groupings(endpoint, of)
    known = [*returned, *(field.name for field in endpoint.fields)]
    if isinstance(endpoint.timing, TimeSeries):
        known.append("dt")
    for i, sort in enumerate(endpoint.sort):
        if canonical_grouping(of, sort.by) not in known:
            yield Problem(f"sort[{i}].by", f"{sort.by!r} is not returned", did_you_mean(sort.by, known))
    limited: set[str] = set()
    for i, limit in enumerate(endpoint.grouping_limits):
        name = canonical_grouping(of, limit.grouping)
        path = f"grouping_limits[{i}]"
        if name not in returned:
            yield Problem(
                path, f"{limit.grouping!r} is no returned grouping", did_you_mean(limit.grouping, returned)
            )
        if name in limited:
            yield Problem(path, f"{limit.grouping!r} is limited twice")
        limited.add(name)


def canonical_grouping(of: Filter, name: str) -> str:
    """The name that answers use for a grouping given by path or alias; other names unchanged."""
    return next((g.name for g in of.groupings if name in (g.name, g.path)), name)


def choices(endpoint: Endpoint, of: Filter) -> dict[str, AnyChoice]:
    """The choice of every grouping of the filter, by the name that answers use, in the filter's order."""
    named = {canonical_grouping(of, name): choice for name, choice in endpoint.groupings.items()}
    return {grouping.name: named.get(grouping.name, Aggregate()) for grouping in of.groupings}


def former_choices(endpoint: Endpoint, of: Filter) -> dict[str, AnyChoice]:
    """The choice of every grouping that the filter had when the endpoint was saved and has no more."""
    kept = {text for grouping in of.groupings for text in (grouping.name, grouping.path)}
    return {name: choice for name, choice in endpoint.groupings.items() if name not in kept}


def returned_groupings(endpoint: Endpoint, of: Filter) -> list[str]:
    """The groupings whose values answers hold, in the filter's order."""
    return [name for name, choice in choices(endpoint, of).items() if is_returned(choice)]
