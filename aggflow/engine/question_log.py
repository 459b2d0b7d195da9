"""A question log: what was asked and what it took to answer, noted in memory and written down later."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aggflow.catalog import Catalog, LoggedQuestion
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.explanation import Explanation
from aggflow.engine.plan import Need
from aggflow.errors import AggflowError
from aggflow.timeline import Micros, Window

DAY_US = 86_400_000_000
#: Days for which what was asked is remembered.
KEPT_DAYS = 400
_SECONDS = 3.0
_MOST_SHAPES = 10_000
# A day, and what was asked on it.
_Key: TypeAlias = tuple[int, AskedShape]
_logger = logging.getLogger(__name__)


@dataclass
class _Taken:
    """What answers of one shape took on one day."""

    windows: Sequence[Window]
    last_us: Micros
    asked: int = 0
    rows_read: int = 0
    source_rows: int = 0
    microseconds: int = 0

    def add(self, other: _Taken) -> None:
        """Add what other answers took."""
        if other.last_us >= self.last_us:
            self.windows, self.last_us = other.windows, other.last_us
        self.asked += other.asked
        self.rows_read += other.rows_read
        self.source_rows += other.source_rows
        self.microseconds += other.microseconds


class QuestionLog:
    """The questions that a process answers, by their shape.

    Noting one is a change in memory.  A thread of its own writes them to the catalog some seconds
    after the first, so that no answer waits for it.

    Parameters
    ----------
    catalog, workspace_id
        Where they are written.
    clock
        Microseconds since the epoch, now.
    seconds
        How long after the first they are written.
    """

    def __init__(
        self,
        catalog: Catalog,
        workspace_id: str,
        clock: Callable[[], Micros],
        seconds: float = _SECONDS,
    ) -> None:
        self._catalog = catalog
        self._workspace_id = workspace_id
        self._clock = clock
        self._seconds = seconds
        self._is_on = True
        self._forgotten: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        # Held while it is written: who flushes, or closes, finds what another thread had taken written as well.
        self._writing = threading.Lock()
        self._taken: dict[_Key, _Taken] = {}
        self._timer: threading.Timer | None = None

    def note(self, name: str, need: Need, explanation: Explanation) -> None:
        """Note an answer.

        Parameters
        ----------
        name
            What was asked: an endpoint, a cube ...
        need
            What was needed to answer it.
        explanation
            What it took.
        """
        milliseconds = explanation.milliseconds
        self.note_shape(AskedShape.of(name, need), need.question.windows, explanation, milliseconds)

    def note_shape(
        self, shape: AskedShape, windows: Sequence[Window], explanation: Explanation, milliseconds: float
    ) -> None:
        """Note an answer whose shape is known.

        Parameters
        ----------
        shape
            Of the question.
        windows
            Those of its fields, each once, in order of time.
        explanation
            What it took when it was computed.
        milliseconds
            How long it took this time.
        """
        if not self._is_on:
            return
        self._part_from_parent()
        now_us = self._clock()
        taken = _Taken(windows, now_us, 1, explanation.cells, explanation.rows, round(milliseconds * 1000))
        with self._lock:
            self._add((now_us // DAY_US, shape), taken)
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self.flush)
                self._timer.daemon = True
                self._timer.name = "aggflow-questions"
                self._timer.start()

    def _add(self, key: _Key, taken: _Taken) -> None:
        known = self._taken.get(key)
        if known is not None:
            known.add(taken)
        elif len(self._taken) < _MOST_SHAPES:
            self._taken[key] = taken

    def flush(self) -> None:
        """Write what was noted; where the catalog cannot be written, it is tried again or given up."""
        self._part_from_parent()
        with self._writing:
            with self._lock:
                taken, self._taken = self._taken, {}
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            by_day: dict[int, dict[_Key, _Taken]] = {}
            for key, one in taken.items():
                by_day.setdefault(key[0], {})[key] = one
            for day, entries in by_day.items():
                try:
                    self._write(day, entries)
                except AggflowError as error:
                    self._failed(entries, error)

    def close(self) -> None:
        """Write what was noted, and note nothing more."""
        self.flush()
        self._is_on = False

    def _part_from_parent(self) -> None:
        """In a fork: what was noted before it is the parent's to write, and its locks may be held for ever."""
        if self._pid != os.getpid():
            self._begin()

    def _write(self, day: int, entries: Mapping[_Key, _Taken]) -> None:
        logged = [_entry(shape, taken) for (_, shape), taken in entries.items()]
        self._catalog.log_questions(self._workspace_id, day, logged)
        if self._forgotten != day:
            self._forgotten = day
            self._catalog.forget_questions(day - KEPT_DAYS)

    def _failed(self, entries: Mapping[_Key, _Taken], error: AggflowError) -> None:
        """Nobody is stopped by a log that cannot be kept: it is tried again, or given up."""
        if error.retryable:
            with self._lock:
                for key, taken in entries.items():
                    self._add(key, taken)
        else:
            self._is_on = False
        _logger.info("what was asked could not be written down: %s", error)


def _entry(shape: AskedShape, taken: _Taken) -> LoggedQuestion:
    return LoggedQuestion(
        shape.digest,
        shape.to_plain(),
        shape.source,
        tuple((window.start, window.end) for window in taken.windows),
        taken.asked,
        taken.rows_read,
        taken.source_rows,
        taken.microseconds,
        taken.last_us,
    )
