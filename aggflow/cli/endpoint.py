"""``aggflow endpoint``: the saved questions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggflow.cli import form
from aggflow.cli.failure import Commands
from aggflow.cli.option import Description
from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from aggflow.spec.choice import AnyChoice
    from aggflow.spec.timing import Timing

app = typer.Typer(
    cls=Commands, help="Endpoints: saved questions to a filter, a task or a cube.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the endpoint.", show_default=False)]
EXAMPLE = (
    "aggflow endpoint add worst --filter delays --lookback 30d --group carrier "
    "--field p95=delay:PERCENTILES:0.95 --sort p95:desc --limit 10"
)
ASKED, WINDOW, GROUPINGS, ROWS = (
    "What it asks (one of them)",
    "Over which time",
    "What becomes of the groupings (by default: merged)",
    "Which rows",
)


class Fill(StrEnum):
    """What stands for buckets of a series that have no events."""

    none = "none"
    null = "null"
    zero = "zero"


@app.command("add", epilog=f"Example: {EXAMPLE}")
def add(
    name: Name,
    field: Annotated[
        list[str],
        typer.Option(
            "--field",
            metavar="NAME=AGGREGATION:CALCULATION",
            help="A return field: flights=delay:COUNT, p95=delay:PERCENTILES:0.95; of a task, or for a ratio of a "
            "cube, without the calculation: mean=mean. Repeatable.",
            show_default=False,
        ),
    ],
    filter_: Annotated[
        str | None,
        typer.Option("--filter", help="A filter.", rich_help_panel=ASKED, show_default=False),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="A task: its fields are what it selects, its groupings what it groups by.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    cube: Annotated[
        str | None,
        typer.Option(
            "--cube",
            help="A cube: its fields are its measures, its groupings its dimensions.",
            rich_help_panel=ASKED,
            show_default=False,
        ),
    ] = None,
    lookback: Annotated[
        str | None,
        typer.Option(
            "--lookback",
            metavar="DURATION",
            help="One total over the last 30d.",
            rich_help_panel=WINDOW,
            show_default=False,
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            "--series",
            metavar="DURATION",
            help="A value a bucket over the last 7d.",
            rich_help_panel=WINDOW,
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every",
            metavar="INTERVAL",
            help="Width of a point of a series; by default the bucket of what is asked.",
            rich_help_panel=WINDOW,
            show_default=False,
        ),
    ] = None,
    offset: Annotated[
        str,
        typer.Option(
            "--offset",
            metavar="DURATION",
            help="How long before the question's end the window ends.",
            rich_help_panel=WINDOW,
        ),
    ] = "0s",
    incomplete: Annotated[
        bool | None,
        typer.Option(
            "--incomplete/--complete",
            help="Whether the bucket that is still filling counts; by default in a lookback only.",
            rich_help_panel=WINDOW,
            show_default=False,
        ),
    ] = None,
    fill: Annotated[
        Fill,
        typer.Option(
            "--fill", help="What stands for buckets without events, in a series.", rich_help_panel=WINDOW
        ),
    ] = Fill.none,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="NAME",
            help="Return all its values. Repeatable.",
            rich_help_panel=GROUPINGS,
            show_default=False,
        ),
    ] = None,
    fix: Annotated[
        list[str] | None,
        typer.Option(
            "--fix",
            metavar="NAME=VALUES",
            help="Keep only these values: origin=JFK,EWR. Repeatable.",
            rich_help_panel=GROUPINGS,
            show_default=False,
        ),
    ] = None,
    ask: Annotated[
        list[str] | None,
        typer.Option(
            "--ask",
            metavar="NAME",
            help="Keep the values that each question names. Repeatable.",
            rich_help_panel=GROUPINGS,
            show_default=False,
        ),
    ] = None,
    hide: Annotated[
        list[str] | None,
        typer.Option(
            "--hide",
            metavar="NAME",
            help="Merge the values that --fix or --ask keeps, instead of returning each. Repeatable.",
            rich_help_panel=GROUPINGS,
            show_default=False,
        ),
    ] = None,
    sort: Annotated[
        list[str] | None,
        typer.Option(
            "--sort",
            metavar="NAME[:desc]",
            help="Order by a field or a grouping. Repeatable.",
            rich_help_panel=ROWS,
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", help="At most so many rows.", rich_help_panel=ROWS, show_default=False),
    ] = None,
    per: Annotated[
        list[str] | None,
        typer.Option(
            "--per",
            metavar="NAME=COUNT",
            help="At most so many values of a grouping, outermost first: --per carrier=10 --per dest=5.",
            rich_help_panel=ROWS,
            show_default=False,
        ),
    ] = None,
    description: Description = "",
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Add an endpoint, or replace the one of that name."""
    from aggflow.cli.shown import show_added

    timing = _timing(lookback, series, every, fill, {"offset": offset, "include_incomplete": incomplete})
    groupings = _choices(group or [], fix or [], ask or [], hide or [])
    with opened(home, workspace) as ws:
        was_there = name in ws.endpoints
        stored = ws.add_endpoint(
            name,
            filter=filter_,
            task=task,
            cube=cube,
            timing=timing,
            fields=tuple(form.field(text) for text in field),
            groupings=groupings,
            sort=tuple(form.sort(text) for text in sort or []),
            limit=limit,
            grouping_limits=tuple(form.limit(text) for text in per or []),
            description=description,
        )
        show_added(stored, "endpoint", was_there=was_there)


