"""``aggflow linq``: a question in LINQ, of which nothing is saved."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.option import (
    MOST_ROWS,
    AsCsv,
    AsJson,
    ChartFile,
    Explained,
    Live,
    Rows,
    Sql,
    Start,
    Until,
)
from aggflow.cli.output import Output
from aggflow.cli.place import Home, WorkspaceName, opened


def linq(
    text: Annotated[
        str,
        typer.Argument(
            metavar="LINQ",
            help="Such as 'from flights where origin = \"JFK\" group every 1d by carrier select avg(dep_delay)'; "
            "the table is a source.",
            show_default=False,
        ),
    ],
    start: Start = None,
    end: Until = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Zone of buckets of a day and longer.")
    ] = "UTC",
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
    """Ask in LINQ; whichever rollup holds the events answers, the rest is read from the source."""
    shown = Output(as_json, as_csv, chart, explained, sql, rows)
    with opened(home, workspace) as ws:
        shown.show(ws.linq(text, start=start, end=end, time_zone=time_zone, live=live))
