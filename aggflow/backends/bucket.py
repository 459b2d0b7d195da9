"""A bucket expression: the bucket of a row's time, as a whole number that the backend can group by.

What the backend groups by is the cheapest number that tells buckets apart (microseconds, in UTC or
of a local day, a month); :attr:`BucketExpression.starts` makes starts in seconds of it, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from aggflow.backends.capability import Capability
from aggflow.backends.quirks import floor_to
from aggflow.timeline import BEGINNING, FOREVER, Interval, Window, Zone

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_MONDAY_US = 4 * _DAY_US  # 1970-01-05
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BucketExpression:
    """The bucket of each row.

    Attributes
    ----------
    number
        The number to group by.
    starts
        From such numbers to the starts of their buckets in whole seconds since the epoch.
    """

    number: ir.Value
    starts: Callable[[_Ints], _Ints]


def bucket_of(
    time_us: Any, interval: Interval, zone: Zone, window: Window, can: Capability
) -> BucketExpression:
    """The buckets of an interval in a zone, for rows of a window.

    Parameters
    ----------
    time_us
        Microseconds since the epoch, UTC.
    interval, zone
        What a bucket is.
    window
        Where the rows lie; bounded, unless the interval is shorter than a day or the zone is fixed.
    can
        The backend.
    """
    if interval.unit == "second":
        width = interval.count * _SECOND_US
        return BucketExpression(floor_to(time_us, width, can), lambda numbers: numbers // _SECOND_US)
    if interval.unit in ("day", "week"):
        days, first = (7, _MONDAY_US) if interval.unit == "week" else (interval.count, 0)
        local = _local(time_us, zone, window)
        number: Any = floor_to(local - first if first else local, days * _DAY_US, can)
        return BucketExpression(
            number + first if first else number, lambda numbers: _starts(numbers // _DAY_US, zone)
        )
    # Months: the days' numbers are cut by the few edges that the window has.
    edges = interval.edges(window, zone)
    cases = [(time_us < after, start // _SECOND_US) for start, after in pairwise(edges)]
    last = edges[-1] // _SECOND_US
    month: Any = ibis.cases(*cases, else_=last) if cases else ibis.literal(last, "int64")
    return BucketExpression(month.cast("int64"), lambda starts: starts)


def _local(time_us: Any, zone: Zone, window: Window) -> Any:
    """What clocks of a zone show, as far as it counts local days."""
    if zone.fixed is not None:
        return time_us + zone.fixed * _SECOND_US if zone.fixed else time_us
    shifts = zone.shifts(Window(max(window.start, BEGINNING), min(window.end, FOREVER)))
    cases = [(time_us < at, before * _SECOND_US) for (_, before), (at, _) in pairwise(shifts)]
    last = shifts[-1][1] * _SECOND_US
    return time_us + (ibis.cases(*cases, else_=last) if cases else last)


def _starts(days: _Ints, zone: Zone) -> _Ints:
    found, where = np.unique(days, return_inverse=True)
    starts = np.array([zone.day_start(int(day)) // _SECOND_US for day in found], dtype=np.int64)
    return starts[where]
