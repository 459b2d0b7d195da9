"""A place: the home and the workspace that a command works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.errors import AggflowError

if TYPE_CHECKING:
    from aggflow.workspace import Workspace

PANEL = "Where"
Home = Annotated[
    str | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Folder of the workspace, or a catalog's URL; by default $AGGFLOW_HOME, else ./.aggflow.",
        rich_help_panel=PANEL,
    ),
]
WorkspaceName = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="NAME",
        help="Its name in the home; by default $AGGFLOW_WORKSPACE, else self.",
        rich_help_panel=PANEL,
    ),
]


@contextmanager
def opened(home: str | None, workspace: str | None, *, make: bool = False) -> Iterator[Workspace]:
    """Open the workspace of a command; only commands that begin something make one.

    Raises
    ------
    AggflowError
        There is none.
    """
    from aggflow.workspace import open_workspace

    place = chosen(home)
    if not make and is_missing(place):
        raise AggflowError(
            f"there is no workspace in {Path(place).absolute()}",
            hint="`aggflow init` makes one; --home or AGGFLOW_HOME names another",
        )
    with open_workspace(place, workspace, make=make) as found:
        yield found


def is_missing(place: str) -> bool:
    """Whether a home is a folder with no workspace in it."""
    return "://" not in place and not (Path(place) / "catalog.db").exists()


def tell_if_new(place: str) -> None:
    """Say, on standard error, that a command makes a home, where it is about to: the name may be a slip."""
    if is_missing(place):
        said = f"A new home was made in {Path(place).absolute()}: nothing is in it yet"
        typer.echo(f"{said} (--home or AGGFLOW_HOME names another)", err=True)


def chosen(home: str | None) -> str:
    """The home that is meant."""
    from aggflow.settings import read_settings

    return home if home is not None else str(read_settings().home)
