"""An additive state: a count, or a count and a sum; merged by adding.

Sums of integers and decimals are exact: they travel as two whole numbers, the low 32 bits and
the rest (limbs), so that no partial sum passes through a float or wraps around.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.errors import TotalOverflowError
from aggflow.measures.kind import Kind
from aggflow.measures.state import Array, Groups, Int64s, State, StateColumn, Values, array_of
from aggflow.spec.calculation import Calculation

LIMB = 1 << 32
_MASK = np.int64(LIMB - 1)
# Of its own, so that no setting of the program rounds: limbs hold 29 digits at the most.
_EXACT = Context(prec=40)


class Count:
    """How many rows there are that match predicate and sub-filter; the field is not looked at."""

    name = "count"
    calculations = (Calculation.COUNT,)

    def accepts(self, kind: Kind) -> bool:
        """Any field can be counted: COUNT counts rows."""
        return True

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``rows``: int64."""
        return (StateColumn("rows", pa.int64(), 0),)

    def build(self, value: Any, kind: Kind, shift: float) -> dict[str, ir.Scalar]:
        """Count what is not null."""
        return {"rows": value.count()}

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """Add."""
        return {"rows": groups.reduce(np.add, array_of(state, "rows"))}

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """The count itself; 0 where there is none."""
        return Values(array_of(state, "rows"))


class Total:
    """How many numbers there are, and their sum."""

    name = "total"
    calculations = (Calculation.SUM, Calculation.AVG)

    def accepts(self, kind: Kind) -> bool:
        """Numbers."""
        return kind.is_number

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``n``, and ``sum`` of floats or ``high`` and ``low`` of exact numbers."""
        count = StateColumn("n", pa.int64(), 0)
        if kind.is_exact:
            return (count, StateColumn("high", pa.int64(), 0), StateColumn("low", pa.int64(), 0))
        return (count, StateColumn("sum", pa.float64(), 0.0))

    def build(self, value: Any, kind: Kind, shift: float) -> dict[str, ir.Scalar]:
        """Count and add; whole numbers of 64 bits by limbs, narrower ones at once."""
        if not kind.is_exact:
            return {"n": value.count(), "sum": value.sum()}
        if value.type().nbytes <= 4:
            wide = value.cast("int64")
            return {"n": value.count(), "high": (wide * 0).sum(), "low": wide.sum()}
        # By bits, of which no backend makes floats.
        return {"n": value.count(), "high": (value >> 32).sum(), "low": (value & (LIMB - 1)).sum()}

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """Add, the low limbs' carry into the high ones."""
        n = groups.reduce(np.add, array_of(state, "n"))
        if not kind.is_exact:
            with np.errstate(over="ignore", invalid="ignore"):  # finish says so
                return {"n": n, "sum": groups.reduce(np.add, array_of(state, "sum"))}
        high, low = _carried(array_of(state, "high"), array_of(state, "low"))
        high, low = _carried(groups.reduce(np.add, high), groups.reduce(np.add, low))
        return {"n": n, "high": high, "low": low}

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """SUM: the sum; AVG: sum / n; null where there was no number."""
        n = array_of(state, "n")
        valid = n > 0
        if not kind.is_exact:
            total = finite(array_of(state, "sum"), "sum")
        else:
            high, low = _carried(array_of(state, "high"), array_of(state, "low"))
            if calculation is Calculation.SUM:
                return Values(_total(high, low, kind), valid)
            # Both limbs are exact as floats: rounded once, and never too large.
            total = high * float(LIMB) + low
        if calculation is Calculation.AVG:
            total = np.divide(total, n, out=np.full(len(n), np.nan), where=valid)
        return Values(total / 10**kind.scale if kind.scale else total, valid)


def scaled(unscaled: Array, kind: Kind) -> Array:
    """Whole numbers, or the decimals whose unscaled values they are."""
    if kind.name != "decimal":
        return unscaled
    decimals = np.empty(len(unscaled), dtype=object)
    decimals[:] = [Decimal(value).scaleb(-kind.scale, _EXACT) for value in unscaled.tolist()]
    return decimals


def finite(numbers: Array, what: str) -> Array:
    """The same numbers, made of finite ones.

    Raises
    ------
    TotalOverflowError
        One of them left the range of floats on its way.
    """
    if not bool(np.isfinite(numbers).all()):
        raise TotalOverflowError(
            f"the {what} is larger than a floating-point number can be",
            hint="leave out the rows with extreme values by a sub-filter, or scale the field in the source",
        )
    return numbers


def _carried(high: Int64s, low: Int64s) -> tuple[Int64s, Int64s]:
    return high + (low >> 32), low & _MASK


def _total(high: Int64s, low: Int64s, kind: Kind) -> Array:
    if kind.name == "decimal":
        return scaled((high.astype(object) << 32) | low, kind)
    if len(high) and (high.max() >= LIMB // 2 or high.min() < -(LIMB // 2)):
        raise TotalOverflowError(
            "the exact sum is larger than a 64-bit integer",
            hint="ask for a shorter window, or sum a floating-point cast of the field",
        )
    return (high << 32) | low
