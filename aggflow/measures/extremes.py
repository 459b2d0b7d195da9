"""Extremes: the smallest and the largest value; merged by comparing."""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.measures.additive import scaled
from aggflow.measures.kind import Kind
from aggflow.measures.state import Groups, State, StateColumn, Values, array_of
from aggflow.spec.calculation import Calculation

_MOST = np.iinfo(np.int64).max
_LEAST = np.iinfo(np.int64).min


class Extremes:
    """The smallest and the largest number.

    A cell without a number holds NaN, or for exact numbers a smallest above its largest, which no
    data can have.
    """

    name = "extremes"
    calculations = (Calculation.MIN, Calculation.MAX)

    def accepts(self, kind: Kind) -> bool:
        """Numbers."""
        return kind.is_number

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``min`` and ``max``, int64 of exact numbers, float64 of others."""
        if kind.is_exact:
            return (StateColumn("min", pa.int64(), _MOST), StateColumn("max", pa.int64(), _LEAST))
        return (StateColumn("min", pa.float64(), np.nan), StateColumn("max", pa.float64(), np.nan))

    def build(self, value: Any, kind: Kind, shift: float) -> dict[str, ir.Scalar]:
        """The backend's own min and max."""
        return {"min": value.min(), "max": value.max()}

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """The smaller of the smallest, the larger of the largest."""
        small, large = (np.minimum, np.maximum) if kind.is_exact else (np.fmin, np.fmax)
        return {
            "min": groups.reduce(small, array_of(state, "min")),
            "max": groups.reduce(large, array_of(state, "max")),
        }

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """One of the two; null where there was no number."""
        wanted = array_of(state, "min" if calculation is Calculation.MIN else "max")
        if not kind.is_exact:
            return Values.floats(wanted)
        valid = array_of(state, "min") <= array_of(state, "max")
        return Values(scaled(np.where(valid, wanted, 0), kind), valid)
