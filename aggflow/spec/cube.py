"""A cube: dimensions and measures over a source, and the aggregates that speed it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeAlias, cast

from pydantic import BeforeValidator

from aggflow.errors import AggflowError, NotFoundError, Problem, SpecError, did_you_mean
from aggflow.quote import quoted
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.cube_level import CubeLevel, find_level, levels_of, with_those_above
from aggflow.spec.declaration import Declared, Many, ProblemsError, declaration, read
from aggflow.spec.dimension import DimensionText
from aggflow.spec.measure_reference import SEPARATOR, MeasureReference
from aggflow.spec.project import DEFAULT_PROJECT
from aggflow.spec.ratio import Ratio
from aggflow.spec.text import Name, PredicateText, ZoneText
from aggflow.timeline import Interval, Zone

_HOUR = Interval.of("1h")
# What divides levels that do not divide one another: weeks and months; hours and days of any zone.
_DIVIDING = {Interval.of("1d"), Interval.of("15m")}
Measure: TypeAlias = Aggregation | Ratio


def _measure(value: Any) -> Any:
    """A measure of plain data: a ratio where something is divided."""
    if isinstance(value, Aggregation | Ratio):
        return value
    if not isinstance(value, Mapping):
        problem = Problem("", f"{quoted(value)} is no measure", "an Aggregation or a Ratio is needed")
        raise ProblemsError([problem])
    data = cast("Mapping[str, Any]", value)
    kind = Ratio if {"numerator", "denominator"} & set(data) else Aggregation
    try:
        return read(kind, data)
    except SpecError as error:
        raise ProblemsError(list(error.problems)) from None


MeasureData = Annotated[Measure, BeforeValidator(_measure)]


@declaration
class Cube(Declared):
    """Dimensions and measures over a source.

    Attributes
    ----------
    name
        Its name in the workspace.
    source
        Name of the source.
    dimensions
        What events are told apart by: columns by name, or :class:`Dimension`.
    measures
        What is computed: :class:`Aggregation` and :class:`Ratio`, at least one.
    aggregates
        What is materialised; None for one aggregate, ``all``, of all dimensions by the hour.
    where
        A predicate in JPath, or LINQ behind ``=``; empty for all events.
    time_zone
        The zone whose calendar levels of a day and longer follow.
    project
        Name of the project that it belongs to.
    description
        For people.
    """

    name: Name
    source: Name
    dimensions: Many[DimensionText] = ()
    measures: Many[MeasureData] = (Aggregation("events"),)
    aggregates: Many[CubeAggregate] | None = None
    where: PredicateText = ""
    time_zone: ZoneText = "UTC"
    project: Name = DEFAULT_PROJECT
    description: str = ""

    def problems(self) -> Iterator[Problem]:
        """Duplicates, and names of what is not there."""
        yield from self._name_problems()
        if not self.aggregations:
            yield Problem("measures", "at least one aggregation is needed", 'Aggregation("events"), for one')
        for i, measure in enumerate(self.measures):
            yield from _placed(f"measures[{i}]", self._measure_problems(measure))
        for i, aggregate in enumerate(self.aggregates or ()):
            yield from _placed(f"aggregates[{i}]", self._aggregate_problems(aggregate))

    @property
    def zone(self) -> Zone:
        """The zone whose calendar its levels of time follow."""
        return Zone.of(self.time_zone)

    @property
    def levels(self) -> tuple[CubeLevel, ...]:
        """The levels of all its dimensions, in order."""
        return levels_of(self.dimensions)

    @property
    def aggregations(self) -> tuple[Aggregation, ...]:
        """Its measures that are kept."""
        return tuple(measure for measure in self.measures if isinstance(measure, Aggregation))

    @property
    def ratios(self) -> dict[str, Ratio]:
        """Its measures that are divided, by name."""
        return {measure.name: measure for measure in self.measures if isinstance(measure, Ratio)}

    @property
    def materialised(self) -> tuple[CubeAggregate, ...]:
        """Its aggregates: those that it declares, or the one that it has by default."""
        if self.aggregates is not None:
            return tuple(self.aggregates)
        columns = [d.name for d in self.dimensions if not d.is_time]
        return (CubeAggregate("all", str(_common([_HOUR, *self._times], self.zone) or _HOUR), columns),)

    @property
    def grain(self) -> Interval:
        """The width of its buckets: what its levels of time are made of, an hour where it has none."""
        return _common(self._times, self.zone) or _HOUR

    @property
    def _times(self) -> list[Interval]:
        return [level.level.width for level in self.levels if level.is_time]

    def aggregate(self, name: str) -> CubeAggregate:
        """The aggregate of a name.

        Raises
        ------
        NotFoundError
            There is none.
        """
        known = {aggregate.name: aggregate for aggregate in self.materialised}
        if name not in known:
            raise NotFoundError("aggregate", name, known)
        return known[name]

    def columns(self, names: Iterable[str]) -> tuple[CubeLevel, ...]:
        """The levels of columns that dimensions and levels group by, in the cube's order, each once.

        Raises
        ------
        NotFoundError, SpecError
            A name means none, or several.
        """
        levels = self.levels
        found = {
            above.qualified
            for name in names
            for above in with_those_above(find_level(name, levels), levels)
            if not above.is_time
        }
        return tuple(level for level in levels if level.qualified in found)

    def interval(self, aggregate: CubeAggregate) -> Interval | None:
        """The width of an aggregate's buckets; None where nothing says it, or no width suits all levels."""
        if aggregate.interval is not None:
            return Interval.of(aggregate.interval)
        return _common(self._widths(aggregate), self.zone)

    def _widths(self, aggregate: CubeAggregate) -> list[Interval]:
        """The widths of the levels of time that an aggregate names; of a dimension those of all its levels."""
        levels, found = self.levels, list[Interval]()
        for name in aggregate.dimensions:
            whole = [level for level in levels if level.dimension.name == name]
            of = whole or [find_level(name, levels)]
            found += [level.level.width for level in of if level.is_time]
        return found

    def references(self, names: Iterable[str] | None = None) -> tuple[MeasureReference, ...]:
        """The calculations that measures are made of, each once; percentiles as PERCENTILES alone.

        Parameters
        ----------
        names
            Aggregations, ratios or single calculations; None for all measures.

        Raises
        ------
        SpecError, NotFoundError
            One of them is not there.
        """
        found: dict[tuple[str, str], MeasureReference] = {}
        for name in [measure.name for measure in self.measures] if names is None else names:
            for reference in self._references(name):
                bare = MeasureReference(reference.aggregation, reference.calculation)
                found.setdefault((bare.aggregation.name, bare.calculation.value), bare)
        return tuple(found.values())

    def _references(self, name: str) -> tuple[MeasureReference, ...]:
        if name in self.ratios:
            return self.ratios[name].parts(self.aggregations)
        for aggregation in self.aggregations:
            if aggregation.name == name:
                return tuple(MeasureReference(aggregation, c) for c in aggregation.calculations)
        if SEPARATOR in name:
            return (MeasureReference.of(name, self.aggregations),)
        raise NotFoundError("measure", name, [measure.name for measure in self.measures])

    def measured(self, text: str) -> tuple[MeasureReference, MeasureReference | None]:
        """The calculation that a text names; of a ratio, what is divided by what.

        Parameters
        ----------
        text
            ``delay:AVG``, ``delay:PERCENTILES:0.95``, a ratio, an aggregation with one calculation.

        Raises
        ------
        SpecError
            It names nothing, or not one thing.
        """
        if text in self.ratios:
            return self.ratios[text].parts(self.aggregations)
        name = text.partition(SEPARATOR)[0].strip()
        if name not in {aggregation.name for aggregation in self.aggregations}:
            hint = did_you_mean(name, [measure.name for measure in self.measures])
            raise SpecError("measure", [Problem("", f"there is no measure {name!r}", hint)])
        return MeasureReference.of(text, self.aggregations), None

    def _name_problems(self) -> Iterator[Problem]:
        names = {
            "dimensions": [dimension.name for dimension in self.dimensions],
            "measures": [measure.name for measure in self.measures],
            "aggregates": [aggregate.name for aggregate in self.aggregates or ()],
        }
        for path, given in names.items():
            for name, times in Counter(given).items():
                if times > 1:
                    yield Problem(path, f"{name!r} stands here {times} times; names are unique")
        taken = {"dt", *names["dimensions"], *(level.name for level in self.levels)}
        for i, name in enumerate(names["measures"]):
            if name in taken:
                yield Problem(f"measures[{i}].name", f"{name!r} is what answers call a dimension or the time")

    def _measure_problems(self, measure: Measure) -> Iterator[Problem]:
        if isinstance(measure, Ratio):
            yield from measure.problems_with(self.aggregations)
            return
        if SEPARATOR in measure.name:
            yield Problem("name", f"{measure.name!r} has a colon, which stands before a calculation")
        for name in measure.sketch_groupings or ():
            yield from _told("sketch_groupings", lambda name=name: self.columns([name]))

    def _aggregate_problems(self, aggregate: CubeAggregate) -> Iterator[Problem]:
        wrong = [
            problem
            for i, name in enumerate(aggregate.dimensions)
            for problem in _told(f"dimensions[{i}]", lambda name=name: find_level(name, self.levels))
        ]
        yield from wrong
        for i, name in enumerate(aggregate.measures or ()):
            yield from _told(f"measures[{i}]", lambda name=name: self._references(name))
        if not wrong:
            yield from self._interval_problems(aggregate)

    def _interval_problems(self, aggregate: CubeAggregate) -> Iterator[Problem]:
        widths, zone = self._widths(aggregate), self.zone
        width = self.interval(aggregate)
        if width is None and not widths:
            yield Problem("interval", "the width of its buckets is not said", "1h, or a level of time")
        elif width is None:
            shown = ", ".join(map(str, widths))
            yield Problem("interval", f"no one of its levels of time divides the others: {shown}")
        else:
            for coarser in widths:
                if not _divides(width, coarser, zone):
                    yield Problem("interval", f"{width} does not divide its level of time, {coarser}")


def _common(widths: Iterable[Interval], zone: Zone) -> Interval | None:
    """The coarsest width that divides all of some; None where there are none, or none divides them."""
    known = list(widths)
    by_length = sorted({*known, *_DIVIDING}, key=lambda width: -width.seconds_at_most)
    dividing = (width for width in by_length if all(_divides(width, other, zone) for other in known))
    return next(dividing, None) if known else None


def _divides(width: Interval, other: Interval, zone: Zone) -> bool:
    return width == other or width.divides(other, zone, zone)


def _told(path: str, look: Any) -> Iterator[Problem]:
    """What keeps a name from being found."""
    try:
        look()
    except SpecError as error:
        yield from (Problem(path, problem.message, problem.hint) for problem in error.problems)
    except AggflowError as error:
        yield Problem(path, error.message, error.hint)


def _placed(path: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        yield Problem(f"{path}.{problem.path}".rstrip("."), problem.message, problem.hint)
