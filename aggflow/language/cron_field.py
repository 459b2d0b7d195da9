"""A cron field: one of the six of an expression, and the values that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class CronField:
    """One of the six."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def read(self, value: str) -> int | None:
        """The number that a number or a name is; None for neither."""
        if value.isascii() and value.isdigit():
            return int(value)
        short = [name[:3].upper() for name in self.names]
        return short.index(value.upper()) + self.low if value.upper() in short else None


FIELDS: Final = (
    CronField("second", 0, 59),
    CronField("minute", 0, 59),
    CronField("hour", 0, 23),
    CronField("day of the month", 1, 31),
    CronField("month", 1, 12, MONTHS),
    CronField("day of the week", 0, 7, DAYS),
)
DAY_OF_MONTH, MONTH, DAY_OF_WEEK = 3, 4, 5
