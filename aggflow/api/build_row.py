"""A build row: a build as the status page tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.engine.build_record import BuildRecord
from aggflow.errors import without_password
from aggflow.figure import ago, counted, took
from aggflow.timeline import Micros

_SECOND_US: Final = 1_000_000


@dataclass(frozen=True)
class BuildRow:
    """One build.

    Attributes
    ----------
    id, name, kind, status
        Which, of what, how.
    when
        How long ago it was begun, or ended.
    progress
        0 to 100; None before that is known.
    done
        What it did so far.
    error
        What stopped it.
    """

    id: str
    name: str
    kind: str
    status: str
    when: str
    progress: int | None
    done: str
    error: str

    @classmethod
    def of(cls, record: BuildRecord, now_us: Micros) -> BuildRow:
        """The row of a build."""
        build = record.build
        since_us = build.finished_us or build.started_us or build.created_us
        done = f"{counted(build.rows_read, 'row')} read"
        if build.started_us is not None and build.finished_us is None:
            done += f" in {took((now_us - build.started_us) / _SECOND_US)}"
        return cls(
            id=build.id,
            name=record.reference or "a rollup that is gone",
            kind=build.kind,
            status=build.status,
            when=ago(since_us, now_us),
            progress=None if record.progress is None else round(record.progress * 100),
            done=done,
            error=without_password(build.error["message"]) if build.error else "",
        )
