"""A build: the record of one run that replaces windows of a rollup: its progress, its end, its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from aggflow.brief import brief
from aggflow.markup import facts
from aggflow.process import Process
from aggflow.timeline.instant import Micros, format_instant
from aggflow.timeline.window import Window

BuildStatus: TypeAlias = Literal["pending", "running", "done", "error", "cancelled"]


@dataclass(frozen=True, slots=True)
class Build:
    """The record of one run.

    Attributes
    ----------
    number
        The order in which builds were asked for.
    rollup_id
        The rollup, which may be gone; None for a batch, a run over several.
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
    owner_id
        The definition that it builds for, which may be gone.
    batch_id
        The batch that it is a part of.
    job_id
        The schedule that asked for it.
    host, pid, pid_started
        The process that builds; its start in seconds since the epoch.
    heartbeat_us
        The last sign of life.
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
    owner_id: str | None = None
    batch_id: str | None = None
    job_id: str | None = None
    host: str | None = None
    pid: int | None = None
    pid_started: float | None = None
    heartbeat_us: Micros | None = None

    @property
    def is_batch(self) -> bool:
        """Whether it stands for the builds of a cube that run together."""
        return self.rollup_id is None and self.owner_id is not None

    def is_live(self, now_us: Micros, ttl_us: Micros) -> bool:
        """Whether it runs, gave a sign of life lately, and its process, if it can be seen, is alive.

        Parameters
        ----------
        now_us
            The present instant.
        ttl_us
            For how long it counts as alive without a sign.
        """
        if self.status != "running" or self.heartbeat_us is None or now_us >= self.heartbeat_us + ttl_us:
            return False
        if self.host is None or self.pid is None or self.pid_started is None:
            return True
        return not Process(self.host, self.pid, self.pid_started).is_dead()

    @property
    def _told(self) -> Mapping[str, str]:
        done = f"{self.windows_done:,}"
        return {
            "started": "" if self.started_us is None else format_instant(self.started_us),
            "finished": "" if self.finished_us is None else format_instant(self.finished_us),
            "windows": done if self.windows_total is None else f"{done} of {self.windows_total:,}",
            "rows read": f"{self.rows_read:,}",
            "rows without a time": f"{self.null_times:,}" if self.null_times else "",
            "cells written": f"{self.states_written:,}",
            "error": self.error["message"] if self.error else "",
        }

    def __repr__(self) -> str:
        return brief(f"{self.kind} build, {self.status}", self._told)

    def _repr_html_(self) -> str:
        return facts(f"{self.kind} build, {self.status}", self._told)
