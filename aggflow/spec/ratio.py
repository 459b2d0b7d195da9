"""A ratio: one measure divided by another, both merged before they are divided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator

from aggflow.errors import Problem, SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.declaration import Declared, ProblemsError, declaration
from aggflow.spec.measure_reference import SEPARATOR, MeasureReference
from aggflow.spec.text import Name


def _without_colon(name: str) -> str:
    if SEPARATOR in name:
        message = f"{name!r} has a colon, which stands between an aggregation and its calculation"
        raise ProblemsError([Problem("", message)])
    return name


MeasureName = Annotated[Name, AfterValidator(_without_colon)]


@declaration
class Ratio(Declared):
    """One measure divided by another; null where the second is 0 or null.

    Both are finished from merged states and then divided: the ratio of a year is no average of its
    days' ratios.

    Attributes
    ----------
    name
        Its name, unique among the measures of the cube.
    numerator, denominator
        ``aggregation:CALCULATION`` (``delay:SUM``, ``delay:PERCENTILES:0.95``); an aggregation with one
        calculation by its name alone.
    description
        For people.
    """

    name: MeasureName
    numerator: Name
    denominator: Name
    description: str = ""

    def parts(self, aggregations: Iterable[Aggregation]) -> tuple[MeasureReference, MeasureReference]:
        """What is divided by what.

        Raises
        ------
        SpecError
            One of them is not there.
        """
        known = tuple(aggregations)
        return MeasureReference.of(self.numerator, known), MeasureReference.of(self.denominator, known)

    def problems_with(self, aggregations: Iterable[Aggregation]) -> Iterator[Problem]:
        """What of it is not there."""
        known = tuple(aggregations)
        for side in ("numerator", "denominator"):
            try:
                MeasureReference.of(getattr(self, side), known)
            except SpecError as error:
                yield from (Problem(side, problem.message, problem.hint) for problem in error.problems)
