"""What is expected: the cells of a rollup, by brute force over rows; no code of the package."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from events import EPOCH, Row, micros

LN_GAMMA = math.log(1.01)
Bucket = Callable[[datetime], int]


@dataclass(frozen=True)
class Asked:
    """One field: its values by row, and which rows count."""

    value: Callable[[Row], Any]
    where: Callable[[Row], bool] = lambda row: True


def cells(
    rows: Iterable[Row],
    *,
    time: Callable[[Row], datetime | None],
    start: datetime,
    end: datetime,
    bucket: Bucket,
    by: tuple[Callable[[Row], Any], ...] = (),
    where: Callable[[Row], bool] = lambda row: True,
) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by bucket start (seconds) and the values of the groupings."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        moment = time(row)
        if moment is not None and start <= moment < end and where(row):
            found[bucket(moment), *(group(row) for group in by)].append({**row, "time": moment})
    return dict(found)


def fixed(seconds: int) -> Bucket:
    """Widths below a day, from the epoch."""
    return lambda moment: micros(moment) // (seconds * 1_000_000) * seconds


def calendar(zone: ZoneInfo | timedelta, floor: Callable[[date], date]) -> Bucket:
    """Local days, weeks, months: the first instant of the local day to which ``floor`` leads."""

    def bucket(moment: datetime) -> int:
        if isinstance(zone, timedelta):
            day = floor((moment + zone).date())
            return micros(datetime(day.year, day.month, day.day, tzinfo=EPOCH.tzinfo) - zone) // 1_000_000
        day = floor(moment.astimezone(zone).date())
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        return int(midnight.timestamp())

    return bucket


FLOORS: dict[str, Callable[[date], date]] = {
    "1d": lambda d: d,
    "7d": lambda d: date(1970, 1, 1) + (d - date(1970, 1, 1)) // timedelta(days=7) * timedelta(days=7),
    "1w": lambda d: d - timedelta(days=d.weekday()),
    "1mo": lambda d: d.replace(day=1),
    "1q": lambda d: d.replace(month=(d.month - 1) // 3 * 3 + 1, day=1),
    "1y": lambda d: d.replace(month=1, day=1),
}


def values(rows: list[Row], asked: Asked) -> list[Any]:
    """What is there of a field: no nulls, no NaN, nothing infinite."""
    found = (asked.value(row) for row in rows if asked.where(row))
    return [v for v in found if v is not None and not (isinstance(v, float) and not math.isfinite(v))]


def finished(rows: list[Row], asked: Asked, calculation: str) -> Any:
    """One calculation of a cell's rows."""
    if calculation == "COUNT":
        return sum(1 for row in rows if asked.where(row))
    if calculation in ("FIRST", "LAST"):
        return _ordered(rows, asked, latest=calculation == "LAST")
    there = values(rows, asked)
    if calculation == "APPROX_COUNT_DISTINCT":
        return len(set(there))
    return _OF_NUMBERS[calculation](there) if there else None


def _ordered(rows: list[Row], asked: Asked, *, latest: bool) -> Any:
    there = [(row["time"], v) for row in rows for v in values([row], asked)]
    if not there:
        return None
    return max(there)[1] if latest else min(there)[1]


def _sum(there: list[Any]) -> Any:
    return math.fsum(there) if isinstance(there[0], float) else sum(there)


def _variance(there: list[Any], less: int) -> float | None:
    if len(there) <= less:
        return None
    exact = [Fraction(v) for v in there]
    mean = sum(exact) / len(exact)
    return float(sum((v - mean) ** 2 for v in exact) / (len(exact) - less))


def _root(variance: float | None) -> float | None:
    return None if variance is None else math.sqrt(variance)


_OF_NUMBERS: dict[str, Callable[[list[Any]], Any]] = {
    "SUM": _sum,
    "AVG": lambda there: float(sum(Fraction(v) for v in there) / len(there)),
    "MIN": min,
    "MAX": max,
    "VAR": lambda there: _variance(there, 1),
    "VAR_POP": lambda there: _variance(there, 0),
    "STDDEV": lambda there: _root(_variance(there, 1)),
    "STDDEV_POP": lambda there: _root(_variance(there, 0)),
}


def bins(there: list[Any]) -> dict[tuple[int, int], int]:
    """The logarithmic bins of numbers: (sign, bin) and how many fall into each."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    for v in there:
        number = float(v)
        key = (
            (0, 0)
            if number == 0
            else (int(math.copysign(1, number)), math.ceil(math.log(abs(number)) / LN_GAMMA))
        )
        found[key] += 1
    return dict(found)


def close(got: Any, expected: Any) -> bool:
    """Equal; floats to 1e-9."""
    if isinstance(expected, float) and got is not None:
        return math.isclose(float(got), expected, rel_tol=1e-9, abs_tol=1e-300)
    if isinstance(expected, Decimal):
        return isinstance(got, Decimal) and got == expected
    return type(got) is type(expected) and got == expected