def _timing(
    lookback: str | None, series: str | None, every: str | None, fill: Fill, rest: dict[str, Any]
) -> Timing:
    from aggflow.spec.timing import Lookback, TimeSeries

    rest = {key: value for key, value in rest.items() if value is not None}
    if (lookback is None) == (series is None):
        raise typer.BadParameter(
            "give one of them: one total, or a value a bucket", param_hint="--lookback / --series"
        )
    if series is not None:
        return TimeSeries(series, every, fill=fill.value, **rest)
    if every is not None or fill is not Fill.none:
        raise typer.BadParameter("only a series has points", param_hint="--every / --fill")
    assert lookback is not None  # noqa: S101 - one of the two is given
    return Lookback(lookback, **rest)


def _choices(group: list[str], fix: list[str], ask: list[str], hide: list[str]) -> Mapping[str, AnyChoice]:
    from aggflow.spec.choice import All, Fixed, QueryTime

    fixed = form.values("--fix", fix)
    named = [*group, *fixed, *ask]
    for name in named:
        if named.count(name) > 1:
            raise typer.BadParameter(f"{name!r} is named twice", param_hint="--group / --fix / --ask")
    for name in hide:
        if name not in fixed and name not in ask:
            raise typer.BadParameter(f"{name!r} stands in no --fix and no --ask", param_hint="--hide")
    return (
        {name: All() for name in group}
        | {name: Fixed(values, returned=name not in hide) for name, values in fixed.items()}
        | {name: QueryTime(returned=name not in hide) for name in ask}
    )


@app.command("ls")
def ls(home: Home = None, workspace: WorkspaceName = None) -> None:
    """List the endpoints."""
    from aggflow.cli.shown import show_all

    with opened(home, workspace) as ws:
        show_all(ws.endpoints, "endpoint", EXAMPLE)


@app.command("show")
def show(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Show all that an endpoint says."""
    from aggflow.cli.shown import show_one

    with opened(home, workspace) as ws:
        show_one(ws.endpoints[name])


@app.command("rm")
def rm(name: Name, home: Home = None, workspace: WorkspaceName = None) -> None:
    """Remove an endpoint; what is built for what it asks stays."""
    with opened(home, workspace) as ws:
        ws.remove("endpoint", name)
        typer.echo(f"Endpoint {name!r} is removed")
