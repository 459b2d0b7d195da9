"""Cron: an expression of six fields, seconds first, and the instants at which it fires.

    second  minute  hour  day of month  month  day of week
    0       25      06    ?             *      *            every day at 06:25:00

Days of the week count from Sunday, 0 or 7.  Where both day fields are set, either matches.
"""

# croniter ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from aggflow.errors import ParseError, QueryError
from aggflow.figure import counted
from aggflow.language.cron_field import DAY_OF_MONTH, DAY_OF_WEEK, FIELDS
from aggflow.language.cron_part import is_any, parts_of, place_of, split_field
from aggflow.language.cron_sentence import sentence_of
from aggflow.timeline import UTC, Micros, Zone

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
# A year whose calendar holds a 29 February, from where the first run is sought.
_FIRST: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - what a clock on the wall shows
_LAST_US: Final = 7_000 * 366 * _DAY_US


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
        hours = [range(part.first, part.last + 1, part.step) for part in parts_of(self.text)[2]]
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
        return sentence_of(self.text, zone.name)

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


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    """A text as croniter and Prefect read it: ``*`` for ``?``, a value for a range from it to itself.

    They take ``5-5`` for every value.
    """
    return " ".join(
        ",".join(_plain_part(index, part) for _, part in split_field(text, index))
        for index in range(len(FIELDS))
    )


def _plain_part(index: int, part: str) -> str:
    if part == "?":
        return "*"
    first, dash, last = part.partition("/")[0].partition("-")
    value = FIELDS[index].read(first)
    return first if dash and value is not None and value == FIELDS[index].read(last) else part


@lru_cache(maxsize=1024)
def _check(text: str) -> None:
    """Raise unless a text is an expression that can fire."""
    fields = text.split(" ") if text else []
    if len(fields) != len(FIELDS):
        raise _wrong_count(text, fields)
    _check_nth(text)
    try:
        croniter(_plain(text), _FIRST, ret_type=datetime, second_at_beginning=True).get_next()
    except CroniterBadDateError:
        raise ParseError(
            "the expression can never fire: no month that it names has such a day",
            text=text,
            position=place_of(text, DAY_OF_MONTH),
        ) from None
    except CroniterError as error:  # what none of the checks here found
        raise ParseError(f"the expression cannot be read: {error}", text=text, position=0) from None


def _check_nth(text: str) -> None:
    """Raise where days of the week are counted within the month and other days are named as well."""
    parts = parts_of(text)
    counted = [part for part in parts[DAY_OF_WEEK] if part.nth]
    if not counted:
        return
    message = ""
    if not is_any(parts[DAY_OF_MONTH], DAY_OF_MONTH):
        message = "L and # in the day of the week need ? for the day of the month"
    elif len(counted) < len(parts[DAY_OF_WEEK]):
        message = "days of the week with and without L or # cannot be mixed"
    if message:
        raise ParseError(message, text=text, position=place_of(text, DAY_OF_WEEK), hint="make two schedules")


def _reads(text: str) -> bool:
    try:
        _check(text)
    except ParseError:
        return False
    return True


def _wrong_count(text: str, fields: list[str]) -> ParseError:
    counts = f"the expression has {counted(len(fields), 'field')}, not six"
    if text.startswith("@"):
        return ParseError(
            "words such as @daily are not known", text=text, position=0, hint="0 0 0 * * *, for one"
        )
    if len(fields) == 7:
        return ParseError(
            "a year cannot be given", text=text, position=place_of(text, 6), hint="leave it out"
        )
    if len(fields) == 5 and _reads(f"0 {text}"):
        return ParseError(counts, text=text, position=0, hint=f"seconds stand first: 0 {text}")
    hint = "second minute hour day-of-month month day-of-week, as in 0 25 06 ? * *"
    return ParseError(
        counts, text=text, position=len(text) if len(fields) < 5 else place_of(text, 6), hint=hint
    )
