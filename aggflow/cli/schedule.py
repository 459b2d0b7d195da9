"""``aggflow schedule``: when cubes are built by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.failure import Commands
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.timeline import Micros, Zone

app = typer.Typer(cls=Commands, help="Schedules: when cubes are built by themselves.", no_args_is_help=True)
Job = Annotated[str, typer.Argument(metavar="JOB", help="Job id of the schedule.", show_default=False)]
EXAMPLE = "aggflow schedule add flights '0 25 06 ? * *' --timezone Europe/Berlin"
_NEXT = 5


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    cube: Annotated[str, typer.Argument(metavar="CUBE", help="Name or id of the cube.", show_default=False)],
    expression: Annotated[
        str,
        typer.Argument(
            metavar="CRON",
            help="Six fields, seconds first: second minute hour day-of-month month day-of-week.",
            show_default=False,
        ),
    ],
    timezone: Annotated[str, typer.Option("--timezone", help="Zone of its clock.")] = "UTC",
    full: Annotated[
        bool,
        typer.Option("--full/--incremental", help="Build everything anew each time, or what is missing."),
    ] = True,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Build a cube at times; `aggflow up`, or a deployment, keeps them."""
    from aggflow.language import Cron
    from aggflow.terminal import console

    Cron.of(expression)  # alone, so that an error points at the place
    with opened(home, workspace) as ws:
        stored = ws.add_schedule(cube, expression, timezone=timezone, full_build=full)
        now_us = ws.now_us()
    spec, out = stored.spec, console()
    kind = "in full" if full else "as far as it is missing"
    out.print(f"Schedule {stored.job_id} is added", markup=False, soft_wrap=True)
    out.print(f"Cube {spec.cube} is built {kind}, {spec.sentence}. Next:", markup=False, soft_wrap=True)
    for us in spec.next_fires(now_us, _NEXT):
        out.print(f"  {_local(us, spec.zone)}", markup=False)


def _local(us: Micros, zone: Zone) -> str:
    """An instant as clocks of a zone show it.

    Examples
    --------
    >>> from aggflow.timeline import UTC, Zone
    >>> _local(0, Zone.of("Europe/Berlin")), _local(0, UTC)
    ('Thu 1970-01-01 01:00:00 +01:00', 'Thu 1970-01-01 00:00:00 UTC')
    """
    from aggflow.timeline import to_datetime

    offset = zone.offset(us)
    shown = f"{to_datetime(us + offset * 1_000_000):%a %Y-%m-%d %H:%M:%S}"
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{shown} UTC" if zone.is_utc else f"{shown} {'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the schedules, each with its next run."""
    from aggflow.terminal import console, table

    with opened(home, workspace) as ws:
        found, now_us = list(ws.schedules.values()), ws.now_us()
    if not found:
        console().print(f"There is no schedule yet. Add one: {EXAMPLE}", markup=False, soft_wrap=True)
        return
    rows = [
        [
            one.job_id,
            one.spec.cube,
            one.spec.time_expression,
            one.spec.sentence,
            "full" if one.spec.full_build else "incremental",
            "paused" if one.paused else _local(one.spec.next_fires(now_us, 1)[0], one.spec.zone),
        ]
        for one in found
    ]
    console().print(table(["job", "cube", "cron", "when", "kind", "next"], rows))
    console().print("Prefect lets them fire: while `aggflow up` runs, or after `aggflow deploy`", style="dim")


@app.command("rm")
def rm(job: Job, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Remove a schedule."""
    with opened(home, workspace) as ws:
        ws.remove("schedule", job)
    typer.echo(f"Schedule {job} is removed")


@app.command("history")
def history(
    job: Job,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """List the builds that a schedule began, newest first."""
    from aggflow.figure import instant, took
    from aggflow.terminal import console, table

    with opened(home, workspace) as ws:
        executions = ws.schedule_history(job, limit=limit)
        if not executions:
            ws.schedule(job)  # one that never was is an error
        batches = [ws.batch(execution.id) for execution in executions]
    if not batches:
        console().print("It has begun no build yet")
        return
    rows = [
        [
            instant(execution.executed_us),
            batch.status,
            batch.kind,
            f"{batch.rows_read:,}",
            "" if batch.seconds is None else took(batch.seconds),
            batch.id,
            batch.error["message"] if batch.error else "",
        ]
        for execution, batch in zip(executions, batches, strict=True)
    ]
    headings = ["started (UTC)", "status", "kind", "rows read", "took", "build", "error"]
    console().print(table(headings, rows, right=["rows read", "took"]))
