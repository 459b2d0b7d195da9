"""An open bucket: one of a series that ends after the last instant whose events are known."""

from __future__ import annotations

from aggflow.measures.state import Int64s
from aggflow.timeline import Interval, Micros, Zone

_SECOND_US = 1_000_000


def open_from(buckets: Int64s, series: Interval, zone: Zone, until: Micros) -> int | None:
    """The first bucket of a series that is not complete.

    Parameters
    ----------
    buckets
        The start of every row's bucket in whole seconds since the epoch, in any order.
    series, zone
        What the buckets are of.
    until
        Events before this instant are known.

    Returns
    -------
    int or None
        Its start in whole seconds; None where all are complete.

    Examples
    --------
    >>> import numpy as np
    >>> from aggflow.timeline import UTC
    >>> hours = np.array([0, 3600, 7200])
    >>> [open_from(hours, Interval.of("1h"), UTC, until * 1_000_000) for until in (10800, 10799, 3600)]
    [None, 7200, 3600]
    """
    if not len(buckets) or series.next(int(buckets.max()) * _SECOND_US, zone) <= until:
        return None
    # The bucket that the last instant lies in; what begins later is open as well.
    first = series.floor(until, zone) // _SECOND_US
    return int(buckets[buckets >= first].min())
