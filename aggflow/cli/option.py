"""An option that several commands take, with the one text that explains it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Full = Annotated[bool, typer.Option("--full", help="Build everything anew.")]
Description = Annotated[str, typer.Option("--description", help="For people.", show_default=False)]
SourceName = Annotated[str, typer.Option("--source", help="The source that it reads.", show_default=False)]
TasksEvery = Annotated[float, typer.Option("--tasks-every", min=5, help="Seconds between two runs of tasks.")]

_TIME = "(2013-12-31, RFC 3339, epoch ms)"
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="TIME",
        help=f"From when on events count {_TIME}; from the first by default.",
        show_default=False,
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--end", metavar="TIME", help=f"Events before it count {_TIME}; now by default.", show_default=False
    ),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live/--stored",
        help="Whether what is not built may be read from the source; --stored makes a gap an error.",
    ),
]
ANSWER = "As what"
AsJson = Annotated[
    bool, typer.Option("--json", help="As JSON, as the HTTP API answers.", rich_help_panel=ANSWER)
]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV (RFC 4180).", rich_help_panel=ANSWER)]
ChartFile = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        help="Draw it: .png, .svg, .html or .json (Vega-Lite).",
        rich_help_panel=ANSWER,
        show_default=False,
    ),
]
Rows = Annotated[
    int,
    typer.Option("--rows", min=0, help="Rows of the table at most; 0 for all.", rich_help_panel=ANSWER),
]
Explained = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Where it came from, instead of its rows: rollups, windows, time.",
        rich_help_panel=ANSWER,
    ),
]
Sql = Annotated[
    bool,
    typer.Option(
        "--sql", help="As --explain, and the SQL that was sent to the source.", rich_help_panel=ANSWER
    ),
]
MOST_ROWS = 50
