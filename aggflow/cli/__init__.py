"""The command line: ``aggflow``, every command a thin layer over a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from aggflow import __version__
from aggflow.cli import (
    advise,
    backfill,
    backup,
    build,
    cube,
    definitions,
    demo,
    deploy,
    doctor,
    endpoint,
    init,
    linq,
    migrate,
    query,
    run_tasks,
    schedule,
    serve,
    source,
    status,
    task,
    token,
    up,
    verify,
)
from aggflow.cli import filter as filter_
from aggflow.cli.failure import Commands

ABOUT = """Define an aggregate once; build it incrementally; answer from it in milliseconds.

Start with [bold]aggflow demo[/bold]: real flights, from rows to answers, in a minute.
"""
DEFINE, BUILD, RUN, ASK = "Define", "Build and look after", "Run", "Ask"

app = typer.Typer(
    name="aggflow",
    cls=Commands,
    help=ABOUT,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    # A mistake of the user's is a sentence; what is left is a mistake of ours, and shows itself as it is.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"aggflow {__version__}")
        raise typer.Exit


@app.callback()
def aggflow(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Say the version."
        ),
    ] = False,
) -> None:
    """What all commands share."""


app.command("demo")(demo.demo)
app.command("init", rich_help_panel=DEFINE)(init.init)
app.add_typer(source.app, name="source", rich_help_panel=DEFINE)
app.add_typer(filter_.app, name="filter", rich_help_panel=DEFINE)
app.add_typer(endpoint.app, name="endpoint", rich_help_panel=DEFINE)
app.add_typer(task.app, name="task", rich_help_panel=DEFINE)
app.add_typer(cube.app, name="cube", rich_help_panel=DEFINE)
app.add_typer(schedule.app, name="schedule", rich_help_panel=DEFINE)
app.command("apply", rich_help_panel=DEFINE)(definitions.apply)
app.command("export", rich_help_panel=DEFINE)(definitions.export)
app.command("build", rich_help_panel=BUILD)(build.build)
app.command("run-tasks", rich_help_panel=BUILD)(run_tasks.run_tasks)
app.command("backfill", rich_help_panel=BUILD)(backfill.backfill)
app.command("status", rich_help_panel=BUILD)(status.status)
app.command("verify", rich_help_panel=BUILD)(verify.verify)
app.command("doctor", rich_help_panel=BUILD)(doctor.doctor)
app.command("backup", rich_help_panel=BUILD)(backup.backup)
app.command("restore", rich_help_panel=BUILD)(backup.restore)
app.command("up", rich_help_panel=RUN)(up.up)
app.command("serve", rich_help_panel=RUN)(serve.serve)
app.command("deploy", rich_help_panel=RUN)(deploy.deploy)
app.add_typer(token.app, name="token", rich_help_panel=RUN)
app.command("migrate", rich_help_panel=RUN)(migrate.migrate)
app.command("query", rich_help_panel=ASK)(query.query)
app.command("explain", rich_help_panel=ASK)(query.explain)
app.command("linq", rich_help_panel=ASK)(linq.linq)
app.command("advise", rich_help_panel=ASK)(advise.advise)
