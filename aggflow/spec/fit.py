"""A fit: how an endpoint and what it asks belong together, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from aggflow.errors import Problem, SpecError, did_you_mean
from aggflow.spec.askable import Askable, Key
from aggflow.spec.choice import Aggregate, AnyChoice, Fixed, QueryTime, is_returned
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.timeline import Duration, Interval

#: What endpoints ask: a filter as it is declared, a task or a cube as they see it.
AskedOf: TypeAlias = Filter | Askable


def problems_with(endpoint: Endpoint, of: AskedOf) -> list[Problem]:
    """What is wrong with an endpoint, seen beside what it asks; empty if it may be saved."""
    if isinstance(of, Askable):
        endpoint = of.completed(endpoint)
    return [
        *_timing_problems(endpoint, of),
        *grouping_problems(endpoint.groupings, of),
        *_field_problems(endpoint, of),
        *_order_problems(endpoint, of),
        *(value_problems(endpoint, of) if isinstance(of, Askable) else ()),
    ]


def _kind(of: AskedOf) -> str:
    return of.kind if isinstance(of, Askable) else "filter"


def title_of(of: AskedOf) -> str:
    """What is asked, for people: ``filter 'delays'``."""
    return f"{_kind(of)} {of.name!r}"


def _timing_problems(endpoint: Endpoint, of: AskedOf) -> Iterator[Problem]:
    own = Interval.of(of.interval)
    timing = endpoint.timing
    if isinstance(timing, Lookback):
        yield from _too_short("timing.duration", timing.duration, own, of)
        for i, field in enumerate(endpoint.fields):
            if field.duration is not None:
                yield from _too_short(f"fields[{i}].duration", field.duration, own, of)
        return
    interval = own if timing.interval is None else Interval.of(timing.interval)
    zone = of.zone
    if interval.seconds_at_most < own.seconds_at_most:
        yield Problem("timing.interval", f"{interval} is shorter than the {_kind(of)}'s interval, {own}")
    elif not own.divides(interval, zone, zone):
        message = f"{interval} is no whole multiple of the {_kind(of)}'s interval, {own}"
        yield Problem("timing.interval", message)
    if not Duration.of(timing.duration).exceeds(interval):
        yield Problem(
            "timing.duration", f"{timing.duration} is not longer than the series' interval, {interval}"
        )


def _too_short(path: str, duration: str, interval: Interval, of: AskedOf) -> Iterator[Problem]:
    if not Duration.of(duration).reaches(interval):
        yield Problem(path, f"{duration} is shorter than the {_kind(of)}'s interval, {interval}")


def grouping_problems(groupings: Iterable[str], of: AskedOf) -> Iterator[Problem]:
    """What is wrong with names of groupings, seen beside what they are of."""
    known = [grouping.name for grouping in of.groupings]
    seen: set[str] = set()
    for name in groupings:
        canonical = canonical_grouping(of, name)
        if canonical not in known:
            hint = of.hint(name) if isinstance(of, Askable) else did_you_mean(name, known)
            yield Problem(f"groupings.{name}", f"the {_kind(of)} has no grouping {name!r}", hint)
        elif canonical in seen:
            yield Problem(f"groupings.{name}", "this grouping stands here twice")
        seen.add(canonical)


def _field_problems(endpoint: Endpoint, of: AskedOf) -> Iterator[Problem]:
    taken = {*returned_groupings(endpoint, of), *(["dt"] if isinstance(endpoint.timing, TimeSeries) else [])}
    for i, field in enumerate(endpoint.fields):
        path = f"fields[{i}]"
        if field.name in taken:
            yield Problem(
                f"{path}.name", f"the answer has a column {field.name!r} already", "choose another name"
            )
        if isinstance(of, Askable):
            yield from (replace(one, path=f"{path}.{one.path}") for one in _misfits(field, of))
        else:
            yield from _aggregation_problems(path, field, endpoint, of)


def _misfits(field: Field, of: Askable) -> list[Problem]:
    try:
        of.value(field)
    except SpecError as error:
        return list(error.problems)
    return []


def is_kept(field: Field, of: AskedOf) -> bool:
    """Whether what a field is made of is there."""
    if isinstance(of, Askable):
        return not _misfits(field, of)
    return any(
        aggregation.name == field.aggregation and field.calculation in aggregation.calculations
        for aggregation in of.aggregations
    )


def _aggregation_problems(path: str, field: Field, endpoint: Endpoint, of: Filter) -> Iterator[Problem]:
    known = {aggregation.name: aggregation for aggregation in of.aggregations}
    aggregation = known.get(field.aggregation)
    if field.calculation is None:
        yield Problem(f"{path}.calculation", "is required")
    elif aggregation is None:
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


def _order_problems(endpoint: Endpoint, of: AskedOf) -> Iterator[Problem]:
    returned = returned_groupings(endpoint, of)
    known = [*returned, *(field.name for field in endpoint.fields)]
    if isinstance(endpoint.timing, TimeSeries):
        known.append("dt")
    for i, sort in enumerate(endpoint.sort):
        if sort_subject(endpoint, of, sort.by) not in known:
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


def value_problems(endpoint: Endpoint, of: Askable) -> Iterator[Problem]:
    """What cannot be said of values that are computed of others, and of columns that have several names.

    Parameters
    ----------
    endpoint
        With all groupings that it returns: :meth:`Askable.completed`.
    of
        What it asks.
    """
    plain = {field.name: _is_plain(field, of) for field in endpoint.fields}
    if isinstance(endpoint.timing, TimeSeries) and endpoint.timing.fill == "zero":
        for name in (name for name, is_plain in plain.items() if is_plain is False):
            yield Problem("timing.fill", f"{name!r} is computed, and not 0 where nothing happened", "null")
    first = next((sort.by for sort in endpoint.sort if sort.by in plain), None)
    if endpoint.grouping_limits and first is not None and not plain[first]:
        what = "is not there" if plain[first] is None else "is computed of several"
        message = f"groups are ranked by the first field of the order, and {first!r} {what}"
        yield Problem("grouping_limits", message, "sort by another field first")
    chosen, seen = choices(endpoint, of), set[str]()
    for key in of.groupings:
        if isinstance(chosen[key.name], Fixed | QueryTime):
            if key.path in seen:
                yield Problem(f"groupings.{key.name}", f"{key.path} is filtered twice")
            seen.add(key.path)


def _is_plain(field: Field, of: Askable) -> bool | None:
    """Whether a field is a finished state as it is; None where what it is made of is not there."""
    return of.value(field).is_plain if is_kept(field, of) else None


def grouping_of(of: AskedOf, name: str) -> Grouping | Key | None:
    """The grouping that a name, path or alias means; None where there is none."""
    if isinstance(of, Askable):
        name = of.canonical(name)
    return next((grouping for grouping in of.groupings if name in (grouping.name, grouping.path)), None)


def canonical_grouping(of: AskedOf, name: str) -> str:
    """The name that answers use for a grouping given by path or alias; other names unchanged."""
    found = grouping_of(of, name)
    return name if found is None else found.name


def sort_subject(endpoint: Endpoint, of: AskedOf, name: str) -> str:
    """What an order is by: a field of that name, else a grouping by the name that answers use."""
    return name if name in {field.name for field in endpoint.fields} else canonical_grouping(of, name)


def choices(endpoint: Endpoint, of: AskedOf) -> dict[str, AnyChoice]:
    """The choice of every grouping of what is asked, by the name that answers use, in its order."""
    named = {canonical_grouping(of, name): choice for name, choice in endpoint.groupings.items()}
    return {grouping.name: named.get(grouping.name, Aggregate()) for grouping in of.groupings}


def former_choices(endpoint: Endpoint, of: AskedOf) -> dict[str, AnyChoice]:
    """The choice of every grouping that there was when the endpoint was saved and is no more."""
    if isinstance(of, Askable):
        # Their past is built anew when they change.
        return {}
    kept = {text for grouping in of.groupings for text in (grouping.name, grouping.path)}
    return {name: choice for name, choice in endpoint.groupings.items() if name not in kept}


def returned_groupings(endpoint: Endpoint, of: AskedOf) -> list[str]:
    """The groupings whose values answers hold, in the order of what is asked."""
    return [name for name, choice in choices(endpoint, of).items() if is_returned(choice)]
