"""A backfill: windows of the past of one rollup are built, side by side as far as their backend has slots.

It can be stopped and run again at any time: what is built already is not built again.
"""

from __future__ import annotations

from prefect import flow, get_run_logger, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from aggflow.engine.build_report import BuildReport
from aggflow.errors import Problem, SpecError
from aggflow.orchestration import retry
from aggflow.orchestration.limit import slot
from aggflow.orchestration.place import opened
from aggflow.orchestration.progress import ProgressArtifact
from aggflow.orchestration.report import show_builds
from aggflow.orchestration.runner import runner_of
from aggflow.timeline import Interval, Window, format_instant, parse_instant

DAY = 86_400


def run_name() -> str:
    """What a run is called: ``filter delays · backfill from 2013-01-01``."""
    given = flow_run.parameters
    return f"{given['ref']} · backfill from {given['start']}"


@flow(name="backfill", flow_run_name=run_name, timeout_seconds=7 * DAY)
def backfill(
    ref: str,
    start: str,
    end: str | None = None,
    newest_first: bool = False,  # noqa: FBT001, FBT002 - a switch in Prefect's form
    step: str = "1mo",
    home: str | None = None,
    workspace: str = "self",
) -> str:
    """Build what is missing of a rollup between two instants, window by window.

    Parameters
    ----------
    ref
        A filter's name, or any rollup: ``filter delays``, ``task by client``, ``cube flights/hourly``.
    start, end
        Dates or RFC 3339 times; until now where there is no end.
    newest_first
        Whether to begin with the newest window.
    step
        How wide a window is: ``1d``, ``1mo``, ``1y``.
    home, workspace
        Where the rollup is; ``AGGFLOW_HOME`` where no home is given.
    """
    logger = get_run_logger()
    with opened(home, workspace) as ws:
        windows = windows_between(start, end or format_instant(ws.now_us()), step)
        logger.info("%s: %d windows of %s", ref, len(windows), step)
        ordered = list(reversed(windows)) if newest_first else windows
        since = [format_instant(window.start) for window in ordered]
        until = [format_instant(window.end) for window in ordered]
        where = {"home": unmapped(home), "workspace": unmapped(workspace), "ref": unmapped(ref)}
        with runner_of(ws.settings.cluster) as runner:
            built = runner.map(build_window, {**where, "since": since, "until": until}).result()
        reports = {f"{ref} from {start}": report for start, report in zip(since, built, strict=True)}
        return show_builds(ws, f"{ref} backfill", reports, "step")


@task(
    task_run_name="{since} to {until}",
    cache_policy=NO_CACHE,
    retries=retry.TIMES,
    retry_delay_seconds=list(retry.WAITS),
    retry_condition_fn=retry.can_help,
)
def build_window(ref: str, since: str, until: str, home: str | None, workspace: str) -> BuildReport:
    """Build what is missing of one window, wherever this is done: the workspace is opened there."""
    with opened(home, workspace) as ws, slot(ws.backend_of(ref)):
        return ws.build(ref, since=since, until=until, progress=ProgressArtifact(ref))


def windows_between(start: str, end: str, step: str) -> list[Window]:
    """The windows of a step between two instants, oldest first.

    Raises
    ------
    SpecError
        The end is not after the start.
    """
    first, last, width = parse_instant(start), parse_instant(end), Interval.of(step)
    if first >= last:
        raise SpecError("backfill", [Problem("end", f"{end} is not after {start}")])
    windows: list[Window] = []
    while first < last:
        edge = min(width.next(width.floor(first)), last)
        windows.append(Window(first, edge))
        first = edge
    return windows
