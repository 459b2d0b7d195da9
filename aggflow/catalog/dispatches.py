"""Dispatch: what is still to be told to the orchestration, written with the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.tables import dispatches
from aggflow.timeline.instant import Micros

DispatchKind: TypeAlias = Literal["batch", "schedules", "tasks"]
_KEPT_US = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One thing to be carried out by the orchestration, sooner or later.

    Attributes
    ----------
    number
        The order in which they were written.
    kind, key
        What to see to: the batch of an id, the schedules of a cube, the tasks.
    payload
        Anything else, ready for JSON.
    attempts, error
        How often it was tried in vain, and what stopped it the last time.
    """

    number: int
    workspace_id: str
    kind: DispatchKind
    key: str
    payload: Mapping[str, Any]
    created_us: Micros
    attempts: int
    error: str | None


_COLUMNS = (
    dispatches.c.number,
    dispatches.c.workspace_id,
    dispatches.c.kind,
    dispatches.c.key,
    dispatches.c.payload,
    dispatches.c.created_us,
    dispatches.c.attempts,
    dispatches.c.error,
)
_is_pending = dispatches.c.finished_us.is_(None)
_PENDING = (
    sa.select(*_COLUMNS)
    .where(dispatches.c.workspace_id == sa.bindparam("workspace_id"), _is_pending)
    .order_by(dispatches.c.number)
)

_WAITING = sa.select(dispatches.c.workspace_id, dispatches.c.kind).where(_is_pending).distinct()


def write_dispatch(
    connection: sa.Connection,
    workspace_id: str,
    dispatch: tuple[DispatchKind, str],
    now_us: Micros,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Write a dispatch inside the transaction of the change that it tells of."""
    kind, key = dispatch
    connection.execute(
        dispatches.insert().values(
            workspace_id=workspace_id,
            kind=kind,
            key=key,
            payload=dict(payload or {}),
            created_us=now_us,
            finished_us=None,
            attempts=0,
            error=None,
        )
    )


def settle_dispatches(
    connection: sa.Connection, kind: DispatchKind, keys: Iterable[str], now_us: Micros
) -> None:
    """Finish the dispatches of things that need nobody any more, inside a transaction."""
    these = (dispatches.c.kind == kind, dispatches.c.key.in_(list(keys)), _is_pending)
    connection.execute(dispatches.update().where(*these).values(finished_us=now_us))


class Dispatches(Database):
    """The part of a catalog that holds what the orchestration is still to be told."""

    def pending_dispatches(self, workspace_id: str) -> tuple[Dispatch, ...]:
        """The dispatches of a workspace that are not carried out yet, oldest first."""
        return tuple(Dispatch(*row) for row in self._read(_PENDING, workspace_id=workspace_id))

    def waiting_dispatches(self) -> frozenset[tuple[str, DispatchKind]]:
        """In which workspaces what kinds of dispatches are not carried out yet."""
        return frozenset((row.workspace_id, row.kind) for row in self._read(_WAITING))

    def finish_dispatch(self, number: int, now_us: Micros) -> bool:
        """Note that a dispatch was carried out; one that is finished already is no error.

        Finished ones are kept for a week, to be looked at.

        Returns
        -------
        bool
            Whether it was not finished before; of several who ask at once, one is told so.
        """
        with self._write() as connection:
            this = (dispatches.c.number == number, _is_pending)
            done = connection.execute(dispatches.update().where(*this).values(finished_us=now_us))
            connection.execute(dispatches.delete().where(dispatches.c.finished_us < now_us - _KEPT_US))
            return done.rowcount > 0

    def fail_dispatch(self, number: int, error: str) -> None:
        """Note that a dispatch was tried in vain: it stays to be tried again, unless it was settled meanwhile.

        Parameters
        ----------
        number
            Of the dispatch.
        error
            What stopped it, in words.
        """
        with self._write() as connection:
            values = {"attempts": dispatches.c.attempts + 1, "error": error}
            this = (dispatches.c.number == number, _is_pending)
            connection.execute(dispatches.update().where(*this).values(values))
