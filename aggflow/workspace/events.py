"""Events of a workspace: what is sent to its embedded sources."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from aggflow.backends.errors import mapped
from aggflow.backends.event_folder import ARRIVED, Appended, Event
from aggflow.errors import AggflowError, Problem, QueryError, SpecError
from aggflow.language import Path, read_subject
from aggflow.quote import quoted
from aggflow.timeline import Micros, parse_instant
from aggflow.workspace.foundation import Foundation

_FIRST: Final = parse_instant("0001-01-01")
_LAST: Final = parse_instant("9999-12-31T23:59:59Z")
_MOST_PROBLEMS: Final = 20


class EventsPart(Foundation):
    """The part of a workspace that takes events."""

    def add_events(
        self, source: str, events: Iterable[Mapping[str, Any]], *, event_id: str | None = None
    ) -> Appended:
        """Append events to an embedded source, all or none; what is built of them is built by the next build.

        Parameters
        ----------
        source
            Its name.
        events
            Each with whatever can be written as JSON.
        event_id
            The field, or the path to it, that holds an event's id: one that was sent before is left out.

        Raises
        ------
        NotFoundError
            There is no such source.
        SpecError
            It is not embedded; or what is wrong with the events, with the place of each.

        Examples
        --------
        >>> import aggflow, tempfile
        >>> with aggflow.open(tempfile.mkdtemp()) as ws:
        ...     source = ws.add_source("clicks", "embedded://", time="at")
        ...     sent = ws.add_events("clicks", [{"at": "2025-01-01T12:00:00Z", "page": "/"}])
        ...     ws.linq("from clicks group by page").rows
        [{'groupings': {'page': '/'}, 'fields': {'count': 1}}]
        """
        spec = self._source(source)
        folder = self._declarations.event_folder(spec)
        time = None if spec.time == ARRIVED else _path("time", spec.time)
        reading = _Reading(time, None if event_id is None else _path("event_id", event_id))
        read = [reading.event(i, event) for i, event in enumerate(events)]
        if reading.problems:
            raise SpecError("the events", reading.problems[:_MOST_PROBLEMS])
        with mapped(spec.name):
            return folder.append(cast("list[Event]", read), self._clock())


class _Reading:
    """Events as they are read: what is wrong with them is collected."""

    def __init__(self, time: Path | None, event_id: Path | None) -> None:
        self._time = time
        self._id = event_id
        self.problems: list[Problem] = []

    def event(self, number: int, event: object) -> Event | None:
        """An event as it is kept; None where something is wrong with it."""
        place = f"[{number}]"
        if not isinstance(event, Mapping):
            self.problems.append(Problem(place, "must be an object"))
            return None
        data = cast("Mapping[str, Any]", event)
        before = len(self.problems)
        time_us = None if self._time is None else self._time_us(place, _at(data, self._time))
        text = self._text(place, data)
        known = None if self._id is None else self._known(place, _at(data, self._id))
        return None if len(self.problems) > before else Event(time_us, text, known)

    def _time_us(self, place: str, value: Any) -> Micros:
        where = f"{place}.{'.'.join(self._time.parts)}" if self._time is not None else place
        if value is None:
            self.problems.append(Problem(where, "is required: it is the time of the event"))
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            self.problems.append(Problem(where, "is no time", "RFC 3339, a date, or epoch milliseconds"))
        else:
            try:
                found = parse_instant(value)
            except QueryError as error:
                self.problems.append(Problem(where, error.message, error.hint))
                return 0
            if _FIRST <= found <= _LAST:
                return found
            self.problems.append(Problem(where, "is outside the years 1 to 9999"))
        return 0

    def _text(self, place: str, event: Mapping[str, Any]) -> str:
        try:
            text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            self.problems.append(Problem(place, f"cannot be written as JSON: {error}"))
            return ""
        return text

    def _known(self, place: str, value: Any) -> str | None:
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
        where = f"{place}.{'.'.join(self._id.parts)}" if self._id is not None else place
        self.problems.append(Problem(where, "is required as text or a whole number: it is the event's id"))
        return None


def _path(what: str, text: str) -> Path:
    """The path that a field's name, or a JPath, is."""
    try:
        found = read_subject(text)
    except AggflowError as error:
        raise SpecError("the events", [Problem(what, str(error))]) from None
    if isinstance(found, Path):
        return found
    raise SpecError("the events", [Problem(what, f"{quoted(text)} is no path", "@.id, for one")])


def _at(event: Mapping[str, Any], path: Path) -> Any:
    value: Any = event
    for part in path.parts:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(part)
    return value


def objects_in(data: Any, path: str) -> Sequence[Any]:
    """The events that stand in an array at a path of an object.

    Raises
    ------
    SpecError
        There is no array.
    """
    found = _at(data, _path("events", path)) if isinstance(data, Mapping) else None
    if isinstance(found, list):
        return cast("list[Any]", found)
    raise SpecError("the body", [Problem("events", f"there is no array at {path}")])
