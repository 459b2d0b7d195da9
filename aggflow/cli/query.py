"""``aggflow query`` and ``aggflow explain``: a saved question is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli import form
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.engine.answer import Answer
    from aggflow.engine.explanation import Explanation

_ROWS = 50
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
Live = Annotated[
    bool,
    typer.Option(
        "--live/--stored",
        help="Whether what is not built may be read from the source; --stored makes a gap an error.",
    ),
]


def query(
    endpoint: Name,
    end: End = None,
    filters: Filters = None,
    live: Live = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, as the HTTP API answers.", rich_help_panel="As what")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="As CSV (RFC 4180).", rich_help_panel="As what")
    ] = False,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart",
            metavar="FILE",
            help="Draw it: .png, .svg, .html or .json (Vega-Lite).",
            rich_help_panel="As what",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int,
        typer.Option(
            "--rows", min=0, help="Rows of the table at most; 0 for all.", rich_help_panel="As what"
        ),
    ] = _ROWS,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Ask an endpoint: a table, or JSON, CSV, a chart."""
    if sum((as_json, as_csv, chart is not None)) > 1:
        raise typer.BadParameter("choose one of them", param_hint="--json / --csv / --chart")
    with opened(home, workspace) as ws:
        answer = ws.query(
            endpoint, end=end, grouping_filters=form.values("--filter", filters or []) or None, live=live
        )
        if chart is not None:
            from aggflow.charts import save

            typer.echo(f"Drawn to {save(answer.chart(), chart)}")
        elif as_json:
            typer.echo(json.dumps(answer.rows, ensure_ascii=False, indent=2))
        elif as_csv:
            typer.echo(answer.to_csv(), nl=False)
        else:
            _show(answer, rows)


def _show(answer: Answer, most: int) -> None:
    from aggflow.figure import counted
    from aggflow.terminal import answer_table, console

    out = console()
    out.print(answer_table(answer, most or None))
    shown = f"{min(most or answer.count, answer.count):,} of " if most and answer.count > most else ""
    note = f"{shown}{counted(answer.count, 'row')} · {answer.explanation.summary}"
    out.print(note + (" · --rows 0 shows all" if shown else ""), style="dim", markup=False, soft_wrap=True)
    _hint(answer.explanation)


def _hint(why: Explanation) -> None:
    from aggflow.terminal import console

    if hint := why.hint_for("--end {}"):
        console().print(f"hint: {hint}", style="yellow", markup=False, soft_wrap=True)


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
        _explain(answer.explain(), sql=sql)


def _explain(why: Explanation, *, sql: bool) -> None:
    from rich.text import Text

    from aggflow.figure import counted, instant, took
    from aggflow.terminal import console, table

    out = console()
    out.print(Text.assemble(("Answered ", "bold"), why.summary), soft_wrap=True)
    _hint(why)
    candidates = [
        [
            Text("miss", style="yellow") if candidate.miss else Text("hit", style="green"),
            candidate.name,
            f"{candidate.rows:,}",
            candidate.miss,
        ]
        for candidate in why.candidates
    ]
    out.print(
        table(["", "rollup of the source", "stored rows", "why not"], candidates, right=["stored rows"])
    )
    windows = [[Text("stored", style="green"), instant(w.start), instant(w.end)] for w in why.stored]
    windows += [[Text("live", style="cyan"), instant(w.start), instant(w.end)] for w in why.live]
    out.print(table(["read", "from", "to (UTC)"], windows))
    read = [counted(why.segments, "segment"), counted(why.cells, "cell"), counted(why.rows, "source row")]
    age = "" if why.tail_age is None else f"; the live part is {took(why.tail_age)} old"
    out.print(
        f"{', '.join(read)}; {took(why.milliseconds / 1000)}, of it the source {took(why.source_milliseconds / 1000)}{age}",
        soft_wrap=True,
    )
    if why.sql and not sql:
        out.print(f"{counted(len(why.sql), 'statement')} sent to the source: --sql shows them", style="dim")
    for statement in why.sql if sql else ():
        out.print("\nSQL sent to the source:", style="bold")
        out.print(_highlighted(statement), soft_wrap=True)


def _highlighted(statement: str) -> object:
    from rich.syntax import Syntax

    text = Syntax("", "sql", theme="ansi_dark").highlight(statement)
    text.rstrip()
    return text
