"""A failure: what a command that cannot do its work says, and its exit code."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from aggflow.errors import AggflowError

INTERRUPTED = 130  # as shells have it: 128 and the number of the signal


class Commands(TyperGroup):
    """The commands: an error of ours ends them with a sentence and code 1, Ctrl-C with code 130."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except AggflowError as error:
            from aggflow.terminal import console, error_text

            console(stderr=True).print(error_text(error), soft_wrap=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            typer.echo("interrupted; what was committed stays", err=True)
            raise typer.Exit(INTERRUPTED) from None
