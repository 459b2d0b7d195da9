"""Advice of a workspace: which aggregates its cubes should have, by what was asked, and having them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from aggflow.engine.advice import Advice
from aggflow.engine.advise import Advisor
from aggflow.engine.question_log import DAY_US
from aggflow.engine.stored_cube import StoredCube
from aggflow.errors import QueryError
from aggflow.markup import nothing, table
from aggflow.quote import quoted
from aggflow.spec.cube import Cube
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.workspace.cubes import CubesPart

# Builds of the past that tell how fast rows are read.
_BUILDS = 20

_NOTHING = "nothing to advise: what was asked is answered well, or nothing was asked yet"


class AdviceList(list[Advice]):
    """Advice, the most useful of each cube first; shows itself as a table."""

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Headings and rows of texts."""
        headings = ["cube", "interval", "dimensions", "measures", "cells", "build", "saves", "questions"]
        return headings, [_row(advice) for advice in self]

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or _NOTHING

    def _repr_html_(self) -> str:
        if not self:
            return nothing(_NOTHING)
        return table(*self.table())


def _row(advice: Advice) -> list[str]:
    return [
        advice.cube,
        advice.interval,
        ", ".join(advice.dimensions),
        advice.measures_said,
        f"{advice.rows:,}",
        advice.build_said,
        f"{advice.rows_saved:,} rows ({advice.share_saved:.0%})",
        "; ".join(advice.questions),
    ]


class AdvicePart(CubesPart):
    """The part of a workspace that advises."""

    def advise(self, cube: str | None = None, *, days: int = 30) -> AdviceList:
        """The aggregates that would have saved most of what was read lately.

        Judged by the questions that any rollup of a cube's source may answer; an endpoint reads the
        rollup of its own filter.

        Parameters
        ----------
        cube
            A cube, by name or id; all of them by default.
        days
            How many days of questions count, today among them.

        Returns
        -------
        list of Advice
            By cube; each saves what it says beyond those of its cube before it.

        Raises
        ------
        NotFoundError
            There is no such cube.
        QueryError
            The days are no whole number from 1 on.
        SourceError
            Cells had to be counted at a source, and it cannot be read.
        """
        if not (isinstance(days, int) and days >= 1):  # pyright: ignore[reportUnnecessaryIsInstance] - people type it
            raise QueryError(f"{quoted(days)} is no number of days", hint="1 is today alone")
        self._questions.flush()
        cubes = list(self.cubes.values()) if cube is None else [self.cube(cube)]
        since_day = self._clock() // DAY_US - days + 1
        return AdviceList(
            advice for stored in cubes for advice in self._advisor(stored.spec, since_day).advise()
        )

    def adopt(self, advice: Advice) -> StoredCube:
        """Add the aggregate that is advised to its cube, if it has none such; the cube's next build makes it.

        Parameters
        ----------
        advice
            One of :meth:`advise`.

        Raises
        ------
        NotFoundError
            The cube is gone.
        SpecError
            It has changed, and lacks what the aggregate needs.
        """
        stored = self.cube(advice.cube)
        cube = stored.spec
        if any(_is_alike(aggregate, advice) for aggregate in cube.materialised):
            return stored
        aggregate = CubeAggregate(
            _free_name(cube, advice.name), advice.interval, advice.dimensions, advice.measures
        )
        return self._put_cube(replace(cube, aggregates=(*cube.materialised, aggregate)))

    def _advisor(self, cube: Cube, since_day: int) -> Advisor:
        source = self._source(cube.source)
        return Advisor(
            cube,
            self._catalog.questions(self._id, since_day, cube.source),
            self._targets.of_source(cube.source),
            self._posing.rollups.get,
            self._resident,
            lambda: self._declarations.open(source),
            self._catalog.builds(self._id, status="done", limit=_BUILDS),
        )


def _is_alike(aggregate: CubeAggregate, advice: Advice) -> bool:
    return (aggregate.interval, set(aggregate.dimensions), set(aggregate.measures or ())) == (
        advice.interval,
        set(advice.dimensions),
        set(advice.measures),
    )


def _free_name(cube: Cube, name: str) -> str:
    """A name that no aggregate of a cube has."""
    taken = {aggregate.name for aggregate in cube.materialised}
    return next(free for free in _names(name) if free not in taken)


def _names(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} {number}" for number in count(2))
