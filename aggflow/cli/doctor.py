"""``aggflow doctor``: every live segment is read and checked."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.place import Home, WorkspaceName, opened


def doctor(
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Make the windows of damaged segments missing: the next build makes them anew."
        ),
    ] = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Read every segment that the catalog names; exit code 1 if any is missing or damaged."""
    from rich.text import Text

    from aggflow.errors import AggflowError
    from aggflow.figure import counted, instant
    from aggflow.terminal import console

    with opened(home, workspace) as ws:
        found = ws.doctor(fix=fix)
        segments = sum(status.segments for status in ws.status())
    out = console()
    if not found:
        out.print(f"All is well: {counted(segments, 'segment')} read")
        return
    for damage in found:
        when = f"{instant(damage.window.start)} to {instant(damage.window.end)}"
        out.print(Text.assemble((f"{damage.rollup}, {when}: ", "bold"), damage.what), soft_wrap=True)
    if fix:
        out.print(f"{counted(len(found), 'window')} made missing: a build makes the states anew")
        return
    raise AggflowError(
        f"{counted(len(found), 'window')} cannot be read",
        hint="`aggflow doctor --fix` makes them missing, and a build makes them again",
    )
