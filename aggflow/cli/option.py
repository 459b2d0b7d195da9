"""An option that several commands take, with the one text that explains it."""

from __future__ import annotations

from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Full = Annotated[bool, typer.Option("--full", help="Build everything anew.")]
Description = Annotated[str, typer.Option("--description", help="For people.", show_default=False)]
SourceName = Annotated[str, typer.Option("--source", help="The source that it reads.", show_default=False)]
TasksEvery = Annotated[float, typer.Option("--tasks-every", min=5, help="Seconds between two runs of tasks.")]
