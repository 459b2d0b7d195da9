"""A work pool: whose workers run the flows of a workspace, where `aggflow up` does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aggflow.errors import NotFoundError, OrchestrationError
from aggflow.orchestration.apart import apart
from aggflow.orchestration.deployment import POOLED, Deployments
from aggflow.orchestration.place import told
from aggflow.orchestration.reach import reached
from aggflow.orchestration.reconciler import RECONCILE_EVERY, Reconciler

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.deployments.runner import RunnerDeployment

    from aggflow.workspace import Workspace


def pool_named(name: str | None) -> str:
    """The name of a work pool that is there.

    Parameters
    ----------
    name
        Its name; Prefect's default pool where None.

    Raises
    ------
    NotFoundError
        There is none of that name.
    OrchestrationError
        None is named, or Prefect cannot be reached.
    """
    with reached(check=True) as client:
        from prefect.settings import PREFECT_DEFAULT_WORK_POOL_NAME

        name = name or PREFECT_DEFAULT_WORK_POOL_NAME.value()
        known = [pool.name for pool in client.read_work_pools()]
        if name is None:
            raise OrchestrationError(
                "no work pool is named",
                hint=f"--pool names one: {', '.join(sorted(known))}" if known else _make_one("aggflow"),
            )
        if name not in known:
            error = NotFoundError("work pool", name, known)
            error.hint = f"{error.hint}; {_make_one(name)}"
            raise error
    return name


def _make_one(name: str) -> str:
    return f"make it: prefect work-pool create {name} --type process"


def deploy(ws: Workspace, home: str, pool: str, tasks_every: float) -> dict[str, str]:
    """Register the deployments of a workspace on a work pool, and make its schedules.

    Parameters
    ----------
    ws, home
        Whose, and where it is.
    pool
        Name of a work pool that is there.
    tasks_every
        Seconds between two runs of tasks.

    Returns
    -------
    dict of str
        By the full name of each deployment, when it runs.
    """
    deployments = Deployments(ws.name, ws.home_id, told(home), POOLED, pool)
    with reached() as client:
        for flow in deployments.flows:
            apply(deployments.made(flow))
        Reconciler(ws, deployments, apply, tasks_every).run()
        there = deployments.known(client)
    when = {
        "build_cube": "by the schedules of cubes, and when asked",
        "run_tasks": f"every {tasks_every:g} s",
        "reconcile": f"every {RECONCILE_EVERY:g} s",
        "maintain": "every day",
    }
    return {deployments.full_name(flow): when.get(flow, "when asked") for flow in there}


def reconcile_pool(ws: Workspace, home: str | None, tasks_every: float | None = None) -> list[str]:
    """One pass over a workspace whose flows are on a work pool; what was done, in words.

    Raises
    ------
    OrchestrationError
        A deployment is gone, or Prefect cannot be reached.
    """
    deployments = Deployments(ws.name, ws.home_id, home, POOLED)
    with reached() as client:
        there = deployments.known(client)
    own = there.get("reconcile")
    every = tasks_every or _interval(there.get("run_tasks"))
    on_pool = replace(deployments, pool=own.work_pool_name if own else None)
    return Reconciler(ws, on_pool, apply if on_pool.pool else _gone, every).run()


def apply(deployment: RunnerDeployment) -> UUID:
    """Register a deployment, without anyone who serves it here."""
    return apart(deployment.apply)  # pyright: ignore[reportReturnType] - sync here


def _gone(deployment: RunnerDeployment) -> UUID:
    raise OrchestrationError(
        f"deployment {deployment.full_name} is gone from Prefect", hint="`aggflow deploy` registers it again"
    )


def _interval(deployment: Any) -> float:
    """How often runs of tasks are scheduled now: what was chosen when they were deployed is kept."""
    from aggflow.orchestration.reconciler import TASKS_EVERY

    schedules = deployment.schedules if deployment is not None else []
    found = [
        s.schedule.interval.total_seconds()
        for s in schedules
        if s.slug == "run-tasks" and hasattr(s.schedule, "interval")
    ]
    return found[0] if found else TASKS_EVERY
