"""A remote build: what a service tells of one build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from aggflow.engine.build_report import BuildReport
from aggflow.engine.progress import Progress
from aggflow.errors import AggflowError, CancelledError, error_of


@dataclass(frozen=True)
class RemoteBuild:
    """A build of a service.

    Attributes
    ----------
    id, name
        Which, and of what: ``filter delays``, ``cube flights``.
    kind, status
        ``full`` or ``incremental``; ``pending``, ``running``, ``done``, ``error`` or ``cancelled``.
    progress
        0 to 1; None before that is known.
    created, started, finished
        When, in RFC 3339, or None.
    seconds
        How long it took; None until it ended.
    windows_done, windows_total, rows_read, null_times, states_written, bytes_written
        What was done so far.
    error
        ``{"class", "message"}`` of what stopped it, or None.
    """

    id: str
    name: str
    kind: str
    status: str
    progress: float | None
    created: str | None
    started: str | None
    finished: str | None
    seconds: float | None
    windows_done: int
    windows_total: int | None
    rows_read: int
    null_times: int
    states_written: int
    bytes_written: int
    error: Mapping[str, str] | None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The build that a service describes; what is new there is left out."""
        known = {field.name: data[field.name] for field in fields(cls)}
        for name in ("progress", "seconds"):
            known[name] = None if known[name] is None else float(known[name])
        return cls(**known)

    @property
    def has_ended(self) -> bool:
        """Whether it is neither waiting nor at work."""
        return self.status not in ("pending", "running")

    def so_far(self, seconds: float) -> Progress:
        """How far it is, as builds of this process tell it.

        Parameters
        ----------
        seconds
            Since it was asked for.
        """
        total = round(self.rows_read / self.progress) if self.progress else self.rows_read
        return Progress(self.name, self.windows_done, self.windows_total or 0, self.rows_read, total, seconds)

    def report(self) -> BuildReport:
        """What it did.

        Raises
        ------
        AggflowError
            What stopped it.
        """
        if self.status == "cancelled":
            raise CancelledError(f"the build of {self.name} was cancelled")
        if self.error is not None:
            raise self._error(self.error)
        return BuildReport(
            windows=self.windows_done,
            rows_read=self.rows_read,
            states_written=self.states_written,
            seconds=self.seconds or 0.0,
            null_times=self.null_times,
            bytes_written=self.bytes_written,
            build_id=self.id,
        )

    @staticmethod
    def _error(error: Mapping[str, str]) -> AggflowError:
        return error_of({"class": error.get("class", ""), "message": error.get("message", "")})
