"""``aggflow run-tasks``: what is due of tasks and filters is built."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aggflow.cli.option import Quiet
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.engine.task_run import TaskRun


def run_tasks(
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """See to what was asked of tasks, then build all that is due; exit code 1 if anything failed.

    A filter or task is due when a bucket has closed that is not built.  Builds of rollups that a service was
    asked for, and that nobody has begun, are carried out as well.  What fails stops nothing else.
    """
    from aggflow.engine.task_run import Built
    from aggflow.errors import AggflowError
    from aggflow.figure import counted

    with opened(home, workspace) as ws:
        run = ws.run_tasks(progress=not quiet)
        waited: list[Built] = []
        while (record := ws.run_queued(progress=not quiet)) is not None:
            waited.append(Built.of(record))
        run = replace(run, built=(*run.built, *waited))
    if not quiet:
        _show(run)
    if run.failed:
        first = run.failed[0].error
        assert first is not None  # noqa: S101 - it failed
        raise AggflowError(
            f"{counted(len(run.failed), 'rollup')} of {len(run.built) + len(run.settled)} failed",
            hint=f"{run.failed[0].name}: {first}",
        )


def _show(run: TaskRun) -> None:
    from rich.text import Text

    from aggflow.figure import took
    from aggflow.terminal import console

    out = console()
    for one in run.settled:
        changed = f"{one.before} -> {one.after}" if one.error is None else f"{one.before}, {one.error}"
        style = "" if one.error is None else "red"
        out.print(Text.assemble((f"{one.name}: ", "bold"), (changed, style)), soft_wrap=True)
    for built in run.built:
        style = "red" if built.error is not None else ""
        out.print(Text.assemble((f"{built.name}: ", "bold"), (built.outcome, style)), soft_wrap=True)
    if not run.settled and not run.built:
        out.print("Nothing is due")
    else:
        out.print(f"in {took(run.seconds)}", style="dim")
