"""A cube's aggregate: a rollup that speeds the cube up: some of its dimensions, at some interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from aggflow.errors import Problem
from aggflow.spec.declaration import Declared, Many, ProblemsError, declaration
from aggflow.spec.text import IntervalText, Name


def _without_slash(name: str) -> str:
    if "/" in name:
        message = f"{name!r} has a slash, which stands between a cube and its aggregate"
        raise ProblemsError([Problem("", message)])
    return name


@declaration
class CubeAggregate(Declared):
    """What is materialised of a cube.

    Attributes
    ----------
    name
        Its name, unique in the cube; with the cube's it names a rollup: ``cube flights/hourly``.
    interval
        Width of a bucket; by default the width that the levels of time in ``dimensions`` need.
    dimensions
        Dimensions (all their levels), and levels (``city``, ``place.city``: those above it, too).
    measures
        Aggregations, ratios, or single calculations (``delay:AVG``); None for all.
    """

    name: Annotated[Name, AfterValidator(_without_slash)]
    interval: IntervalText | None = None
    dimensions: Many[Name] = ()
    measures: Many[Name] | None = None

    def problems(self) -> Iterator[Problem]:
        """Something is kept."""
        if self.measures is not None and not self.measures:
            yield Problem("measures", "at least one measure is needed", "leave it out for all")
