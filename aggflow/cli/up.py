"""``aggflow up``: everything that a laptop needs: a Prefect server, the flows served, the HTTP service."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.option import TasksEvery
from aggflow.cli.place import Home, WorkspaceName, chosen, opened, tell_if_new

if TYPE_CHECKING:
    from aggflow.orchestration.up import Addresses

SERVICE_PORT = 8787


def up(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of the service.")
    ] = SERVICE_PORT,
    prefect_port: Annotated[
        int | None,
        typer.Option(
            "--prefect-port",
            min=1,
            max=65535,
            help="Port of the Prefect server; by default 4200, or any that is free.",
            show_default=False,
        ),
    ] = None,
    tasks_every: TasksEvery = 60.0,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Start Prefect, the flows and the HTTP service; Ctrl-C ends all three.

    Where PREFECT_API_URL is set, that Prefect is used; else a server of its own is started, with
    what it knows inside the home.  Nothing is told to anyone outside.
    """
    from aggflow.orchestration.up import Up
    from aggflow.terminal import console

    tell_if_new(chosen(home))
    with opened(home, workspace, make=True) as ws:
        name, home_id = ws.name, ws.home_id
    out = console()
    service = [sys.executable, "-m", "aggflow", "serve", "--port", str(port)]
    wanted = Up(chosen(home), name, home_id, service, port, prefect_port, tasks_every)
    status = out.status("") if out.is_terminal else None

    def waiting(what: str) -> None:
        if status is not None:
            status.update(f"waiting for {what}")
            status.start()

    def begun(addresses: Addresses) -> None:
        if status is not None:
            status.stop()
        _show(addresses)

    def said(line: str) -> None:
        style = "red" if " | ERROR " in line else "dim"
        out.print(line, style=style, markup=False, soft_wrap=True)

    with status or nullcontext():
        wanted.run(begun, waiting, said)
    out.print("All is ended")


def _show(addresses: Addresses) -> None:
    from aggflow.terminal import console, table

    rows = [
        ["Prefect UI", addresses.prefect_ui],
        ["Prefect API", addresses.prefect_api],
        ["aggflow", addresses.service],
    ]
    out = console()
    out.print(table(["", "address"], rows))
    out.print("Ctrl-C ends all three", style="dim")
