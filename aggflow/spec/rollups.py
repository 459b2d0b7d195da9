"""The rollups of a definition: what each kind of it materialises, from when on, and up to when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aggflow.spec.cube import Cube
from aggflow.spec.cube_rollup import cube_rollups
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.task import Task
from aggflow.timeline import BEGINNING, Duration, Micros


@dataclass(frozen=True)
class Owner:
    """What one kind of definition materialises.

    Attributes
    ----------
    rollups
        By name, the rollups of a definition of the kind.
    begins_at
        From when on it wants them built.
    delay
        How long before now what it wants built ends.
    """

    rollups: Callable[[Any], dict[str, Rollup]]
    begins_at: Callable[[Any], Micros] = lambda _: BEGINNING
    delay: Callable[[Any], Duration] = lambda _: Duration.of("0s")


_OF_CLASS: dict[Any, Owner] = {
    Filter: Owner(lambda spec: {spec.name: rollup_of(spec)}),
    Task: Owner(
        lambda spec: {spec.name: spec.rollup}, lambda spec: spec.from_us, delay=lambda spec: spec.wait
    ),
    Cube: Owner(cube_rollups),
}
#: Kinds of definitions that have rollups.
OWNERS = ("filter", "task", "cube")


def owner_of(spec: Any) -> Owner:
    """What the kind of a definition materialises; nothing, for kinds that have no rollups."""
    return _OF_CLASS.get(spec.__class__, _NOTHING)


def rollups_of(spec: Any) -> dict[str, Rollup]:
    """What a definition materialises, by the rollup's name."""
    return owner_of(spec).rollups(spec)


_NOTHING = Owner(lambda _: {})
