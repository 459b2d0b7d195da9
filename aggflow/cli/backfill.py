"""``aggflow backfill``: what is missing of a stretch of time is made, oldest or newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.build import show_built
from aggflow.cli.option import Quiet
from aggflow.cli.place import Home, WorkspaceName, opened


def backfill(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help="A filter, or any rollup: 'task late by carrier', 'cube flights/hourly'.",
            show_default=False,
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="From when on (2013-07-01, RFC 3339, epoch ms); all that is wanted by default.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Up to when; now by default.", show_default=False),
    ] = None,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Begin with the newest, not with the oldest.")
    ] = False,
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Build what is missing of a stretch of time.

    Every batch is committed on its own: interrupted, the next backfill or build goes on from there.
    """
    with opened(home, workspace) as ws:
        report = ws.build(reference, since=since, until=until, newest_first=newest_first, progress=not quiet)
    if not quiet:
        show_built(reference, report)
