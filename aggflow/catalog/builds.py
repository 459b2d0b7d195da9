"""Build: the record of one run that replaces windows of a rollup: its progress, its end, its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from uuid import uuid4

import sqlalchemy as sa

from aggflow.catalog.database import Database
from aggflow.catalog.definitions import lock_workspace
from aggflow.catalog.tables import builds
from aggflow.errors import NotFoundError
from aggflow.timeline.instant import Micros
from aggflow.timeline.window import Window

BuildStatus: TypeAlias = Literal["pending", "running", "done", "error", "cancelled"]
_OPEN = ("pending", "running")


@dataclass(frozen=True, slots=True)
class Build:
    """The record of one run.

    Attributes
    ----------
    number
        The order in which builds were asked for.
    rollup_id
        The rollup, which may be gone; None for a run over several.
    kind
        ``full``, ``incremental`` ...
    window
        What is to be built, if it is known.
    windows_done, windows_total
        Progress; the total is None until it is known.
    rows_read, null_times, states_written, bytes_written
        What was done so far; rows without a time are counted, not built.
    error
        ``{"class", "message"}`` of what stopped it, or None.
    detail
        Anything else, ready for JSON.
    """

    number: int
    id: str
    workspace_id: str
    rollup_id: str | None
    kind: str
    status: BuildStatus
    created_us: Micros
    started_us: Micros | None
    finished_us: Micros | None
    window: Window | None
    windows_done: int
    windows_total: int | None
    rows_read: int
    null_times: int
    states_written: int
    bytes_written: int
    error: Mapping[str, str] | None
    detail: Mapping[str, Any]


def _build(row: sa.Row[Any]) -> Build:
    # The columns are the attributes, but for a window's two ends.
    values: list[Any] = list(row)
    values[9:11] = [None if row.start_us is None else Window(row.start_us, row.end_us)]
    return Build(*values)


_BY_ID = sa.select(builds).where(builds.c.id == sa.bindparam("id"))


class Builds(Database):
    """The part of a catalog that records builds."""

    def start_build(
        self,
        workspace_id: str,
        kind: str,
        now_us: Micros,
        *,
        rollup_id: str | None = None,
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
        rollup_id, window, windows_total
            What it builds, as far as it is known.
        status
            ``running``, or ``pending`` for one that `claim_build` starts later.
        detail
            Anything else, ready for JSON.

        Raises
        ------
        NotFoundError
            There is no such workspace.
        """
        build_id = str(uuid4())
        with self._write() as connection:
            lock_workspace(connection, workspace_id)
            connection.execute(
                builds.insert().values(
                    id=build_id,
                    workspace_id=workspace_id,
                    rollup_id=rollup_id,
                    kind=kind,
                    status=status,
                    created_us=now_us,
                    started_us=now_us if status == "running" else None,
                    finished_us=None,
                    start_us=window.start if window else None,
                    end_us=window.end if window else None,
                    windows_done=0,
                    windows_total=windows_total,
                    rows_read=0,
                    null_times=0,
                    states_written=0,
                    bytes_written=0,
                    error=None,
                    detail=dict(detail or {}),
                )
            )
            return _build(connection.execute(_BY_ID, {"id": build_id}).one())

    def claim_build(self, build_id: str, now_us: Micros) -> Build | None:
        """Start a pending build; None where it is not pending (any more): only one claim succeeds."""
        pending = sa.and_(builds.c.id == build_id, builds.c.status == "pending")
        with self._write() as connection:
            started = builds.update().where(pending).values(status="running", started_us=now_us)
            if connection.execute(started).rowcount == 0:
                return None
            return _build(connection.execute(_BY_ID, {"id": build_id}).one())

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
            values["error"] = {"class": type(error).__name__, "message": str(error)}
        return self._update_build(build_id, values)

    def _update_build(self, build_id: str, values: Mapping[str, Any]) -> Build:
        with self._write() as connection:
            if values:
                still_open = sa.and_(builds.c.id == build_id, builds.c.status.in_(_OPEN))
                connection.execute(builds.update().where(still_open).values(values))
            row = connection.execute(_BY_ID, {"id": build_id}).first()
            if row is None:
                raise NotFoundError("build", build_id)
            return _build(row)

    def build(self, build_id: str) -> Build | None:
        """The build of an id, or None."""
        rows = self._read(_BY_ID, id=build_id)
        return _build(rows[0]) if rows else None

    def builds(
        self,
        workspace_id: str,
        *,
        rollup_id: str | None = None,
        status: BuildStatus | None = None,
        limit: int | None = None,
    ) -> tuple[Build, ...]:
        """The builds of a workspace, newest first.

        Parameters
        ----------
        workspace_id
            Whose.
        rollup_id, status
            Only of this rollup, only of this status.
        limit
            How many at most.
        """
        statement = sa.select(builds).where(builds.c.workspace_id == workspace_id)
        if rollup_id is not None:
            statement = statement.where(builds.c.rollup_id == rollup_id)
        if status is not None:
            statement = statement.where(builds.c.status == status)
        return tuple(
            _build(row) for row in self._read(statement.order_by(builds.c.number.desc()).limit(limit))
        )
