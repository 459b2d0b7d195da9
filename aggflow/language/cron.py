"""Cron: an expression of six fields, seconds first, and the instants at which it fires.

    second  minute  hour  day of month  month  day of week
    0       25      06    ?             *      *            every day at 06:25:00

Days of the week count from Sunday, 0 or 7.  Where both day fields are set, either matches.
"""

# croniter ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice, product
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from aggflow.errors import ParseError, QueryError
from aggflow.timeline import UTC, Micros, Zone

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
# A year whose calendar holds a 29 February, from where the first run is sought.
_FIRST: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
_LAST_US: Final = 7_000 * 366 * _DAY_US
_MONTHS: Final = [
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
]
_DAYS: Final = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
_MOST_TIMES: Final = 6
_MOST_VALUES: Final = 6


@dataclass(frozen=True)
class _Field:
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


_FIELDS: Final = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, tuple(_MONTHS)),
    _Field("day of the week", 0, 7, tuple(_DAYS)),
)
_DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK = 3, 4, 5


@dataclass(frozen=True)
class _Part:
    """One of the parts that commas join: ``5``, ``1-5/2``, ``L``, ``L5``, ``5#2``.

    Attributes
    ----------
    first, last, step
        The values; of ``*`` all of them.
    nth
        Which of the month's such days of the week: 1 to 5, or -1 for the last; 0 for any.
        Of days of the month, -1 is the last day.
    """

    first: int
    last: int
    step: int = 1
    nth: int = 0

    @property
    def is_single(self) -> bool:
        return self.first == self.last and not self.nth


@dataclass(frozen=True)
class Cron:
    """An expression; made by `Cron.of`, which checks it.

    Attributes
    ----------
    text
        The six fields, one space between them, as they were written.
    """

    text: str

    def __post_init__(self) -> None:
        if self.text != " ".join(self.text.split()):
            object.__setattr__(self, "text", " ".join(self.text.split()))
        _check(self.text)

    @staticmethod
    def of(value: str | Cron) -> Cron:
        """The expression of a text.

        Parameters
        ----------
        value
            Six fields, seconds first: ``*`` ``,`` ``-`` ``/``, ``?`` in either day field, names in
            any case, ``L`` (last day of the month), ``L5`` (last Friday), ``5#2`` (second Friday).

        Raises
        ------
        ParseError
            It is none, or can never fire.

        Examples
        --------
        >>> Cron.of("0 25 06 ? * *").sentence()
        'every day at 06:25:00 UTC'
        >>> Cron.of("25 06 * * *")
        Traceback (most recent call last):
        aggflow.errors.ParseError: the expression has 5 fields, not six, at line 1, column 1
            25 06 * * *
            ^
        hint: seconds stand first: 0 25 06 * * *
        """
        return value if isinstance(value, Cron) else Cron(value)

    @property
    def prefect_text(self) -> str:
        """The expression as Prefect reads it: seconds last, ``*`` for ``?``.

        Examples
        --------
        >>> Cron.of("0 25 06 ? * *").prefect_text
        '25 06 * * * 0'
        """
        first, *rest = _plain(self.text).split(" ")
        return " ".join((*rest, first))

    @property
    def is_daily(self) -> bool:
        """Whether it names one hour, so that it fires in one hour of a day."""
        hours = [range(part.first, part.last + 1, part.step) for part in _parts(self.text)[2]]
        return all(hours) and len({hour for some in hours for hour in some}) == 1

    def next(self, after_us: Micros, zone: Zone = UTC) -> Micros:
        """The first instant after another at which it fires.

        Parameters
        ----------
        after_us
            Microseconds since the epoch.
        zone
            The zone of its clock.  An expression of one hour fires once a day whatever the clock
            does: an hour that is skipped counts where the clock goes on, one that comes twice counts
            the first time.  One of several hours fires whenever the clock shows its time, so that
            every hour is every real hour.

        Raises
        ------
        QueryError
            The instant is before 1970 or in thousands of years.

        Examples
        --------
        >>> from aggflow.timeline import format_instant, parse_instant
        >>> after = parse_instant("2025-03-29T12:00:00Z")
        >>> format_instant(Cron.of("0 30 2 * * *").next(after, Zone.of("Europe/Berlin")))
        '2025-03-30T01:00:00Z'
        """
        return next(self.fires(after_us, zone))

    def next_fires(self, after_us: Micros, zone: Zone = UTC, *, count: int = 5) -> tuple[Micros, ...]:
        """The first instants after another at which it fires, rising.

        Raises
        ------
        QueryError
            The instant is before 1970 or in thousands of years.
        """
        return tuple(islice(self.fires(after_us, zone), count))

    def fires(self, after_us: Micros, zone: Zone = UTC) -> Iterator[Micros]:
        """All instants after another at which it fires, rising, without end.

        Raises
        ------
        QueryError
            The instant is before 1970 or in thousands of years.
        """
        if not 0 <= after_us < _LAST_US:
            raise QueryError("the next run cannot be told so far from today")
        return self._once_a_day(after_us, zone) if self.is_daily else self._by_the_clock(after_us, zone)

    def _once_a_day(self, after_us: Micros, zone: Zone) -> Iterator[Micros]:
        last = after_us
        for wall in _walls(self.text, after_us + zone.offset(after_us) * _SECOND_US):
            at = zone.at_wall(wall)
            if at > last:
                yield at
                last = at

    def _by_the_clock(self, after_us: Micros, zone: Zone) -> Iterator[Micros]:
        offset = zone.offset(after_us)
        # What the clock will show once more, if it is soon set back.
        again = max(0, offset - zone.offset(after_us + _DAY_US))
        waiting: list[Micros] = []
        for wall in _walls(self.text, after_us + (offset - again) * _SECOND_US):
            first = zone.at_wall(wall)
            while waiting and waiting[0] < first:
                yield heapq.heappop(waiting)
            for at in _shown(wall, first, zone):
                if at > after_us:
                    heapq.heappush(waiting, at)

    def sentence(self, zone: Zone = UTC) -> str:
        """When it fires, in plain English.

        Examples
        --------
        >>> Cron.of("0 0/15 8-18 ? * MON-FRI").sentence(Zone.of("Europe/Berlin"))
        'every 15 minutes in hours 8 to 18, every Monday to Friday, Europe/Berlin'
        >>> Cron.of("0 0 3 L * *").sentence()
        'on the last day of the month at 03:00:00 UTC'
        """
        parts = _parts(self.text)
        days, times = _said_days(parts, self.text), _named_times(parts)
        if times:
            return f"{days} at {_joined(times)} {zone.name}"
        said = [_said_repeats(parts), *([] if days == "every day" else [days]), zone.name]
        return ", ".join(said)

    def __str__(self) -> str:
        return self.text


