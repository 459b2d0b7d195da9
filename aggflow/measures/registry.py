"""The registry: which measure keeps the states of each calculation."""

from __future__ import annotations

from typing import NamedTuple

from aggflow.measures.additive import Count, Total
from aggflow.measures.distinct import Distinct
from aggflow.measures.extremes import Extremes
from aggflow.measures.moments import Moments
from aggflow.measures.ordered import Ordered
from aggflow.measures.quantile import Quantile
from aggflow.measures.state import CellMeasure, Measure, OrderedMeasure, SketchMeasure
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept, Rollup

CELL_MEASURES: tuple[CellMeasure, ...] = (Count(), Total(), Extremes(), Moments())
ORDERED_MEASURES: tuple[OrderedMeasure, ...] = (Ordered(latest=False), Ordered(latest=True))
SKETCH_MEASURES: tuple[SketchMeasure, ...] = (Quantile(), Distinct())

MEASURES: dict[str, Measure] = {
    measure.name: measure for measure in (*CELL_MEASURES, *ORDERED_MEASURES, *SKETCH_MEASURES)
}
_BY_CALCULATION: dict[Calculation, Measure] = {
    calculation: measure for measure in MEASURES.values() for calculation in measure.calculations
}


def measure_of(calculation: Calculation) -> Measure:
    """The measure that keeps a calculation's states."""
    return _BY_CALCULATION[calculation]


class StateKey(NamedTuple):
    """Names one state of a rollup: a measure of a field under a sub-filter, at some groupings.

    Attributes
    ----------
    measure
        Name of the measure.
    field
        Column or path; empty for rows.
    where
        The sub-filter in JPath; empty for none.
    groupings
        Paths of the groupings at which it is kept.
    """

    measure: str
    field: str
    where: str
    groupings: tuple[str, ...]

    @property
    def text(self) -> str:
        """What its columns in segments are called, before the part: ``total(dep_delay)``."""
        inner = self.field or "*"
        return f"{self.measure}({inner}{' where ' + self.where if self.where else ''})"


def state_key(kept: Kept, rollup: Rollup) -> StateKey:
    """The state that serves what is kept."""
    measure = measure_of(kept.calculation)
    groupings = rollup.groupings if kept.groupings is None else kept.groupings
    return StateKey(measure.name, kept.field or "", kept.where, groupings)


def state_keys(rollup: Rollup) -> tuple[StateKey, ...]:
    """All states of a rollup, each once."""
    return tuple(sorted({state_key(kept, rollup) for kept in rollup.kept}))
