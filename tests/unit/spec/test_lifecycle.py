from __future__ import annotations

from itertools import product

import pytest

from aggflow.errors import ConflictError
from aggflow.spec.lifecycle import (
    FAILURES_TO_ERROR,
    Operation,
    Status,
    after,
    built,
    failed,
    rest_of,
    retry_after,
    settled,
)

STATUSES = (
    *("RUNNING", "STOPPED", "PARTIAL_STOPPED", "ERROR", "DELETED", "PENDING_CREATE", "PENDING_START"),
    *("PENDING_STOP", "PENDING_RESUME", "PENDING_UPDATE", "PENDING_REBUILD", "PENDING_EXTEND"),
    "PENDING_DELETE",
)
# Written out once more, letter by letter: a row a status, a column an operation; "-" is a refusal.
TABLE = """
status           stop          resume          start          update   rebuild         extend          delete
RUNNING          PENDING_STOP  -               PENDING_START  RUNNING  PENDING_UPDATE  PENDING_EXTEND  PENDING_DELETE
STOPPED          -             PENDING_RESUME  PENDING_START  STOPPED  PENDING_UPDATE  PENDING_EXTEND  PENDING_DELETE
PARTIAL_STOPPED  -             PENDING_RESUME  PENDING_START  -        -               -               PENDING_DELETE
ERROR            PENDING_STOP  -               PENDING_START  ERROR    PENDING_UPDATE  PENDING_EXTEND  PENDING_DELETE
DELETED          -             -               -              -        -               -               -
PENDING_CREATE   PENDING_STOP  -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_START    -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_STOP     -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_RESUME   -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_UPDATE   -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_REBUILD  -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_EXTEND   -             -               PENDING_START  -        -               -               PENDING_DELETE
PENDING_DELETE   -             -               -              -        -               -               -
"""
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (operation, row[0], next_) for row in _ROWS for operation, next_ in zip(_HEAD[1:], row[1:], strict=True)
]


def test_there_are_thirteen_statuses() -> None:
    assert {status.value for status in Status} == set(STATUSES)
    assert len(STATUSES) == 13


def test_the_table_is_whole() -> None:
    assert {(o, s) for o, s, _ in CASES} == set(product([o.value for o in Operation], STATUSES))


@pytest.mark.parametrize(("operation", "status", "next_"), CASES)
def test_an_operation_leads_on_or_is_refused(operation: str, status: str, next_: str) -> None:
    if next_ != "-":
        assert after(Operation(operation), Status(status)).value == next_
        return
    with pytest.raises(ConflictError, match=f"a task that is {status} takes no") as raised:
        after(Operation(operation), Status(status))
    assert "\n" not in str(raised.value)
    taken = [s for o, s, n in CASES if o == operation and n != "-"]
    if len(taken) < 11:
        assert raised.value.hint == f"it is taken from {', '.join(s for s in STATUSES if s in taken)}"


@pytest.mark.parametrize("operation", ["rebuild", "extend"])
def test_forms_of_an_update_are_refused_as_an_update(operation: str) -> None:
    with pytest.raises(ConflictError, match="a task that is PENDING_STOP takes no update"):
        after(Operation(operation), Status.PENDING_STOP)


SETTLED = {
    "PENDING_CREATE": "RUNNING",
    "PENDING_START": "RUNNING",
    "PENDING_RESUME": "RUNNING",
    "PENDING_STOP": "STOPPED",
    "PENDING_UPDATE": "PENDING_REBUILD",
    "PENDING_DELETE": "DELETED",
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("has_windows_left", [False, True])
def test_what_is_pending_settles(status: str, has_windows_left: bool) -> None:
    expected = SETTLED.get(status, status)
    if status == "PENDING_STOP" and has_windows_left:
        expected = "PARTIAL_STOPPED"
    assert settled(Status(status), has_windows_left=has_windows_left).value == expected


@pytest.mark.parametrize("status", STATUSES)
def test_settling_and_a_good_build_end_every_pending_status(status: str) -> None:
    """Nothing stays pending for ever."""
    now = Status(status)
    for _ in range(2):
        now = settled(now)
        if now.is_building:
            now = built(now, Status.RUNNING)
    assert not now.is_pending


@pytest.mark.parametrize("rest", ["RUNNING", "STOPPED"])
@pytest.mark.parametrize("status", STATUSES)
def test_a_good_build_ends_an_error_and_an_update(status: str, rest: str) -> None:
    ended = status in ("ERROR", "PENDING_REBUILD", "PENDING_EXTEND")
    assert built(Status(status), Status(rest)).value == (rest if ended else status)


@pytest.mark.parametrize("status", STATUSES)
def test_the_third_failure_is_an_error_of_what_is_being_built(status: str) -> None:
    is_built = status in ("RUNNING", "ERROR", "PENDING_REBUILD", "PENDING_EXTEND")
    assert Status(status).is_building == is_built
    assert failed(Status(status), 1).value == status
    assert failed(Status(status), FAILURES_TO_ERROR - 1).value == status
    assert failed(Status(status), FAILURES_TO_ERROR).value == ("ERROR" if is_built else status)
    assert FAILURES_TO_ERROR == 3


@pytest.mark.parametrize(
    ("status", "before", "rest"),
    [
        ("RUNNING", None, "RUNNING"),
        ("STOPPED", None, "STOPPED"),
        ("ERROR", None, "RUNNING"),
        ("ERROR", "STOPPED", "STOPPED"),
        ("ERROR", "RUNNING", "RUNNING"),
        ("RUNNING", "STOPPED", "RUNNING"),
    ],
)
def test_an_update_leads_back_to_where_it_began(status: str, before: str | None, rest: str) -> None:
    assert rest_of(Status(status), before).value == rest


def test_pending_statuses_are_those_that_say_so() -> None:
    assert {s.value for s in Status if s.is_pending} == {s for s in STATUSES if s.startswith("PENDING_")}


def test_the_wait_after_a_failure_grows_to_an_hour() -> None:
    waits = [retry_after(failures) for failures in range(FAILURES_TO_ERROR, 60)]
    assert waits == sorted(waits)
    assert waits[0] == 60_000_000
    assert waits[-1] == 3_600_000_000
    assert retry_after(10**9) == 3_600_000_000
