"""The oracle: what an endpoint must answer, by brute force over a list of events.

It shares no code with the package: only the declarations are the package's, read as plain values.
Slow, small and meant to be obviously right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = {"s": 1, "m": 60, "h": 3600}
MONTHS = {"mo": 1, "q": 3, "y": 12}


@dataclass(frozen=True)
class Event:
    """One row of the source."""

    time: datetime
    team: str | None = None
    player: str | None = None
    value: float | None = None
    points: int | None = None
    arrived: datetime = EPOCH


def is_number(value: float | None) -> TypeGuard[float]:
    """NaN and infinities are missing: to calculations, and to conditions."""
    return value is not None and math.isfinite(value)


Rule = Callable[[Event], bool]
RULES: dict[str, Rule] = {
    "": lambda e: True,
    "@.team == 'a'": lambda e: e.team == "a",
    "@.value > 0": lambda e: is_number(e.value) and e.value > 0,
    "@.points >= 2": lambda e: e.points is not None and e.points >= 2,
}


def answer(
    events: Iterable[Event],
    of: Any,
    endpoint: Any,
    end: datetime,
    wanted: Mapping[str, Sequence[str | None]] | None = None,
) -> list[dict[str, Any]]:
    """The JSON array that an endpoint of a filter answers at an end."""
    return Oracle(list(events), of, endpoint, end, wanted or {}).rows()


class Oracle:
    """One question."""

    def __init__(
        self, events: list[Event], of: Any, endpoint: Any, end: datetime, wanted: Mapping[str, Any]
    ) -> None:
        self.filter, self.endpoint, self.end, self.wanted = of, endpoint, end, wanted
        self.names = [g.name for g in of.groupings]
        chosen = {name: endpoint.groupings.get(name) for name in self.names}
        self.returned = [
            name
            for name, choice in chosen.items()
            if choice is not None and choice.kind != "aggregate" and getattr(choice, "returned", True)
        ]
        self.series = endpoint.timing.kind == "time_series"
        self.interval = (endpoint.timing.interval if self.series else None) or of.interval
        self.kept = [
            e for e in events if RULES[of.where](e) and all(self.chosen(e, n, chosen[n]) for n in chosen)
        ]

    def chosen(self, event: Event, name: str, choice: Any) -> bool:
        if choice is None or choice.kind in ("aggregate", "all"):
            return True
        return getattr(event, name) in (choice.values if choice.kind == "fixed" else self.wanted[name])

    def rows(self) -> list[dict[str, Any]]:
        groups: dict[tuple[Any, ...], dict[str, list[Event]]] = {}
        for field in self.endpoint.fields:
            for event in self.limited(self.selected(field)):
                groups.setdefault(self.group(event), {}).setdefault(field.name, []).append(event)
        if not groups and not self.returned and not self.series:
            groups[()] = {}
        rows = [self.row(key, by_field) for key, by_field in groups.items()]
        rows.sort(key=self.place)
        limit = self.endpoint.limit or (None if self.series else 1000)
        return rows[:limit]

    def selected(self, field: Any) -> list[Event]:
        """The events of the buckets that a field's window selects."""
        start, end = window(self.endpoint, field, self.end, self.interval, self.filter.time_zone)
        return [e for e in self.kept if start <= bucket(e.time, self.interval, self.filter.time_zone) < end]

    def group(self, event: Event) -> tuple[Any, ...]:
        first = (bucket(event.time, self.interval, self.filter.time_zone),) if self.series else ()
        return (*first, *(getattr(event, name) for name in self.returned))

    def row(self, key: tuple[Any, ...], by_field: Mapping[str, list[Event]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.series:
            found["dt"] = key[0].strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.returned:
            found["groupings"] = dict(zip(self.returned, key[len(key) - len(self.returned) :], strict=True))
        found["fields"] = {f.name: self.value(f, by_field.get(f.name, [])) for f in self.endpoint.fields}
        return found

    def value(self, field: Any, events: list[Event]) -> Any:
        aggregation = next(a for a in self.filter.aggregations if a.name == field.aggregation)
        counted = [e for e in events if RULES[aggregation.where](e)]
        if field.calculation == "COUNT":
            return len(counted)
        pairs = [(e.time, getattr(e, aggregation.field)) for e in counted]
        numbers = [(t, v) for t, v in pairs if is_number(v)]
        return compute(field.calculation, numbers, field.percentile)

    # -- order and limits

    def place(self, row: dict[str, Any]) -> list[Any]:
        ties = (["dt"] if self.series else []) + self.returned
        terms = [(sort.by, sort.direction == "desc") for sort in self.endpoint.sort]
        return [ordered(self.cell(row, by), down=down) for by, down in [*terms, *((t, False) for t in ties)]]

    def cell(self, row: dict[str, Any], by: str) -> Any:
        if by == "dt":
            return row["dt"]
        return row["groupings"][by] if by in self.returned else row["fields"][by]

    def limited(self, events: list[Event]) -> list[Event]:
        """The events of the values that grouping limits keep."""
        limits = [(item.grouping, item.limit) for item in self.endpoint.grouping_limits]
        fields = {field.name: field for field in self.endpoint.fields}
        sort = next((s for s in self.endpoint.sort if s.by in fields), None)
        # All groups compete, those of other fields' windows too.
        everything = [e for field in fields.values() for e in self.selected(field)]
        ranked = [] if sort is None else self.selected(fields[sort.by])
        for level in range(1, len(limits) + 1):
            path = [name for name, _ in limits[:level]]
            kept = self.first(everything, ranked, path, limits[level - 1][1], sort, fields)
            everything, ranked, events = (
                [e for e in some if values(e, path) in kept] for some in (everything, ranked, events)
            )
        return events

    def first(
        self, everything: Any, ranked: Any, path: list[str], limit: int, sort: Any, fields: Any
    ) -> set[Any]:
        kept: set[Any] = set()
        members = {values(e, path) for e in everything}
        for parent in {member[:-1] for member in members}:

            def rank(member: tuple[Any, ...]) -> list[Any]:
                if sort is None:
                    return [ordered(member[-1])]
                value = self.value(fields[sort.by], [e for e in ranked if values(e, path) == member])
                return [ordered(value, down=sort.direction == "desc"), ordered(member[-1])]

            kept |= set(sorted((m for m in members if m[:-1] == parent), key=rank)[:limit])
        return kept


def compute(calculation: str, pairs: list[tuple[datetime, Any]], percentile: float | None) -> Any:
    """One calculation of (time, value) pairs."""
    numbers = [value for _, value in pairs]
    n = len(numbers)
    if calculation == "APPROX_COUNT_DISTINCT":
        return len(set(numbers))
    if n == 0:
        return None
    if calculation == "PERCENTILES":
        rank = math.ceil(Decimal(repr(percentile)) * n)
        return sorted(numbers)[max(1, rank) - 1]
    if calculation == "FIRST":
        return min(pairs)[1]
    if calculation == "LAST":
        return max(pairs)[1]
    if calculation in ("MIN", "MAX"):
        return min(numbers) if calculation == "MIN" else max(numbers)
    total = math.fsum(numbers) if isinstance(numbers[0], float) else sum(numbers)
    if calculation in ("SUM", "AVG"):
        return total if calculation == "SUM" else total / n
    squares = math.fsum((x - total / n) ** 2 for x in numbers)
    less = 0 if calculation.endswith("_POP") else 1
    if n == less:
        return None
    variance = squares / (n - less)
    return variance if calculation.startswith("VAR") else math.sqrt(variance)


def values(event: Event, path: list[str]) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in path)


class Down:
    """A value that sorts the other way round."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: Down) -> bool:
        return other.value < self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Down) and other.value == self.value

    __hash__ = None  # type: ignore[assignment] - as Python does it where there is __eq__


def ordered(value: Any, *, down: bool = False) -> tuple[Any, ...]:
    """A key that puts nulls last, whichever way the rest goes."""
    if value is None:
        return (1,)
    return (0, Down(value) if down else value)


# -- time


def window(endpoint: Any, field: Any, end: datetime, interval: str, zone: str) -> tuple[datetime, datetime]:
    """From when to when buckets start that a field is made of."""
    timing = endpoint.timing
    own = {name: getattr(field, name) for name in ("duration", "offset", "include_incomplete")}
    said = {name: getattr(timing, name) if value is None else value for name, value in own.items()}
    end = ago(end, said["offset"], zone)
    if not said["include_incomplete"]:
        end = bucket(end, interval, zone)
    return ago(end, said["duration"], zone), end


def parts(text: str) -> tuple[int, str]:
    match = re.fullmatch(r"(\d+)([a-z]+)", text)
    assert match, text
    return int(match[1]), match[2]


def bucket(time: datetime, interval: str, zone: str = "UTC") -> datetime:
    """The start of the bucket that holds an instant."""
    count, unit = parts(interval)
    if unit in SECONDS:
        width = timedelta(seconds=count * SECONDS[unit])
        return time - (time - EPOCH) % width
    day = time.astimezone(ZoneInfo(zone)).date()
    if unit == "d":
        day -= timedelta(days=(day - EPOCH.date()).days % count)
    elif unit == "w":
        day -= timedelta(days=day.weekday())
    else:
        month = (day.year - 1970) * 12 + day.month - 1
        month -= month % (count * MONTHS[unit])
        day = date(1970 + month // 12, month % 12 + 1, 1)
    return midnight(day, zone)


def midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def ago(time: datetime, duration: str, zone: str = "UTC") -> datetime:
    """The instant so much earlier: days by the clock on the wall, less than a day exactly."""
    count, unit = parts(duration)
    if unit in SECONDS:
        return time - timedelta(seconds=count * SECONDS[unit])
    assert unit == "d", duration
    return (time.astimezone(ZoneInfo(zone)) - timedelta(days=count)).astimezone(UTC)


# -- comparison


def assert_equal(found: list[dict[str, Any]], expected: list[dict[str, Any]], endpoint: Any) -> None:
    """Rows are equal: percentiles within half a percent, deviations but for rounding; the rest exactly."""
    fields = {field.name: field.calculation for field in endpoint.fields}
    assert len(found) == len(expected), f"{len(found)} rows, not {len(expected)}:\n{found}\n{expected}"
    for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert list(ours) == list(theirs), f"row {i}: {ours} is not {theirs}"
        for key in ours:
            if key != "fields":
                assert ours[key] == theirs[key], f"row {i}: {ours} is not {theirs}"
        assert list(ours["fields"]) == list(fields)
        for name, calculation in fields.items():
            one, other = ours["fields"][name], theirs["fields"][name]
            assert same(one, other, calculation), (
                f"row {i}, {name}: {one!r} is not {other!r}\n{found}\n{expected}"
            )


def same(one: Any, other: Any, calculation: str) -> bool:
    if one is None or other is None:
        return one is other
    if calculation == "PERCENTILES":
        return abs(one - other) <= 0.005 * abs(other)
    if calculation == "APPROX_COUNT_DISTINCT":
        # Few values are told apart for certain; of more, two may share a slot.
        return type(one) is type(other) and abs(one - other) <= (0.05 * other if other > 10 else 0)
    if calculation.startswith(("VAR", "STDDEV")):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return type(one) is type(other) and one == other
