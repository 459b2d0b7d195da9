"""A choice: what an endpoint does with one grouping of its filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field as PydanticField

from aggflow.errors import Problem
from aggflow.spec.declaration import Declared, Many, declaration

GroupingValue = str | bool | int | float | None


@declaration
class Aggregate(Declared):
    """Merge all values; return none (the default)."""

    kind: Literal["aggregate"] = "aggregate"


@declaration
class Fixed(Declared):
    """Keep only the values listed here.

    Attributes
    ----------
    values
        The values to keep; None keeps the rows without a value.
    returned
        Whether answers tell them apart.
    """

    values: Many[GroupingValue]
    returned: bool = True
    kind: Literal["fixed"] = "fixed"

    def problems(self) -> Iterator[Problem]:
        """A filter without values would keep nothing."""
        if not self.values:
            yield Problem("values", "at least one value is needed", "All() keeps every value")


@declaration
class All(Declared):
    """Keep all values and return them."""

    kind: Literal["all"] = "all"


@declaration
class QueryTime(Declared):
    """Keep the values that the question names.

    Attributes
    ----------
    returned
        Whether answers tell them apart.
    """

    returned: bool = True
    kind: Literal["query_time"] = "query_time"


AnyChoice = Aggregate | Fixed | All | QueryTime
Choice = Annotated[AnyChoice, PydanticField(discriminator="kind")]


def is_returned(choice: AnyChoice) -> bool:
    """Whether answers tell the values of this grouping apart."""
    return isinstance(choice, All) or (isinstance(choice, Fixed | QueryTime) and choice.returned)
