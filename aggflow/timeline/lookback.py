"""A lookback: which buckets a question about the last so much time selects."""

from __future__ import annotations

from aggflow.errors import QueryError
from aggflow.timeline.duration import Duration
from aggflow.timeline.instant import FOREVER, Micros, format_instant
from aggflow.timeline.interval import Interval
from aggflow.timeline.window import Window
from aggflow.timeline.zone import Zone


def lookback(
    end_us: Micros,
    *,
    interval: Interval,
    zone: Zone,
    duration: Duration,
    offset: Duration,
    include_incomplete: bool,
) -> Window:
    """The whole buckets that a lookback selects.

    The end is moved back by the offset and, where incomplete buckets are left out, to the
    start of its bucket; the start lies a duration before that.  A bucket is selected where its
    start lies in between.

    Parameters
    ----------
    end_us
        The end that was asked for, or now; microseconds since the epoch.
    interval, zone
        What a bucket is.
    duration, offset
        How far back to look, and from how far back.
    include_incomplete
        Whether the bucket that the end lies in counts as far as it is filled.

    Returns
    -------
    Window
        From the start of the first selected bucket to the end of the last: whole buckets.  The
        last may reach past the end: windows select buckets, they never cut events.

    Raises
    ------
    QueryError
        No bucket starts in that time, or the end is the end of time.

    Examples
    --------
    >>> minutes = [Duration.of(f"{n}m") for n in (0, 3)]
    >>> window = lookback(
    ...     7 * 60_000_000, interval=Interval.of("2m"), zone=Zone.of("UTC"),
    ...     duration=minutes[1], offset=minutes[0], include_incomplete=False,
    ... )
    >>> window.start // 60_000_000, window.end // 60_000_000
    (4, 6)
    """
    if end_us >= FOREVER:
        raise QueryError("a lookback needs an end", hint="give an end, or none at all for now")
    end = offset.before(end_us, zone)
    if not include_incomplete:
        end = interval.floor(end, zone)
    start = duration.before(end, zone)
    first, after_last = interval.ceil(start, zone), interval.ceil(end, zone)
    if first >= after_last:
        raise QueryError(
            f"no bucket of {interval} starts between {format_instant(start)} and {format_instant(end)}",
            hint=f"the duration {duration} must be at least the interval",
        )
    return Window(first, after_last)
