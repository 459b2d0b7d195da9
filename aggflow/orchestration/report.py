"""A report: what a run leaves in Prefect's UI when it is through: a table of windows, and a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aggflow.figure import counted, instant, size, took
from aggflow.orchestration.progress import artifact_key

if TYPE_CHECKING:
    from aggflow.engine.build_report import BuildReport
    from aggflow.workspace import Workspace

Row = dict[str, str | int]


def show_builds(ws: Workspace, what: str, built: Mapping[str, BuildReport], noun: str) -> str:
    """Leave a table of the windows that were built, and a summary of them; the summary's sentence.

    Parameters
    ----------
    ws
        Where the builds are recorded.
    what
        What the run was to build, for people.
    built
        The reports of its builds, by what each was of.
    noun
        What each of them is: a rollup, an aggregate, a step.
    """
    records = ws.builds
    rows: list[Row] = []
    for reference, report in built.items():
        record = records.get(report.build_id)
        window = None if record is None or not report.windows else record.window
        rows.append(
            {
                noun: reference,
                "from": "" if window is None else instant(window.start),
                "to (UTC)": "" if window is None else instant(window.end),
                "windows": report.windows,
                "source rows": report.rows_read,
                "cells": report.states_written,
                "written": size(report.bytes_written),
                "took": took(report.seconds),
            }
        )
    show_table("windows", what, rows)
    sentence = _sentence(list(built.values()), noun)
    without_time = sum(report.null_times for report in built.values())
    note = f"\n\n{counted(without_time, 'source row')} without a time were left out." if without_time else ""
    show_text("summary", what, f"### {what}\n\n{sentence}.{note}")
    return sentence


def _sentence(reports: Sequence[BuildReport], noun: str) -> str:
    """What builds did together."""
    windows = sum(report.windows for report in reports)
    if not windows:
        return f"nothing was missing of {counted(len(reports), noun)}"
    rows = counted(sum(report.rows_read for report in reports), "source row")
    cells = counted(sum(report.states_written for report in reports), "cell")
    return f"{counted(len(reports), noun)}, {counted(windows, 'window')}: {rows} became {cells}"


def show_table(kind: str, what: str, rows: Sequence[Mapping[str, str | int]]) -> None:
    """Leave a table."""
    from prefect.artifacts import create_table_artifact

    create_table_artifact(
        [dict(row) for row in rows], key=artifact_key(kind, what), description=f"{kind.capitalize()}: {what}"
    )


def show_text(kind: str, what: str, markdown: str) -> None:
    """Leave a text."""
    from prefect.artifacts import create_markdown_artifact

    create_markdown_artifact(
        markdown, key=artifact_key(kind, what), description=f"{kind.capitalize()}: {what}"
    )
