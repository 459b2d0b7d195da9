"""A build record: what the catalog knows of one build, with the name of what it builds and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aggflow.catalog import Build
from aggflow.errors import without_password
from aggflow.timeline import BEGINNING, format_instant


@dataclass(frozen=True)
class BuildRecord:
    """A build as people and clients see it.

    Attributes
    ----------
    build
        What the catalog keeps.
    reference
        What is built: ``filter delays``, ``cube flights/hourly``; of a batch ``cube flights``.
    progress
        How much of it is done, 0 to 1; None before that is known.
    """

    build: Build
    reference: str
    progress: float | None

    @classmethod
    def of(cls, build: Build, reference: str, parts_done: int = 0) -> BuildRecord:
        """The record of a build.

        Parameters
        ----------
        build, reference
            Which.
        parts_done
            Of a batch, how many of its aggregates are built.
        """
        return cls(build, reference, _progress(build, parts_done))

    @property
    def seconds(self) -> float | None:
        """How long it took; None until it ended."""
        build = self.build
        if build.started_us is None or build.finished_us is None:
            return None
        return (build.finished_us - build.started_us) / 1_000_000

    def to_plain(self) -> dict[str, Any]:
        """Ready for JSON; times in RFC 3339."""
        build = self.build
        window = build.window
        return {
            "id": build.id,
            "name": self.reference,
            "kind": build.kind,
            "status": build.status,
            "progress": self.progress,
            "created": _text(build.created_us),
            "started": _text(build.started_us),
            "finished": _text(build.finished_us),
            "seconds": self.seconds,
            "window": None if window is None else {"start": _text(window.start), "end": _text(window.end)},
            "windows_done": build.windows_done,
            "windows_total": build.windows_total,
            "rows_read": build.rows_read,
            "null_times": build.null_times,
            "states_written": build.states_written,
            "bytes_written": build.bytes_written,
            "error": None if build.error is None else _shown(build.error),
            "batch_id": build.batch_id,
            "job_id": build.job_id,
        }


def _progress(build: Build, parts_done: int) -> float | None:
    if build.status == "done":
        return 1.0
    if build.is_batch:
        parts = len(build.detail.get("aggregates", ()))
        return None if not parts else min(1.0, parts_done / parts)
    if not build.windows_total:
        return None
    return min(1.0, build.windows_done / build.windows_total)


def _shown(error: Mapping[str, str]) -> dict[str, str]:
    return {key: without_password(text) for key, text in error.items()}


def _text(us: int | None) -> str | None:
    # A build of a filter from its beginning has no first instant.
    return None if us is None or us <= BEGINNING else format_instant(us)
