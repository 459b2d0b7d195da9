"""Magics: ``%%linq`` asks what a cell says, ``%aggflow`` tells how things stand."""

# IPython's decorators have no types.
# pyright: reportUntypedFunctionDecorator=false

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from aggflow.errors import AggflowError, NotFoundError, ParseError, QueryError, did_you_mean
from aggflow.notebook.at_hand import workspace_at_hand
from aggflow.quote import quoted

_Run = TypeVar("_Run", bound=Callable[..., Any])


class CellError(Exception):
    """What went wrong in a cell, in words: shown without the way through the program that led there.

    Parameters
    ----------
    error
        What went wrong.
    """

    def __init__(self, error: AggflowError) -> None:
        super().__init__(str(error))
        self.error = error

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self.error).__name__}: {self.error}"]


def _said(run: _Run) -> _Run:
    """A magic whose errors are sentences."""

    @wraps(run)
    def said(*arguments: Any, **named: Any) -> Any:
        try:
            return run(*arguments, **named)
        except AggflowError as error:
            raise CellError(error) from None

    return said  # type: ignore[return-value] - wraps keeps the signature


@magics_class
class AggflowMagics(Magics):
    """The magics of aggflow."""

    @magic_arguments("%%linq")
    @argument("--into", metavar="NAME", help="Keep the frame in this variable, and show nothing else of it.")
    @argument("--chart", action="store_true", help="Show a chart.")
    @argument("--explain", action="store_true", help="Show which rollup answered, and why not the others.")
    @argument("--start", metavar="TIME", help="Events count from here on; from the first by default.")
    @argument("--end", metavar="TIME", help="Events count before this; now by default.")
    @argument(
        "--time-zone", metavar="ZONE", default="UTC", help="Whose days, weeks and months; UTC by default."
    )
    @argument("--theme", choices=("light", "dark", "auto"), help="Of the chart.")
    @argument("--workspace", metavar="NAME", help="The variable that holds the workspace; ws by default.")
    @cell_magic
    @_said
    def linq(self, line: str, cell: str | None = None) -> Any:
        """Ask a question in LINQ: the result is a pandas frame."""
        asked = _options(self.linq, line)
        text = _query(cell)
        if asked.into is not None and not asked.into.isidentifier():
            raise QueryError(f"{quoted(asked.into)} is no name of a variable", hint="letters, digits and _")
        answer = workspace_at_hand(self._names, asked.workspace).linq(text, **_window(asked))
        if asked.chart:
            display(answer.chart(theme=asked.theme))
        if asked.explain:
            display(answer.explain())
        if asked.into is None:
            return answer.to_pandas()
        self._shell.push({asked.into: answer.to_pandas()})
        return None

    @magic_arguments("%aggflow")
    @argument("what", nargs="?", default="help", help="status: what is built. help: what there is.")
    @argument("--workspace", metavar="NAME", help="The variable that holds the workspace; ws by default.")
    @line_magic
    @_said
    def aggflow(self, line: str) -> Any:
        """Tell how things stand."""
        asked = _options(self.aggflow, line)
        if asked.what == "help":
            return _help()
        if asked.what != "status":
            raise NotFoundError("command of %aggflow", asked.what, ["status", "help"])
        found = workspace_at_hand(self._names, asked.workspace)
        if not hasattr(found, "status"):
            raise QueryError(
                "a workspace behind a service does not tell its status here", hint="its page does"
            )
        return found.status()

    @property
    def _shell(self) -> InteractiveShell:
        assert isinstance(self.shell, InteractiveShell)  # noqa: S101 - magics are registered with one
        return self.shell

    @property
    def _names(self) -> dict[str, Any]:
        return self._shell.user_ns


class _Help:
    """What there is, as a text."""

    def __repr__(self) -> str:
        return (
            "%aggflow status    what is built of every rollup\n"
            "%%linq             a cell that asks a question in LINQ; %%linq? says with which options"
        )


def _help() -> _Help:
    return _Help()


def _options(magic: Any, line: str) -> Namespace:
    """The options of a magic, as they stand behind its name."""
    try:
        return parse_argstring(magic, line)
    except UsageError as error:
        known = set(re.findall(r"--[a-z-]+", magic.parser.format_help()))
        given = [word.partition("=")[0] for word in line.split() if word.startswith("-")]
        unknown = next((word for word in given if word not in known), None)
        hint = did_you_mean(unknown, known) if unknown else "%%linq? lists the options"
        raise QueryError(str(error), hint=hint) from None


def _query(cell: str | None) -> str:
    text = (cell or "").strip("\n")
    if not text.strip():
        raise ParseError(
            "there is no query in the cell",
            text=text,
            position=0,
            hint="begin below %%linq, such as: from flights group every 1d select count() as n",
        )
    return text


def _window(asked: Namespace) -> dict[str, Any]:
    wanted = {"start": asked.start, "end": asked.end, "time_zone": asked.time_zone}
    return {name: value for name, value in wanted.items() if value is not None}
