"""A civil date: year, month and day of the proleptic Gregorian calendar, for any day number.

A day number counts days from 1970-01-01, which is 0.  ``datetime.date`` ends at the years
1 and 9999; a bucket of 100 years that holds the year 1 starts before it.
"""

from __future__ import annotations

from typing import Final

# Counted in years from March, 400 years repeat exactly, and the leap day is a year's last.
_CYCLE_DAYS: Final = 146_097
_MARCH_OF_YEAR_0: Final = 719_468


def day_of_civil(year: int, month: int, day: int) -> int:
    """The day number of a civil date; ``day`` may run past the end of its month.

    Examples
    --------
    >>> day_of_civil(1970, 1, 1), day_of_civil(2000, 3, 1), day_of_civil(0, 3, 1)
    (0, 11017, -719468)
    """
    years = year - (month <= 2)
    cycle, year_of_cycle = divmod(years, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    leap_days = year_of_cycle // 4 - year_of_cycle // 100
    return cycle * _CYCLE_DAYS + year_of_cycle * 365 + leap_days + day_of_year - _MARCH_OF_YEAR_0


def civil_of_day(day: int) -> tuple[int, int, int]:
    """Year, month and day of a day number.

    Examples
    --------
    >>> civil_of_day(0), civil_of_day(11016), civil_of_day(-1)
    ((1970, 1, 1), (2000, 2, 29), (1969, 12, 31))
    """
    cycle, day_of_cycle = divmod(day + _MARCH_OF_YEAR_0, _CYCLE_DAYS)
    year_of_cycle = (
        day_of_cycle - day_of_cycle // 1460 + day_of_cycle // 36_524 - day_of_cycle // 146_096
    ) // 365
    day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle // 4 - year_of_cycle // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = cycle * 400 + year_of_cycle + (month <= 2)
    return year, month, day_of_year - (153 * month_from_march + 2) // 5 + 1


def month_of_day(day: int) -> int:
    """The month that holds a day, counted from January 1970, which is 0.

    Examples
    --------
    >>> month_of_day(0), month_of_day(31), month_of_day(-1)
    (0, 1, -1)
    """
    year, month, _ = civil_of_day(day)
    return (year - 1970) * 12 + month - 1


def day_of_month(month: int) -> int:
    """The day number of the first day of a month that is counted from January 1970.

    Examples
    --------
    >>> day_of_month(0), day_of_month(1), day_of_month(-1)
    (0, 31, -31)
    """
    years, months = divmod(month, 12)
    return day_of_civil(1970 + years, months + 1, 1)
