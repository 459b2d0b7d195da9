"""``aggflow token``: who may use a workspace over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow.cli.failure import Commands
from aggflow.cli.place import Home, WorkspaceName, opened

app = typer.Typer(cls=Commands, help="Tokens: who may use a workspace over HTTP.", no_args_is_help=True)
EXAMPLE = "aggflow token create grafana --owner me@example.com --permission data:read --expires 90d"


@app.command("create", epilog=f"Example: {EXAMPLE}")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    owner: Annotated[
        str,
        typer.Option(
            "--owner", metavar="EMAIL", help="E-mail address of whom it is given to.", show_default=False
        ),
    ],
    permission: Annotated[
        list[str],
        typer.Option(
            "--permission",
            metavar="NAME",
            help="tasks:view, tasks:manage, schedules:view, schedules:manage, data:read, widgets:read, "
            "or admin for all. Repeatable.",
            show_default=False,
        ),
    ],
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="TIME",
            help="When it ends, or how long it lives (90d); by default never.",
            show_default=False,
        ),
    ] = None,
    brand: Annotated[
        list[str] | None,
        typer.Option(
            "--brand",
            metavar="UUID",
            help="Only the events of this brand, by widgets. Repeatable.",
            show_default=False,
        ),
    ] = None,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Make a token; its secret is printed once, alone on standard output."""
    from aggflow.figure import instant
    from aggflow.terminal import console

    with opened(home, workspace, make=True) as ws:
        issued = ws.issue_token(
            name, owner=owner, permissions=permission, expires=expires, brands=brand or ()
        )
    token, told = issued.token, console(stderr=True)
    until = "" if token.expires_us is None else f" until {instant(token.expires_us)}"
    told.print(f"Token {token.name!r} ({token.id}) is valid{until}", markup=False, soft_wrap=True)
    told.print("Keep it: only its hash is stored, so it cannot be shown again.", style="dim")
    typer.echo(issued.secret)


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the tokens, those that were revoked or have expired too."""
    from aggflow.cli.shown import show_all

    with opened(home, workspace) as ws:
        show_all(ws.tokens, "token", EXAMPLE)


@app.command("revoke")
def revoke(
    token: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN", help="Id of the token, or its name if no other has it.", show_default=False
        ),
    ],
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """End a token at once."""
    from aggflow.terminal import console

    with opened(home, workspace) as ws:
        found = ws.revoke_token(token)
    console().print(f"Token {found.name!r} ({found.id}) is revoked", markup=False, soft_wrap=True)
