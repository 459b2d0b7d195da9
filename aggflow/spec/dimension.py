"""A dimension: what a cube's events are told apart by, by itself or along a hierarchy of levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from aggflow.errors import Problem
from aggflow.spec.declaration import Declared, Many, declaration, plain
from aggflow.spec.level import Level, LevelName, LevelText, name_problems
from aggflow.spec.text import PathText


@declaration
class Dimension(Declared):
    """What events are told apart by.

    Attributes
    ----------
    name
        Its name, unique in the cube.
    path
        A column, a path (``@.a.b``) or an expression (``=lower(carrier)``); by default the name.
    levels
        Its hierarchy instead, coarsest first: columns (``["country", "city"]``), or widths of time
        (``["year", "month", "day"]``).  Grouping by a level groups by those above it as well.
    description
        For people.
    """

    name: LevelName
    path: PathText | None = None
    levels: Many[LevelText] = ()
    description: str = ""

    def problems(self) -> Iterator[Problem]:
        """One kind of levels, no name twice, and something to group by."""
        if self.levels and self.path is not None:
            yield Problem("path", "a dimension with levels has its columns there", "leave it out")
        if not self.levels and self.path is None:
            yield from name_problems(self.name)
        if len({level.is_time for level in self.levels}) > 1:
            yield Problem("levels", "levels are columns or widths of time, not both", "make two dimensions")
        for name, times in Counter(level.name for level in self.levels).items():
            if times > 1:
                yield Problem("levels", f"{name!r} stands here {times} times; names are unique")

    @property
    def is_time(self) -> bool:
        """Whether its levels are widths of time."""
        return bool(self.levels) and self.levels[0].is_time

    @property
    def hierarchy(self) -> tuple[Level, ...]:
        """Its levels, coarsest first; of one without any, itself."""
        return tuple(self.levels) or (Level(self.name, self.path or self.name),)


def _from_text(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _to_text(dimension: Dimension) -> str | Mapping[str, Any]:
    short = plain(dimension, defaults=False)
    return dimension.name if len(short) == 1 else short


DimensionText = Annotated[Dimension, BeforeValidator(_from_text), PlainSerializer(_to_text)]
