"""Changes: what a change of a filter, a task or a cube does to the endpoints that ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aggflow.spec.askable import Askable
from aggflow.spec.choice import Aggregate, is_returned
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.fit import AskedOf, choices, is_kept, value_problems
from aggflow.spec.timing import TimeSeries
from aggflow.timeline import Interval


@dataclass(frozen=True)
class Effect:
    """What a change does to another definition.

    Attributes
    ----------
    endpoint
        Its name; an endpoint, but for what ``kind`` says.
    what
        A sentence without a full stop.
    blocks
        Whether the change is not allowed for it.
    kind
        What is affected: ``endpoint``, or ``filter`` where a source changed.
    """

    endpoint: str
    what: str
    blocks: bool = False
    kind: str = "endpoint"

    def __str__(self) -> str:
        return f"{self.kind} {self.endpoint!r}: {self.what}"


def effects(old: AskedOf, new: AskedOf, endpoints: Iterable[Endpoint]) -> tuple[Effect, ...]:
    """What a change of a filter, a task or a cube does to its endpoints.

    Parameters
    ----------
    old, new
        What is asked before and after.
    endpoints
        Those that ask it.

    Returns
    -------
    tuple of Effect
        Removed groupings, lost fields (blocking where none is left), changed intervals.  Of tasks and
        cubes, whose past is built anew, removed groupings are blocking, and so is what can rank groups no
        more; fields that are computed otherwise are told.
    """
    return tuple(
        effect
        for endpoint in endpoints
        for effects_of in (_groupings, _fields, _values, _interval)
        for effect in effects_of(old, new, endpoint)
    )


def carried(endpoint: Endpoint, old: AskedOf, new: AskedOf) -> Endpoint:
    """An endpoint that still means what it meant, whatever its groupings are called after a change.

    Names that are not known any more after the change become paths, which stay what they are.
    """
    known = {text for grouping in new.groupings for text in (grouping.name, grouping.path)}
    paths = {grouping.name: grouping.path for grouping in old.groupings if grouping.name not in known}

    def renamed(name: str) -> str:
        return paths.get(name, name)

    return replace(
        endpoint,
        groupings={renamed(name): choice for name, choice in endpoint.groupings.items()},
        sort=tuple(replace(sort, by=renamed(sort.by)) for sort in endpoint.sort),
        grouping_limits=tuple(
            replace(limit, grouping=renamed(limit.grouping)) for limit in endpoint.grouping_limits
        ),
    )


def _groupings(old: AskedOf, new: AskedOf, endpoint: Endpoint) -> Iterator[Effect]:
    kept = {grouping.path for grouping in new.groupings}
    if isinstance(old, Askable):
        chosen = choices(old.completed(endpoint), old)
        gone = [one.name for one in old.groupings if one.path not in kept]
        for name in (name for name in gone if not isinstance(chosen[name], Aggregate)):
            yield Effect(endpoint.name, f"grouping {name!r}, which it needs, is no longer kept", blocks=True)
        return
    chosen = choices(endpoint, old)
    for grouping in old.groupings:
        if grouping.path not in kept and is_returned(chosen[grouping.name]):
            yield Effect(
                endpoint.name,
                f"grouping {grouping.name!r} is no longer kept: its values stay for the past and are empty "
                "from now on",
            )


def _fields(old: AskedOf, new: AskedOf, endpoint: Endpoint) -> Iterator[Effect]:
    valid = [field for field in endpoint.fields if is_kept(field, old)]
    lost = [field for field in valid if not is_kept(field, new)]
    if not lost:
        return
    names = ", ".join(repr(field.name) for field in lost)
    if len(lost) == len(valid):
        yield Effect(endpoint.name, f"it would lose its last valid field ({names})", blocks=True)
    else:
        yield Effect(endpoint.name, f"{names} will be null: what it is made of is no longer kept")


def _values(old: AskedOf, new: AskedOf, endpoint: Endpoint) -> Iterator[Effect]:
    if not (isinstance(old, Askable) and isinstance(new, Askable)):
        return
    kept = [field for field in endpoint.fields if is_kept(field, old) and is_kept(field, new)]
    others = [field.name for field in kept if old.value(field).meaning != new.value(field).meaning]
    if others:
        yield Effect(endpoint.name, f"{', '.join(map(repr, others))} will be computed otherwise")
    # What was wrong before is not the change's doing.
    before = list(value_problems(old.completed(endpoint), old))
    for problem in value_problems(new.completed(endpoint), new):
        if problem not in before:
            yield Effect(endpoint.name, f"{problem.path}: {problem.message}", blocks=True)


def _interval(old: AskedOf, new: AskedOf, endpoint: Endpoint) -> Iterator[Effect]:
    before, after = Interval.of(old.interval), Interval.of(new.interval)
    if before == after:
        return
    longer = after.seconds_at_most > before.seconds_at_most
    follows = isinstance(endpoint.timing, TimeSeries) and endpoint.timing.interval is None
    if longer:
        yield Effect(endpoint.name, f"buckets grow from {before} to {after}: it may lose correctness")
    elif follows:
        yield Effect(
            endpoint.name, f"its series has no interval of its own: its points are now {after} apart"
        )
