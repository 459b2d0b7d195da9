"""``aggflow build``: what is missing of a rollup is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.option import Full, Quiet
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.engine.build_report import BuildReport


def build(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A filter, or any rollup: 'task late by carrier', 'cube flights/hourly'.",
            show_default=False,
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Up to when (2013-07-01, RFC 3339, epoch ms); now by default.",
            show_default=False,
        ),
    ] = None,
    full: Full = False,
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Build what is missing of a rollup.

    Every batch is committed on its own: interrupted, the next build goes on from there.
    """
    with opened(home, workspace) as ws:
        report = ws.build(name, until=until, full=full, progress=not quiet)
    if not quiet:
        show_built(name, report)


def show_built(name: str, report: BuildReport) -> None:
    """What a build did, in a sentence."""
    from aggflow.figure import counted, size, took
    from aggflow.terminal import console

    out = console()
    if report.windows:
        out.print(
            f"Built {name}: {counted(report.windows, 'window')}, {counted(report.rows_read, 'source row')} -> "
            f"{counted(report.states_written, 'cell')}, {size(report.bytes_written)}, in {took(report.seconds)}",
            markup=False,
            soft_wrap=True,
        )
    else:
        out.print(f"Nothing is missing of {name}", markup=False, soft_wrap=True)
    if report.null_times:
        out.print(
            f"{counted(report.null_times, 'source row')} without a time: they belong to no bucket and were left out",
            style="yellow",
            soft_wrap=True,
        )
