"""``aggflow filter``: the rollups that are built, and that endpoints read."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli import form
from aggflow.cli.failure import Commands
from aggflow.cli.option import Description, SourceName
from aggflow.cli.place import Home, WorkspaceName, opened

app = typer.Typer(cls=Commands, help="Filters: named rollups that endpoints read.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the filter.", show_default=False)]
EXAMPLE = (
    "aggflow filter add delays --source flights --interval 1h --by carrier --by origin "
    "--agg 'delay=dep_delay:COUNT,AVG,PERCENTILES'"
)


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    name: Name,
    source: SourceName,
    interval: Annotated[
        str,
        typer.Option(
            "--interval", help="Width of a bucket: 30s, 13m, 1h, 1d, 1w, 1mo ...", show_default=False
        ),
    ],
    where: Annotated[
        str,
        typer.Option("--where", help="Which events, in JPath: \"@.origin != 'LGA'\".", show_default=False),
    ] = "",
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="PATH",
            help="A grouping: carrier, @.client, client=@.client (an alias). Repeatable.",
            show_default=False,
        ),
    ] = None,
    agg: Annotated[
        list[str] | None,
        typer.Option(
            "--agg",
            metavar="NAME=FIELD:CALCULATIONS",
            help="An aggregation: 'delay=dep_delay:COUNT,AVG', 'late:COUNT where @.dep_delay > 15'. "
            "Repeatable; without one, events are counted.",
            show_default=False,
        ),
    ] = None,
    sketch_by: Annotated[
        list[str] | None,
        typer.Option(
            "--sketch-by",
            metavar="NAME=PATH,PATH",
            help="Groupings at which an aggregation's sketches are kept. Repeatable.",
            show_default=False,
        ),
    ] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Zone of buckets of a day and longer.")
    ] = "UTC",
    description: Description = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Compute history anew from the source.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; say what would happen.")
    ] = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add a filter, or change the one of that name.

    A change keeps what is built: history stays as it was, the new form holds from now on.
    """
    from aggflow.cli.shown import show_added

    kept = {of: tuple(paths) for of, paths in form.values("--sketch-by", sketch_by or []).items()}
    sketches = {of: tuple(path for path in paths if path) for of, paths in kept.items()}
    options = {"aggregations": tuple(form.aggregation(text, sketches) for text in agg)} if agg else {}
    with opened(home, workspace) as ws:
        was_there = name in ws.filters
        stored = ws.add_filter(
            name,
            source=source,
            interval=interval,
            where=where,
            groupings=tuple(form.grouping(text) for text in by or []),
            time_zone=time_zone,
            description=description,
            rebuild=rebuild,
            dry_run=dry_run,
            **options,
        )
        show_added(stored, "filter", was_there=was_there, dry_run=dry_run)


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the filters."""
    from aggflow.cli.shown import show_all

    with opened(home, workspace) as ws:
        show_all(ws.filters, "filter", EXAMPLE)


@app.command("show")
def show(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show all that a filter says."""
    from aggflow.cli.shown import show_one

    with opened(home, workspace) as ws:
        show_one(ws.filters[name])


@app.command("rm")
def rm(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Remove a filter and what was built for it."""
    with opened(home, workspace) as ws:
        ws.remove("filter", name)
        typer.echo(f"Filter {name!r} is removed, and what was built for it")
