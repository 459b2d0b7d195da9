"""``aggflow source``: the tables of events that filters read."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.failure import Commands
from aggflow.cli.option import Description
from aggflow.cli.place import Home, WorkspaceName, opened

app = typer.Typer(cls=Commands, help="Sources: tables of events.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the source.", show_default=False)]
EXAMPLE = "aggflow source add flights flights.parquet --time departure"


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    name: Name,
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="Any Ibis URL (duckdb://flights.ddb, postgresql://...), or a Parquet or CSV file or glob.",
            show_default=False,
        ),
    ],
    time: Annotated[
        str, typer.Option("--time", help="Column with the time of the event.", show_default=False)
    ],
    table: Annotated[str, typer.Option("--table", help="Table of a database.", show_default=False)] = "",
    sql: Annotated[str, typer.Option("--sql", help="A SELECT, instead of a table.", show_default=False)] = "",
    ingestion_time: Annotated[
        str | None,
        typer.Option(
            "--ingestion-time", help="Column with the time at which a row arrived.", show_default=False
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option("--json-column", help="Column of JSON text into which paths lead.", show_default=False),
    ] = None,
    lateness: Annotated[str, typer.Option("--lateness", help="How late rows may arrive (2h, 3d).")] = "0s",
    time_zone: Annotated[str, typer.Option("--time-zone", help="Zone of times that carry none.")] = "UTC",
    description: Description = "",
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add a source, or replace the one of that name."""
    from aggflow.cli.shown import show_added

    with opened(home, workspace, make=True) as ws:
        was_there = name in ws.sources
        stored = ws.add_source(
            name,
            url,
            time=time,
            table=table,
            sql=sql,
            ingestion_time=ingestion_time,
            json=json,
            lateness=lateness,
            time_zone=time_zone,
            description=description,
        )
        show_added(stored, "source", was_there=was_there)


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the sources."""
    from aggflow.cli.shown import show_all

    with opened(home, workspace) as ws:
        show_all(ws.sources, "source", EXAMPLE)


@app.command("show")
def show(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show all that a source says."""
    from aggflow.backends.errors import without_password
    from aggflow.cli.shown import show_one

    with opened(home, workspace) as ws:
        stored = ws.sources[name]
        show_one(stored, {"url": without_password(stored.url)})


@app.command("rm")
def rm(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Remove a source; its rows are left alone, but for events that were sent to an embedded one."""
    with opened(home, workspace) as ws:
        ws.remove("source", name)
        typer.echo(f"Source {name!r} is removed")
