"""An askable: a task or a cube as endpoints ask it: what tells its values apart, its values, its buckets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from aggflow.errors import did_you_mean
from aggflow.language import Operand, Path
from aggflow.language.query import substituted
from aggflow.spec.calculation import Calculation
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.reading import Measured
from aggflow.timeline import Duration, Zone


@dataclass(frozen=True)
class Key:
    """What values are told apart by: a key of a task's query, a dimension of a cube or a level of one.

    Attributes
    ----------
    name
        What answers call it.
    path
        Canonical text of the column, path or expression.
    """

    name: str
    path: str


@dataclass(frozen=True)
class Value:
    """What a field of an endpoint is made of.

    Attributes
    ----------
    parts
        The finished states that it is computed of.
    operand
        How; a path of one part is the name of one of them.
    """

    parts: tuple[Measured, ...]
    operand: Operand

    @property
    def is_plain(self) -> bool:
        """Whether it is one of them as it is, so that groups can be ranked by it."""
        return isinstance(self.operand, Path)

    @property
    def meaning(self) -> Operand:
        """What it is computed of and how, whatever its parts are called: equal values have equal ones."""
        names: dict[Path, Operand] = {
            Path((one.name,)): Path((repr(one.kept), one.percentile or "")) for one in self.parts
        }
        return substituted(self.operand, names)


@dataclass(frozen=True)
class Offer:
    """What a field can ask for.

    Attributes
    ----------
    aggregation
        The name of a value.
    calculation
        How it is computed; None where that needs not be said.
    percentile
        Which one, where there is no choice.
    """

    aggregation: str
    calculation: Calculation | None = None
    percentile: str | None = None


@dataclass(frozen=True)
class Askable(ABC):
    """A task or a cube as endpoints ask it.

    Attributes
    ----------
    name, source, where
        Its name, and of which events it is.
    interval, time_zone
        Its buckets: lookbacks take whole ones, and points of a series are made of them.
    groupings
        What its values are told apart by, in the order of answers.
    delay
        What is younger than so much is not seen: the present of who asks lies so much before now.
    """

    kind: ClassVar[Literal["task", "cube"]]
    # There are none of a filter's here: what fields are made of is said by `value`.
    aggregations: ClassVar[Sequence[object]] = ()

    name: str
    source: str
    where: str
    interval: str
    time_zone: str
    groupings: tuple[Key, ...]
    delay: Duration = field(default_factory=lambda: Duration.of("0s"), kw_only=True)

    @property
    def zone(self) -> Zone:
        """The zone whose calendar its buckets follow."""
        return Zone.of(self.time_zone)

    @property
    @abstractmethod
    def offers(self) -> tuple[Offer, ...]:
        """What fields can ask for."""

    @abstractmethod
    def value(self, field: Field) -> Value:
        """What a field is made of.

        Raises
        ------
        SpecError
            There is no such value; problems have the paths of the field's attributes.
        """

    def canonical(self, name: str) -> str:
        """The name that answers use for what a grouping is called as well; other names unchanged."""
        return name

    def completed(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint with the groupings that those which it returns bring with them."""
        return endpoint

    def hint(self, grouping: str) -> str:
        """What to do where a name is no grouping."""
        return did_you_mean(grouping, [key.name for key in self.groupings])
