"""A run of tasks: what was asked of tasks is done, then every rollup of tasks and filters that is due is built.

One that fails stops nothing else: the run ends failed, and its message names those that were not built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeAlias

from prefect import State, flow, get_run_logger, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from aggflow.engine.build import BuildReport
from aggflow.errors import BuildError
from aggflow.orchestration import retry
from aggflow.orchestration.limit import AT_ONCE, slot
from aggflow.orchestration.place import opened
from aggflow.orchestration.progress import ProgressArtifact
from aggflow.orchestration.report import show_builds
from aggflow.terminal import counted
from aggflow.workspace import Workspace

HOUR = 3600
LANES: Any = ThreadPoolTaskRunner(max_workers=8)
SHORT = 2.0
A_LANE = 10
"""So many rollups of a backend are built one after the other; where more are due, several lanes go side by side."""

Result: TypeAlias = BuildReport | BaseException | None


@flow(name="run-tasks", flow_run_name="{workspace} · run tasks", timeout_seconds=6 * HOUR, task_runner=LANES)
def run_tasks(home: str | None = None, workspace: str = "self") -> State[None]:
    """Build every rollup of tasks and filters that is due.

    Parameters
    ----------
    home, workspace
        Whose; ``AGGFLOW_HOME`` where no home is given.
    """
    stopped = Event()
    with opened(home, workspace) as ws:
        undone = settle(ws)
        due = [ref for ref in ws.due() if ref not in undone]
        futures = build_lane.map(lanes(ws, due), unmapped(ws), unmapped(stopped))
        try:
            wait(futures)
        except BaseException:
            # Cancelled, or out of time: builds in other threads end with the batch that they are at.
            stopped.set()
            raise
        results = {ref: result for future in futures for ref, result in future.result().items()}
        built = {ref: one for ref in due if isinstance(one := results[ref], BuildReport)}
        failed = undone | {ref: one for ref in due if isinstance(one := results[ref], BaseException)}
        said = show_builds(ws, f"{workspace} tasks", built, "rollup") if built else "nothing was due"
    if failed:
        reasons = "; ".join(f"{ref}: {error}" for ref, error in failed.items())
        raise BuildError(f"{counted(len(failed), 'rollup')} of {len(due) + len(undone)} not built: {reasons}")
    return Completed(message=said[:1].upper() + said[1:])


def settle(ws: Workspace) -> dict[str, BaseException]:
    """Do what was asked of tasks, as far as it takes no build; what could not be done, by reference."""
    logger = get_run_logger()
    undone: dict[str, BaseException] = {}
    for one in ws.settle_tasks():
        logger.info("task %s: %s -> %s", one.task, one.before, one.after)
        if one.error is not None:
            undone[f"task {one.task}"] = one.error
    return undone


@dataclass(frozen=True)
class Lane:
    """Rollups of one backend that are built one after the other.

    Attributes
    ----------
    backend
        Of all of them.
    refs
        Which.
    """

    backend: str
    refs: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.backend}: {counted(len(self.refs), 'rollup')}"


def lanes(ws: Workspace, due: Sequence[str]) -> list[Lane]:
    """What is due, in lanes: a slot of a backend is taken once a lane, which is quick for many small builds."""
    by_backend: dict[str, list[str]] = {}
    for ref in due:
        by_backend.setdefault(ws.backend_of(ref), []).append(ref)
    found: list[Lane] = []
    for backend, refs in by_backend.items():
        count = min(AT_ONCE, -(-len(refs) // A_LANE))
        found += [Lane(backend, tuple(refs[first::count])) for first in range(count)]
    return found


@task(task_run_name="{lane}", cache_policy=NO_CACHE)
def build_lane(lane: Lane, ws: Workspace, stopped: Event) -> dict[str, Result]:
    """Build the rollups of a lane; by reference, what became of each."""
    with slot(lane.backend):
        return {
            ref: build_due(ref, ws, stopped, return_state=True).result(raise_on_failure=False)
            for ref in lane.refs
        }


# The next run of tasks comes soon: what a retry does not help by then is tried again there.
@task(
    task_run_name="{ref}",
    cache_policy=NO_CACHE,
    retries=1,
    retry_delay_seconds=retry.WAITS[0],
    retry_condition_fn=retry.can_help,
)
def build_due(ref: str, ws: Workspace, stopped: Event) -> BuildReport | None:
    """Build one rollup; None where there is nothing to build any more."""
    return ws.run_task(ref, progress=ProgressArtifact(ref, stopped, patience=SHORT))
