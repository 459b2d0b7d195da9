"""An asked cube: a cube as endpoints ask it: its measures, by its dimensions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from aggflow.errors import AggflowError, Problem, SpecError
from aggflow.language import Arithmetic, Path
from aggflow.spec.askable import Askable, Key, Offer, Value
from aggflow.spec.choice import Aggregate, All, is_returned
from aggflow.spec.cube import Cube
from aggflow.spec.cube_level import CubeLevel, find_level, with_those_above
from aggflow.spec.cube_rollup import kept_for
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.measure_reference import MeasureReference, text_of
from aggflow.spec.reading import Measured


@dataclass(frozen=True)
class AskedCube(Askable):
    """A cube as endpoints ask it.

    Attributes
    ----------
    cube
        The cube.
    """

    kind: ClassVar[Literal["task", "cube"]] = "cube"
    cube: Cube

    @classmethod
    def of(cls, cube: Cube) -> AskedCube:
        """The cube as endpoints ask it."""
        keys = tuple(Key(level.name, level.level.column) for level in cube.levels if not level.is_time)
        interval = str(cube.grain)
        return cls(cube.name, cube.source, cube.where, interval, cube.time_zone, keys, cube)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The calculations of its measures, and its ratios."""
        kept = (
            Offer(aggregation.name, calculation)
            for aggregation in self.cube.aggregations
            for calculation in aggregation.calculations
        )
        return (*kept, *map(Offer, self.cube.ratios))

    def value(self, field: Field) -> Value:
        """What a field is made of: a calculation of a measure, or a ratio.

        Raises
        ------
        SpecError
            There is no such measure, or it has no such calculation.
        """
        if field.aggregation in self.cube.ratios and field.calculation is not None:
            message = f"{field.aggregation!r} is a ratio, and has no calculation of its own"
            problem = Problem("calculation", message, "leave it out")
            raise SpecError(f"field {field.name!r}", [problem])
        try:
            above, below = self.cube.measured(text_of(field))
        except SpecError as error:
            path = "aggregation" if field.calculation is None else "calculation"
            known = field.aggregation in {one.name for one in self.cube.aggregations}
            problems = [
                Problem(path if known else "aggregation", one.message, one.hint) for one in error.problems
            ]
            raise SpecError(f"field {field.name!r}", problems) from None
        numerator = self._part(above)
        if below is None:
            return Value((numerator,), Path((numerator.name,)))
        denominator = self._part(below)
        operand = Arithmetic("/", Path((numerator.name,)), Path((denominator.name,)))
        return Value(tuple(dict.fromkeys((numerator, denominator))), operand)

    def _part(self, reference: MeasureReference) -> Measured:
        bare = MeasureReference(reference.aggregation, reference.calculation)
        return Measured(reference.text, kept_for(self.cube, bare, ()), reference.percentile)

    def canonical(self, name: str) -> str:
        """The name that answers use for a level: of a dimension its finest; other names unchanged."""
        level = self._level(name)
        return name if level is None or level.is_time else level.name

    def completed(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint with the levels above those that it returns: cities of one name are in several countries."""
        named = {self.canonical(name): (name, choice) for name, choice in endpoint.groupings.items()}
        returned = [
            level for level in self.cube.levels if level.name in named and is_returned(named[level.name][1])
        ]
        groupings = dict(endpoint.groupings)
        for above in (one for level in returned for one in with_those_above(level, self.cube.levels)):
            name, choice = named.get(above.name, (above.name, Aggregate()))
            if isinstance(choice, Aggregate):
                groupings[name] = All()
        return replace(endpoint, groupings=groupings)

    def _level(self, name: str) -> CubeLevel | None:
        try:
            return find_level(name, self.cube.levels)
        except AggflowError:
            return None

    def hint(self, grouping: str) -> str:
        """What to do where a name is no grouping."""
        level = self._level(grouping)
        if level is not None and level.is_time:
            return f"TimeSeries(…, interval={str(level.level.width)!r}) tells it apart"
        return super().hint(grouping)