def _walls(text: str, after_us: int) -> Iterator[int]:
    """What the clock shows when it fires, after what it shows, in microseconds on that clock."""
    start = _EPOCH + timedelta(seconds=after_us // _SECOND_US)
    runs = croniter(_plain(text), start, ret_type=datetime, second_at_beginning=True)
    while True:
        yield (runs.get_next() - _EPOCH) // timedelta(microseconds=1)


def _shown(wall: int, first: Micros, zone: Zone) -> Iterator[Micros]:
    """The instants at which a clock shows a time: one, two where it is set back, none in a gap."""
    offsets = {zone.offset(first + days * _DAY_US) for days in (-1, 0, 1)}
    for offset in sorted(offsets, reverse=True):
        at = wall - offset * _SECOND_US
        if zone.offset(at) == offset:
            yield at


# ---------------------------------------------------------------------------------------
# Reading


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    """A text as croniter and Prefect read it: ``*`` for ``?``, a value for a range from it to itself.

    They take ``5-5`` for every value.
    """
    return " ".join(
        ",".join(_plain_part(index, part) for _, part in _split(text, index)) for index in range(len(_FIELDS))
    )


def _plain_part(index: int, part: str) -> str:
    if part == "?":
        return "*"
    first, dash, last = part.partition("/")[0].partition("-")
    value = _FIELDS[index].read(first)
    return first if dash and value is not None and value == _FIELDS[index].read(last) else part


@lru_cache(maxsize=1024)
def _check(text: str) -> None:
    """Raise unless a text is an expression that can fire."""
    fields = text.split(" ") if text else []
    if len(fields) != len(_FIELDS):
        raise _wrong_count(text, fields)
    _check_nth(text)
    try:
        croniter(_plain(text), _FIRST, ret_type=datetime, second_at_beginning=True).get_next()
    except CroniterBadDateError:
        raise ParseError(
            "the expression can never fire: no month that it names has such a day",
            text=text,
            position=_place(text, _DAY_OF_MONTH),
        ) from None
    except CroniterError as error:  # what none of the checks here found
        raise ParseError(f"the expression cannot be read: {error}", text=text, position=0) from None


def _check_nth(text: str) -> None:
    """Raise where days of the week are counted within the month and other days are named as well."""
    parts = _parts(text)
    counted = [part for part in parts[_DAY_OF_WEEK] if part.nth]
    if not counted:
        return
    message = ""
    if not _is_any(parts[_DAY_OF_MONTH], _DAY_OF_MONTH):
        message = "L and # in the day of the week need ? for the day of the month"
    elif len(counted) < len(parts[_DAY_OF_WEEK]):
        message = "days of the week with and without L or # cannot be mixed"
    if message:
        raise ParseError(message, text=text, position=_place(text, _DAY_OF_WEEK), hint="make two schedules")


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[tuple[_Part, ...], ...]:
    """The parts of each field."""
    return tuple(tuple(_part(text, i, at, part) for at, part in _split(text, i)) for i in range(len(_FIELDS)))


def _split(text: str, index: int) -> Iterator[tuple[int, str]]:
    at = _place(text, index)
    for part in text.split(" ")[index].split(","):
        yield at, part
        at += len(part) + 1


def _part(text: str, index: int, at: int, part: str) -> _Part:
    field = _FIELDS[index]

    def wrong(message: str, hint: str = "") -> ParseError:
        return ParseError(message, text=text, position=at, hint=hint)

    def value(given: str) -> int:
        number = field.read(given)
        if number is None:
            raise wrong(f"{given!r} is no {field.name}", _values(field))
        if not field.low <= number <= field.high:
            article = "an" if field.name == "hour" else "a"
            raise wrong(f"{article} {field.name} is {field.low} to {field.high}, not {number}")
        return number

    if index in (_DAY_OF_MONTH, _DAY_OF_WEEK):
        if part == "?":
            return _Part(field.low, field.high)
        special = _special(index, part, value, wrong)
        if special is not None:
            return special
    elif part == "?":
        raise wrong("? stands for the day of the month or of the week only", "write *")
    body, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= field.high):
        raise wrong(f"a step is a number from 1 to {field.high}, not {step!r}")
    if body == "*":
        return _Part(field.low, field.high, int(step or 1))
    first, dash, last = body.partition("-")
    start = value(first)
    if dash:
        return _Part(start, value(last), int(step or 1))
    return _Part(start, field.high, int(step)) if slash else _Part(start, start)


