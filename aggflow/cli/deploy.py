"""``aggflow deploy``: the flows of a workspace are registered with a Prefect that is there, on a work pool."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.option import TasksEvery
from aggflow.cli.place import Home, WorkspaceName, chosen, opened


def deploy(
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool",
            metavar="NAME",
            help="The work pool whose workers run the flows; by default Prefect's default one.",
            show_default=False,
        ),
    ] = None,
    tasks_every: TasksEvery = 60.0,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Register the flows with a Prefect server and a work pool of yours.

    The server is the one of PREFECT_API_URL, or of Prefect's active profile.  Workers need aggflow
    installed, and reach the home: a shared folder, or AGGFLOW_HOME set to a catalog's URL.
    """
    from aggflow.orchestration.pool import deploy as register
    from aggflow.orchestration.pool import pool_named
    from aggflow.terminal import console, table

    out = console()
    with opened(home, workspace) as ws:
        name = pool_named(pool)
        registered = register(ws, chosen(home), name, tasks_every)
        schedules = len(ws.schedules)
    out.print(table(["deployment", "runs"], [[full, when] for full, when in registered.items()]))
    noun = "schedule of a cube is" if schedules == 1 else "schedules of cubes are"
    out.print(
        f"{schedules} {noun} there. A worker runs them: prefect worker start --pool {name}", soft_wrap=True
    )
