"""``aggflow migrate``: a home is copied to another place: from a folder to servers, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.option import Quiet
from aggflow.errors import AggflowError

if TYPE_CHECKING:
    from aggflow.workspace.site import Site


def migrate(
    source: Annotated[
        str,
        typer.Argument(metavar="FROM", help="The home: a folder, or a catalog's URL.", show_default=False),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TO", help="Where nothing is yet: a folder, or a catalog's URL.", show_default=False
        ),
    ],
    from_store: Annotated[
        str,
        typer.Option(
            "--from-store",
            metavar="URL",
            help="Where its segments are; by default in its folder, else $AGGFLOW_STORE.",
            show_default=False,
        ),
    ] = "",
    to_store: Annotated[
        str,
        typer.Option(
            "--to-store",
            metavar="URL",
            help="Where they go; by default into the folder, else $AGGFLOW_STORE.",
            show_default=False,
        ),
    ] = "",
    from_events: Annotated[
        str,
        typer.Option(
            "--from-events",
            metavar="DIR",
            help="Where the events of embedded sources are; by default in its folder, else $AGGFLOW_EVENTS.",
            show_default=False,
        ),
    ] = "",
    to_events: Annotated[
        str,
        typer.Option(
            "--to-events",
            metavar="DIR",
            help="Where they go; by default into the folder, else $AGGFLOW_EVENTS.",
            show_default=False,
        ),
    ] = "",
    quiet: Quiet = False,
) -> None:
    """Copy a home, whole, to another place: definitions, builds, tokens, states and events.

    End what writes to it first.  The home stays as it is; cut off in the middle, the same command goes on.
    """
    old, new = site(source, from_store, from_events), site(target, to_store, to_events)
    said = copied(old, new, quiet=quiet)
    if not quiet:
        typer.echo(f"{said}\nThe home is in {new.shown} now, and in {old.shown} as it was")


def site(home: str, store: str = "", events: str = "") -> Site:
    """Where the parts of a home are; those of a catalog's URL that are not named are by the settings."""
    from aggflow.settings import read_settings
    from aggflow.workspace.site import Site

    if "://" not in home:
        return Site.of(home, store, events)
    settings = read_settings()
    return Site.of(home, store or settings.store, events or settings.events)


def copied(old: Site, new: Site, *, quiet: bool, at_rest: bool = True) -> str:
    """Copy a home, with a progress bar; what was copied, for people.

    Raises
    ------
    AggflowError
        There is no home, or it cannot be copied.
    """
    from rich.progress import Progress

    from aggflow.figure import counted, size, took
    from aggflow.terminal import console
    from aggflow.workspace.migration import migrate_home

    if "://" not in old.catalog and not Path(old.catalog).is_file():
        raise AggflowError(f"there is no home in {old.shown}", hint="a home is a folder, or a catalog's URL")
    out = console(stderr=True)
    with Progress(console=out, transient=True, disable=quiet or not out.is_terminal) as progress:
        bar = progress.add_task("segments", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        report = migrate_home(old, new, tell, at_rest=at_rest)
    parts = [
        counted(report.workspaces, "workspace"),
        f"{report.rows:,} rows of the catalog",
        f"{counted(report.segments, 'segment')} ({size(report.bytes)})",
    ]
    if report.event_folders:
        parts.append(f"events of {counted(report.event_folders, 'source')}")
    went_on = f"; {counted(report.found, 'segment')} had been copied before" if report.found else ""
    return f"{', '.join(parts)} in {took(report.seconds)}{went_on}"
