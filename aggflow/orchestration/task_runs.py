"""Task runs: what is asked of tasks is done by a run of tasks at once, not only when the next one is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.responses import DeploymentResponse

    from aggflow.catalog import Dispatch
    from aggflow.workspace import Workspace

_AT_WORK: Final = ["PENDING", "RUNNING", "CANCELLING"]


def submit_tasks(
    ws: Workspace, client: SyncPrefectClient, deployment: DeploymentResponse, told: Sequence[Dispatch]
) -> list[str]:
    """Submit a run of tasks if something was asked of tasks, unless one is at work: then a later pass does.

    Returns
    -------
    list of str
        What was done, in words.
    """
    asked = [dispatch for dispatch in told if dispatch.kind == "tasks"]
    if not asked or _is_at_work(client, deployment):
        return []
    client.create_flow_run_from_deployment(
        deployment.id,
        name=f"{ws.name} · run tasks",
        tags=["aggflow", ws.name],
        idempotency_key=f"{deployment.name}:tasks:{asked[-1].number}",
    )
    for dispatch in asked:
        ws.dispatched(dispatch)
    return ["a run of tasks is submitted"]


def _is_at_work(client: SyncPrefectClient, deployment: DeploymentResponse) -> bool:
    """Whether a run of tasks has begun: it may have looked at the tasks already."""
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterDeploymentId,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )

    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=_AT_WORK))  # pyright: ignore[reportArgumentType] - read as types
    found = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]), state=state)
    return bool(client.read_flow_runs(flow_run_filter=found, limit=1))
