"""A timing: over which window an endpoint answers, as one total or as a series."""

from __future__ import annotations

from typing import Literal

from aggflow.spec.declaration import Declared, declaration
from aggflow.spec.text import DurationText, IntervalText


@declaration
class Lookback(Declared):
    """One total over the last ``duration``.

    Attributes
    ----------
    duration
        How far back, at least the filter's interval.
    offset
        How long before the end of the question the window ends.
    include_incomplete
        Whether the bucket that is still filling counts; without it the window moves back.
    """

    duration: DurationText
    offset: DurationText = "0s"
    include_incomplete: bool = True
    kind: Literal["lookback"] = "lookback"


@declaration
class TimeSeries(Declared):
    """A value a bucket over the last ``duration``.

    Attributes
    ----------
    duration
        How far back, longer than the interval.
    interval
        Width of a point; None for the filter's own.
    offset
        How long before the end of the question the window ends.
    include_incomplete
        Whether the bucket that is still filling is returned.
    fill
        What stands for buckets without events: nothing (``none``), ``null`` or ``zero``.
    """

    duration: DurationText
    interval: IntervalText | None = None
    offset: DurationText = "0s"
    include_incomplete: bool = False
    fill: Literal["none", "null", "zero"] = "none"
    kind: Literal["time_series"] = "time_series"


Timing = Lookback | TimeSeries
