"""``aggflow init``: a workspace is made."""

from __future__ import annotations

from pathlib import Path

import typer

from aggflow.cli.place import Home, WorkspaceName, chosen, opened
from aggflow.cli.source import EXAMPLE
from aggflow.errors import without_password


def init(home: Home = None, workspace: WorkspaceName = None) -> None:
    """Make a workspace; one that is there stays as it is."""
    place = chosen(home)
    with opened(place, workspace, make=True) as ws:
        where = without_password(place) if "://" in place else str(Path(place).absolute())
        typer.echo(f"Workspace {ws.name} in {where}")
        typer.echo(f"Next: {EXAMPLE}" if not ws.sources else "It was there already")
