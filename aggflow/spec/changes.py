"""Changes: what a change of a filter, a task or a cube does to the endpoints that ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from aggflow.spec.askable import Askable, Key
from aggflow.spec.choice import Aggregate, AnyChoice, is_returned
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.fit import (
    AskedOf,
    choices,
    grouping_of,
    grouping_problems,
    is_kept,
    returned_groupings,
    value_problems,
)
from aggflow.spec.grouping import Grouping
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
        more; fields that are computed otherwise, and groupings that are new or called otherwise, are told.
    """
    return tuple(
        effect
        for endpoint in endpoints
        for effects_of in (_groupings, _fields, _values, _interval)
        for effect in effects_of(old, new, endpoint)
    )


def carried(endpoint: Endpoint, old: AskedOf, new: AskedOf) -> Endpoint:
    """An endpoint that still means what it meant, whatever its groupings are called after a change.

    A name that would not be known any more, or would mean another grouping, becomes one that means the
    same before and after the change.
    """

    def renamed(name: str) -> str:
        return _name_after(name, old, new) or name

    return replace(
        endpoint,
        groupings={
            renamed(name): choice
            for name, choice in endpoint.groupings.items()
            if not _may_go(name, choice, old, new)
        },
        sort=tuple(
            replace(sort, by=renamed(sort.by)) if sort.by in _sorted_groupings(endpoint) else sort
            for sort in endpoint.sort
        ),
        grouping_limits=tuple(
            replace(limit, grouping=renamed(limit.grouping)) for limit in endpoint.grouping_limits
        ),
    )


def _sorted_groupings(endpoint: Endpoint) -> list[str]:
    """What an order is by but for fields."""
    fields = {field.name for field in endpoint.fields}
    return [sort.by for sort in endpoint.sort if sort.by not in fields]


def _may_go(name: str, choice: AnyChoice, old: AskedOf, new: AskedOf) -> bool:
    """Whether a grouping is no more that an endpoint aggregates over anyway."""
    key = grouping_of(old, name)
    return isinstance(choice, Aggregate) and key is not None and _after(key, new) is None


def _after(key: Grouping | Key, new: AskedOf) -> Grouping | Key | None:
    """What a grouping is after a change: that of its path, if several then that of its name."""
    same = [grouping for grouping in new.groupings if grouping.path == key.path]
    return next((grouping for grouping in same if grouping.name == key.name), same[0] if same else None)


def _name_after(name: str, old: AskedOf, new: AskedOf) -> str | None:
    """A name that means, before and after a change, what a name means before; None where there is none."""
    key = grouping_of(old, name)
    if key is None:
        # The name of a field, the time, or a grouping that a filter had once.
        return name
    after = _after(key, new)
    if after is None:
        return key.path if grouping_of(new, key.path) is None else None
    names = (name, key.name, after.name, key.path)
    return next((n for n in names if grouping_of(old, n) == key and grouping_of(new, n) == after), None)


def _groupings(old: AskedOf, new: AskedOf, endpoint: Endpoint) -> Iterator[Effect]:
    names = [name for name, choice in endpoint.groupings.items() if not _may_go(name, choice, old, new)]
    names += _sorted_groupings(endpoint)
    names += [limit.grouping for limit in endpoint.grouping_limits]
    for name in dict.fromkeys(names):
        if _name_after(name, old, new) is None:
            yield Effect(endpoint.name, f"grouping {name!r}, which it needs, would mean another", blocks=True)
    if isinstance(old, Askable) and isinstance(new, Askable):
        yield from _keys(old, new, endpoint)
        return
    kept = {grouping.path for grouping in new.groupings}
    chosen = choices(endpoint, old)
    for grouping in old.groupings:
        if grouping.path not in kept and is_returned(chosen[grouping.name]):
            yield Effect(
                endpoint.name,
                f"grouping {grouping.name!r} is no longer kept: its values stay for the past and are empty "
                "from now on",
            )


def _keys(old: Askable, new: Askable, endpoint: Endpoint) -> Iterator[Effect]:
    """What becomes of groupings of a task or a cube."""
    chosen = choices(old.completed(endpoint), old)
    after = {key.name: _after(key, new) for key in old.groupings}
    gone = [name for name, key in after.items() if key is None and not isinstance(chosen[name], Aggregate)]
    for name in gone:
        yield Effect(endpoint.name, f"grouping {name!r}, which it needs, is no longer kept", blocks=True)
    same = carried(endpoint, old, new)
    problems = [] if gone else list(grouping_problems(same.groupings, new))
    for problem in problems:
        yield Effect(endpoint.name, f"{problem.path}: {problem.message}", blocks=True)
    if not (gone or problems):
        yield from _columns(old, new, same, endpoint)


def _columns(old: Askable, new: Askable, same: Endpoint, endpoint: Endpoint) -> Iterator[Effect]:
    """What becomes of the columns of answers that hold values of groupings."""
    chosen = choices(old.completed(endpoint), old)
    after = {key.name: _after(key, new) for key in old.groupings}
    before = {key.name: name for name, key in after.items() if key is not None and is_returned(chosen[name])}
    returned = returned_groupings(new.completed(same), new)
    for name in (name for name in before if name not in returned):
        yield Effect(endpoint.name, f"its groups will not be told apart by {name!r} any more")
    for name in (name for name in returned if before.get(name) != name):
        if name in {field.name for field in endpoint.fields}:
            yield Effect(endpoint.name, f"grouping {name!r} is called as one of its fields", blocks=True)
        elif name not in before:
            yield Effect(endpoint.name, f"its groups will be told apart by {name!r}, too")
        else:
            yield Effect(endpoint.name, f"answers will call {before[name]!r} {name!r}")


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
    for problem in value_problems(new.completed(carried(endpoint, old, new)), new):
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
