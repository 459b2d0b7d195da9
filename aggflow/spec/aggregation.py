"""An aggregation: a named field with a sub-filter, and what is computed of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator

from aggflow.errors import Problem
from aggflow.quote import quoted
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import Declared, Many, ProblemsError, declaration
from aggflow.spec.text import Name, PathText, PredicateText


def _calculation(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.upper() not in Calculation.__members__:
        raise ProblemsError(
            [Problem("", f"there is no calculation {quoted(value)}", Calculation.hint(value))]
        )
    return value.upper()


CalculationText = Annotated[Calculation, BeforeValidator(_calculation)]


@declaration
class Aggregation(Declared):
    """A named field with a sub-filter.

    Attributes
    ----------
    name
        Its name, unique in the filter.
    field
        A column, or a path (``@.a.b``); not needed when COUNT is all that is computed.
    calculations
        What is computed, at least one.
    where
        A sub-filter in JPath; empty for all rows of the filter.
    sketch_groupings
        Groupings at which the sketches (PERCENTILES, APPROX_COUNT_DISTINCT) are kept; None for all of
        the filter's.  Fine cells hold few events, and sketches of them hardly compress.
    """

    name: Name
    field: PathText | None = None
    calculations: Many[CalculationText] = (Calculation.COUNT,)
    where: PredicateText = ""
    sketch_groupings: Many[PathText] | None = None

    def problems(self) -> Iterator[Problem]:
        """At least one calculation, none twice, and a field where one is needed."""
        if not self.calculations:
            yield Problem("calculations", "at least one calculation is needed", "COUNT, for one")
        if len(set(self.calculations)) != len(self.calculations):
            yield Problem("calculations", "a calculation stands here twice")
        needing = [c.value for c in self.calculations if c.needs_field]
        if needing and self.field is None:
            yield Problem("field", f"{', '.join(needing)} needs a field", "only COUNT does without")
