"""``aggflow status``: what is built, how much it is, how the last builds went."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Annotated

import typer

from aggflow.cli.place import Home, WorkspaceName, opened

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from aggflow.catalog import Build
    from aggflow.engine.status import RollupStatus

_STYLES = {"done": "green", "error": "bold red", "cancelled": "yellow"}


def status(
    builds: Annotated[int, typer.Option("--builds", min=0, help="How many of the last builds to list.")] = 5,
    home: Home = None,
    workspace: WorkspaceName = None,
) -> None:
    """Show what is built of every rollup, over time, and the last builds."""
    from aggflow.figure import counted
    from aggflow.terminal import console

    with opened(home, workspace) as ws:
        rollups = ws.status()
        last = list(ws.builds.values())[:builds]
        sizes = [counted(len(ws.sources), "source"), counted(len(ws.filters), "filter")]
        others = {"task": len(ws.tasks), "cube": len(ws.cubes)}
        sizes += [counted(count, noun) for noun, count in others.items() if count]
        title = f"Workspace {ws.name}: {', '.join([*sizes, counted(len(ws.endpoints), 'endpoint')])}"
    out, now_us = console(), time.time_ns() // 1000
    out.print(title, markup=False, soft_wrap=True)
    for rollup in rollups:
        out.print()
        _show_rollup(out, rollup, now_us)
    if last:
        names = {r.last_build.rollup_id: r.name for r in rollups if r.last_build}
        out.print()
        out.print(_builds(last, names, now_us))


def _show_rollup(out: Console, rollup: RollupStatus, now_us: int) -> None:
    from rich.text import Text

    from aggflow.cli.coverage_bar import coverage_bar
    from aggflow.figure import counted, instant, size

    forms = f", {counted(rollup.versions, 'form')}" if rollup.versions > 1 else ""
    stored = f"{counted(rollup.segments, 'segment')}, {counted(rollup.cells, 'cell')}, {size(rollup.bytes)}"
    out.print(
        Text.assemble(
            (rollup.name, "bold"), f"  every {rollup.interval} of {rollup.source}{forms}  ", (stored, "dim")
        ),
        soft_wrap=True,
    )
    shown = rollup.extent
    if shown is None:
        nothing = (
            "built, and there is no event"
            if rollup.covered
            else f"nothing is built yet: aggflow build {shlex.quote(rollup.name)}"
        )
        out.print(f"  {nothing}", style="dim", markup=False, soft_wrap=True)
        return
    width = max(20, min(out.width, 120) - 4)
    out.print(Text("  ").append_text(coverage_bar(rollup, shown, width)))
    start, end = instant(shown.start), instant(shown.end)
    out.print(f"  {start}{end.rjust(width - len(start))}", style="dim")
    out.print(f"  {_built(rollup, now_us)}", soft_wrap=True)


def _built(rollup: RollupStatus, now_us: int) -> str:
    from aggflow.figure import ago, counted, instant
    from aggflow.timeline import BEGINNING

    span = rollup.covered.span
    assert span is not None  # noqa: S101 - where there are events, something is built
    start = "" if span.start <= BEGINNING else f"from {instant(span.start)} "
    gaps = len(rollup.covered) - 1
    return f"built {start}until {instant(span.end)} UTC, {ago(span.end, now_us)}" + (
        f", with {counted(gaps, 'gap')}" if gaps else ""
    )


def _builds(last: list[Build], names: dict[str | None, str], now_us: int) -> object:
    from aggflow.figure import ago
    from aggflow.terminal import table

    rows: list[list[str | Text]] = [
        [
            f"cube {build.detail.get('cube', '')}"
            if build.is_batch
            else names.get(build.rollup_id, "(removed)"),
            build.kind,
            _outcome(build),
            ago(build.started_us or build.created_us, now_us),
            _took(build, now_us),
            f"{build.rows_read:,}",
            f"{build.states_written:,}",
        ]
        for build in last
    ]
    numbers = ["took", "rows read", "cells"]
    return table(["last builds", "kind", "status", "started", *numbers], rows, right=numbers)


def _outcome(build: Build) -> Text:
    from rich.text import Text

    why = f": {build.error['message']}" if build.error else ""
    return Text(build.status, style=_STYLES.get(build.status, "cyan")).append(why, style="default not bold")


def _took(build: Build, now_us: int) -> str:
    from aggflow.figure import took

    if build.started_us is None:
        return ""
    return took(max(0, (build.finished_us or now_us) - build.started_us) / 1_000_000)
