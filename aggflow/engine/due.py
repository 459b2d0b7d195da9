"""Due: which rollups of filters and tasks a run has to build, told without opening a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from aggflow.catalog import Coverage, Frontier, TaskRecord
from aggflow.spec.lifecycle import Status
from aggflow.timeline import BEGINNING, Duration, Interval, Micros, Window, Zone, parse_instant

#: The kinds of definitions whose rollups are built as soon as a bucket has closed.
KINDS = ("filter", "task")


class Due:
    """What is due at an instant.

    Parameters
    ----------
    frontiers
        How far the rollups of filters and tasks are built.
    records
        The tasks that are not deleted.
    coverage_of
        Gives the windows of a rollup; called only where something between its first and its last is missing.
    now_us
        The instant.
    """

    def __init__(
        self,
        frontiers: Iterable[Frontier],
        records: Iterable[TaskRecord],
        coverage_of: Callable[[str], Coverage],
        now_us: Micros,
    ) -> None:
        by_owner = groupby(sorted(frontiers, key=attrgetter("owner_id")), key=attrgetter("owner_id"))
        self._frontiers: dict[str, Sequence[Frontier]] = {owner: tuple(group) for owner, group in by_owner}
        self._records = records
        self._coverage_of = coverage_of
        self._now_us = now_us

    def references(self) -> list[str]:
        """References of what is due: tasks by name, then filters by name."""
        tasks = (f"task {record.name}" for record in self._records if self._is_task_due(record))
        return [*sorted(tasks), *sorted(self._filters())]

    def _filters(self) -> Iterator[str]:
        for frontiers in self._frontiers.values():
            if frontiers[0].kind == "filter" and self._is_missing(frontiers, Window(BEGINNING, self._now_us)):
                yield f"filter {frontiers[0].name}"

    def _is_task_due(self, record: TaskRecord) -> bool:
        status = Status(record.status)
        if status.is_pending:
            return True
        if status is Status.ERROR:
            return retry_at(record) <= self._now_us
        frontiers = self._frontiers.get(record.definition_id or "", ())
        wanted = self._wanted(record)
        return status is Status.RUNNING and wanted is not None and self._is_missing(frontiers, wanted)

    def _wanted(self, record: TaskRecord) -> Window | None:
        """The time that a task wants built; read from the record as it is, since parsing LINQ takes longer."""
        from_us = parse_instant(record.spec["from_date"]) or BEGINNING
        until_us = Duration.of(f"{record.spec['delay']}s").before(self._now_us)
        return Window(from_us, until_us) if from_us < until_us else None

    def _is_missing(self, frontiers: Sequence[Frontier], wanted: Window) -> bool:
        return any(self._lacks(frontier, wanted) for frontier in frontiers)

    def _lacks(self, frontier: Frontier, wanted: Window) -> bool:
        """Whether a bucket that has closed is not built."""
        width, zone = Interval.of(frontier.spec["interval"]), Zone.of(frontier.spec["time_zone"])
        start = max(width.floor(wanted.start, zone), frontier.validity.start)
        end = min(width.floor(wanted.end, zone), frontier.validity.end)
        if start >= end:
            return False
        span = frontier.span
        if span is None or span.start > start or span.end < end:
            return True
        if not frontier.has_gaps:
            return False
        built = self._coverage_of(frontier.rollup_id).windows(frontier.version)
        return Window(start, end) not in built


def retry_at(record: TaskRecord) -> Micros:
    """When a task in error is to be tried again."""
    return int((record.status_data or {}).get("retryAt", 0)) * 1000
