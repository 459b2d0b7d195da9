"""``aggflow query`` and ``aggflow explain``: a saved question is asked."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli import form, output
from aggflow.cli.option import MOST_ROWS, AsCsv, AsJson, ChartFile, Live, Rows
from aggflow.cli.place import Home, WorkspaceName, opened

Name = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="The endpoint: its name, or its id.", show_default=False)
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="TIME",
        help="The end of the question (2013-12-31, RFC 3339, epoch ms); now by default.",
        show_default=False,
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME=VALUES",
        help="Values of a grouping that is asked for: origin=JFK,EWR. Repeatable.",
        show_default=False,
    ),
]


def query(
    endpoint: Name,
    end: End = None,
    filters: Filters = None,
    live: Live = True,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    chart: ChartFile = None,
    rows: Rows = MOST_ROWS,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Ask an endpoint: a table, or JSON, CSV, a chart."""
    shown = output.Output(as_json, as_csv, chart, rows=rows)
    values = form.values("--filter", filters or []) or None
    with opened(home, workspace) as ws:
        shown.show(ws.query(endpoint, end=end, grouping_filters=values, live=live))


def explain(
    endpoint: Name,
    end: End = None,
    filters: Filters = None,
    live: Live = True,
    sql: Annotated[bool, typer.Option("--sql", help="Show the SQL that was sent to the source.")] = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Ask an endpoint, and say where the answer came from: rollups, windows, SQL, time."""
    with opened(home, workspace) as ws:
        answer = ws.query(
            endpoint, end=end, grouping_filters=form.values("--filter", filters or []) or None, live=live
        )
        output.explain(answer.explain(), sql=sql)
