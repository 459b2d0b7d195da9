from __future__ import annotations

from typing import Any

import pytest

from aggflow.catalog import Coverage, CoverageRow, Frontier, TaskRecord
from aggflow.engine.due import Due
from aggflow.spec.lifecycle import Status
from aggflow.timeline import ALWAYS, BEGINNING, FOREVER, Window, WindowSet, parse_instant

HOUR = 3_600_000_000
NOON = parse_instant("2025-01-01T12:00:00Z")


def frontier(*windows: Window, kind: str = "task", validity: Window = ALWAYS, **spec: Any) -> Frontier:
    span = WindowSet(windows).span
    whole = {"interval": "1h", "time_zone": "UTC"} | spec
    covered = sum(window.microseconds for window in windows)
    return Frontier("r", kind, "x", "owner", 1, validity, whole, span, covered)


def record(status: Status = Status.RUNNING, **values: Any) -> TaskRecord:
    spec = {"from_date": 0, "delay": 0} | values.pop("spec", {})
    fields: dict[str, Any] = {
        "id": "cc_self:12345678",
        "workspace_id": "ws_self",
        "definition_id": "owner",
        "name": "x",
        "spec": spec,
        "status": status.value,
        "status_data": None,
        "settled_status": None,
        "failures": 0,
        "created_us": 0,
        "updated_us": 0,
        "changed_us": 0,
        "deleted_us": None,
    }
    return TaskRecord(**(fields | values))


def due(
    frontiers: list[Frontier], records: list[TaskRecord], now_us: int, built: list[Window] | None = None
) -> list[str]:
    def coverage_of(rollup_id: str) -> Coverage:
        assert built is not None, "windows were asked for without need"
        rows = [CoverageRow(i, rollup_id, 1, w, None, 0, 0, "", 0, None) for i, w in enumerate(built)]
        return Coverage(1, tuple(rows))

    return Due(frontiers, records, coverage_of, now_us).references()


def is_due(*windows: Window, now_us: int = NOON, **spec: Any) -> bool:
    return due([frontier(*windows)], [record(spec=spec)], now_us) == ["task x"]


def test_a_task_is_due_when_a_bucket_has_closed_that_is_not_built() -> None:
    assert is_due()
    assert is_due(Window(BEGINNING, NOON - HOUR))
    assert is_due(Window(BEGINNING, NOON - 1)), "a part of a bucket is not built"
    assert not is_due(Window(BEGINNING, NOON))
    assert not is_due(Window(BEGINNING, NOON), now_us=NOON + HOUR - 1)
    assert is_due(Window(BEGINNING, NOON + HOUR // 2), now_us=NOON + HOUR)


def test_a_delay_closes_buckets_later() -> None:
    assert not is_due(Window(BEGINNING, NOON - HOUR), delay=1)
    assert is_due(Window(BEGINNING, NOON - HOUR), delay=1, now_us=NOON + 1_000_000)


def test_a_beginning_is_that_of_its_bucket() -> None:
    start = NOON - 5 * HOUR
    assert is_due(Window(start + 1, NOON), from_date="2025-01-01T07:40:00Z")
    assert not is_due(Window(start, NOON), from_date="2025-01-01T07:40:00Z")
    assert not is_due(from_date="2025-01-01T12:00:00Z")
    assert not is_due(from_date="2025-01-01T11:59:59Z", now_us=NOON - 1), "its bucket is still open"


def test_windows_are_looked_at_only_where_there_are_gaps() -> None:
    before, after = Window(BEGINNING, NOON - 5 * HOUR), Window(NOON - 4 * HOUR, NOON)
    found = [frontier(before, after)]
    assert due(found, [record()], NOON, [before, after]) == ["task x"]
    late = record(spec={"from_date": "2025-01-01T08:00:00Z"})
    assert due(found, [late], NOON, [before, after]) == [], "the gap is before its beginning"


@pytest.mark.parametrize("status", Status)
def test_what_was_asked_is_due_and_what_rests_is_not(status: Status) -> None:
    nothing_missing = [frontier(Window(BEGINNING, NOON))]
    data = {"retryAt": NOON // 1000 + 1}
    asked = status.value.startswith("PENDING_")
    assert due(nothing_missing, [record(status, status_data=data)], NOON) == (["task x"] if asked else [])
    missing = due([frontier()], [record(status, status_data=data)], NOON)
    assert missing == (["task x"] if asked or status is Status.RUNNING else [])


def test_a_task_in_error_is_due_at_its_time_and_not_before() -> None:
    at = NOON + 60_000_000
    failed = record(Status.ERROR, status_data={"message": "no", "since": 1, "retryAt": at // 1000})
    assert due([frontier()], [failed], at - 1) == []
    assert due([frontier()], [failed], at) == ["task x"]
    assert due([frontier(Window(BEGINNING, FOREVER - 1))], [failed], at) == ["task x"]


def test_filters_are_due_by_version() -> None:
    old = frontier(Window(BEGINNING, NOON - HOUR), kind="filter", validity=Window(BEGINNING, NOON - HOUR))
    new = Window(NOON - HOUR, FOREVER)
    assert due([old, frontier(kind="filter", validity=new)], [], NOON) == ["filter x"]
    assert due([old, frontier(kind="filter", validity=new, interval="2h")], [], NOON + HOUR - 1) == [
        "filter x"
    ]
    assert due([old, frontier(Window(NOON - HOUR, NOON), kind="filter", validity=new)], [], NOON) == []
    assert due([frontier(kind="cube")], [], NOON) == []


def test_days_close_at_midnight_of_their_zone() -> None:
    days = [frontier(Window(BEGINNING, NOON - 13 * HOUR), interval="1d", time_zone="GMT+01:00")]
    assert due(days, [record()], NOON + 11 * HOUR - 1) == []
    assert due(days, [record()], NOON + 11 * HOUR) == ["task x"]
