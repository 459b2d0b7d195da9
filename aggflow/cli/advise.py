"""``aggflow advise``: which aggregates would have saved most of what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.workspace.advice import AdviceList


def advise(
    cube: Annotated[
        str | None,
        typer.Argument(
            metavar="[CUBE]", help="Name or id of a cube; all of them by default.", show_default=False
        ),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", min=1, help="How many days of questions count, today among them.")
    ] = 30,
    adopt: Annotated[
        int | None,
        typer.Option(
            "--adopt", metavar="K", min=1, help="Add the Kth of them to its cube.", show_default=False
        ),
    ] = None,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Say which aggregates would have saved most of what was read, by what was asked lately."""
    from aggflow.terminal import console

    with opened(home, workspace) as ws:
        found = ws.advise(cube, days=days)
        if adopt is None:
            _show(found)
            return
        if adopt > len(found):
            raise typer.BadParameter(
                f"there are {len(found)} of them; `aggflow advise` lists them", param_hint="--adopt"
            )
        advice = found[adopt - 1]
        name = ws.adopt(advice).spec.materialised[-1].name
    console().print(
        f"Cube {advice.cube!r} has aggregate {name!r} now: `aggflow cube build {advice.cube}` makes it",
        markup=False,
        soft_wrap=True,
    )


def _show(found: AdviceList) -> None:
    from aggflow.terminal import console, table

    out = console()
    if not found:
        out.print("Nothing to advise: what was asked is answered well, or nothing was asked yet")
        return
    headings, rows = found.table()
    numbered = [[str(number), *row] for number, row in enumerate(rows, 1)]
    out.print(table(["", *headings], numbered, right=["", "cells", "build", "saves"]))
    out.print("--adopt K adds the Kth of them to its cube", style="dim")
