"""A cube's level: a level as its cube knows it: in its dimension, under the name that answers use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aggflow.errors import NotFoundError, Problem, SpecError
from aggflow.spec.dimension import Dimension
from aggflow.spec.level import Level


@dataclass(frozen=True)
class CubeLevel:
    """A level in its cube.

    Attributes
    ----------
    name
        What answers call it: its own name, or ``dimension.level`` where another has that name, too.
    dimension
        Its dimension.
    level
        The level.
    """

    name: str
    dimension: Dimension
    level: Level

    @property
    def qualified(self) -> str:
        """Its name with that of its dimension: ``place.city``."""
        return f"{self.dimension.name}.{self.level.name}"

    @property
    def is_time(self) -> bool:
        """Whether it is a width of time."""
        return self.level.is_time


def levels_of(dimensions: Iterable[Dimension]) -> tuple[CubeLevel, ...]:
    """The levels of all dimensions, in order, each with the name that answers use."""
    known = tuple(dimensions)
    flat = {dimension.name for dimension in known if not dimension.levels}
    times = Counter(level.name for dimension in known for level in dimension.levels)
    return tuple(
        CubeLevel(
            level.name
            if not dimension.levels or (times[level.name] == 1 and level.name not in flat)
            else f"{dimension.name}.{level.name}",
            dimension,
            level,
        )
        for dimension in known
        for level in dimension.hierarchy
    )


def find_level(name: str, levels: Sequence[CubeLevel]) -> CubeLevel:
    """The level that a name means: the finest of a dimension, a level, or ``dimension.level``.

    Raises
    ------
    NotFoundError
        There is none.
    SpecError
        Several dimensions have such a level.
    """
    of_dimension = [level for level in levels if level.dimension.name == name]
    if of_dimension:
        return finest(of_dimension)
    for level in levels:
        if name in (level.name, level.qualified):
            return level
    same = [level.qualified for level in levels if level.level.name == name]
    if same:
        message = f"several dimensions have a level {name!r}"
        raise SpecError(f"dimension {name!r}", [Problem("", message, ", ".join(same))])
    known = {text for level in levels for text in (level.dimension.name, level.name)}
    raise NotFoundError("dimension", name, known)


def finest(levels: Sequence[CubeLevel]) -> CubeLevel:
    """The finest of the levels of one dimension."""
    if levels[0].is_time:
        return min(levels, key=lambda level: level.level.width.seconds_at_most)
    return levels[-1]


def with_those_above(level: CubeLevel, levels: Iterable[CubeLevel]) -> tuple[CubeLevel, ...]:
    """A level and the coarser ones of its dimension that grouping by it groups by, coarsest first."""
    if level.is_time:
        return (level,)
    own = [other for other in levels if other.dimension.name == level.dimension.name]
    return tuple(own[: own.index(level) + 1])
