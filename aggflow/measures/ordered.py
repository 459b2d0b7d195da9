"""An ordered state: the value of the earliest or the latest row; merged by time."""

# Ibis and pyarrow are untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

import numpy as np
import pyarrow as pa

from aggflow.measures.additive import scaled
from aggflow.measures.kind import Kind
from aggflow.measures.state import Array, Groups, State, StateColumn, Values, array_of
from aggflow.spec.calculation import Calculation
from aggflow.timeline import BEGINNING, FOREVER

_VALUES = {"float": (pa.float64(), np.nan), "text": (pa.string(), None), "boolean": (pa.bool_(), None)}


class Ordered:
    """The value of the earliest (FIRST) or latest (LAST) row that has one.

    Rows of one time are told apart by the value: FIRST keeps the smallest, LAST the largest, so
    that the answer does not hang on the order in which rows are stored.
    """

    def __init__(self, *, latest: bool) -> None:
        self.latest = latest
        self.name = "last" if latest else "first"
        self.calculations = (Calculation.LAST if latest else Calculation.FIRST,)

    def accepts(self, kind: Kind) -> bool:
        """Any field."""
        return kind.name != "rows"

    def columns(self, kind: Kind) -> tuple[StateColumn, ...]:
        """``time`` in microseconds since the epoch, and ``value``."""
        value, neutral = _VALUES.get(kind.name, (pa.int64(), 0))
        never = BEGINNING if self.latest else FOREVER
        return (StateColumn("time", pa.int64(), never), StateColumn("value", value, neutral))

    def merge(self, state: State, groups: Groups, kind: Kind) -> State:
        """The earlier (later) time's value."""
        time, value = array_of(state, "time"), array_of(state, "value")
        best = groups.reduce(np.maximum if self.latest else np.minimum, time)
        tied = np.flatnonzero(time == best[groups.codes])
        order = np.lexsort((_ranks(value[tied]), groups.codes[tied]))
        codes = groups.codes[tied][order]
        if self.latest:
            at = np.searchsorted(codes, np.arange(groups.count), side="right") - 1
        else:
            at = np.searchsorted(codes, np.arange(groups.count))
        kept = tied[order[at]]
        return {"time": time[kept], "value": value[kept]}

    def finish(self, state: State, calculation: Calculation, kind: Kind, percentile: str | None) -> Values:
        """The value; null where no row had one."""
        time, value = array_of(state, "time"), array_of(state, "value")
        valid = time != (BEGINNING if self.latest else FOREVER)
        return Values(scaled(value, kind) if kind.is_exact else value, valid)


def _ranks(value: Array) -> Array:
    if value.dtype != object:
        return value
    known = sorted({v for v in value if v is not None})
    rank = {v: i for i, v in enumerate(known)}
    return np.array([rank.get(v, -1) for v in value], dtype=np.int64)
