"""A duration: how far back a question looks, or how far it is moved back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from aggflow.errors import ParseError
from aggflow.timeline.civil import civil_of_day, day_of_month, month_of_day
from aggflow.timeline.instant import BEGINNING, DAY_SECONDS, DAY_US, FOREVER, SECOND_US, Micros
from aggflow.timeline.interval import Interval
from aggflow.timeline.span import EXPECTED, MONTHS, Span, Unit, canonical, parse_span
from aggflow.timeline.zone import UTC, Zone

LARGEST_YEARS: Final = 10_000

_LEAST_DAYS: Final[dict[Unit, int]] = {"day": 1, "month": 28, "quarter": 89, "year": 365}


@dataclass(frozen=True, slots=True)
class Duration:
    """So many seconds, days, months, quarters or years, none being allowed; made by `Duration.of`.

    Attributes
    ----------
    unit
        ``second`` for what is no whole number of days, else ``day``, ``month``, ``quarter``, ``year``.
    count
        How many of them, 0 or more.

    Raises
    ------
    ParseError
        Negative, or longer than 10,000 years.
    """

    unit: Unit
    count: int

    def __post_init__(self) -> None:
        weeks = self.unit == "week"
        span = canonical(self.count * 7, "day") if weeks else canonical(self.count, self.unit)
        if span.count < 0:
            raise ParseError("the duration is negative", text=str(span), position=0, expected=EXPECTED)
        # No time at all is no time in any unit.
        object.__setattr__(self, "count", span.count)
        object.__setattr__(self, "unit", span.unit if span.count else "second")
        if self.seconds_at_least > LARGEST_YEARS * 365 * DAY_SECONDS:
            raise ParseError("the duration is longer than 10,000 years", text=str(self), position=0)

    @staticmethod
    def of(value: str | int | timedelta | Duration) -> Duration:
        """The duration of a text, of milliseconds or of a ``timedelta``.

        Parameters
        ----------
        value
            ``0s 4m 36h 30d 2w 1mo 1q 1y``, milliseconds as a number or digits, a ``timedelta``.

        Raises
        ------
        ParseError
            It is no duration.

        Examples
        --------
        >>> str(Duration.of("240s")), str(Duration.of("2w")), str(Duration.of(0))
        ('4m', '14d', '0s')
        """
        return value if isinstance(value, Duration) else _duration_of(value)

    @property
    def seconds_at_least(self) -> int:
        """The fewest seconds it can last, a day being 86,400 and a month at least 28 days.

        Examples
        --------
        >>> Duration.of("1mo").seconds_at_least // 86_400
        28
        """
        return self.count * _LEAST_DAYS.get(self.unit, 0) * DAY_SECONDS or self.count

    def reaches(self, interval: Interval) -> bool:
        """Whether it is never shorter than a bucket of an interval.

        Examples
        --------
        >>> Duration.of("1mo").reaches(Interval.of("1mo")), Duration.of("30d").reaches(Interval.of("1mo"))
        (True, False)
        """
        return self._excess(interval) >= 0

    def exceeds(self, interval: Interval) -> bool:
        """Whether it is always longer than a bucket of an interval.

        Examples
        --------
        >>> Duration.of("1d").exceeds(Interval.of("24h")), Duration.of("2d").exceeds(Interval.of("1d"))
        (False, True)
        """
        return self._excess(interval) > 0

    def _excess(self, interval: Interval) -> int:
        months = self.count * MONTHS.get(self.unit, 0)
        if months and interval.months:
            return months - interval.months
        return self.seconds_at_least - interval.seconds_at_most

    def before(self, us: Micros, zone: Zone = UTC) -> Micros:
        """The instant so much earlier.

        Less than a day is exact.  Days and longer go by the zone's calendar: local clocks show
        the same time (the first, where they show it twice; the next, where they never do), the
        start of a day leads to the start of a day, and 31 March less a month is the last day of
        February.

        Parameters
        ----------
        us
            Microseconds since the epoch; the two infinities stay what they are.
        zone
            Whose days they are.

        Examples
        --------
        >>> Duration.of("4m").before(240_000_000), Duration.of("1mo").before(31 * 86_400_000_000)
        (0, 0)
        """
        if us <= BEGINNING or us >= FOREVER:
            return us
        if self.unit == "second":
            return us - self.count * SECOND_US
        day = zone.local_day(us)
        if us == zone.day_start(day):
            return self._day_start_before(day, zone)
        wall = us + zone.offset(us) * SECOND_US
        return zone.at_wall(self._day_before(wall // DAY_US) * DAY_US + wall % DAY_US)

    def _day_start_before(self, day: int, zone: Zone) -> Micros:
        earlier = self._day_before(day)
        # The day that a zone skipped has no start of its own: the one before it has.
        while zone.day_start(earlier) == zone.day_start(earlier + 1):
            earlier -= 1
        return zone.day_start(earlier)

    def _day_before(self, day: int) -> int:
        if self.unit == "day":
            return day - self.count
        month = month_of_day(day) - self.count * MONTHS[self.unit]
        last = day_of_month(month + 1) - 1
        return min(day_of_month(month) + civil_of_day(day)[2] - 1, last)

    def __str__(self) -> str:
        return str(Span(self.count, self.unit))


@lru_cache(maxsize=4096)
def _duration_of(value: str | int | timedelta) -> Duration:
    span = parse_span(value, "duration")
    return Duration(span.unit, span.count)
