"""An interrupted run: one whose process ended with `aggflow up`: it goes on when that is started again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

_AT_WORK: Final = ["PENDING", "RUNNING", "CANCELLING"]
_MOST_STARTS: Final = 5


def at_work(client: SyncPrefectClient, deployments: Iterable[UUID]) -> list[FlowRun]:
    """The runs of deployments that have begun and not ended."""
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )

    ids = list(deployments)
    if not ids:
        return []
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=_AT_WORK))  # pyright: ignore[reportArgumentType] - read as types
    found = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=ids), state=state)
    return client.read_flow_runs(flow_run_filter=found, limit=200)


def go_on_later(client: SyncPrefectClient, runs: Iterable[FlowRun]) -> int:
    """Let runs whose processes are gone go on with the next `aggflow up`; how many.

    One that a user was cancelling is cancelled; one that never gets through is given up.
    """
    from prefect.states import AwaitingRetry, Cancelled, Crashed

    later = 0
    for before in runs:
        run = client.read_flow_run(before.id)
        if before.state is None or run.state is None or run.state.is_completed() or run.state.is_failed():
            continue
        if before.state.is_cancelling():
            state = Cancelled(message="The run was cancelled.")
        elif run.run_count >= _MOST_STARTS:
            state = Crashed(
                message=f"The process of the run ended {run.run_count} times before it was through."
            )
        else:
            state = AwaitingRetry(message="aggflow up was ended; the run goes on when it is started again.")
            later += 1
        client.set_flow_run_state(run.id, state, force=True)
    return later
