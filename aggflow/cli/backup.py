"""``aggflow backup`` and ``aggflow restore``: a copy of a home in a folder, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.migrate import copied, site
from aggflow.cli.option import Quiet
from aggflow.cli.place import Home, chosen

if TYPE_CHECKING:
    from aggflow.workspace.site import Site


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where nothing is yet.", show_default=False)
    ],
    home: Home = None,
    quiet: Quiet = False,
) -> None:
    """Copy a home as it is now, whole, into a folder; builds and services go on meanwhile."""
    said = copied(_site(home), site(str(folder)), quiet=quiet, at_rest=False)
    if not quiet:
        typer.echo(f"{said}\nThe backup is a home itself: aggflow status --home {folder}")


def restore(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What `aggflow backup` made.", show_default=False)
    ],
    home: Home = None,
    quiet: Quiet = False,
) -> None:
    """Copy a backup to where a home is to be; what is there already is never written over."""
    to = _site(home)
    said = copied(site(str(folder)), to, quiet=quiet)
    if not quiet:
        typer.echo(f"{said}\nThe home is in {to.shown} now")


def _site(home: str | None) -> Site:
    """Where the parts of the home are that commands work in."""
    from aggflow.settings import read_settings
    from aggflow.workspace.site import Site

    settings = read_settings()
    return Site.of(chosen(home), settings.store, settings.events)
