"""An interval: the width of buckets, and where they start.

Widths below a day are aligned to the epoch, whatever the zone.  A day and longer follow the
calendar of a zone: days counted from 1970-01-01, weeks from Monday, months from January 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aggflow.errors import ParseError, QueryError
from aggflow.timeline.civil import day_of_civil, day_of_month, month_of_day
from aggflow.timeline.instant import BEGINNING, DAY_SECONDS, DAY_US, FOREVER, SECOND_US, Micros
from aggflow.timeline.span import EXPECTED, MONTHS, Span, Unit, canonical, parse_span
from aggflow.timeline.window import Window
from aggflow.timeline.zone import UTC, Zone

SMALLEST_SECONDS: Final = 1  # filters ask for more
LARGEST_YEARS: Final = 100

_LARGEST: Final[dict[Unit, int]] = {
    "second": DAY_SECONDS - 1,
    "day": 36_525,
    "week": 1,
    "month": 12 * LARGEST_YEARS,
    "quarter": 4 * LARGEST_YEARS,
    "year": LARGEST_YEARS,
}
_MONDAY: Final = 4  # 1970-01-05
_LONGEST_DAYS: Final[dict[Unit, int]] = {"month": 31, "quarter": 92, "year": 366}
# From 1970 on; rules of today are in force long before the end.
_PRESENT: Final = Window(0, day_of_civil(2100, 1, 1) * DAY_US)


@dataclass(frozen=True, slots=True)
class Interval:
    """So many of one unit; made by `Interval.of`, equal where the buckets are equal.

    Attributes
    ----------
    unit
        ``second`` for widths below a day, else ``day``, ``week``, ``month``, ``quarter``, ``year``.
    count
        How many of them.

    Raises
    ------
    ParseError
        Shorter than a second, longer than 100 years, or longer than a day and none of the
        calendar's lengths.
    """

    unit: Unit
    count: int

    def __post_init__(self) -> None:
        span = canonical(self.count, self.unit)
        problem, hint = _problem(span.count, span.unit)
        if problem:
            text = str(Span(self.count, self.unit))
            raise ParseError(problem, text=text, position=0, expected=EXPECTED, hint=hint)
        object.__setattr__(self, "count", span.count)
        object.__setattr__(self, "unit", span.unit)

    @staticmethod
    def of(value: str | int | timedelta | Interval) -> Interval:
        """The interval of a text, of milliseconds or of a ``timedelta``.

        Parameters
        ----------
        value
            ``30s 13m 1h 1d 7d 1w 1mo 1q 1y``, milliseconds as a number or digits, a ``timedelta``.

        Raises
        ------
        ParseError
            It is no interval.

        Examples
        --------
        >>> Interval.of("24h") == Interval.of(86_400_000) == Interval.of(timedelta(days=1))
        True
        >>> str(Interval.of("90m")), str(Interval.of("12mo"))
        ('90m', '1y')
        """
        return value if isinstance(value, Interval) else _interval_of(value)

    @property
    def is_calendar(self) -> bool:
        """Whether it is a day or longer, so that a zone moves its buckets."""
        return self.unit != "second"

    @property
    def seconds(self) -> int | None:
        """Its length in seconds, a day being 86,400; None for months, quarters and years."""
        if self.unit in MONTHS:
            return None
        days = {"second": 0, "day": 1, "week": 7}[self.unit]
        return self.count * (days * DAY_SECONDS or 1)

    @property
    def seconds_at_most(self) -> int:
        """The length of its longest bucket in seconds, a day being 86,400.

        Examples
        --------
        >>> Interval.of("1mo").seconds_at_most // 86_400
        31
        """
        return self.seconds or self.count * _LONGEST_DAYS[self.unit] * DAY_SECONDS

    @property
    def months(self) -> int:
        """How many months it lasts; 0 where it is no whole number of months."""
        return self.count * MONTHS.get(self.unit, 0)

    def floor(self, us: Micros, zone: Zone = UTC) -> Micros:
        """The start of the bucket that holds an instant.

        The two infinities stay what they are.

        Examples
        --------
        >>> Interval.of("1h").floor(-1)
        -3600000000
        """
        if us <= BEGINNING or us >= FOREVER:
            return us
        if self.unit == "second":
            return us - us % (self.count * SECOND_US)
        return zone.day_start(self._first_day(zone.local_day(us)))

    def next(self, us: Micros, zone: Zone = UTC) -> Micros:
        """The start of the bucket after the one that holds an instant.

        Examples
        --------
        >>> Interval.of("1h").next(0)
        3600000000
        """
        if us <= BEGINNING or us >= FOREVER:
            return us
        if self.unit == "second":
            width = self.count * SECOND_US
            return us - us % width + width
        return zone.day_start(self._day_after(self._first_day(zone.local_day(us))))

    def ceil(self, us: Micros, zone: Zone = UTC) -> Micros:
        """The instant itself where a bucket starts at it, else the start of the next.

        Examples
        --------
        >>> Interval.of("1h").ceil(0), Interval.of("1h").ceil(1)
        (0, 3600000000)
        """
        return us if self.floor(us, zone) == us else self.next(us, zone)

    def starting(self, start: Micros, end: Micros, zone: Zone = UTC) -> Window | None:
        """The whole buckets that start from one instant on and before another; None where none does.

        Examples
        --------
        >>> Interval.of("1h").starting(1, 3_600_000_001), Interval.of("1h").starting(1, 2)
        (Window(start=3600000000, end=7200000000), None)
        """
        first, after_last = self.ceil(start, zone), self.ceil(end, zone)
        return Window(first, after_last) if first < after_last else None

    def edges(self, window: Window, zone: Zone = UTC) -> list[Micros]:
        """The starts of all buckets that touch a window, rising.

        Raises
        ------
        QueryError
            The window has no beginning or no end.

        Examples
        --------
        >>> Interval.of("1h").edges(Window(1, 3_600_000_001))
        [0, 3600000000]
        """
        if not window.is_bounded:
            raise QueryError(
                f"the window {window} has no end of buckets", hint="give it a beginning and an end"
            )
        if self.unit == "second":
            return list(range(self.floor(window.start, zone), window.end, self.count * SECOND_US))
        return list(self._calendar_edges(window, zone))

    def _calendar_edges(self, window: Window, zone: Zone) -> Iterator[Micros]:
        day = self._first_day(zone.local_day(window.start))
        start = zone.day_start(day)
        while start < window.end:
            day = self._day_after(day)
            following = zone.day_start(day)
            # A day that the zone skipped starts when the next one does: it is no bucket.
            if following > start:
                yield start
            start = following

    def floor_buckets(self, buckets: NDArray[np.int64], zone: Zone = UTC) -> NDArray[np.int64]:
        """The buckets of this interval that hold the starts of finer ones.

        Parameters
        ----------
        buckets
            Starts in whole seconds since the epoch, shape ``(n,)``, in any order.
        zone
            The zone of this interval's buckets.

        Returns
        -------
        ndarray of int64
            Starts in whole seconds, shape ``(n,)``: `floor` of each.

        Examples
        --------
        >>> Interval.of("1d").floor_buckets(np.array([0, 86_399, 86_400]))
        array([    0,     0, 86400])
        """
        if self.unit == "second":
            return buckets - buckets % self.count
        if zone.fixed is not None:
            return self._floor_local(buckets + zone.fixed) - zone.fixed
        if buckets.size == 0:
            return buckets.copy()
        return self._floor_zoned(buckets, zone)

    def _floor_local(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """`floor` where days have 86,400 seconds."""
        if self.months:
            months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
            first = months - months % self.months
            return first.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
        width = self.count * (7 if self.unit == "week" else 1) * DAY_SECONDS
        aligned = _MONDAY * DAY_SECONDS if self.unit == "week" else 0
        return seconds - (seconds - aligned) % width

    def _floor_zoned(self, buckets: NDArray[np.int64], zone: Zone) -> NDArray[np.int64]:
        low, high = int(buckets.min()), int(buckets.max())
        # Few buckets strewn over a long time: cheaper one by one than through all edges.
        if (high - low) // self.seconds_at_most > buckets.size:
            found, where = np.unique(buckets, return_inverse=True)
            floors = [self.floor(int(bucket) * SECOND_US, zone) // SECOND_US for bucket in found]
            return np.array(floors, dtype=np.int64)[where]
        window = Window(low * SECOND_US, high * SECOND_US + 1)
        edges = np.array(self.edges(window, zone), dtype=np.int64) // SECOND_US
        return edges[np.searchsorted(edges, buckets, side="right") - 1]

    def divides(self, other: Interval, zone: Zone, other_zone: Zone, *, window: Window | None = None) -> bool:
        """Whether every bucket of another interval is exactly a union of buckets of this one.

        Parameters
        ----------
        other
            The coarser interval.
        zone, other_zone
            The zone of this interval's buckets, and of the other's.
        window
            The time for which it must hold; from 1970 on where none is given, since clocks of
            older times were set by the sun.

        Examples
        --------
        >>> quarter, day = Interval.of("15m"), Interval.of("1d")
        >>> quarter.divides(day, UTC, Zone.of("Asia/Kathmandu"))
        True
        >>> Interval.of("1h").divides(day, UTC, Zone.of("Asia/Kathmandu"))
        False
        """
        if self.unit == "second":
            if other.unit == "second":
                return other.count % self.count == 0
            days = other.count if other.unit == "day" else 1
            return _borders_midnights(self.count, days, other_zone, window or _PRESENT)
        if zone != other_zone or other.unit == "second":
            return False
        if self.months or other.months:
            return other.months % self.months == 0 if self.months and other.months else self._is_a_day
        return other.count % self.count == 0 if self.unit == other.unit else self._is_a_day

    @property
    def _is_a_day(self) -> bool:
        return self.unit == "day" and self.count == 1

    def _first_day(self, day: int) -> int:
        """The first local day of the bucket that holds a local day."""
        if self.unit == "day":
            return day - day % self.count
        if self.unit == "week":
            return day - (day - _MONDAY) % 7
        month = month_of_day(day)
        return day_of_month(month - month % self.months)

    def _day_after(self, first: int) -> int:
        """The first local day of the bucket after the one that starts with a local day."""
        if self.unit == "day":
            return first + self.count
        if self.unit == "week":
            return first + 7
        return day_of_month(month_of_day(first) + self.months)

    def __str__(self) -> str:
        return str(Span(self.count, self.unit))


@lru_cache(maxsize=4096)
def _borders_midnights(width: int, days: int, zone: Zone, window: Window) -> bool:
    """Whether every local midnight, or every so many of them, is a border of a width in seconds."""
    if days * DAY_SECONDS % width:
        return False
    shifts = zone.shifts(window)
    if any(offset % width for _, offset in shifts):
        return False
    # Where a gap swallows a midnight, the day starts with the change itself.
    return not any(
        at // SECOND_US % width
        for (_, old), (at, new) in pairwise(shifts)
        if (at - 1 + old * SECOND_US) // DAY_US < (at + new * SECOND_US) // DAY_US
    )


def _problem(count: int, unit: Unit) -> tuple[str, str]:
    """What is wrong with an interval, and what to do; two empty texts where nothing is."""
    if unit == "second" and count < SMALLEST_SECONDS:
        return "the interval is shorter than a second", ""
    if unit == "second" and count > DAY_SECONDS:
        return "an interval above a day is whole days, a week, months, quarters or years", ""
    if unit == "week" and count > 1:
        return "an interval of weeks is one week", f"{7 * count}d are days counted from 1970-01-01"
    if count < 1:
        return "the interval has no length", ""
    if count > _LARGEST[unit]:
        return "the interval is longer than 100 years", ""
    return "", ""


@lru_cache(maxsize=4096)
def _interval_of(value: str | int | timedelta) -> Interval:
    span = parse_span(value, "interval")
    return Interval(span.unit, span.count)