def _special(
    index: int, part: str, value: Callable[[str], int], wrong: Callable[..., ParseError]
) -> _Part | None:
    """What only days know: the last one, and the nth of a month."""
    is_weekday = index == _DAY_OF_WEEK
    if re.fullmatch(r"(?i)(L|\d+)W", part):
        raise wrong("W, the nearest working day, is not known", "name the days of the week: MON-FRI")
    if part.upper() == "L":
        if is_weekday:
            raise wrong("L alone is no day of the week", "the last Friday of the month is L5")
        return _Part(31, 31, nth=-1)
    if not is_weekday:
        if re.match(r"(?i)L", part):
            raise wrong("L stands alone: the last day of the month")
        return None
    last = re.fullmatch(r"(?i)L(\d)", part)
    if last:
        day = value(last[1])
        return _Part(day, day, nth=-1)
    if re.fullmatch(r"(?i)\w+L", part):
        raise wrong(f"{part} is not known", "the last Friday of the month is L5")
    name, hash_, nth = part.partition("#")
    if not hash_:
        return None
    if nth not in ("1", "2", "3", "4", "5"):
        raise wrong(f"# is followed by 1 to 5, not {nth!r}", "the second Friday of the month is 5#2")
    day = value(name)
    return _Part(day, day, nth=int(nth))


def _values(field: _Field) -> str:
    if not field.names:
        return f"numbers are {field.low} to {field.high}"
    shorts = [name[:3].upper() for name in field.names]
    return f"numbers are {field.low} to {field.high}, names {shorts[0]} to {shorts[-1]}"


def _wrong_count(text: str, fields: list[str]) -> ParseError:
    counts = f"the expression has {len(fields)} fields, not six"
    if text.startswith("@"):
        return ParseError(
            "words such as @daily are not known", text=text, position=0, hint="0 0 0 * * *, for one"
        )
    if len(fields) == 7:
        return ParseError("a year cannot be given", text=text, position=_place(text, 6), hint="leave it out")
    if len(fields) == 5:
        return ParseError(counts, text=text, position=0, hint=f"seconds stand first: 0 {text}")
    hint = "second minute hour day-of-month month day-of-week, as in 0 25 06 ? * *"
    return ParseError(
        counts, text=text, position=len(text) if len(fields) < 5 else _place(text, 6), hint=hint
    )


def _place(text: str, index: int) -> int:
    """Where a field begins."""
    return sum(len(field) + 1 for field in text.split(" ")[:index])


