"""A cron part: one of the parts of a field that commas join, as ``5``, ``1-5/2``, ``L``, ``L5``, ``5#2``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from aggflow.errors import ParseError
from aggflow.language.cron_field import DAY_OF_MONTH, DAY_OF_WEEK, FIELDS, CronField
from aggflow.quote import quoted


@dataclass(frozen=True)
class CronPart:
    """Values of a field.

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
        """Whether it is one value."""
        return self.first == self.last and not self.nth


@lru_cache(maxsize=1024)
def parts_of(text: str) -> tuple[tuple[CronPart, ...], ...]:
    """The parts of each field of an expression.

    Raises
    ------
    ParseError
        One of them is none.
    """
    return tuple(
        tuple(_part(text, i, at, part) for at, part in split_field(text, i)) for i in range(len(FIELDS))
    )


def split_field(text: str, index: int) -> Iterator[tuple[int, str]]:
    """The texts of a field's parts, each with its place in the expression."""
    at = place_of(text, index)
    for part in text.split(" ")[index].split(","):
        yield at, part
        at += len(part) + 1


def _part(text: str, index: int, at: int, part: str) -> CronPart:
    field = FIELDS[index]

    def wrong(message: str, hint: str = "") -> ParseError:
        return ParseError(message, text=text, position=at, hint=hint)

    def value(given: str) -> int:
        number = field.read(given)
        if number is None:
            raise wrong(f"{quoted(given)} is no {field.name}", _values(field))
        if not field.low <= number <= field.high:
            article = "an" if field.name == "hour" else "a"
            raise wrong(f"{article} {field.name} is {field.low} to {field.high}, not {number}")
        return number

    if index in (DAY_OF_MONTH, DAY_OF_WEEK):
        if part == "?":
            return CronPart(field.low, field.high)
        special = _special(index, part, value, wrong)
        if special is not None:
            return special
    elif part == "?":
        raise wrong("? stands for the day of the month or of the week only", "write *")
    body, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= field.high):
        raise wrong(f"a step is a number from 1 to {field.high}, not {quoted(step)}")
    if body == "*":
        return CronPart(field.low, field.high, int(step or 1))
    first, dash, last = body.partition("-")
    start = value(first)
    if dash:
        return CronPart(start, value(last), int(step or 1))
    return CronPart(start, field.high, int(step)) if slash else CronPart(start, start)


def _special(
    index: int, part: str, value: Callable[[str], int], wrong: Callable[..., ParseError]
) -> CronPart | None:
    """What only days know: the last one, and the nth of a month."""
    is_weekday = index == DAY_OF_WEEK
    if re.fullmatch(r"(?i)(L|\d+)W", part):
        raise wrong("W, the nearest working day, is not known", "name the days of the week: MON-FRI")
    if part.upper() == "L":
        if is_weekday:
            raise wrong("L alone is no day of the week", "the last Friday of the month is L5")
        return CronPart(31, 31, nth=-1)
    if not is_weekday:
        if re.match(r"(?i)L", part):
            raise wrong("L stands alone: the last day of the month")
        return None
    last = re.fullmatch(r"(?i)L(\d)", part)
    if last:
        day = value(last[1])
        return CronPart(day, day, nth=-1)
    if re.fullmatch(r"(?i)\w+L", part):
        raise wrong(f"{part} is not known", "the last Friday of the month is L5")
    name, hash_, nth = part.partition("#")
    if not hash_:
        return None
    if nth not in ("1", "2", "3", "4", "5"):
        raise wrong(f"# is followed by 1 to 5, not {quoted(nth)}", "the second Friday of the month is 5#2")
    day = value(name)
    return CronPart(day, day, nth=int(nth))


def _values(field: CronField) -> str:
    if not field.names:
        return f"numbers are {field.low} to {field.high}"
    shorts = [name[:3].upper() for name in field.names]
    return f"numbers are {field.low} to {field.high}, names {shorts[0]} to {shorts[-1]}"


def place_of(text: str, index: int) -> int:
    """Where a field begins."""
    return sum(len(field) + 1 for field in text.split(" ")[:index])


def is_any(parts: tuple[CronPart, ...], index: int) -> bool:
    """Whether a field leaves its value open."""
    field = FIELDS[index]
    return any(
        (part.first, part.last, part.step, part.nth) == (field.low, field.high, 1, 0) for part in parts
    )
