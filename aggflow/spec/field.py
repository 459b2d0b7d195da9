"""A return field: a named value of an endpoint's answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field as PydanticField
from pydantic import StringConstraints

from aggflow.errors import Problem
from aggflow.spec.aggregation import CalculationText
from aggflow.spec.calculation import Calculation
from aggflow.spec.declaration import Declared, declaration
from aggflow.spec.text import DurationText, Name

FieldName = Annotated[str, StringConstraints(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=255)]


@declaration
class Field(Declared):
    """A named value of an answer.

    Attributes
    ----------
    name
        The key in answers: a letter or underscore, then letters, digits, underscores.
    aggregation
        Name of an aggregation of the filter, of what the task selects, of a measure of the cube.
    calculation
        One of that aggregation's calculations.  Of a filter it is required; of a task it is as the task
        selects it; of a cube it may be left out where there is one alone, and is none of a ratio.
    percentile
        0 to 1; only and always with PERCENTILES.
    duration, offset, include_incomplete
        The field's own window, Lookback only; None takes the endpoint's.
    """

    name: FieldName
    aggregation: Name
    calculation: CalculationText | None = None
    percentile: Annotated[float, PydanticField(ge=0, le=1)] | None = None
    duration: DurationText | None = None
    offset: DurationText | None = None
    include_incomplete: bool | None = None

    def problems(self) -> Iterator[Problem]:
        """A percentile belongs to PERCENTILES, and PERCENTILES needs one."""
        wanted = self.calculation is Calculation.PERCENTILES
        if wanted and self.percentile is None:
            yield Problem("percentile", "PERCENTILES needs a percentile", "0.95, for one")
        if not wanted and self.percentile is not None:
            without = "a field without a calculation" if self.calculation is None else self.calculation.value
            yield Problem("percentile", f"{without} takes no percentile")

    @property
    def has_own_window(self) -> bool:
        """Whether any time setting is the field's own."""
        return any(own is not None for own in (self.duration, self.offset, self.include_incomplete))
