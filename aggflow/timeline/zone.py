"""A zone: the rule by which local days are counted.

Instants know no zone; a zone only moves the borders of days and of what is longer.
``zoneinfo`` tells the offset of an instant but not where offsets change, so changes are found
by probing a year every few days and bisecting; they are cached, and UTC needs none of it.
The rules come from the ``tzdata`` package alone, so that two machines agree.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

from aggflow.errors import NotFoundError, QueryError, nearest
from aggflow.timeline.civil import day_of_civil
from aggflow.timeline.instant import DAY_SECONDS, DAY_US, FOREVER, SECOND_US, Micros

if TYPE_CHECKING:
    from aggflow.timeline.window import Window

Steps: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""A step function of time: where the steps start, rising, and the offset on each."""

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
_ETC = re.compile(r"Etc/GMT([+-])([0-9]{1,2})")
_UTC_NAMES: Final = frozenset(
    "Z UTC GMT UCT Zulu Universal Greenwich GMT0 GMT+0 GMT-0 Etc/UTC Etc/GMT Etc/UCT Etc/Zulu "
    "Etc/Universal Etc/Greenwich Etc/GMT0 Etc/GMT+0 Etc/GMT-0".upper().split()
)
_POSIX = re.compile(r"([A-Za-z]{3,4})([+-]?)(\d{1,2})")
_LIKE_AN_OFFSET = re.compile(r"(utc|gmt|z)?\s*[+-]", re.IGNORECASE)
# An abbreviation is of no one place: each with the best known of its places.
_ABBREVIATED: Final = {
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("MDT", "MT"), "America/Denver"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"),
    **dict.fromkeys(("EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "EEST": "Europe/Helsinki",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MSK": "Europe/Moscow",
    "WEST": "Europe/Lisbon",
}

_YEAR_SECONDS: Final = 366 * DAY_SECONDS
_YEAR_US: Final = _YEAR_SECONDS * SECOND_US
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - zoneinfo's fromutc sets the zone
# No zone changed before 1800; ``datetime`` ends with the year 9999, but the rules of the last
# years repeat with the calendar, every 400 years.
_FIRST_CHANGE: Final = day_of_civil(1800, 1, 1) * DAY_SECONDS
_LAST_PROBE: Final = day_of_civil(9990, 1, 1) * DAY_SECONDS
_CYCLE_SECONDS: Final = 146_097 * DAY_SECONDS
# The two changes of a zone that lie closest together, ever, are almost seven days apart.
_PROBE_SECONDS: Final = 3 * DAY_SECONDS
# Days by which a change can reach past its own instant: a fall-back over midnight.
_LEAD: Final = 3 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone; made by `Zone.of`.

    Attributes
    ----------
    name
        The canonical name: ``UTC``, ``GMT+01:00`` for a fixed offset, else the IANA name.
    fixed
        The offset in seconds east of UTC where it never changes, else None.
    """

    name: str
    fixed: int | None

    @staticmethod
    def of(value: str | Zone) -> Zone:
        """The zone of a name: IANA (any case), ``UTC``, ``GMT+01:00``, ``UTC+1``, ``+01:00``.

        Raises
        ------
        NotFoundError
            There is no such zone.

        Examples
        --------
        >>> Zone.of("europe/berlin").name, Zone.of("UTC+1").name, Zone.of("Etc/UTC").name
        ('Europe/Berlin', 'GMT+01:00', 'UTC')
        """
        return value if isinstance(value, Zone) else _zone_of(str(value))

    @property
    def is_utc(self) -> bool:
        """Whether local days are days of UTC, always."""
        return self.fixed == 0

    @property
    def is_fixed(self) -> bool:
        """Whether the offset never changes."""
        return self.fixed is not None

    def offset(self, us: Micros) -> int:
        """Seconds that local clocks are ahead of UTC at an instant.

        Examples
        --------
        >>> Zone.of("Europe/Berlin").offset(0)
        3600
        """
        if self.fixed is not None:
            return self.fixed
        starts, offsets = _clock_steps(self.name, us // _YEAR_US)
        return offsets[bisect_right(starts, us) - 1]

    def local_day(self, us: Micros) -> int:
        """The number of the local day that holds an instant, counted from 1970-01-01.

        It never falls as time goes on: where clocks are set back over midnight, the day that
        had begun goes on.

        Examples
        --------
        >>> Zone.of("GMT+01:00").local_day(-1), Zone.of("UTC").local_day(-1)
        (0, -1)
        """
        if self.fixed is not None:
            return (us + self.fixed * SECOND_US) // DAY_US
        starts, offsets = _day_steps(self.name, us // _YEAR_US)
        return (us + offsets[bisect_right(starts, us) - 1] * SECOND_US) // DAY_US

    def day_start(self, day: int) -> Micros:
        """The first instant of a local day; of a day that the zone skipped, that of the next.

        Examples
        --------
        >>> Zone.of("GMT+01:00").day_start(0)
        -3600000000
        """
        if self.fixed is not None:
            return day * DAY_US - self.fixed * SECOND_US
        return _day_start(self.name, day)

    def at_wall(self, wall_us: Micros) -> Micros:
        """The first instant at which local clocks show a time, or, in a gap, a later one.

        Parameters
        ----------
        wall_us
            What the clock shows, as microseconds from 1970-01-01T00:00:00 on that clock.

        Examples
        --------
        >>> Zone.of("GMT+01:00").at_wall(3_600_000_000)
        0
        """
        if self.fixed is not None:
            return wall_us - self.fixed * SECOND_US
        first, last = (wall_us - DAY_US) // _YEAR_US, (wall_us + DAY_US) // _YEAR_US
        return _first_at(_steps_of_years(self.name, first, last), wall_us)

    def shifts(self, window: Window) -> tuple[tuple[Micros, int], ...]:
        """The offsets by which local days are counted, as steps over a window.

        The offset is the clock's, but a fall-back over midnight takes effect only at the new
        local midnight, so that ``floor((t + offset) / 86400 s)`` never goes backwards.

        Returns
        -------
        tuple of (int, int)
            From which instant, in microseconds, and the offset in seconds from then on; the
            first is the window's start, and neighbours differ.

        Raises
        ------
        QueryError
            The zone changes and the window has no end: the steps would have none either.

        Examples
        --------
        >>> from aggflow.timeline.window import Window
        >>> Zone.of("GMT+01:00").shifts(Window(0, 10))
        ((0, 3600),)
        """
        if self.fixed is not None:
            return ((window.start, self.fixed),)
        if window.end >= FOREVER:
            raise QueryError(f"the offsets of {self.name} have no end", hint="give the window an end")
        first = max(window.start, min(_FIRST_CHANGE * SECOND_US, window.end - 1))
        years = range(first // _YEAR_US, (window.end - 1) // _YEAR_US + 1)
        starts, offsets = _joined(_day_steps(self.name, year) for year in years)
        here = bisect_right(starts, first) - 1
        stop = bisect_right(starts, window.end - 1)
        return (
            (window.start, offsets[here]),
            *zip(starts[here + 1 : stop], offsets[here + 1 : stop], strict=True),
        )

    def __str__(self) -> str:
        return self.name


@lru_cache(maxsize=4096)
def _zone_of(text: str) -> Zone:
    name = text.strip()
    if name.upper() in _UTC_NAMES:
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None and int(match[2]) < 24 and int(match[3] or 0) < 60:
        return _fixed(match[1], int(match[2]), int(match[3] or 0))
    known = _known_zones().get(name.lower())
    if known is None:
        error = NotFoundError("time zone", text, _known_zones().values())
        error.hint = _hint(name)
        raise error
    # POSIX counts westwards: Etc/GMT-1 is an hour ahead of UTC.
    etc = _ETC.fullmatch(known)
    return _fixed("-" if etc[1] == "+" else "+", int(etc[2]), 0) if etc else Zone(known, None)


def _hint(name: str) -> str:
    """What is meant by a name that is none, else how zones are written."""
    place = _ABBREVIATED.get(name.upper()) or _of_city(name)
    if place is not None:
        return f"did you mean {place!r}?"
    posix = _POSIX.fullmatch(name)
    if posix is not None and posix[1].upper() not in ("UTC", "GMT"):
        # POSIX counts westwards.
        return f"an offset is written GMT{'+' if posix[2] == '-' else '-'}{int(posix[3]):02d}:00"
    if _LIKE_AN_OFFSET.match(name):
        return "an offset is written GMT+02:00 or -05:30, and is less than a day"
    place = nearest(name, _known_zones().values()) or _near_city(name)
    return f"did you mean {place!r}?" if place else "name one as Europe/Berlin, or an offset as GMT+02:00"


def _of_city(name: str) -> str | None:
    """The zone that is named after a city, however that is written."""
    city = "/" + "_".join(name.lower().split())
    return next((known for lower, known in _known_zones().items() if lower.endswith(city)), None)


def _near_city(name: str) -> str | None:
    """The zone of the city whose name is nearest."""
    cities = {known.rpartition("/")[2]: known for known in _known_zones().values()}
    city = nearest("_".join(name.split()), cities)
    return None if city is None else cities[city]


def _fixed(sign: str, hours: int, minutes: int) -> Zone:
    seconds = hours * 3600 + minutes * 60
    return (
        Zone(f"GMT{sign}{hours:02d}:{minutes:02d}", -seconds if sign == "-" else seconds) if seconds else UTC
    )


@lru_cache(maxsize=1)
def _known_zones() -> dict[str, str]:
    """IANA names by their lower case."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {name.lower(): name for name in names}


@lru_cache(maxsize=1024)
def _rules(name: str) -> ZoneInfo:
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _probe(rules: ZoneInfo, seconds: int) -> int:
    """The offset at a whole second."""
    if seconds > _LAST_PROBE:
        seconds -= -(-(seconds - _LAST_PROBE) // _CYCLE_SECONDS) * _CYCLE_SECONDS
    moment = _EPOCH + timedelta(seconds=max(seconds, _FIRST_CHANGE))
    offset = rules.fromutc(moment.replace(tzinfo=rules)).utcoffset()
    return 0 if offset is None else offset.days * DAY_SECONDS + offset.seconds


def _changes(rules: ZoneInfo, start: int, end: int) -> Iterable[tuple[int, int]]:
    """Where the offset changes after ``start`` up to ``end``, in seconds, and what it is from there."""
    before = _probe(rules, start)
    for low in range(start, end, _PROBE_SECONDS):
        high = min(low + _PROBE_SECONDS, end)
        after = _probe(rules, high)
        if after != before:
            yield _bisect(rules, low, high), after
        before = after


def _bisect(rules: ZoneInfo, low: int, high: int) -> int:
    """The first second at which the offset is no longer what it was at ``low``."""
    before = _probe(rules, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _probe(rules, middle) == before:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=8192)
def _clock_steps(name: str, year: int) -> Steps:
    """The offsets of clocks in a year of 366 days, counted from the epoch."""
    rules, start = _rules(name), year * _YEAR_SECONDS
    end = start + _YEAR_SECONDS
    changes = [(at, offset) for at, offset in _changes(rules, start, end) if at < end]
    return _steps([(start, _probe(rules, start)), *changes])


@lru_cache(maxsize=8192)
def _day_steps(name: str, year: int) -> Steps:
    """The offsets that count local days, in the same years."""
    rules, start = _rules(name), year * _YEAR_SECONDS
    end = start + _YEAR_SECONDS
    steps = [(start - _LEAD, _probe(rules, start - _LEAD))]
    for at, new in _changes(rules, start - _LEAD, end):
        while len(steps) > 1 and steps[-1][0] >= at:
            steps.pop()  # put off to a midnight that this change comes before
        begun = (at - 1 + steps[-1][1]) // DAY_SECONDS
        # The day that has begun goes on: set back over midnight, wait for the new midnight.
        steps.append((max(at, begun * DAY_SECONDS - new), new))
    here = bisect_right(steps, start, key=lambda step: step[0]) - 1
    return _steps([(start, steps[here][1]), *(step for step in steps[here + 1 :] if step[0] < end)])


def _steps(pairs: list[tuple[int, int]]) -> Steps:
    return tuple(at * SECOND_US for at, _ in pairs), tuple(offset for _, offset in pairs)


@lru_cache(maxsize=4096)
def _steps_of_years(name: str, first: int, last: int) -> Steps:
    return _joined(_clock_steps(name, year) for year in range(first, last + 1))


def _joined(years: Iterable[Steps]) -> Steps:
    """Steps of years that follow one another as one, without those that change nothing."""
    starts: list[int] = []
    offsets: list[int] = []
    for some_starts, some_offsets in years:
        for at, offset in zip(some_starts, some_offsets, strict=True):
            if not offsets or offsets[-1] != offset:
                starts.append(at)
                offsets.append(offset)
    return tuple(starts), tuple(offsets)


def _first_at(steps: Steps, wall_us: Micros) -> Micros:
    """The first instant at which instant plus offset is a wall time, or more."""
    starts, offsets = steps
    ends = (*starts[1:], FOREVER)
    for start, end, offset in zip(starts, ends, offsets, strict=True):
        at = max(start, wall_us - offset * SECOND_US)
        if at < end:
            return at
    raise AssertionError("the last step has no end")


@lru_cache(maxsize=65_536)
def _day_start(name: str, day: int) -> Micros:
    wall = day * DAY_US
    years = range((wall - DAY_US) // _YEAR_US, (wall + DAY_US) // _YEAR_US + 1)
    return _first_at(_joined(_day_steps(name, year) for year in years), wall)


UTC: Final = Zone("UTC", 0)
"""The zone without a shift."""
