"""A terminal: how tables and errors look in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aggflow.engine.answer import Answer
from aggflow.errors import AggflowError, ParseError

_PIPE_WIDTH = 250


def console(*, stderr: bool = False) -> Console:
    """Where people read; what goes to a pipe or a file is not broken into lines of 80 characters."""
    found = Console(stderr=stderr, highlight=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _PIPE_WIDTH
    return found


def table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]], right: Iterable[str] = ()) -> Table:
    """A table without walls.

    Parameters
    ----------
    headings
        Its columns.
    rows
        Their cells, never read as markup.
    right
        The columns of numbers.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    numbers = set(right)
    for heading in headings:
        is_number = heading in numbers
        made.add_column(heading, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return made


def answer_table(answer: Answer, most: int | None = None) -> Table:
    """An answer as a table, of its first ``most`` rows or of all."""
    headings, rows = answer.shown(most)
    return table(headings, rows, right=answer.fields)


def error_text(error: AggflowError) -> Text:
    """An error: its sentence, or its drawing with the caret, and the hint on a line of its own."""
    text = Text("error: ", style="bold red")
    if isinstance(error, ParseError):
        for line in str(error).splitlines():
            style = "bold red" if line.strip() == "^" else "cyan" if line.startswith("hint: ") else "default"
            text.append(line + "\n", style=style if style == "cyan" else f"not bold {style}")
        text.rstrip()
        return text
    text.append(error.message, style="not bold default")
    if error.hint:
        text.append("\nhint: ", style="bold cyan").append(error.hint, style="not bold default")
    return text
