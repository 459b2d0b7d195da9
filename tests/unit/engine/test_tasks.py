from __future__ import annotations

from typing import Any

import pytest

from aggflow.engine.build_report import BuildReport
from aggflow.engine.task_run import Built, Settlement, TaskRun
from aggflow.engine.tasks import counts_as_failure, form_of_update
from aggflow.errors import (
    BuildError,
    CancelledError,
    CatalogBusyError,
    ConflictError,
    LeaseLostError,
    SourceChangedError,
    SourceUnavailableError,
)
from aggflow.spec.lifecycle import Operation
from aggflow.spec.task import Task

LINQ = "from t where a > 1 group every 1h by b select sum(c) as total, count() as n"


def task(linq: str = LINQ, from_date: Any = "2025-01-01", **options: Any) -> Task:
    return Task(options.pop("name", "t"), linq, from_date, **options)


@pytest.mark.parametrize(
    ("new", "form"),
    [
        (task(), Operation.UPDATE),
        (task(name="u", description="d", locale="es", delay=60, owner_email="a@b.c"), Operation.UPDATE),
        (task(time_zone="Europe/Berlin"), Operation.UPDATE),
        (task(min_grain="1h"), Operation.UPDATE),
        (task(LINQ.replace("as total", "as sum")), Operation.UPDATE),
        (task(LINQ.replace("sum(c) as total", "sum(c) / count() as mean")), Operation.UPDATE),
        (task(LINQ.replace("by b", "by b every 1d")), Operation.UPDATE),
        (task(from_date="2025-01-01T00:30:00Z"), Operation.UPDATE),
        (task(from_date="2025-02-01"), Operation.UPDATE),
        (task(from_date="2024-12-31T23:59:00Z"), Operation.EXTEND),
        (task(from_date=0), Operation.EXTEND),
        (task(min_grain="30m"), Operation.REBUILD),
        (task(min_grain="30m", from_date=0), Operation.REBUILD),
        (task(LINQ.replace("a > 1", "a > 2")), Operation.REBUILD),
        (task(LINQ.replace("by b", "by d")), Operation.REBUILD),
        (task(LINQ.replace("sum(c)", "max(c)")), Operation.REBUILD),
        (task(LINQ.replace("1h", "2h")), Operation.REBUILD),
        (task(LINQ.replace("from t", "from u")), Operation.REBUILD),
    ],
)
def test_the_form_of_an_update_is_what_it_does_to_what_is_stored(new: Task, form: Operation) -> None:
    assert form_of_update(task(), new) is form


def test_a_zone_matters_to_days_only() -> None:
    daily = LINQ.replace("1h", "1d")
    assert form_of_update(task(daily), task(daily, time_zone="+01:00")) is Operation.REBUILD
    fine = {"min_grain": "15m"}
    assert form_of_update(task(daily, **fine), task(daily, time_zone="+01:00", **fine)) is Operation.UPDATE


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (SourceUnavailableError("no"), True),
        (SourceChangedError("no"), True),
        (BuildError("no"), True),
        (ZeroDivisionError(), True),
        (CatalogBusyError("another build"), False),
        (LeaseLostError("taken"), False),
        (CancelledError("stopped"), False),
        (ConflictError("changed"), False),
    ],
)
def test_what_others_did_is_no_failure_of_a_task(error: Exception, counts: bool) -> None:
    assert counts_as_failure(error) is counts


def test_a_run_shows_what_it_did_and_what_failed() -> None:
    run = TaskRun(
        (
            Settlement("a", "PENDING_STOP", "STOPPED"),
            Settlement("b", "PENDING_UPDATE", "PENDING_UPDATE", BuildError("x")),
        ),
        (
            Built("task c", BuildReport(1, 1234, 5, 0.1)),
            Built("task d", BuildReport(3, 9, 5, 0.1)),
            Built("task e", BuildReport(0, 0, 0, 0.1)),
            Built("task f"),
            Built("filter <g>", error=BuildError("no")),
        ),
        1.5,
    )
    assert [one.outcome for one in run.built] == [
        "1,234 rows in 1 window",
        "9 rows in 3 windows",
        "nothing to build",
        "nothing to build",
        "failed: no",
    ]
    assert run.failed == (run.settled[1], run.built[4])
    html = run._repr_html_()
    assert "task a: PENDING_STOP → STOPPED" in html
    assert "filter &lt;g&gt;: failed: no" in html
    assert "nothing was due" in TaskRun((), (), 0.1)._repr_html_()
