"""A reconciliation: Prefect is made what the catalog says, where no `aggflow up` does so."""

from __future__ import annotations

from prefect import flow, get_run_logger

from aggflow.orchestration.place import opened
from aggflow.orchestration.pool import reconcile_pool

MINUTE = 60


@flow(name="reconcile", flow_run_name="{workspace} · reconcile", timeout_seconds=10 * MINUTE)
def reconcile(home: str | None = None, workspace: str = "self") -> list[str]:
    """Carry out what waits in the outbox, and settle schedules both ways round.

    Parameters
    ----------
    home, workspace
        Whose; ``AGGFLOW_HOME`` where no home is given.
    """
    with opened(home, workspace) as ws:
        done = reconcile_pool(ws, home)
    for what in done:
        get_run_logger().info(what)
    return done
