"""``aggflow serve``: the HTTP service of a home."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from aggflow.cli.place import Home, WorkspaceName, chosen, opened, tell_if_new
from aggflow.cli.up import SERVICE_PORT
from aggflow.errors import AggflowError

HOST = "127.0.0.1"


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; any but loopback needs a token.")
    ] = HOST,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = SERVICE_PORT,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that answer.")] = 1,
    access_log: Annotated[
        bool, typer.Option("--access-log/--no-access-log", help="Whether each request is a line of the log.")
    ] = True,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Answer over HTTP until Ctrl-C or SIGTERM; requests under way are answered first.

    Builds that are asked for are carried out by the service itself where PREFECT_API_URL names no
    Prefect; schedules fire, and tasks run again and again, by Prefect alone: `aggflow up` starts one.

    Every request needs a token: `aggflow token create` makes one.  The addresses to open are printed
    first; the log, lines of JSON, goes to standard error.
    """
    try:
        from aggflow.api.server import Server
    except ModuleNotFoundError as error:
        raise AggflowError(
            f"the service needs {error.name}, which is not installed", hint="pip install 'aggflow[api]'"
        ) from None

    place = chosen(home)
    tell_if_new(place)
    with opened(home, workspace, make=True) as ws:
        name = ws.name
    os.environ["AGGFLOW_HOME"] = place if "://" in place else str(Path(place).absolute())
    os.environ["AGGFLOW_WORKSPACE"] = name
    Server(host, port, workers, access_log=access_log).run(_say)


def _say(address: str) -> None:
    # Beside the log, so that each of its lines stays JSON.
    typer.echo(f"aggflow is at {address} (status page), {address}/docs (documentation); Ctrl-C ends it")
    sys.stdout.flush()
