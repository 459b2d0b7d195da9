"""Races: the same work by several contenders, in interleaved rounds, as medians and ratios.

    python tests/benchmarks/run.py --rows 20000000 --days 30 --rounds 5

Writes ``results.json`` (every round) and ``results.md`` (medians) beside this file, or where
``--results`` says.  Times are only comparable within one run: the machine has other things to do.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aggflow_peer
import duckdb
import sql_peer
from generated_events import FIRST_DAY, default_folder, generate

Row = tuple[Any, ...]
Answer = list[Row]
FIRST = datetime.combine(FIRST_DAY, datetime.min.time())


@dataclass(frozen=True)
class Race:
    """One piece of work and who does it.

    Attributes
    ----------
    contenders
        By name.  Each takes nothing and gives the rows of its answer, or nothing where it builds.
        The others are compared with the first.
    tolerance
        How far numbers of two answers may lie apart, relatively, by column; the columns that are
        not there have to be equal.
    rounds
        How many, where that is not left to the caller.
    """

    name: str
    contenders: Mapping[str, Callable[[], Answer | None]]
    tolerance: Mapping[int, float] = field(default_factory=dict[int, float])
    rounds: int | None = None


@dataclass(frozen=True)
class Course:
    """Where the races are held: the events' files, a folder for states, and the windows asked for."""

    files: list[Path]
    folder: Path

    @property
    def end(self) -> datetime:
        return FIRST + timedelta(days=len(self.files))

    def last(self, **back: float) -> tuple[datetime, datetime]:
        """The last hours or days of the events."""
        return self.end - timedelta(**back), self.end


@contextmanager
def contenders(course: Course) -> Iterator[list[Race]]:
    """The races, with all contenders in them; hand-written SQL is what the others are compared with."""
    file = course.folder / "states.duckdb"
    con = sql_peer.connect(file, course.files)
    home = aggflow_peer.Home(course.folder / "home", course.files)
    end = course.end
    day, week, hour = course.last(hours=24), course.last(days=7), course.last(hours=1)
    rounded, sketched = 1e-9, 0.005

    def rebuilt() -> None:
        sql_peer.build(con, course.files, FIRST)

    def rebuilt_plainly() -> None:
        scratch = course.folder / "plain.duckdb"
        with sql_peer.connect(scratch, course.files) as other:
            sql_peer.build_plainly(other)
        scratch.unlink()

    def refreshed() -> None:
        sql_peer.replace(con, course.files[-1:], *hour)

    def refreshed_by_aggflow() -> None:
        home.forget_hour(end)
        home.refresh(end)

    try:
        yield [
            Race(
                "build all states",
                {"sql": rebuilt, "plain sql": rebuilt_plainly, "aggflow": lambda: home.build(end)},
                rounds=3,
            ),
            Race("refresh the last hour", {"sql": refreshed, "aggflow": refreshed_by_aggflow}),
            Race(
                "24 hours: n, sum, average, p50, p95, p99",
                {
                    "sql": lambda: sql_peer.total(con, *day),
                    "aggflow": lambda: home.total(end),
                    "sql on events": lambda: sql_peer.total_of_events(con, *day),
                },
                tolerance={1: rounded, 2: rounded, 3: sketched, 4: sketched, 5: sketched},
            ),
            Race(
                "7 days by hour, top 5 types: n, p95",
                {
                    "sql": lambda: sql_peer.series(con, *week),
                    "aggflow": lambda: home.series(end),
                    "sql on events": lambda: sql_peer.series_of_events(con, *week),
                },
                tolerance={3: sketched},
            ),
            Race(
                "24 hours: distinct sessions",
                {
                    "sql": lambda: sql_peer.distinct(con, *day),
                    "aggflow": lambda: home.distinct(end),
                    "sql on events": lambda: sql_peer.distinct_of_events(con, *day),
                },
                tolerance={0: 0.08},  # five standard errors
            ),
        ]
    finally:
        con.close()
        home.ws.close()


def hold(race: Race, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round by contender; who begins changes from round to round."""
    seconds: dict[str, list[float]] = {name: [] for name in race.contenders}
    answers: dict[str, Answer | None] = {}
    names = list(race.contenders)
    for lap in range(rounds):
        for name in names[lap % len(names) :] + names[: lap % len(names)]:
            began = time.perf_counter()
            answers[name] = race.contenders[name]()
            seconds[name].append(time.perf_counter() - began)
    for name in names[1:]:
        difference = differ(answers[names[0]], answers[name], race.tolerance)
        if difference:
            raise SystemExit(f"{race.name}: {names[0]} and {name} do not agree: {difference}")
    return seconds


def differ(one: Answer | None, other: Answer | None, tolerance: Mapping[int, float]) -> str:
    """What differs between two answers; empty where nothing does."""
    if one is None or other is None:
        return "" if one is other else "only one of them has an answer"
    if len(one) != len(other):
        return f"{len(one)} and {len(other)} rows"
    for number, (row, their_row) in enumerate(zip(one, other, strict=True)):
        for column, (a, b) in enumerate(zip(row, their_row, strict=True)):
            allowed = tolerance.get(column, 0.0)
            if a != b and not (allowed and abs(a - b) <= allowed * abs(b)):
                return f"row {number}, column {column}: {a!r} and {b!r}"
    return ""


def run(course: Course, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Hold all races, one after the other."""
    results: dict[str, dict[str, list[float]]] = {}
    with contenders(course) as races:
        for race in races:
            results[race.name] = hold(race, race.rounds or rounds)
            print(table({race.name: results[race.name]}), flush=True)
    return results


def table(results: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Medians as Markdown; a ratio says how many times as long as the race's first contender."""
    lines = ["| | | median | fastest | slowest | ratio |", "|---|---|---:|---:|---:|---:|"]
    for race, contenders in results.items():
        medians = {name: statistics.median(seconds) for name, seconds in contenders.items()}
        first = next(iter(medians.values()))
        for name, seconds in contenders.items():
            figures = [shown(x) for x in (medians[name], min(seconds), max(seconds))]
            lines.append(f"| {race} | {name} | {' | '.join(figures)} | {medians[name] / first:.2f} |")
    return "\n".join(lines) + "\n"


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def write(folder: Path, results: dict[str, dict[str, list[float]]], measured: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(
        json.dumps({"measured": measured, "seconds": results}, indent=1) + "\n"
    )
    heading = ", ".join(f"{name} {value}" for name, value in measured.items())
    (folder / "results.md").write_text(f"{heading}\n\n{table(results)}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold the races.")
    parser.add_argument("--events", type=Path, help="folder of the events; default: in the temporary one")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=7, help="of everything but the builds")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args()

    events = given.events or default_folder(given.rows, given.days, seed=1)
    files = generate(events, rows=given.rows, days=given.days, seed=1)
    folder = Path(tempfile.mkdtemp(prefix="aggflow-race-"))
    try:
        results = run(Course(files, folder), given.rounds)
    finally:
        shutil.rmtree(folder)
    measured = {
        "rows": given.rows,
        "days": given.days,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "duckdb": duckdb.__version__,
    }
    write(given.results, results, measured)


if __name__ == "__main__":
    main()
