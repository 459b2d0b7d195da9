"""A batch: the builds of one cube that run together: what it is, how far it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aggflow.brief import brief, lines
from aggflow.catalog import Build, BuildStatus
from aggflow.engine.build_report import BuildReport
from aggflow.engine.build_run import STATES_READ
from aggflow.markup import facts, table
from aggflow.timeline import Micros, format_instant


@dataclass(frozen=True)
class Batch:
    """The builds of one cube that run together.

    Attributes
    ----------
    id
        Its id, a UUID.
    cube, cube_id, project_id
        The cube, as it was called then, and its project.
    full
        Whether everything is built anew, or what is missing.
    status
        ``pending``, ``running``, ``done``, ``error`` or ``cancelled``.
    created_us, started_us, finished_us
        Instants, in microseconds.
    estimate_ms
        How long it was thought to take: the median of the cube's last five of that kind, 0 if none.
    job_id
        The schedule that asked for it.
    aggregates
        What it builds, in that order: those that others can be made of come first.
    windows, rows_read, states_read, states_written, bytes_written
        What its builds did so far; of a batch that runs, what was counted last.
    error
        ``{"class", "message"}`` of what stopped it, or None.
    """

    id: str
    cube: str
    cube_id: str
    project_id: str
    full: bool
    status: BuildStatus
    created_us: Micros
    started_us: Micros | None = None
    finished_us: Micros | None = None
    estimate_ms: int = 0
    job_id: str | None = None
    aggregates: tuple[str, ...] = ()
    windows: int = 0
    rows_read: int = 0
    states_read: int = 0
    states_written: int = 0
    bytes_written: int = 0
    error: Mapping[str, str] | None = None

    @classmethod
    def of(cls, build: Build) -> Batch:
        """The batch that the catalog records."""
        detail = build.detail
        return cls(
            id=build.id,
            cube=str(detail.get("cube", "")),
            cube_id=build.owner_id or "",
            project_id=str(detail.get("project_id", "")),
            full=build.kind == "full",
            status=build.status,
            created_us=build.created_us,
            started_us=build.started_us,
            finished_us=build.finished_us,
            estimate_ms=int(detail.get("estimate_ms", 0)),
            job_id=build.job_id,
            aggregates=tuple(detail.get("aggregates", ())),
            windows=build.windows_done,
            rows_read=build.rows_read,
            states_read=int(detail.get(STATES_READ, 0)),
            states_written=build.states_written,
            bytes_written=build.bytes_written,
            error=build.error,
        )

    @property
    def kind(self) -> str:
        """``full`` or ``incremental``."""
        return "full" if self.full else "incremental"

    @property
    def seconds(self) -> float | None:
        """How long it took; None until it ended."""
        if self.started_us is None or self.finished_us is None:
            return None
        return (self.finished_us - self.started_us) / 1_000_000

    def __str__(self) -> str:
        when = format_instant(self.started_us or self.created_us)
        return f"{self.kind} batch of cube {self.cube!r}, {self.status}, {when}"

    @property
    def told(self) -> Mapping[str, str]:
        """What it did, in words; empty texts for what it did not do."""
        return {
            "rows read": f"{self.rows_read:,}",
            "cells read": f"{self.states_read:,}" if self.states_read else "",
            "cells written": f"{self.states_written:,}",
            "took": "" if self.seconds is None else f"{self.seconds:.2f} s",
            "error": self.error["message"] if self.error else "",
        }

    def __repr__(self) -> str:
        return brief(str(self), self.told)

    def _repr_html_(self) -> str:
        return facts(str(self), self.told)


@dataclass(frozen=True)
class BatchReport:
    """What a batch did.

    Attributes
    ----------
    batch
        The batch, ended.
    aggregates
        By the name of the aggregate, what its build did.
    """

    batch: Batch
    aggregates: Mapping[str, BuildReport]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "batch":
            raise AttributeError(name)
        return getattr(self.batch, name)

    def __repr__(self) -> str:
        return lines(repr(self.batch), (f"{name}: {report!r}" for name, report in self.aggregates.items()))

    def _repr_html_(self) -> str:
        told = {name: report.told for name, report in self.aggregates.items()}
        columns = list(dict.fromkeys(name for one in told.values() for name, text in one.items() if text))
        rows = [[name, *(one[column] for column in columns)] for name, one in told.items()]
        return table(["aggregate", *columns], rows, numeric=columns, caption=str(self.batch))
