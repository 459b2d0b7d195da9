"""A build of a cube: its aggregates one after the other, the finest first, as one batch."""

from __future__ import annotations

from prefect import State, flow, get_run_logger, tags, task
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed

from aggflow.engine.batch import Batch
from aggflow.engine.build_report import BuildReport
from aggflow.errors import CancelledError
from aggflow.orchestration import retry
from aggflow.orchestration.limit import slot
from aggflow.orchestration.place import opened
from aggflow.orchestration.progress import ProgressArtifact
from aggflow.orchestration.report import show_builds
from aggflow.workspace import Workspace

DAY = 86_400


def run_name() -> str:
    """What a run is called: ``flights · full``."""
    given = flow_run.parameters
    return f"{given['cube']} · {'full' if given.get('full') else 'incremental'}"


@flow(name="build-cube", flow_run_name=run_name, timeout_seconds=DAY)
def build_cube(
    cube: str,
    full: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's form
    job_id: str | None = None,
    batch_id: str | None = None,
    home: str | None = None,
    workspace: str = "self",
) -> State[None]:
    """Build the aggregates of a cube.

    Parameters
    ----------
    cube
        Its name.
    full
        Whether to build everything anew, or what is missing.
    job_id
        The schedule that asks.
    batch_id
        A batch that waits to be built; without it, whichever waits is taken, or a new one begins.
    home, workspace
        Where the cube is; ``AGGFLOW_HOME`` where no home is given.
    """
    # A run that goes on after an interruption: the batch that it had begun is closed, another one begins.
    wanted = batch_id if flow_run.run_count <= 1 else None
    with opened(home, workspace) as ws, tags(f"cube:{cube}"):
        batch = ws.begin_batch(cube, full=full, job_id=job_id, batch_id=wanted)
        if batch is None:
            return Completed(message=nothing_to_do(ws, cube, wanted, full=full, job_id=job_id))
        get_run_logger().info("%s: %s", batch, ", ".join(batch.aggregates))
        try:
            built = build_aggregates(ws, batch) if batch.aggregates else {}
        except CancelledError as error:
            ws.finish_batch(batch, error)
            return Cancelled(message=f"{error.message[:1].upper()}{error.message[1:]}")
        except TerminationSignal:
            ws.finish_batch(batch, CancelledError(f"the run that built cube {cube!r} was stopped"))
            raise
        except BaseException as error:
            ws.finish_batch(batch, error)
            raise
        ws.finish_batch(batch)
        said = show_builds(ws, run_name(), built, "aggregate")
    return Completed(message=f"{said[:1].upper()}{said[1:]}")


def build_aggregates(ws: Workspace, batch: Batch) -> dict[str, BuildReport]:
    """Build all aggregates, each as a task, while a slot of their backend is held."""
    first, *_ = batch.aggregates
    with slot(ws.backend_of(f"cube {batch.cube}/{first}")):
        return {aggregate: build_aggregate(ws, batch, aggregate) for aggregate in batch.aggregates}


@task(
    task_run_name="{aggregate}",
    cache_policy=NO_CACHE,
    retries=retry.TIMES,
    retry_delay_seconds=list(retry.WAITS),
    retry_condition_fn=retry.can_help,
)
def build_aggregate(ws: Workspace, batch: Batch, aggregate: str) -> BuildReport:
    """Build one aggregate, of the states of a finer one where they are there, else of source rows."""
    shown = ProgressArtifact(f"cube {batch.cube}/{aggregate}")
    return ws.build_aggregate(batch, aggregate, progress=shown)


def nothing_to_do(ws: Workspace, cube: str, batch_id: str | None, *, full: bool, job_id: str | None) -> str:
    """Why there is no batch to build; one that cannot begin now is queued, so that it is not lost."""
    if batch_id is not None:
        return f"Nothing to do: batch {batch_id} was begun by another run, or cancelled"
    queued = ws.request_build(cube, full=full, job_id=job_id)
    return f"Another batch of {cube} is at work: {queued.id} waits for its end"
