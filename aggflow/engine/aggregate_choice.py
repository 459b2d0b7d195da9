"""An aggregate choice: an aggregate of a cube that could be built to answer some questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aggflow.engine.asked_shape import AskedShape
from aggflow.language import implies, read_predicate
from aggflow.measures.registry import state_key
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.cube_rollup import aggregate_rollup, kept_for
from aggflow.spec.measure_reference import MeasureReference
from aggflow.spec.rollup import Rollup
from aggflow.timeline import Interval, Window

# A state whatever groupings it is kept at: measure, field, sub-filter.
_Key: TypeAlias = tuple[str, str, str]
# The widths of buckets that are proposed, coarsest first.
_WIDTHS = tuple(map(Interval.of, ("1y", "1q", "1mo", "1w", "1d", "6h", "1h", "15m", "5m", "1m", "30s")))
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True)
class AggregateChoice:
    """An aggregate that a cube could have.

    Attributes
    ----------
    width
        Of its buckets.
    dimensions
        Levels of the cube, in the cube's order.
    keys
        What it keeps: measure, field and sub-filter of each state.
    measures
        How the cube calls that: aggregations, and single calculations.
    rollup
        What it would materialise.
    """

    width: Interval
    dimensions: tuple[str, ...]
    keys: frozenset[_Key]
    measures: tuple[str, ...]
    rollup: Rollup

    @classmethod
    def of(
        cls, cube: Cube, width: Interval, dimensions: Iterable[str], keys: Iterable[_Key]
    ) -> AggregateChoice:
        """The choice of some levels and states of a cube."""
        wanted, kept = set(dimensions), frozenset(keys)
        levels = tuple(level.name for level in cube.levels if level.name in wanted)
        measures = tuple(_names(cube, kept))
        aggregate = CubeAggregate("choice", str(width), levels, measures)
        return cls(width, levels, kept, measures, aggregate_rollup(cube, aggregate))

    def together(self, other: AggregateChoice, cube: Cube) -> AggregateChoice | None:
        """The smallest choice that has all that two have; None where no width divides those of both."""
        width = _coarsest(
            width
            for width in (*_WIDTHS, self.width, other.width)
            if all(_divides(width, one.width, cube) for one in (self, other))
        )
        if width is None:
            return None
        dimensions = (*self.dimensions, *other.dimensions)
        return AggregateChoice.of(cube, width, dimensions, self.keys | other.keys)


def smallest_choices(cube: Cube, shape: AskedShape, windows: Sequence[Window]) -> list[AggregateChoice]:
    """The smallest aggregates of a cube that answer questions of a shape, one for each width that may do.

    Parameters
    ----------
    cube
        The cube.
    shape
        What is asked.
    windows
        What time the last of the questions was about.

    Returns
    -------
    list of AggregateChoice
        Empty where the cube lacks what is asked for.
    """
    dimensions = _dimensions(cube, shape)
    keys = {(key.measure, key.field, key.where) for key in shape.keys}
    known = {key for aggregation in cube.aggregations for key in _keys(cube, aggregation).values()}
    if dimensions is None or not keys <= known:
        return []
    return [AggregateChoice.of(cube, width, dimensions, keys) for width in _widths(cube, shape, windows)]


def _dimensions(cube: Cube, shape: AskedShape) -> list[str] | None:
    names = {level.level.column: level.name for level in reversed(cube.levels) if not level.is_time}
    needed = set(shape.paths)
    if not implies(read_predicate(cube.where), read_predicate(shape.where)):
        # What the cube holds beyond what is asked for is told apart by its dimensions.
        needed |= {path for path in shape.where_paths if path in shape.plain and path in names}
    return [names[path] for path in needed] if needed <= names.keys() else None


def _names(cube: Cube, wanted: frozenset[_Key]) -> Iterator[str]:
    """What a cube calls some states: whole aggregations where all of theirs are among them."""
    named: set[_Key] = set()
    for aggregation in cube.aggregations:
        keys = _keys(cube, aggregation)
        lacking = (wanted & set(keys.values())) - named
        if lacking and wanted >= set(keys.values()):
            yield aggregation.name
        else:
            calculations = {key: calculation for calculation, key in reversed(keys.items()) if key in lacking}
            yield from (_text(aggregation, calculation) for calculation in calculations.values())
        named |= lacking


def _keys(cube: Cube, aggregation: Aggregation) -> dict[Calculation, _Key]:
    """The states that an aggregation keeps for its calculations."""
    bare = Rollup(cube.source, cube.where, "1h", cube.time_zone, (), ())
    keys = {
        calculation: state_key(kept_for(cube, MeasureReference(aggregation, calculation), ()), bare)
        for calculation in aggregation.calculations
    }
    return {calculation: (key.measure, key.field, key.where) for calculation, key in keys.items()}


def _text(aggregation: Aggregation, calculation: Calculation) -> str:
    # A text names a percentile; whichever it is, all of them are kept.
    percentile = "0.5" if calculation is Calculation.PERCENTILES else None
    return MeasureReference(aggregation, calculation, percentile).text


def _widths(cube: Cube, shape: AskedShape, windows: Sequence[Window]) -> list[Interval]:
    """The coarsest width whose buckets the windows' edges do not cut; where all of them do, an hour, a day.

    No coarser ones: the bucket that an edge cuts is read from the source, and so are those that are
    not over yet.
    """
    own = () if shape.series is None else (shape.series,)
    fitting = [
        width
        for width in (*_WIDTHS, *own)
        if shape.series is None
        or width.divides(shape.series, cube.zone, shape.zone)
        or (width == shape.series and cube.zone == shape.zone)
    ]
    edges = [edge for window in windows for edge in (window.start, window.end)]
    exact = _coarsest(w for w in fitting if all(w.floor(edge, cube.zone) == edge for edge in edges))
    if exact is not None and exact.seconds_at_most >= _HOUR:
        return [exact]
    found = (_coarsest(w for w in fitting if w.seconds_at_most <= most) for most in (_HOUR, _DAY))
    return list(dict.fromkeys(width for width in found if width is not None))


def _divides(width: Interval, other: Interval, cube: Cube) -> bool:
    return width == other or width.divides(other, cube.zone, cube.zone)


def _coarsest(widths: Iterable[Interval]) -> Interval | None:
    return max(widths, key=lambda width: width.seconds_at_most, default=None)
