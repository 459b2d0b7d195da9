"""A build row: one build, or one batch with its builds, as a monitor shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aggflow.catalog import Process
from aggflow.engine.build_record import BuildRecord
from aggflow.errors import without_password
from aggflow.timeline import Micros

_SECOND_US: Final = 1_000_000
# Builds give a sign of life every few seconds; one without for so long may be of a machine that is down.
_QUIET_US: Final = 60 * _SECOND_US
_DIED: Final = "its process died"
_DEAD_HINT: Final = "what it committed stays; build again, and it goes on from there"
_DEAF_HINT: Final = (
    "built by this kernel, which hears no button while a cell runs: interrupt the kernel (■) to stop it at once; "
    "what is committed stays, nothing is half done"
)
_PENDING_HINT: Final = (
    "waits: aggflow up carries it out, or ws.run_queued() here; a batch of a cube, ws.build_cube()"
)


@dataclass(frozen=True)
class BuildRow:
    """One build, or one batch with its builds.

    Attributes
    ----------
    id
        Of the build or the batch: what is cancelled.
    name
        What is built: ``filter delays``, ``cube flights``.
    status
        ``pending``, ``running``, ``done``, ``error`` or ``cancelled``.
    kind
        ``full`` or ``incremental``.
    progress
        How much of it is done, 0 to 1; None before that is known.
    created_us, started_us, finished_us
        Instants, in microseconds.
    windows, windows_total
        Batches of windows that are committed, and all of them, None before that is known.
    rows, states
        Source rows read and states written so far.
    seconds
        How long it took, or takes so far; None before it begins.
    note
        What is to be known of it, and what to do; empty for nothing.
    part
        Of a batch, which of its aggregates is built just now.
    is_heard
        Whether a button that cancels it would be heard before it is done.
    """

    id: str
    name: str
    status: str
    kind: str
    progress: float | None
    created_us: Micros
    started_us: Micros | None
    finished_us: Micros | None
    windows: int
    windows_total: int | None
    rows: int
    states: int
    seconds: float | None
    note: str = ""
    part: str = ""
    is_heard: bool = True

    @property
    def is_open(self) -> bool:
        """Whether it runs, or waits."""
        return self.status in ("running", "pending")

    @property
    def seconds_left(self) -> float | None:
        """How long it will take still, if it goes on as it did so far; None before that can be told."""
        if self.status != "running" or not self.progress or self.seconds is None:
            return None
        return self.seconds * (1 - self.progress) / self.progress


def rows_of(
    records: Sequence[BuildRecord], now_us: Micros, busy: Process | None = None
) -> tuple[BuildRow, ...]:
    """The rows of records, in their order; the builds of a batch are in its row.

    Parameters
    ----------
    records
        Newest first.
    now_us
        The present, in microseconds since the epoch.
    busy
        The process that shows them, while a cell runs in it: what it builds itself hears no button.
    """
    batches = {record.build.id for record in records if record.build.is_batch}
    return tuple(
        _row(record, [one for one in records if one.build.batch_id == record.build.id], now_us, busy)
        for record in records
        if record.build.batch_id not in batches
    )


def _row(record: BuildRecord, parts: Sequence[BuildRecord], now_us: Micros, busy: Process | None) -> BuildRow:
    build = record.build
    is_deaf = build.status == "running" and any(_is_of(one, busy) for one in (record, *parts))
    notes = [*_notes(record, parts, now_us), *([_DEAF_HINT] if is_deaf else [])]
    every = [one.build for one in parts] or [build]
    totals = [one.windows_total for one in every]
    running = next((one for one in parts if one.build.status == "running"), None)
    return BuildRow(
        id=build.id,
        name=record.reference or "a rollup that is gone",
        status=build.status,
        kind=build.kind,
        progress=_progress(record, parts),
        created_us=build.created_us,
        started_us=build.started_us,
        finished_us=build.finished_us,
        windows=sum(one.windows_done for one in every),
        windows_total=None if None in totals else sum(total or 0 for total in totals),
        rows=sum(one.rows_read for one in every),
        states=sum(one.states_written for one in every),
        seconds=_seconds(build.started_us, build.finished_us or now_us),
        note="; ".join(notes),
        part="" if running is None else running.reference.rpartition("/")[2],
        is_heard=not is_deaf,
    )


def _progress(record: BuildRecord, parts: Iterable[BuildRecord]) -> float | None:
    """Of a batch the share of its aggregates that is built, and what is done of the one under way."""
    build = record.build
    count = len(build.detail.get("aggregates", ()))
    if not build.is_batch or build.status == "done" or not count:
        return record.progress
    return min(1.0, sum(one.progress or 0.0 for one in parts) / count)


def _notes(record: BuildRecord, parts: Sequence[BuildRecord], now_us: Micros) -> Iterator[str]:
    build = record.build
    if build.status == "pending":
        yield _PENDING_HINT
    if build.status == "running":
        signs = [one.build.heartbeat_us for one in (record, *parts) if one.build.heartbeat_us is not None]
        quiet_us = now_us - max(signs) if signs else 0
        if quiet_us > _QUIET_US:
            yield (
                f"no sign of life for {quiet_us // _SECOND_US} s: its machine may be down; "
                "another build takes its place"
            )
    if build.error is not None:
        message = without_password(str(build.error.get("message", "")))
        yield message
        if _DIED in message:
            yield _DEAD_HINT


def _is_of(record: BuildRecord, process: Process | None) -> bool:
    """Whether a build is carried out by a process."""
    build = record.build
    return process is not None and (build.host, build.pid) == (process.host, process.pid)


def _seconds(started_us: Micros | None, until_us: Micros) -> float | None:
    return None if started_us is None else max(0.0, (until_us - started_us) / _SECOND_US)
