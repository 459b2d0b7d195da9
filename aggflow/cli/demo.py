"""``aggflow demo``: real flights, from rows to answers."""

from __future__ import annotations

import typer

from aggflow.cli.place import Home, WorkspaceName, chosen, opened


def demo(home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show what aggflow does, on 336,776 real flights: build, ask, draw, compare with the source."""
    from aggflow.demo import run
    from aggflow.terminal import console

    place = chosen(home)
    if "://" in place:
        raise typer.BadParameter("the demo needs a folder", param_hint="--home")
    with opened(place, workspace, make=True) as ws:
        run(ws, place, console())
