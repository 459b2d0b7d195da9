"""Batch: the builds of one cube that run together, recorded as one build; one at a time, and one that waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from aggflow.catalog.build import Build
from aggflow.catalog.builds import (
    IS_BATCH,
    Builds,
    build_of,
    change_builds,
    error_of,
    insert_build,
    started_now,
)
from aggflow.catalog.dispatches import settle_dispatches, write_dispatch
from aggflow.catalog.tables import builds, definitions
from aggflow.catalog.workspaces import lock_workspace
from aggflow.errors import BuildError, NotFoundError
from aggflow.timeline.instant import Micros


class Batches(Builds):
    """The part of a catalog that records batches: builds with an owner and no rollup.

    Every change of a batch's status but its end is made under the lock of its workspace.
    """

    def request_batch(
        self,
        workspace_id: str,
        owner_id: str,
        full: bool,  # noqa: FBT001 - what a batch is, first of all
        now_us: Micros,
        *,
        job_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Build:
        """Ask for a batch: joins the one of the owner that waits, or adds one and its dispatch.

        Parameters
        ----------
        workspace_id, owner_id
            Whose, and the definition that is to be built.
        full
            Everything anew; a batch that is joined becomes full, and stays it.
        now_us
            The present instant, in microseconds.
        job_id
            The schedule that asks.
        detail
            Anything else, ready for JSON; added to that of a batch that is joined.

        Returns
        -------
        Build
            The batch, pending.

        Raises
        ------
        NotFoundError
            There is no such workspace or definition.
        """
        with self._write() as connection:
            _lock_owner(connection, workspace_id, owner_id)
            waiting = _first(connection, owner_id, "pending")
            if waiting is not None:
                joined = _joined(waiting, job_id, detail, full=full)
                return _change(connection, waiting.id, joined)
            values = {
                "status": "pending",
                "owner_id": owner_id,
                "job_id": job_id,
                "detail": dict(detail or {}),
            }
            batch = insert_build(connection, workspace_id, _kind(full=full), now_us, values)
            write_dispatch(connection, workspace_id, ("batch", batch.id), now_us, {"owner_id": owner_id})
            return batch

    def claim_batch(
        self,
        workspace_id: str,
        owner_id: str,
        full: bool,  # noqa: FBT001 - what a batch is, first of all
        now_us: Micros,
        *,
        ttl_us: Micros,
        batch_id: str | None = None,
        job_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Build | None:
        """Begin a batch in this process, unless another one of the owner is at work.

        The one that waits is taken, whoever asked for it; where none does, a new one begins.
        Those whose process died are closed.

        Parameters
        ----------
        workspace_id, owner_id
            Whose, and the definition that is to be built.
        full
            Everything anew; one that waits may be full already, and stays it.
        now_us
            The present instant, in microseconds.
        ttl_us
            For how long a batch counts as alive without a sign, in microseconds.
        batch_id
            Only this one, which waits.
        job_id
            The schedule that asks.
        detail
            Anything else, ready for JSON; added to that of a batch that waits.

        Returns
        -------
        Build or None
            The batch, running; None while another one of the owner runs, or where the one that
            is named does not wait any more.

        Raises
        ------
        NotFoundError
            There is no such workspace or definition.
        """
        with self._write() as connection:
            _lock_owner(connection, workspace_id, owner_id)
            of_owner = builds.c.owner_id == owner_id
            _close_dead(connection, of_owner, now_us, ttl_us)
            if _first(connection, owner_id, "running") is not None:
                return None
            waiting = _first(connection, owner_id, "pending")
            if batch_id is not None and (waiting is None or waiting.id != batch_id):
                return None
            started = started_now(now_us)
            if waiting is None:
                values = {"owner_id": owner_id, "job_id": job_id, "detail": dict(detail or {}), **started}
                return insert_build(connection, workspace_id, _kind(full=full), now_us, values)
            settle_dispatches(connection, "batch", [waiting.id], now_us)
            joined = _joined(waiting, job_id, detail, full=full)
            return _change(connection, waiting.id, {**joined, **started})

    def close_dead_batches(self, workspace_id: str, now_us: Micros, ttl_us: Micros) -> tuple[Build, ...]:
        """Close the batches of a workspace whose process died, and the builds of theirs that died with it.

        Parameters
        ----------
        workspace_id
            Whose.
        now_us
            The present instant, in microseconds.
        ttl_us
            For how long a batch counts as alive without a sign, in microseconds.

        Returns
        -------
        tuple of Build
            The batches that were closed.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        """
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            return _close_dead(connection, builds.c.workspace_id == workspace_id, now_us, ttl_us)


def _kind(*, full: bool) -> str:
    return "full" if full else "incremental"


def _lock_owner(connection: sa.Connection, workspace_id: str, owner_id: str) -> None:
    lock_workspace(connection, workspace_id)
    owner = sa.select(definitions.c.id).where(
        definitions.c.id == owner_id, definitions.c.workspace_id == workspace_id
    )
    if connection.execute(owner).first() is None:
        raise NotFoundError("definition", owner_id)


def _first(connection: sa.Connection, owner_id: str, status: str) -> Build | None:
    of_owner = sa.select(builds).where(IS_BATCH, builds.c.owner_id == owner_id, builds.c.status == status)
    row = connection.execute(of_owner.order_by(builds.c.number).limit(1)).first()
    return None if row is None else build_of(row)


def _joined(
    waiting: Build, job_id: str | None, detail: Mapping[str, Any] | None, *, full: bool
) -> dict[str, Any]:
    """What a batch that waits becomes when another wants the same: full wins, the first schedule stays."""
    return {
        "kind": _kind(full=full or waiting.kind == "full"),
        "job_id": waiting.job_id or job_id,
        "detail": {**waiting.detail, **(detail or {})},
    }


def _change(connection: sa.Connection, build_id: str, values: Mapping[str, Any]) -> Build:
    this = builds.c.id == build_id
    connection.execute(builds.update().where(this).values(values))
    return build_of(connection.execute(sa.select(builds).where(this)).one())


def _close_dead(
    connection: sa.Connection, which: sa.ColumnElement[bool], now_us: Micros, ttl_us: Micros
) -> tuple[Build, ...]:
    running = sa.select(builds).where(which, IS_BATCH, builds.c.status == "running")
    found = [build_of(row) for row in connection.execute(running.order_by(builds.c.number))]
    dead = [batch for batch in found if not batch.is_live(now_us, ttl_us)]
    if dead:
        parts = sa.select(builds).where(
            builds.c.batch_id.in_([batch.id for batch in dead]), builds.c.status == "running"
        )
        dead_parts = [build_of(row) for row in connection.execute(parts)]
        gone = [build.id for build in (*dead, *dead_parts) if not build.is_live(now_us, ttl_us)]
        error = error_of(BuildError("its process died"))
        values = {"status": "error", "finished_us": now_us, "error": error}
        change_builds(connection, builds.c.id.in_(gone), values)
        closed = sa.select(builds).where(builds.c.id.in_([batch.id for batch in dead]))
        return tuple(build_of(row) for row in connection.execute(closed.order_by(builds.c.number)))
    return ()
