"""What a run of tasks costs beside its builds: many tasks, of which few are due.

    python tests/benchmarks/task_runs.py --tasks 1000 --due 10 --rounds 7

Writes ``task_runs.json`` (every round) and ``task_runs.md`` (medians) beside this file, or where
``--results`` says.  The tasks that are due have nothing to read: what is measured is the way to them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

import aggflow as af
from aggflow.workspace import Workspace

EVERY = {True: "1s", False: "100d"}


def make(folder: Path, tasks: int, due: int) -> Workspace:
    """A home with so many tasks, all of them built; the first of them are due again every second."""
    file = folder / "events.parquet"
    with duckdb.connect() as con:
        con.execute(
            "copy (select timestamp '2025-01-01' + interval (range) minute as at, range % 7 as who "
            f"from range(1000)) to '{file}'"
        )
    ws = af.open(folder / "home")
    ws.add_source("events", str(file), time="at")
    for number in range(tasks):
        every = EVERY[number < due]
        ws.add_task(
            f"task {number:05}",
            linq=f"from events group every {every} by who select count() as n",
            from_date="2025-01-01",
        )
    ws.run_tasks()
    return ws


def measured(ws: Workspace, due: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round, by what was done."""
    from prefect.testing.utilities import prefect_test_harness

    from aggflow.orchestration.deployment import flow_named
    from aggflow.orchestration.limit import make_limits
    from aggflow.orchestration.reach import reached

    run_tasks: Any = flow_named("run_tasks")
    home = str(ws._place)

    def flow() -> None:
        run_tasks(home=home)

    def alone() -> None:
        found = ws.run_tasks()
        assert len(found.built) == due, found
        assert not found.failed, found

    work: dict[str, Callable[[], object]] = {
        "which are due": ws.due,
        "a run without Prefect": alone,
        "a run of the flow": flow,
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    with prefect_test_harness(server_startup_timeout=120):
        with reached() as client:
            make_limits(client, ws.backends())
        flow()
        for _ in range(rounds):
            for name, do in work.items():
                time.sleep(1.5)  # until they are due again
                began = time.perf_counter()
                do()
                seconds[name].append(time.perf_counter() - began)
    return seconds


def table(seconds: Mapping[str, list[float]]) -> str:
    """Medians as Markdown."""
    lines = ["| | median | fastest | slowest |", "|---|---:|---:|---:|"]
    for name, rounds in seconds.items():
        figures = " | ".join(
            f"{x * 1000:.0f} ms" for x in (statistics.median(rounds), min(rounds), max(rounds))
        )
        lines.append(f"| {name} | {figures} |")
    return "\n".join(lines) + "\n"


def about() -> dict[str, object]:
    """When and on what it is measured; how much else the machine had to do, as it began."""
    from prefect import __version__ as prefect_version

    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "prefect": prefect_version,
    }


def write(file: Path, seconds: Mapping[str, list[float]], about: Mapping[str, object]) -> None:
    """Every round as JSON, medians as Markdown: two files of one name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"measured": about, "seconds": seconds}, indent=1)
    file.with_suffix(".json").write_text(f"{text}\n", encoding="utf-8")
    heading = ", ".join(f"{name} {value}" for name, value in about.items())
    file.with_suffix(".md").write_text(f"{heading}\n\n{table(seconds)}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure runs of tasks.")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--due", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args()
    os.environ |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    os.environ |= {"PREFECT_LOGGING_LEVEL": "WARNING"}

    asked: dict[str, object] = {"tasks": given.tasks, "due": given.due, **about()}
    folder = Path(tempfile.mkdtemp(prefix="aggflow-tasks-"))
    try:
        with make(folder, given.tasks, given.due) as ws:
            seconds = measured(ws, given.due, given.rounds)
    finally:
        shutil.rmtree(folder)
    write(given.results / "task_runs", seconds, asked)
    print(table(seconds))


if __name__ == "__main__":
    main()
