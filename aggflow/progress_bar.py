"""A progress bar: shows in a terminal how far a build is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from aggflow.engine.progress import Progress as BuildProgress
from aggflow.engine.progress import Report, silent


@contextmanager
def reporting(progress: bool | Report, console: Console | None = None) -> Iterator[Report]:  # noqa: FBT001 - True, False or a function
    """What a build reports to: a bar on a terminal's error stream, a function of the caller's, nothing."""
    console = console or Console(stderr=True)
    if callable(progress):
        yield progress
    elif not progress or not console.is_terminal:
        yield silent
    else:
        with _bar(console) as bar:
            task = bar.add_task("", total=None, start=True, rows="", left="")

            def report(now: BuildProgress) -> None:
                bar.update(
                    task,
                    description=now.rollup,
                    completed=now.windows_done,
                    total=now.windows_total,
                    rows=f"{now.rows_done:,} of about {now.rows_total:,} rows",
                    left=_left(now.seconds_left),
                )

            yield report


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        console=console,
    )


def _left(seconds: float | None) -> Text:
    if seconds is None:
        return Text("")
    minutes, rest = divmod(round(seconds), 60)
    return Text(f"{minutes}:{rest:02d} left" if seconds >= 0.5 else "", style="cyan")
