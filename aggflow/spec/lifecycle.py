"""A lifecycle: the statuses of a task, and which operation or outcome leads from one to which.

An operation makes a status pending at once; what it asks for is done by the next run of tasks, which
settles it.  The tables here are all there is to know: nothing else decides a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from aggflow.errors import ConflictError
from aggflow.timeline import Micros

FAILURES_TO_ERROR: Final = 3
"""So many builds in a row have to fail before a task is in error."""

_FIRST_RETRY_US: Final = 60_000_000
_LONGEST_RETRY_US: Final = 3_600_000_000


class Status(StrEnum):
    """Everything that a task can be."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    PARTIAL_STOPPED = "PARTIAL_STOPPED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    PENDING_CREATE = "PENDING_CREATE"
    PENDING_START = "PENDING_START"
    PENDING_STOP = "PENDING_STOP"
    PENDING_RESUME = "PENDING_RESUME"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_REBUILD = "PENDING_REBUILD"
    PENDING_EXTEND = "PENDING_EXTEND"
    PENDING_DELETE = "PENDING_DELETE"

    @property
    def is_pending(self) -> bool:
        """Whether the next run of tasks has something to do for it, whatever the time."""
        return self.name.startswith("PENDING_")

    @property
    def is_building(self) -> bool:
        """Whether runs build it; a task in error only once its time to try again has come."""
        return self in (Status.RUNNING, Status.ERROR, Status.PENDING_REBUILD, Status.PENDING_EXTEND)


class Operation(StrEnum):
    """Everything that can be asked of a task; an update has three forms, by what it changes."""

    STOP = "stop"
    RESUME = "resume"
    START = "start"
    UPDATE = "update"  # of nothing that is stored
    REBUILD = "rebuild"  # an update of what is stored
    EXTEND = "extend"  # an update to an earlier beginning
    DELETE = "delete"

    @property
    def verb(self) -> str:
        """What people call it."""
        return "update" if self in (Operation.REBUILD, Operation.EXTEND) else self.value


#: The statuses of tasks that are not deleted.
LIVING: Final = tuple(status.value for status in Status if status is not Status.DELETED)

_ENDING = (Status.PENDING_DELETE, Status.DELETED)
_NOT_ENDING = tuple(status for status in Status if status not in _ENDING)
_UPDATABLE = (Status.RUNNING, Status.STOPPED, Status.ERROR)


def _to(next_: Status, *statuses: Status) -> Mapping[Status, Status]:
    return dict.fromkeys(statuses, next_)


#: By operation: from which statuses it is taken, and what the task is then at once.
TRANSITIONS: Final[Mapping[Operation, Mapping[Status, Status]]] = {
    Operation.STOP: _to(Status.PENDING_STOP, Status.RUNNING, Status.ERROR, Status.PENDING_CREATE),
    Operation.RESUME: _to(Status.PENDING_RESUME, Status.STOPPED, Status.PARTIAL_STOPPED),
    Operation.START: _to(Status.PENDING_START, *_NOT_ENDING),
    Operation.UPDATE: {status: status for status in _UPDATABLE},
    Operation.REBUILD: _to(Status.PENDING_UPDATE, *_UPDATABLE),
    Operation.EXTEND: _to(Status.PENDING_EXTEND, *_UPDATABLE),
    Operation.DELETE: _to(Status.PENDING_DELETE, *_NOT_ENDING),
}

#: What the next run of tasks makes of what is pending, before it builds.
SETTLED: Final[Mapping[Status, Status]] = {
    Status.PENDING_CREATE: Status.RUNNING,
    Status.PENDING_START: Status.RUNNING,
    Status.PENDING_RESUME: Status.RUNNING,
    Status.PENDING_STOP: Status.STOPPED,
    Status.PENDING_UPDATE: Status.PENDING_REBUILD,
    Status.PENDING_DELETE: Status.DELETED,
}

#: What a build of all that is wanted ends: the task then is what it was before the update.
_ENDED_BY_BUILD = (Status.ERROR, Status.PENDING_REBUILD, Status.PENDING_EXTEND)


def after(operation: Operation, status: Status) -> Status:
    """What a task is as soon as an operation is asked of it.

    Raises
    ------
    ConflictError
        The operation is not taken from this status; the error names it.

    Examples
    --------
    >>> after(Operation.STOP, Status.RUNNING).value
    'PENDING_STOP'
    >>> after(Operation.RESUME, Status.RUNNING)
    Traceback (most recent call last):
    aggflow.errors.ConflictError: a task that is RUNNING takes no resume (it is taken from STOPPED, PARTIAL_STOPPED)
    """
    row = TRANSITIONS[operation]
    if status not in row:
        raise ConflictError(
            f"a task that is {status} takes no {operation.verb}",
            hint=f"it is taken from {', '.join(_named(row))}",
        )
    return row[status]


def _named(row: Mapping[Status, Status]) -> list[str]:
    return ["any status but PENDING_DELETE, DELETED"] if len(row) == len(_NOT_ENDING) else list(row)


def rest_of(status: Status, rest: str | None = None) -> Status:
    """What a task of a status is once an update of it is through.

    Parameters
    ----------
    status
        What it was.
    rest
        What an update before it, which is in error, would have led to.

    Examples
    --------
    >>> rest_of(Status.STOPPED).value, rest_of(Status.ERROR).value
    ('STOPPED', 'RUNNING')
    """
    if status is Status.ERROR and rest is not None:
        return Status(rest)
    return Status.STOPPED if status is Status.STOPPED else Status.RUNNING


def settled(status: Status, *, has_windows_left: bool = False) -> Status:
    """What the next run makes of a status before it builds; others than pending ones stay.

    Parameters
    ----------
    status
        What it is.
    has_windows_left
        Whether what was being built from the past up to the present is there in part only.

    Examples
    --------
    >>> settled(Status.PENDING_STOP, has_windows_left=True).value
    'PARTIAL_STOPPED'
    """
    if status is Status.PENDING_STOP and has_windows_left:
        return Status.PARTIAL_STOPPED
    return SETTLED.get(status, status)


def built(status: Status, rest: Status) -> Status:
    """What a task is after a build of all that is wanted.

    Parameters
    ----------
    status
        What it was.
    rest
        What an update that is under way leads to.
    """
    return rest if status in _ENDED_BY_BUILD else status


def failed(status: Status, failures: int) -> Status:
    """What a task is after a build that failed.

    Parameters
    ----------
    status
        What it was.
    failures
        How many builds in a row failed, this one among them.
    """
    return Status.ERROR if status.is_building and failures >= FAILURES_TO_ERROR else status


def retry_after(failures: int) -> Micros:
    """How long a task in error waits after its last failure, in microseconds: a minute, doubled up to an hour.

    Examples
    --------
    >>> [retry_after(failures) // 60_000_000 for failures in (3, 4, 5, 100)]
    [1, 2, 4, 60]
    """
    doubled = min(max(0, failures - FAILURES_TO_ERROR), 10)
    return min(_FIRST_RETRY_US << doubled, _LONGEST_RETRY_US)
