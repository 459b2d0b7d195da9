"""A retry: whether running a task of a flow again can help, by what the error itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aggflow.errors import AggflowError

if TYPE_CHECKING:
    from prefect import State, Task
    from prefect.client.schemas.objects import TaskRun

TIMES: Final = 3
WAITS: Final = (10.0, 60.0, 300.0)
"""Seconds before the first, the second and each further retry."""


def can_help(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - as Prefect calls it
    """Whether to run a task again, of which an error has ended the run."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, AggflowError) and error.retryable
