"""A run of tasks: what was asked of tasks is done, every rollup of tasks and filters that is due is built, and then
the builds that were asked for one by one and that nobody has begun.

One that fails stops nothing else: the run ends failed, and its message names those that were not built.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeAlias

from prefect import State, flow, get_run_logger, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.futures import wait
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner

from aggflow.engine.build_report import BuildReport
from aggflow.errors import BuildError, NotFoundError
from aggflow.figure import counted
from aggflow.orchestration import retry
from aggflow.orchestration.limit import AT_ONCE, slot
from aggflow.orchestration.place import opened
from aggflow.orchestration.progress import ProgressArtifact
from aggflow.orchestration.report import show_builds
from aggflow.workspace import Workspace

HOUR = 3600
LANES: Any = ThreadPoolTaskRunner(max_workers=8)
SHORT = 2.0
A_LANE = 10
"""So many rollups of a backend are built one after the other; where more are due, several lanes go side by side."""

ENDED = ("done", "error", "cancelled")
Result: TypeAlias = BuildReport | BaseException | None


@flow(name="run-tasks", flow_run_name="{workspace} · run tasks", timeout_seconds=6 * HOUR, task_runner=LANES)
def run_tasks(home: str | None = None, workspace: str = "self") -> State[None]:
    """Build every rollup of tasks and filters that is due, then what else was asked for.

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
            asked = build_queued(ws, stopped)
        except BaseException:
            # Cancelled, or out of time: builds in other threads end with the batch that they are at.
            stopped.set()
            raise
        results = {ref: result for future in futures for ref, result in future.result().items()}
        built = {ref: one for ref in due if isinstance(one := results[ref], BuildReport)}
        failed = undone | {ref: one for ref in due if isinstance(one := results[ref], BaseException)}
        said = show_builds(ws, f"{workspace} tasks", built, "rollup") if built else "nothing was due"
        if asked:
            said += f"; {counted(asked, 'build')} that waited carried out"
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


def build_queued(ws: Workspace, stopped: Event) -> int:
    """Carry out the builds that a service, or anybody, was asked for and did not come to; how many.

    How each ended is in its record, where who asked for it looks: it is no failure of this run.
    """
    done = 0
    for waiting in ws.queued():
        asked = build_asked.submit(waiting.reference, waiting.build.id, ws, stopped)
        done += asked.result(raise_on_failure=False) in ENDED
    return done


@task(task_run_name="{ref} · asked for", cache_policy=NO_CACHE)
def build_asked(ref: str, build_id: str, ws: Workspace, stopped: Event) -> str | None:
    """Carry out one build that was asked for; its status, or None where another process has begun it."""
    if stopped.is_set():
        return None
    try:
        backend = ws.backend_of(ref)
    except NotFoundError:
        held: AbstractContextManager[None] = nullcontext()  # the rollup is gone: the record will say so
    else:
        held = slot(backend)
    with held:
        ended = ws.run_queued(build_id, progress=ProgressArtifact(ref, stopped, patience=SHORT))
    if ended is None:
        return None
    error = ended.to_plain()["error"]
    if error is not None:
        get_run_logger().warning("%s, which was asked for, is not built: %s", ref, error["message"])
    return ended.build.status
