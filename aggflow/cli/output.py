"""An output: how a command shows an answer: a table, JSON, CSV, a chart, or where the answer came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from aggflow.engine.answer import Answer
    from aggflow.engine.explanation import Explanation


@dataclass(frozen=True)
class Output:
    """How an answer is shown; as a table, where nothing else is said.

    Attributes
    ----------
    as_json, as_csv
        As JSON, as CSV.
    chart
        Drawn to this file.
    explained, sql
        Where it came from, instead of its rows; with the SQL that was sent to the source.
    rows
        Of the table, so many at most; 0 for all.

    Raises
    ------
    typer.BadParameter
        More than one is wanted.
    """

    as_json: bool = False
    as_csv: bool = False
    chart: Path | None = None
    explained: bool = False
    sql: bool = False
    rows: int = 0

    def __post_init__(self) -> None:
        given = {
            "--json": self.as_json,
            "--csv": self.as_csv,
            "--chart": self.chart is not None,
            "--explain": self.explained,
            "--sql": self.sql,
        }
        wanted = [option for option, is_given in given.items() if is_given]
        if len(wanted) > 1 and wanted != ["--explain", "--sql"]:
            raise typer.BadParameter("choose one of them", param_hint=" / ".join(wanted))

    def show(self, answer: Answer) -> None:
        """Show an answer."""
        if self.explained or self.sql:
            explain(answer.explain(), sql=self.sql)
        elif self.chart is not None:
            from aggflow.charts import save

            typer.echo(f"Drawn to {save(answer.chart(), self.chart)}")
        elif self.as_json:
            typer.echo(json.dumps(answer.rows, ensure_ascii=False, indent=2))
        elif self.as_csv:
            typer.echo(answer.to_csv(), nl=False)
        else:
            _tabulate(answer, self.rows)


def _tabulate(answer: Answer, most: int) -> None:
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


def explain(why: Explanation, *, sql: bool) -> None:
    """Say where an answer came from; the SQL that was sent to the source where it is wanted."""
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