# ---------------------------------------------------------------------------------------
# Saying


def _named_times(parts: tuple[tuple[_Part, ...], ...]) -> list[str]:
    """The times of a day, if they are few and each is named; else none."""
    seconds, minutes, hours = parts[:3]
    if not all(part.is_single for field in (seconds, minutes, hours) for part in field):
        return []
    times = product(*([part.first for part in field] for field in (hours, minutes, seconds)))
    said = [f"{hour:02d}:{minute:02d}:{second:02d}" for hour, minute, second in times]
    return sorted(set(said)) if len(said) <= _MOST_TIMES else []


def _said_repeats(parts: tuple[tuple[_Part, ...], ...]) -> str:
    """When it fires in a day, of an expression that fires often."""
    seconds, minutes, hours = parts[:3]
    exact = "" if seconds == (_Part(0, 0),) else f" at second {_said_values(seconds)}"
    plural = "" if len(hours) == 1 and hours[0].is_single else "s"
    within = "" if _is_any(hours, 2) else f" in hour{plural} {_said_values(hours)}"
    if not all(part.is_single for part in seconds):
        minute = "" if _is_any(minutes, 1) else f" in minutes {_said_values(minutes)}"
        return f"{_said_steps(seconds, 0)}{minute}{within}"
    if all(part.is_single for part in minutes):
        every = "every hour" if _is_any(hours, 2) else _said_steps(hours, 2)
        return f"{every} at minute {_said_values(minutes)}{exact.replace(' at', ',')}"
    return f"{_said_steps(minutes, 1)}{within}{exact}"


def _said_steps(parts: tuple[_Part, ...], index: int) -> str:
    """``every 15 minutes``, ``every minute``, or the values."""
    name, high = _FIELDS[index].name, _FIELDS[index].high
    part = parts[0]
    if _is_any(parts, index):
        return f"every {name}"
    if len(parts) == 1 and part.first == 0 and part.last == high and (high + 1) % part.step == 0:
        return f"every {part.step} {name}s"
    return f"in {name}s {_said_values(parts)}"


def _said_days(parts: tuple[tuple[_Part, ...], ...], text: str) -> str:
    days, months, weekdays = parts[_DAY_OF_MONTH], parts[_MONTH], parts[_DAY_OF_WEEK]
    said: list[str] = []
    written = [text.split(" ")[index] for index in (_DAY_OF_MONTH, _DAY_OF_WEEK)]
    is_any = _is_any(days, _DAY_OF_MONTH), _is_any(weekdays, _DAY_OF_WEEK)
    # Where both fields are set either matches, and one that names every day is set.
    if any(is_any) and not {"*", "?"} & set(written):
        is_any = True, True
    if not is_any[0]:
        last = "the last day of the month"
        named = [part for part in days if not part.nth]
        values = [f"day {_said_values(tuple(named))} of the month"] if named else []
        said.append("on " + _joined([*values, *([last] if len(named) < len(days) else [])]))
    if not is_any[1]:
        said.append("every " + _joined([text for part in weekdays for text in _said_weekday(part)]))
    text = " and ".join(said) or "every day"
    if _is_any(months, _MONTH):
        return text
    names = [text for part in months for text in _said_part(part, lambda month: _MONTHS[month - 1])]
    return f"{text} in {_joined(names)}"


def _said_weekday(part: _Part) -> list[str]:
    name = _DAYS[part.first % 7]
    if part.nth:
        return [f"{'last' if part.nth < 0 else _ORDINALS[part.nth - 1]} {name} of the month"]
    return _said_part(part, lambda day: _DAYS[day % 7])


def _said_values(parts: tuple[_Part, ...]) -> str:
    return _joined([text for part in parts for text in _said_part(part, str)])


def _said_part(part: _Part, name: Callable[[int], str]) -> list[str]:
    """The values of a part: one, a range, or those that a step leaves, the first and the last where they are many."""
    if part.first == part.last:
        return [name(part.first)]
    if part.step == 1:
        return [f"{name(part.first)} to {name(part.last)}"]
    # A week has two Sundays.
    texts = list(dict.fromkeys(map(name, range(part.first, part.last + 1, part.step))))
    return texts if len(texts) <= _MOST_VALUES else [f"{', '.join(texts[:3])} … {texts[-1]}"]


def _is_any(parts: tuple[_Part, ...], index: int) -> bool:
    """Whether a field leaves its value open."""
    field = _FIELDS[index]
    return any(
        (part.first, part.last, part.step, part.nth) == (field.low, field.high, 1, 0) for part in parts
    )


def _joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
