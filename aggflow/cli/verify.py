"""``aggflow verify``: stored states are compared with their source."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.option import Quiet
from aggflow.cli.place import Home, WorkspaceName, opened


def verify(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The filter.", show_default=False)],
    sample: Annotated[int, typer.Option("--sample", min=1, help="How many buckets to compare.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Chooses them.")] = 0,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make buckets that differ missing: the next build makes them anew.")
    ] = False,
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Compare states of a filter with its source, on a sample; exit code 1 if any differ."""
    from aggflow.errors import AggflowError
    from aggflow.figure import counted, instant
    from aggflow.terminal import console, table

    with opened(home, workspace) as ws:
        report = ws.verify(name, sample=sample, seed=seed, fix=fix)
    if report.agrees:
        if not quiet:
            what = f"{counted(report.buckets, 'bucket')} compared, {counted(report.rows_read, 'source row')} read"
            console().print(
                f"{name} agrees with its source: {what}" if report.buckets else f"Nothing is built of {name}"
            )
        return
    rows = [[instant(d.window.start), instant(d.window.end), d.what] for d in report.differences]
    console(stderr=quiet).print(table(["bucket from", "to (UTC)", "what differs"], rows))
    raise AggflowError(
        f"{len(report.differences)} of {counted(report.buckets, 'bucket')} of {name} differ from the source",
        hint=f"they are missing now: `aggflow build {name}`"
        if fix
        else "--fix makes them missing, a build makes them anew",
    )
