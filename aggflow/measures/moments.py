"""Moments: count, mean and sum of squared deviations; merged by Chan's parallel rule.

Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for
Computing Sample Variances" (1979), eq. 2.1.  Sums of squares are never formed: at a mean of 1e9
and a variance of 1 they would hold no digit of it.
"""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from aggflow.measures.additive import finite
from aggflow.measures.kind import Kind
from aggflow.measures.state import Groups, State, StateColumn, Values, array_of
from aggflow.spec.calculation import Calculation

_SAMPLE = (Calculation.VAR, Calculation.STDDEV)
_ROOT = (Calculation.STDDEV, Calculation.STDDEV_POP)


def shift_of(least: float | None, most: float | None) -> float:
    """What to take from every value before it is squared: the smallest, if that loses nothing.

    Backends round means and deviations as they go, relative to the values' size.  Where the largest
    is at most twice the smallest, or the other way below zero, a difference of two is exact
    (P. H. Sterbenz, "Floating-Point Computation", 1974, theorem 4.3.1), and small numbers remain.

    Examples
    --------
    >>> shift_of(999_999_997.5, 1_000_000_003.0), shift_of(1.0, 2.5), shift_of(-3, -2), shift_of(None, None)
    (999999997.5, 0, -3, 0)
    """
    if least is None or most is None:
        return 0
    near = (least > 0 and most - least <= least) or (most < 0 and most - least <= -most)
    return least if near else 0


class Moments:
    """Count, mean and sum of squared deviations from the mean (M2)."""

    name = "moments"
    calculations = (Calculation.VAR, Calculation.STDDEV, Calculation.VAR_POP, Calculation.STDDEV_POP)

    def accepts(self, kind: Kind) -> bool:
        """Numbers."""
        return kind.is_number

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``n`` int64, ``mean`` and ``m2`` float64, both in the field's own unit."""
        return (
            StateColumn("n", pa.int64(), 0),
            StateColumn("mean", pa.float64(), 0.0),
            StateColumn("m2", pa.float64(), 0.0),
        )

    def build(self, value: Any, kind: Kind, shift: float) -> dict[str, ir.Scalar]:
        """The backend's mean and population variance, times the count, both of value - shift."""
        number = (value - shift if shift else value).cast("float64")
        n, mean, variance = value.count(), number.mean() + float(shift), number.var(how="pop")
        unit = 10.0**kind.scale
        return {"n": n, "mean": mean / unit, "m2": variance * n / (unit * unit)}

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """Chan's rule, the deviations taken from the merged mean."""
        n, mean, m2 = (array_of(state, name) for name in ("n", "mean", "m2"))
        total = groups.reduce(np.add, n)
        # The merged mean as a step from one of the means, so that a large common part cancels first.
        anchor = groups.reduce(np.fmax, np.where(n > 0, mean, -np.inf))
        anchor = np.where(total > 0, anchor, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # finish says so
            step = groups.reduce(np.add, n * (mean - anchor[groups.codes]))
            merged = anchor + np.divide(step, total, out=np.zeros(len(total)), where=total > 0)
            apart = mean - merged[groups.codes]
            return {"n": total, "mean": merged, "m2": groups.reduce(np.add, m2 + n * apart * apart)}

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """Variance or its root; null where there are too few numbers (2 of a sample, else 1)."""
        less = 1 if calculation in _SAMPLE else 0
        n = array_of(state, "n")
        valid = n > less
        m2 = finite(array_of(state, "m2"), "sum of squared deviations")
        variance = np.divide(m2, n - less, out=np.full(len(n), np.nan), where=valid)
        return Values(np.sqrt(variance) if calculation in _ROOT else variance, valid)
