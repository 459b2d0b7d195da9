"""A cron sentence: when an expression fires, in plain English."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

from aggflow.language.cron_field import DAY_OF_MONTH, DAY_OF_WEEK, DAYS, FIELDS, MONTH, MONTHS
from aggflow.language.cron_part import CronPart, is_any, parts_of

_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth")
_MOST_TIMES: Final = 6
_MOST_VALUES: Final = 6


def sentence_of(text: str, zone: str) -> str:
    """When an expression fires by the clock of a zone, in plain English."""
    parts = parts_of(text)
    days, times = _said_days(parts, text), _named_times(parts)
    if times:
        return f"{days} at {_joined(times)} {zone}"
    said = [_said_repeats(parts), *([] if days == "every day" else [days]), zone]
    return ", ".join(said)


def _named_times(parts: tuple[tuple[CronPart, ...], ...]) -> list[str]:
    """The times of a day, if they are few and each is named; else none."""
    seconds, minutes, hours = parts[:3]
    if not all(part.is_single for field in (seconds, minutes, hours) for part in field):
        return []
    times = product(*([part.first for part in field] for field in (hours, minutes, seconds)))
    said = [f"{hour:02d}:{minute:02d}:{second:02d}" for hour, minute, second in times]
    return sorted(set(said)) if len(said) <= _MOST_TIMES else []


def _said_repeats(parts: tuple[tuple[CronPart, ...], ...]) -> str:
    """When it fires in a day, of an expression that fires often."""
    seconds, minutes, hours = parts[:3]
    exact = "" if seconds == (CronPart(0, 0),) else f" at second {_said_values(seconds)}"
    is_one = len(hours) == 1 and hours[0].is_single
    within = "" if is_any(hours, 2) else f" in {'hour' if is_one else 'hours'} {_said_values(hours)}"
    if not all(part.is_single for part in seconds):
        minute = "" if is_any(minutes, 1) else f" in minutes {_said_values(minutes)}"
        return f"{_said_steps(seconds, 0)}{minute}{within}"
    if all(part.is_single for part in minutes):
        every = "every hour" if is_any(hours, 2) else _said_steps(hours, 2)
        return f"{every} at minute {_said_values(minutes)}{exact.replace(' at', ',')}"
    return f"{_said_steps(minutes, 1)}{within}{exact}"


def _said_steps(parts: tuple[CronPart, ...], index: int) -> str:
    """``every 15 minutes``, ``every minute``, or the values."""
    name, high = FIELDS[index].name, FIELDS[index].high
    part = parts[0]
    if is_any(parts, index):
        return f"every {name}"
    if len(parts) == 1 and part.first == 0 and part.last == high and (high + 1) % part.step == 0:
        return f"every {part.step} {name}s"
    return f"in {name}s {_said_values(parts)}"


def _said_days(parts: tuple[tuple[CronPart, ...], ...], text: str) -> str:
    days, months, weekdays = parts[DAY_OF_MONTH], parts[MONTH], parts[DAY_OF_WEEK]
    said: list[str] = []
    written = [text.split(" ")[index] for index in (DAY_OF_MONTH, DAY_OF_WEEK)]
    is_open = is_any(days, DAY_OF_MONTH), is_any(weekdays, DAY_OF_WEEK)
    # Where both fields are set either matches, and one that names every day is set.
    if any(is_open) and not {"*", "?"} & set(written):
        is_open = True, True
    if not is_open[0]:
        last = "the last day of the month"
        named = [part for part in days if not part.nth]
        values = [f"day {_said_values(tuple(named))} of the month"] if named else []
        said.append("on " + _joined([*values, *([last] if len(named) < len(days) else [])]))
    if not is_open[1]:
        said.append("every " + _joined([text for part in weekdays for text in _said_weekday(part)]))
    text = " and ".join(said) or "every day"
    if is_any(months, MONTH):
        return text
    names = [text for part in months for text in _said_part(part, lambda month: MONTHS[month - 1])]
    return f"{text} in {_joined(names)}"


def _said_weekday(part: CronPart) -> list[str]:
    name = DAYS[part.first % 7]
    if part.nth:
        return [f"{'last' if part.nth < 0 else _ORDINALS[part.nth - 1]} {name} of the month"]
    return _said_part(part, lambda day: DAYS[day % 7])


def _said_values(parts: tuple[CronPart, ...]) -> str:
    return _joined([text for part in parts for text in _said_part(part, str)])


def _said_part(part: CronPart, name: Callable[[int], str]) -> list[str]:
    """The values of a part: one, a range, or those that a step leaves, the first and the last where they are many."""
    if part.first == part.last:
        return [name(part.first)]
    if part.step == 1:
        return [f"{name(part.first)} to {name(part.last)}"]
    # A week has two Sundays.
    texts = list(dict.fromkeys(map(name, range(part.first, part.last + 1, part.step))))
    return texts if len(texts) <= _MOST_VALUES else [f"{', '.join(texts[:3])} … {texts[-1]}"]


def _joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
