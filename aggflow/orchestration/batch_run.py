"""A batch's run: what a batch that waits in the catalog becomes at Prefect, once no other of its cube runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.client.schemas.responses import DeploymentResponse

    from aggflow.workspace import Workspace

_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=1)


def submit_batches(ws: Workspace, client: SyncPrefectClient, deployment: DeploymentResponse) -> list[str]:
    """Submit the batches that wait; how it goes on is seen at Prefect, so that a second pass does nothing.

    Returns
    -------
    list of str
        What was done, in words.
    """
    open_batches = ws.open_batches()
    at_work = {batch.cube for batch in open_batches if batch.status == "running"}
    done: list[str] = []
    for batch in open_batches:
        if batch.status != "pending" or batch.cube in at_work:
            continue
        runs = _runs_of(client, deployment, batch.id)
        if runs and runs[0].state is not None and runs[0].state.is_cancelled():
            ws.cancel(batch.id)
            done.append(f"batch {batch.id} of {batch.cube} was cancelled at Prefect, and is")
        elif _may_submit(runs):
            client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"cube": batch.cube, "full": batch.full, "batch_id": batch.id},
                name=f"{batch.cube} · {'full' if batch.full else 'incremental'}",
                tags=["aggflow", ws.name, f"cube:{batch.cube}", _tag(batch.id)],
                idempotency_key=batch.id if not runs else f"{batch.id}:{len(runs)}",
            )
            done.append(f"batch {batch.id} of {batch.cube} is submitted")
    return done


def _may_submit(runs: Sequence[FlowRun]) -> bool:
    """Whether a batch that waits needs a run: none is under way, and the last one did not end just now.

    A run that ended while its batch still waits could not begin it: each further one comes later.
    """
    if not runs:
        return True
    last = runs[0]
    if last.state is None or not last.state.is_final():
        return False
    wait = min(_FIRST_WAIT * 2 ** (len(runs) - 1), _LONGEST_WAIT)
    return (last.end_time or last.state.timestamp) + wait <= datetime.now(UTC)


def _runs_of(client: SyncPrefectClient, deployment: DeploymentResponse, batch_id: str) -> list[FlowRun]:
    """The runs that a batch has had, newest first."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId, FlowRunFilterTags
    from prefect.client.schemas.sorting import FlowRunSort

    found = FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment.id]),
        tags=FlowRunFilterTags(all_=[_tag(batch_id)]),
    )
    return client.read_flow_runs(flow_run_filter=found, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=50)


def _tag(batch_id: str) -> str:
    return f"batch:{batch_id}"
