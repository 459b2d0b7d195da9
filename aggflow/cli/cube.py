"""``aggflow cube``: dimensions and measures over a source, and the aggregates that speed them up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggflow.cli import form
from aggflow.cli.failure import Commands
from aggflow.cli.option import (
    MOST_ROWS,
    AsCsv,
    AsJson,
    ChartFile,
    Description,
    Explained,
    Full,
    Live,
    Quiet,
    Rows,
    SourceName,
    Sql,
    Start,
    Until,
)
from aggflow.cli.output import Output
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.engine.batch import BatchReport

app = typer.Typer(
    cls=Commands, help="Cubes: dimensions and measures, and their aggregates.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="CUBE", help="Name or id of the cube.", show_default=False)]
_Where = Annotated[
    str,
    typer.Option(
        "--where", help="Which events, in JPath, or in LINQ behind an equals sign.", show_default=False
    ),
]
EXAMPLE = (
    "aggflow cube add flights --source flights --dimension carrier --dimension date:year,month,day "
    "--measure 'delay=dep_delay:COUNT,SUM' --ratio 'mean=delay:SUM/delay:COUNT' "
    "--aggregate 'hourly=1h:carrier' --aggregate 'monthly=:date.month'"
)
ASKED = "aggflow cube ask flights delay:AVG 'late share' --by carrier --by date.month --end 2014-01-01"


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the cube.", show_default=False)],
    source: SourceName,
    dimension: Annotated[
        list[str] | None,
        typer.Option(
            "--dimension",
            metavar="NAME",
            help="carrier, client=@.client, low==lower(carrier), place:country,city, date:year,month. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="NAME=FIELD:CALCULATIONS",
            help="'delay=dep_delay:COUNT,AVG', 'late:COUNT where @.dep_delay > 15'. Repeatable; without one, "
            "events are counted.",
            show_default=False,
        ),
    ] = None,
    ratio: Annotated[
        list[str] | None,
        typer.Option(
            "--ratio",
            metavar="NAME=MEASURE/MEASURE",
            help="One measure divided by another: 'share=late/flights', 'mean=delay:SUM/delay:COUNT'. "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    aggregate: Annotated[
        list[str] | None,
        typer.Option(
            "--aggregate",
            metavar="NAME=INTERVAL:DIMENSIONS",
            help="What is built: 'hourly=1h:carrier,origin', 'monthly=:date.month:delay'. Repeatable; without "
            "one, all dimensions by the hour.",
            show_default=False,
        ),
    ] = None,
    where: _Where = "",
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Zone of levels of a day and longer.")
    ] = "UTC",
    project: Annotated[str, typer.Option("--project", help="The project that it belongs to.")] = "default",
    description: Description = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build all aggregates anew.")] = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add a cube, or change the one of that name: aggregates whose data change are built anew."""
    from aggflow.cli.shown import show_added

    measures = [form.aggregation(text, {}) for text in measure or []] or [form.aggregation("events", {})]
    options: dict[str, Any] = {"measures": [*measures, *(form.ratio(text) for text in ratio or [])]}
    if aggregate:
        options["aggregates"] = [form.cube_aggregate(text) for text in aggregate]
    with opened(home, workspace, make=True) as ws:
        was_there = name in ws.cubes
        stored = ws.add_cube(
            name,
            source=source,
            dimensions=[form.dimension(text) for text in dimension or []],
            where=where,
            time_zone=time_zone,
            project=project,
            description=description,
            rebuild=rebuild,
            **options,
        )
        show_added(stored, "cube", was_there=was_there)


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the cubes."""
    from aggflow.cli.shown import show_all

    with opened(home, workspace) as ws:
        show_all(ws.cubes, "cube", EXAMPLE)


@app.command("show")
def show(cube: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show all that a cube says."""
    from aggflow.cli.shown import show_one

    with opened(home, workspace) as ws:
        show_one(ws.cube(cube))


@app.command("build")
def build(
    cube: Name,
    full: Full = False,
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Build what is missing of a cube's aggregates: the finest first, coarser ones of finer ones."""
    with opened(home, workspace) as ws:
        report = ws.build_cube(cube, full=full, progress=not quiet)
    if not quiet:
        _show(report)


def _show(report: BatchReport) -> None:
    from aggflow.figure import counted, took
    from aggflow.terminal import console, table

    out, batch = console(), report.batch
    rows = [
        [
            name,
            str(done.windows),
            f"{done.rows_read:,}",
            f"{done.states_read:,}",
            f"{done.states_written:,}",
            took(done.seconds),
        ]
        for name, done in report.aggregates.items()
    ]
    numbers = ["windows", "source rows", "cells of finer", "cells", "took"]
    out.print(table(["aggregate", *numbers], rows, right=numbers))
    took_all = f", in {took(batch.seconds)}" if batch.seconds is not None else ""
    out.print(
        f"Built cube {batch.cube}: {counted(len(rows), 'aggregate')}, {counted(batch.rows_read, 'source row')} -> "
        f"{counted(batch.states_written, 'cell')}{took_all}",
        markup=False,
        soft_wrap=True,
    )


@app.command("ask", epilog=f"Example: {ASKED}")
def ask(
    cube: Name,
    measures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MEASURE]",
            help="delay:AVG, delay:PERCENTILES:0.95, a ratio; by default all but percentiles.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="DIMENSION",
            help="A dimension, or a level of one, to group by: carrier, date.month. Repeatable.",
            show_default=False,
        ),
    ] = None,
    start: Start = None,
    end: Until = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="DIMENSION=VALUES",
            help="Keep only these values: origin=JFK,EWR. Repeatable.",
            show_default=False,
        ),
    ] = None,
    where: _Where = "",
    sort: Annotated[
        list[str] | None,
        typer.Option(
            "--sort",
            metavar="NAME[:desc]",
            help="Order by a measure, a dimension or dt: delay:AVG:desc. Repeatable.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many rows.", show_default=False)
    ] = None,
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
    """Ask a cube by the names of its measures and dimensions; the cheapest aggregate that covers it answers."""
    shown = Output(as_json, as_csv, chart, explained, sql, rows)
    with opened(home, workspace) as ws:
        answer = ws.ask_cube(
            cube,
            measures or None,
            by or (),
            start=start,
            end=end,
            where=where,
            filters=form.values("--filter", filters or []) or None,
            sort=[form.term(text) for text in sort or []],
            limit=limit,
            live=live,
        )
        shown.show(answer)


@app.command("rm")
def rm(
    cube: Annotated[str, typer.Argument(metavar="CUBE", help="Name of the cube.", show_default=False)],
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Remove a cube, its schedules and what was built for it."""
    with opened(home, workspace) as ws:
        ws.remove("cube", cube)
    typer.echo(f"Cube {cube!r} is removed, its schedules, and what was built for it")
