"""A cube's rollup: what one aggregate of a cube materialises."""

from __future__ import annotations

from collections.abc import Iterable

from aggflow.errors import Problem, SpecError
from aggflow.language import canonical_subject
from aggflow.spec.cube import Cube
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.measure_reference import MeasureReference
from aggflow.spec.rollup import Kept, Rollup, sorted_kept


def cube_rollups(cube: Cube) -> dict[str, Rollup]:
    """What a cube materialises, by the names of its aggregates."""
    return {aggregate.name: aggregate_rollup(cube, aggregate) for aggregate in cube.materialised}


def aggregate_rollup(cube: Cube, aggregate: CubeAggregate) -> Rollup:
    """What one aggregate materialises."""
    groupings = _columns(cube, aggregate.dimensions)
    width = cube.interval(aggregate)
    if width is None:
        raise SpecError(f"aggregate {aggregate.name!r}", [Problem("interval", "is not said")])
    return Rollup(
        source=cube.source,
        where=cube.where,
        interval=str(width),
        time_zone=cube.time_zone,
        groupings=groupings,
        kept=sorted_kept(kept_for(cube, one, groupings) for one in cube.references(aggregate.measures)),
    )


def kept_for(cube: Cube, reference: MeasureReference, groupings: tuple[str, ...]) -> Kept:
    """What is kept for one calculation where there are these groupings.

    Sketches that are kept by some groupings only are kept by those of them that there are.
    """
    aggregation, calculation = reference.aggregation, reference.calculation
    coarse = aggregation.sketch_groupings if calculation.is_sketch else None
    kept_by = None
    if coarse is not None:
        wanted = set(_columns(cube, coarse))
        kept_by = tuple(path for path in groupings if path in wanted)
        kept_by = None if len(kept_by) == len(groupings) else kept_by
    needed = aggregation.field if calculation.needs_field else None
    field = None if needed is None else canonical_subject(needed)
    return Kept(field=field, where=aggregation.where, calculation=calculation, groupings=kept_by)


def _columns(cube: Cube, names: Iterable[str]) -> tuple[str, ...]:
    """What dimensions and levels group by, in the cube's order, each once."""
    return tuple(dict.fromkeys(level.level.column for level in cube.columns(names)))
