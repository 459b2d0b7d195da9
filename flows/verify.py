"""A verification: the states of rollups are compared with their source, on a sample."""

from __future__ import annotations

from prefect import State, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from aggflow.engine.verify import VerifyReport
from aggflow.figure import counted, instant
from aggflow.orchestration import retry
from aggflow.orchestration.limit import slot
from aggflow.orchestration.place import opened
from aggflow.orchestration.progress import ProgressArtifact
from aggflow.orchestration.report import Row, show_table
from aggflow.workspace import Workspace

DAY = 86_400


def run_name() -> str:
    """What a run is called: ``all rollups · verify``."""
    given = flow_run.parameters
    return f"{given.get('ref') or 'all rollups'} · verify{' and mend' if given.get('fix', True) else ''}"


@flow(name="verify", flow_run_name=run_name, timeout_seconds=DAY)
def verify(
    ref: str | None = None,
    sample: int = 20,
    fix: bool = True,  # noqa: FBT001, FBT002 - a switch in Prefect's form
    home: str | None = None,
    workspace: str = "self",
) -> State[None]:
    """Compare the states of one rollup, or of all, with their source; build anew what differs.

    Parameters
    ----------
    ref
        A filter's name, or any rollup; all of the workspace where there is none.
    sample
        How many buckets of each to compare; the number of rows is compared of all.
    fix
        Whether to build anew what differs.
    home, workspace
        Where the rollups are; ``AGGFLOW_HOME`` where no home is given.
    """
    differing = 0
    with opened(home, workspace) as ws:
        references = [ref] if ref else ws.references()
        rows: list[Row] = []
        for name in references:
            report = compare(ws, name, sample, fix=fix)
            differing += len(report.differences)
            rows += table_rows(name, report)
            if fix and report.differences:
                build_anew(ws, name)
    show_table("differences", ref or f"{workspace} all rollups", rows)
    if not differing:
        return Completed(message=f"{counted(len(references), 'rollup')} agree with their source")
    what = counted(differing, "window")
    if fix:
        return Completed(message=f"{what} differed from the source and were built anew")
    return Failed(message=f"{what} differ from the source; run it with fix to build them anew")


@task(
    task_run_name="{ref}",
    cache_policy=NO_CACHE,
    retries=retry.TIMES,
    retry_delay_seconds=list(retry.WAITS),
    retry_condition_fn=retry.can_help,
)
def compare(ws: Workspace, ref: str, sample: int, *, fix: bool) -> VerifyReport:
    """Compare one rollup with its source; what differs is missing from then on, if it is to be mended."""
    # Another sample each time: in the end everything is looked at.
    seed = ws.now_us() // 1_000_000
    with slot(ws.backend_of(ref)):
        report = ws.verify(ref, sample=sample, seed=seed, fix=fix)
    get_run_logger().info("%s: %d buckets compared, %d differ", ref, report.buckets, len(report.differences))
    return report


@task(
    task_run_name="{ref} anew",
    cache_policy=NO_CACHE,
    retries=retry.TIMES,
    retry_delay_seconds=list(retry.WAITS),
    retry_condition_fn=retry.can_help,
)
def build_anew(ws: Workspace, ref: str) -> None:
    """Build what differed."""
    with slot(ws.backend_of(ref)):
        ws.build(ref, progress=ProgressArtifact(ref))


def table_rows(ref: str, report: VerifyReport) -> list[Row]:
    """A row for each difference of a rollup, or one that says that there is none."""
    figures: Row = {"rollup": ref, "buckets compared": report.buckets, "source rows": report.rows_read}
    if report.agrees:
        return [{**figures, "from": "", "to (UTC)": "", "what differs": "nothing"}]
    return [
        {
            **figures,
            "from": instant(found.window.start),
            "to (UTC)": instant(found.window.end),
            "what differs": found.what,
        }
        for found in report.differences
    ]
