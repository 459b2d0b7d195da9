"""``aggflow task``: rollups written as LINQ and built continually."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggflow.cli.failure import Commands
from aggflow.cli.option import (
    MOST_ROWS,
    AsCsv,
    AsJson,
    ChartFile,
    Description,
    Explained,
    Live,
    Rows,
    Sql,
    Start,
    Until,
)
from aggflow.cli.output import Output
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.engine.stored_task import StoredTask

app = typer.Typer(
    cls=Commands, help="Tasks: rollups written as LINQ and built continually.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="TASK", help="Name or id of the task.", show_default=False)]
EXAMPLE = (
    "aggflow task add 'late by carrier' "
    "'from flights where dep_delay > 15 group every 1h by carrier' --from 2013-01-01"
)
_FROM_HELP = "From when on events are aggregated (2013-01-01, RFC 3339, epoch ms); 0: all the data."
_NEXT = "the next `aggflow run-tasks` sees to it"


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the task.", show_default=False)],
    linq: Annotated[
        str,
        typer.Argument(
            metavar="LINQ", help="A grouped query; its table is the name of a source.", show_default=False
        ),
    ],
    from_date: Annotated[str, typer.Option("--from", metavar="TIME", help=_FROM_HELP, show_default=False)],
    delay: Annotated[
        int, typer.Option("--delay", metavar="SECONDS", help="Nothing younger than this is aggregated.")
    ] = 0,
    min_grain: Annotated[
        str | None,
        typer.Option(
            "--min-grain",
            metavar="PERIOD",
            help="Finest bucket that is stored; by default the query's period, else 30m.",
            show_default=False,
        ),
    ] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Zone of buckets of a day and longer.")
    ] = "UTC",
    locale: Annotated[str, typer.Option("--locale", help="Language of the client, for clients.")] = "en",
    description: Description = "",
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add a task, or change the one of that name."""
    with opened(home, workspace, make=True) as ws:
        was_there = name in ws.tasks
        stored = ws.add_task(
            name,
            linq=linq,
            from_date=from_date,
            delay=delay,
            min_grain=min_grain,
            time_zone=time_zone,
            locale=locale,
            description=description,
        )
    _tell(stored, "changed" if was_there else "added")


@app.command("ls")
def ls(
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", help="Only tasks of this status, DELETED among them. Repeatable.", show_default=False
        ),
    ] = None,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """List the tasks."""
    from aggflow.spec.lifecycle import Status
    from aggflow.terminal import console, table

    wanted = [text.upper() for text in status or []]
    for text in wanted:
        if text not in Status.__members__:
            raise typer.BadParameter(
                f"{text!r} is no status; they are {', '.join(Status)}", param_hint="--status"
            )
    with opened(home, workspace) as ws:
        found = ws.list_tasks(statuses=wanted or None)
    if not found:
        console().print(f"There is no such task. Add one: {EXAMPLE}", markup=False, soft_wrap=True)
        return
    rows = [
        [one.name, one.task_id, one.status.value, str(one.grain), one.linq, _trouble(one)] for one in found
    ]
    console().print(table(["name", "id", "status", "grain", "query", "error"], rows))


@app.command("show")
def show(task: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show all that a task says, and how it is."""
    from aggflow.cli.shown import show_one

    with opened(home, workspace) as ws:
        stored = ws.task(task)
    state: dict[str, Any] = {"id": stored.task_id, "status": stored.status.value}
    show_one(stored, state | ({"error": _trouble(stored)} if stored.status_data else {}))


@app.command("ask")
def ask(
    task: Name,
    start: Start = None,
    end: Until = None,
    live: Live = True,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    chart: ChartFile = None,
    explained: Explained = False,
    sql: Sql = False,
    rows: Rows = MOST_ROWS,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Ask what a task's query gives, of the time that the task aggregates."""
    shown = Output(as_json, as_csv, chart, explained, sql, rows)
    with opened(home, workspace) as ws:
        shown.show(ws.ask_task(task, start=start, end=end, live=live))


@app.command("update")
def update(
    task: Name,
    name: Annotated[str | None, typer.Option("--name", help="Another name.", show_default=False)] = None,
    linq: Annotated[str | None, typer.Option("--linq", help="Another query.", show_default=False)] = None,
    from_date: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help=_FROM_HELP, show_default=False)
    ] = None,
    delay: Annotated[
        int | None,
        typer.Option(
            "--delay",
            metavar="SECONDS",
            help="Nothing younger than this is aggregated.",
            show_default=False,
        ),
    ] = None,
    min_grain: Annotated[
        str | None,
        typer.Option(
            "--min-grain", metavar="PERIOD", help="Finest bucket that is stored.", show_default=False
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="Zone of buckets of a day and longer.", show_default=False),
    ] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", help="Language of the client.", show_default=False)
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="For people.", show_default=False)
    ] = None,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Change a task; what is stored is built anew only where the change needs it."""
    given = {
        "name": name,
        "linq": linq,
        "from_date": from_date,
        "delay": delay,
        "min_grain": min_grain,
        "time_zone": time_zone,
        "locale": locale,
        "description": description,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("name something to change: --linq, --delay ...", param_hint="update")
    with opened(home, workspace) as ws:
        stored = ws.update_task(task, **changes)
    _tell(stored, "changed")


@app.command("stop")
def stop(task: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Pause a task."""
    with opened(home, workspace) as ws:
        _tell(ws.stop_task(task), "to be stopped")


@app.command("resume")
def resume(task: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Let a stopped task go on; the gap is filled."""
    with opened(home, workspace) as ws:
        _tell(ws.resume_task(task), "to go on")


@app.command("start")
def start(
    task: Name,
    from_date: Annotated[str, typer.Option("--from", metavar="TIME", help=_FROM_HELP, show_default=False)],
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Aggregate again from a date on."""
    with opened(home, workspace) as ws:
        _tell(ws.start_task(task, from_date), "to be started")


@app.command("rm")
def rm(task: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Delete a task; what was built is dropped by the next run."""
    with opened(home, workspace) as ws:
        _tell(ws.delete_task(task), "to be deleted")


def _tell(stored: StoredTask, what: str) -> None:
    from aggflow.terminal import console

    next_ = f": {_NEXT}" if stored.status.is_pending else ""
    text = f"Task {stored.name!r} ({stored.task_id}) is {what}; it is {stored.status}{next_}"
    out = console()
    out.print(text, markup=False, soft_wrap=True)
    for effect in stored.effects:
        out.print(f"  {effect}", style="yellow", markup=False, soft_wrap=True)


def _trouble(stored: StoredTask) -> str:
    from aggflow.figure import instant

    data = stored.status_data
    if not data:
        return ""
    return f"{data['message']}, since {instant(data['since'] * 1000)}; next try {instant(data['retryAt'] * 1000)}"
