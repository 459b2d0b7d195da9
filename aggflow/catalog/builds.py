"""The builds of a catalog: the part of it that records them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.build import Build, BuildStatus
from aggflow.catalog.build_totals import BuildTotals
from aggflow.catalog.database import Database
from aggflow.catalog.tables import builds, rollups
from aggflow.catalog.workspaces import lock_workspace
from aggflow.errors import NotFoundError
from aggflow.process import Process
from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window

_OPEN = ("pending", "running")


def build_of(row: sa.Row[Any]) -> Build:
    """A row of the table as a build."""
    # The columns are the attributes, but for a window's two ends.
    values: list[Any] = list(row)
    values[9:11] = [None if row.start_us is None else Window(row.start_us, row.end_us)]
    return Build(*values)


_BY_ID = sa.select(builds).where(builds.c.id == sa.bindparam("id"))
_TOTALS = sa.select(
    sa.func.coalesce(sa.func.sum(builds.c.rows_read), 0),
    sa.func.coalesce(sa.func.sum(builds.c.states_written), 0),
    sa.func.max(sa.case((builds.c.status == "done", builds.c.finished_us))),
).where(builds.c.rollup_id == sa.bindparam("rollup_id"))
_ANY = builds.alias()
_NEWEST = sa.select(sa.func.max(_ANY.c.number)).where(_ANY.c.rollup_id == rollups.c.id).scalar_subquery()
_LAST = (
    sa.select(builds)
    .select_from(rollups)
    .join(builds, builds.c.number == _NEWEST)
    .where(rollups.c.workspace_id == sa.bindparam("workspace_id"))
)
# A batch is of a definition, and of none of its rollups.
IS_BATCH = sa.and_(builds.c.rollup_id.is_(None), builds.c.owner_id.is_not(None))


def started_now(now_us: Micros) -> dict[str, Any]:
    """The columns of a build that this process begins."""
    process = Process.this()
    return {
        "status": "running",
        "started_us": now_us,
        "heartbeat_us": now_us,
        "host": process.host,
        "pid": process.pid,
        "pid_started": process.started,
    }


def insert_build(
    connection: sa.Connection, workspace_id: str, kind: str, now_us: Micros, values: Mapping[str, Any]
) -> Build:
    """Record a new build inside a transaction; what the values leave out is zero or unknown."""
    known = {
        "id": str(uuid4()),
        "workspace_id": workspace_id,
        "kind": kind,
        "created_us": now_us,
        "windows_done": 0,
        "rows_read": 0,
        "null_times": 0,
        "states_written": 0,
        "bytes_written": 0,
        "detail": {},
    }
    connection.execute(builds.insert().values({**known, **values}))
    return build_of(connection.execute(_BY_ID, {"id": known["id"]}).one())


def change_builds(connection: sa.Connection, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> int:
    """Change those of some builds that have not ended, inside a transaction; how many there were."""
    still_open = sa.and_(which, builds.c.status.in_(_OPEN))
    return connection.execute(builds.update().where(still_open).values(values)).rowcount


def error_of(error: BaseException) -> dict[str, str]:
    """What a build's record keeps of an error."""
    return {"class": type(error).__name__, "message": str(error)}


