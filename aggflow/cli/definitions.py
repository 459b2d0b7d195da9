"""``aggflow apply`` and ``aggflow export``: all definitions of a workspace as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aggflow.cli.option import Quiet
from aggflow.cli.place import Home, WorkspaceName, opened
from aggflow.errors import AggflowError


def apply(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A YAML file, or a folder of them.", show_default=False)
    ],
    quiet: Quiet = False,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add everything that a YAML file or folder declares; all of it is read and checked first."""
    from aggflow.engine.definition_kind import KINDS
    from aggflow.figure import counted

    with opened(home, workspace, make=True) as ws:
        found = ws.apply(path)
    if not quiet:
        counts = {kind.replace("_", " "): len(getattr(found, f"{kind}s")) for kind in KINDS}
        parts = [counted(count, kind) for kind, count in counts.items() if count]
        typer.echo(f"Applied {', '.join(parts)}" if parts else "Nothing is declared there")


def export(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]", help="Where to write; by default to the terminal.", show_default=False
        ),
    ] = None,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Write all definitions as YAML, for `aggflow apply` and for version control."""
    with opened(home, workspace) as ws:
        try:
            text = ws.export(path)
        except OSError as error:
            raise AggflowError(
                f"{path} cannot be written: {error.strerror}", hint="choose another place"
            ) from error
    typer.echo(text if path is None else f"Written to {path}", nl=path is not None)
