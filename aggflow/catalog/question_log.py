"""Question log: which shapes of questions were asked, how often, and what answering them took, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import questions
from aggflow.catalog.workspaces import lock_workspace
from aggflow.timeline.instant import Micros


@dataclass(frozen=True, slots=True)
class LoggedQuestion:
    """A shape of questions, and what answering them took in all.

    Attributes
    ----------
    shape_hash, shape
        What all of them have in common, ready for JSON, and its digest.
    source
        Name of the source that they are about.
    windows
        What time the last of them was about: start and end of each window, in microseconds.
    asked
        How many there were.
    rows_read, source_rows
        Stored cells, and rows of the source, that were read for them.
    microseconds
        How long they took together.
    last_us
        When the last of them was asked.
    """

    shape_hash: str
    shape: Mapping[str, Any]
    source: str
    windows: tuple[tuple[Micros, Micros], ...]
    asked: int
    rows_read: int
    source_rows: int
    microseconds: int
    last_us: Micros

    def __add__(self, other: LoggedQuestion) -> LoggedQuestion:
        return replace(
            self,
            windows=max(self, other, key=lambda entry: entry.last_us).windows,
            asked=self.asked + other.asked,
            rows_read=self.rows_read + other.rows_read,
            source_rows=self.source_rows + other.source_rows,
            microseconds=self.microseconds + other.microseconds,
            last_us=max(self.last_us, other.last_us),
        )


_COLUMNS = (
    questions.c.shape_hash,
    questions.c.shape,
    questions.c.source,
    questions.c.windows,
    questions.c.asked,
    questions.c.rows_read,
    questions.c.source_rows,
    questions.c.microseconds,
    questions.c.last_us,
)


class QuestionLog(Database):
    """The part of a catalog that remembers what was asked."""

    def log_questions(self, workspace_id: str, day: int, entries: Iterable[LoggedQuestion]) -> None:
        """Add to what is known of a day.

        Parameters
        ----------
        workspace_id
            Whose questions.
        day
            Days since the epoch, in UTC.
        entries
            What was asked since the last time.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            for entry in entries:
                _add(connection, {"workspace_id": workspace_id, "day": day}, entry)

    def questions(
        self, workspace_id: str, since_day: int, source: str | None = None
    ) -> tuple[LoggedQuestion, ...]:
        """What was asked since a day, one entry a shape, the most asked first.

        Parameters
        ----------
        workspace_id
            Whose questions.
        since_day
            Days since the epoch, in UTC; that day is part of it.
        source
            Only of this source.
        """
        statement = sa.select(*_COLUMNS).where(
            questions.c.workspace_id == workspace_id, questions.c.day >= since_day
        )
        if source is not None:
            statement = statement.where(questions.c.source == source)
        found: dict[str, LoggedQuestion] = {}
        for row in self._read(statement.order_by(questions.c.day)):
            entry = _entry(row)
            known = found.get(entry.shape_hash)
            found[entry.shape_hash] = entry if known is None else known + entry
        return tuple(sorted(found.values(), key=lambda entry: (-entry.asked, entry.shape_hash)))

    def forget_questions(self, before_day: int) -> int:
        """Forget what was asked before a day, in all workspaces; how many entries there were."""
        with self._write() as connection:
            return connection.execute(questions.delete().where(questions.c.day < before_day)).rowcount


def _entry(row: sa.Row[Any]) -> LoggedQuestion:
    # JSON has no tuples.
    return replace(LoggedQuestion(*row), windows=tuple((start, end) for start, end in row.windows))


def _add(connection: sa.Connection, key: Mapping[str, Any], entry: LoggedQuestion) -> None:
    """Add to what is known; under the lock of the workspace, nobody else adds meanwhile."""
    key = {**key, "shape_hash": entry.shape_hash}
    this = sa.and_(*(questions.c[name] == value for name, value in key.items()))
    row = connection.execute(sa.select(*_COLUMNS).where(this)).first()
    whole = entry if row is None else _entry(row) + entry
    values = {column.name: getattr(whole, column.name) for column in _COLUMNS}
    values |= {**key, "shape": dict(entry.shape), "windows": [list(window) for window in whole.windows]}
    if row is None:
        connection.execute(questions.insert().values(values))
    else:
        connection.execute(questions.update().where(this).values(values))