class Builds(Database):
    """The part of a catalog that records builds."""

    def start_build(
        self,
        workspace_id: str,
        kind: str,
        now_us: Micros,
        *,
        rollup_id: str | None = None,
        owner_id: str | None = None,
        batch_id: str | None = None,
        job_id: str | None = None,
        window: Window | None = None,
        windows_total: int | None = None,
        status: Literal["pending", "running"] = "running",
        detail: Mapping[str, Any] | None = None,
    ) -> Build:
        """Record a new build.

        Parameters
        ----------
        workspace_id, kind
            Whose, and of which kind it is.
        now_us
            The present instant, in microseconds.
        rollup_id, owner_id, window, windows_total
            What it builds, and for which definition, as far as it is known.
        batch_id, job_id
            The batch that it is a part of; the schedule that asked for it.
        status
            ``running``, in this process, or ``pending`` for one that `claim_build` starts later.
        detail
            Anything else, ready for JSON.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        """
        values: dict[str, Any] = {
            "rollup_id": rollup_id,
            "owner_id": owner_id,
            "batch_id": batch_id,
            "job_id": job_id,
            "start_us": window.start if window else None,
            "end_us": window.end if window else None,
            "windows_total": windows_total,
            "detail": dict(detail or {}),
        }
        started = started_now(now_us) if status == "running" else {"status": status}
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            return insert_build(connection, workspace_id, kind, now_us, {**values, **started})

    def claim_build(self, build_id: str, now_us: Micros) -> Build | None:
        """Start a pending build in this process; None where it is not pending: only one claim succeeds."""
        pending = sa.and_(builds.c.id == build_id, builds.c.status == "pending")
        with self._write() as connection:
            started = builds.update().where(pending).values(started_now(now_us))
            if connection.execute(started).rowcount == 0:
                return None
            return build_of(connection.execute(_BY_ID, {"id": build_id}).one())

    def progress_build(
        self,
        build_id: str,
        *,
        window: Window | None = None,
        windows_done: int | None = None,
        windows_total: int | None = None,
        rows_read: int | None = None,
        null_times: int | None = None,
        states_written: int | None = None,
        bytes_written: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Build:
        """Note how far a build is: totals so far, not increments; None leaves a figure as it is.

        Returns
        -------
        Build
            As it is now: a status of ``cancelled`` tells the builder to stop.

        Raises
        ------
        NotFoundError
            There is no such build.
        """
        values: dict[str, Any] = {
            "start_us": window.start if window else None,
            "end_us": window.end if window else None,
            "windows_done": windows_done,
            "windows_total": windows_total,
            "rows_read": rows_read,
            "null_times": null_times,
            "states_written": states_written,
            "bytes_written": bytes_written,
            "detail": None if detail is None else dict(detail),
        }
        return self._update_build(build_id, {k: v for k, v in values.items() if v is not None})

    def finish_build(
        self,
        build_id: str,
        status: Literal["done", "error", "cancelled"],
        now_us: Micros,
        *,
        error: BaseException | None = None,
    ) -> Build:
        """Close a build; one that is closed already stays as it is.

        Parameters
        ----------
        build_id
            The build.
        status
            How it ended.
        now_us
            The present instant, in microseconds.
        error
            What stopped it; its class and message are kept.

        Returns
        -------
        Build
            As it is now.

        Raises
        ------
        NotFoundError
            There is no such build.
        """
        values: dict[str, Any] = {"status": status, "finished_us": now_us}
        if error is not None:
            values["error"] = error_of(error)
        return self._update_build(build_id, values)

    def _update_build(self, build_id: str, values: Mapping[str, Any]) -> Build:
        with self._write() as connection:
            if values:
                change_builds(connection, builds.c.id == build_id, values)
            row = connection.execute(_BY_ID, {"id": build_id}).first()
            if row is None:
                raise NotFoundError("build", build_id)
            return build_of(row)

    def build(self, build_id: str) -> Build | None:
        """The build of an id, or None."""
        rows = self._read(_BY_ID, id=build_id)
        return build_of(rows[0]) if rows else None

    def build_totals(self, rollup_id: str) -> BuildTotals:
        """What all builds of a rollup did together."""
        ((rows, states, done_us),) = self._read(_TOTALS, rollup_id=rollup_id)
        return BuildTotals(int(rows), int(states), done_us)

    def last_builds(self, workspace_id: str) -> dict[str, Build]:
        """By rollup, its newest build, of all rollups of a workspace that were ever built: one statement."""
        found = map(build_of, self._read(_LAST, workspace_id=workspace_id))
        return {build.rollup_id: build for build in found if build.rollup_id is not None}

    def beat_build(self, build_id: str, now_us: Micros) -> Build:
        """Give a sign of life of a build that runs in this process.

        Parameters
        ----------
        build_id
            The build.
        now_us
            The present instant, in microseconds.

        Returns
        -------
        Build
            As it is now: a status other than ``running`` tells the builder to stop.

        Raises
        ------
        NotFoundError
            There is no such build.
        """
        alive = {k: v for k, v in started_now(now_us).items() if k != "started_us"}
        with self._write() as connection:
            this = sa.and_(builds.c.id == build_id, builds.c.status == "running")
            connection.execute(builds.update().where(this).values(alive))
            row = connection.execute(_BY_ID, {"id": build_id}).first()
            if row is None:
                raise NotFoundError("build", build_id)
            return build_of(row)

    def builds(
        self,
        workspace_id: str,
        *,
        rollup_id: str | None = None,
        owner_id: str | None = None,
        batch_id: str | None = None,
        job_id: str | None = None,
        status: BuildStatus | None = None,
        batches: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Build, ...]:
        """The builds of a workspace, newest first.

        Parameters
        ----------
        workspace_id
            Whose.
        rollup_id, owner_id, batch_id, job_id, status
            Only of this rollup, definition, batch, schedule; only of this status.
        batches
            Only batches, not what they are of.
        limit, offset
            How many at most, and how many to leave out before them.
        """
        which = _those(workspace_id, rollup_id, owner_id, batch_id, job_id, status, batches=batches)
        newest = sa.select(builds).where(which).order_by(builds.c.number.desc())
        return tuple(build_of(row) for row in self._read(newest.limit(limit).offset(offset or None)))

    def count_builds(
        self,
        workspace_id: str,
        *,
        rollup_id: str | None = None,
        owner_id: str | None = None,
        batch_id: str | None = None,
        job_id: str | None = None,
        status: BuildStatus | None = None,
        batches: bool = False,
    ) -> int:
        """How many builds `builds` would give without a limit.

        Parameters
        ----------
        workspace_id, rollup_id, owner_id, batch_id, job_id, status, batches
            As of `builds`.
        """
        which = _those(workspace_id, rollup_id, owner_id, batch_id, job_id, status, batches=batches)
        return int(self._read(sa.select(sa.func.count()).select_from(builds).where(which))[0][0])


def _those(
    workspace_id: str,
    rollup_id: str | None,
    owner_id: str | None,
    batch_id: str | None,
    job_id: str | None,
    status: str | None,
    *,
    batches: bool,
) -> sa.ColumnElement[bool]:
    wanted = {
        "workspace_id": workspace_id,
        "rollup_id": rollup_id,
        "owner_id": owner_id,
        "batch_id": batch_id,
        "job_id": job_id,
        "status": status,
    }
    those = [builds.c[name] == value for name, value in wanted.items() if value is not None]
    return sa.and_(*those, IS_BATCH) if batches else sa.and_(*those)
