"""How cost grows: builds, refreshes, answers and passes of the scheduler, as one thing after another grows.

    python tests/benchmarks/scale.py --only events,tasks --rounds 5 --most 20000000

Each experiment lets one thing grow by tens and holds all others; each cost is the processor time of all threads, in
the cheapest of some rounds: who shares the machine hardly changes it, and a machine of one's own answers sooner.  The
law is the exponent of size that fits the costs best: 0 is constant, 1 is in proportion.  Writes ``scale.json``
(every figure; experiments that were not run stay as they were) and ``scale.md`` beside this file, or where
``--results`` says.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

import aggflow as af
from aggflow.spec.calculation import Calculation
from aggflow.workspace import Workspace
from aggflow.workspace.home import Home

START = datetime(2025, 1, 1, tzinfo=UTC)
END = "2025-01-31T00:00:00Z"
MINUTES = 30 * 24 * 60
KEPT = [Calculation.COUNT, Calculation.SUM, Calculation.PERCENTILES]
QUICK = 0.5
FIELDS = [
    af.Field("n", "v", Calculation.COUNT),
    af.Field("sum", "v", Calculation.SUM),
    af.Field("p95", "v", Calculation.PERCENTILES, percentile=0.95),
]
Work: TypeAlias = Mapping[str, Callable[[], object]]
"""By what is measured, what does it."""


def write_events(folder: Path, rows: int, groups: int = 10) -> None:
    """Events evenly over 30 days, one file a day."""
    folder.mkdir(parents=True, exist_ok=True)
    a_day = max(1, rows // 30)
    with duckdb.connect() as con:
        for day in range(30):
            first = day * 86_400_000_000
            con.execute(
                f"copy (select timestamp '2025-01-01' + to_microseconds({first} + range * {86_400_000_000 // a_day}) as at, "
                f"hash(range * 7 + {day}) % {groups} as g, exp(hash(range + {day}) % 1000 / 200) as v "
                f"from range({a_day})) to '{folder}/day-{day:02}.parquet'"
            )


def shop(folder: Path, *, interval: str = "1h", rows: int = 30_000, groups: int = 10) -> Workspace:
    """A home with a source and a filter; nothing is built."""
    write_events(folder / "events", rows, groups)
    ws = af.open(folder / "home")
    ws.add_source("events", f"{folder}/events/*.parquet", time="at")
    add_filter(ws, "f", interval)
    add_endpoint(ws, "week", "f")
    return ws


def add_filter(ws: Workspace, name: str, interval: str = "1h") -> None:
    kept = [af.Aggregation("v", field="v", calculations=KEPT, sketch_groupings=[])]
    ws.add_filter(name, source="events", interval=interval, groupings=["g"], aggregations=kept)


def add_endpoint(ws: Workspace, name: str, of: str) -> None:
    ws.add_endpoint(name, filter=of, timing=af.Lookback("7d"), fields=FIELDS)


def asking(ws: Workspace, name: str = "week") -> Callable[[], object]:
    """Ask an endpoint, each time up to another hour: nothing is answered from what was kept of the last time."""
    hours = iter(range(10**9))

    def ask() -> object:
        end = START + timedelta(days=8, hours=next(hours) % 500)
        return ws.query(name, end=end.isoformat(), live=False).rows

    return ask


def refreshing(ws: Workspace, name: str = "f") -> Callable[[], object]:
    """One hour is missing, and built."""
    target = ws._targets.get(name)
    hour = af_window(ws)

    def refresh() -> object:
        version = ws._catalog.versions(target.rollup_id)[-1].number
        ws._catalog.drop_window(target.rollup_id, version, hour, ws._clock())
        return ws.build(name, progress=False)

    return refresh


def af_window(ws: Workspace) -> Any:
    from aggflow.timeline import Window, parse_instant

    return Window(parse_instant("2025-01-30T22:00:00Z"), parse_instant("2025-01-30T23:00:00Z"))


def of_events(folder: Path, size: int) -> Work:
    """Source rows, in as many buckets and groups as ever."""
    ws = shop(folder, rows=size)
    ws.build("f", progress=False)
    return {
        "build": lambda: ws.build("f", full=True, progress=False),
        "refresh of an hour": refreshing(ws),
        "answer": asking(ws),
    }


def of_buckets(folder: Path, size: int) -> Work:
    """Buckets of 30 days, of as many rows as ever."""
    ws = shop(folder, interval=f"{30 * 86_400 // size}s", rows=300_000)
    ws.build("f", progress=False)
    return {
        "build": lambda: ws.build("f", full=True, progress=False),
        "refresh of an hour": refreshing(ws),
        "answer": asking(ws),
    }


def of_groups(folder: Path, size: int) -> Work:
    """Groups of a grouping, of as many rows as ever."""
    ws = shop(folder, interval="1d", rows=600_000, groups=size)
    ws.build("f", progress=False)
    top = [af.Sort("n", "desc")]
    ws.add_endpoint(
        "top",
        filter="f",
        timing=af.Lookback("7d"),
        fields=FIELDS[:2],
        groupings={"g": af.All()},
        sort=top,
        limit=10,
    )
    return {
        "build": lambda: ws.build("f", full=True, progress=False),
        "answer of one row": asking(ws),
        "answer of the top ten": asking(ws, "top"),
    }


def of_segments(folder: Path, size: int) -> Work:
    """Segments that the same 30 days are kept in."""
    ws = shop(folder, rows=30_000)
    ws.settings = ws.settings.model_copy(
        update={"compact_segments": 10**6, "batch_rows": max(1, 30_000 // size)}
    )
    ws.build("f", progress=False)
    return {"refresh of an hour": refreshing(ws), "answer": asking(ws), "status": ws.status}


def of_rollups(folder: Path, size: int) -> Work:
    """Filters of one source."""
    ws = shop(folder)
    for number in range(1, size):
        add_filter(ws, f"f{number}", "1d")
    for name in ws.filters:
        ws.build(name, progress=False)
    return {
        "refresh of one": refreshing(ws),
        "answer of one": asking(ws),
        "pass of the scheduler": ws.due,
        "ad-hoc answer": lambda: ws.linq("from events group by g select count() as n").rows,
    }


def of_endpoints(folder: Path, size: int) -> Work:
    """Endpoints of one filter."""
    ws = shop(folder)
    for number in range(1, size):
        add_endpoint(ws, f"e{number}", "f")
    ws.build("f", progress=False)

    def change() -> object:
        return ws.add_endpoint(
            "week", filter="f", timing=af.Lookback("7d"), fields=FIELDS, description=str(time.time_ns())
        )

    return {"answer of one": asking(ws), "change of one": change}


def of_workspaces(folder: Path, size: int) -> Work:
    """Tenants of one home."""
    shop(folder).close()
    home = Home.open(folder / "home")
    secrets: list[str] = []
    for number in range(size):
        ws = home.workspace(f"t{number}")
        ws.add_source("events", f"{folder}/events/*.parquet", time="at")
        add_filter(ws, "f", "1d")
        add_endpoint(ws, "week", "f")
        ws.build("f", progress=False)
        secrets.append(ws.create_token("t", owner="a@b.example", permissions=["data:read"]))
    first = home.access(secrets[0])
    assert first is not None

    def begin() -> object:
        with Home.open(folder / "home") as anew:
            return anew.workspace("t0").query("week", end=END, live=False).rows

    return {
        "answer for one": asking(first.workspace),
        "token of one": lambda: home.access(secrets[0]),
        "pass of the scheduler for one": first.workspace.due,
        "pass of the scheduler for all": lambda: [home.workspace(f"t{n}").due() for n in range(size)],
        "first answer of a process": begin,
    }


def of_tasks(folder: Path, size: int) -> Work:
    """Tasks, all of them built."""
    ws = shop(folder, rows=3_000)
    for number in range(size):
        text = "from events group every 100d by g select count() as n"
        ws.add_task(f"task {number:05}", linq=text, from_date="2025-01-01")
    ws.run_tasks()
    assert not ws.due()
    return {"pass of the scheduler": ws.due, "run with nothing due": ws.run_tasks}


EXPERIMENTS: Mapping[str, tuple[Callable[[Path, int], Work], Sequence[int]]] = {
    "events": (of_events, (200_000, 2_000_000, 20_000_000, 200_000_000)),
    "buckets": (of_buckets, (72, 720, 7_200)),
    "groups": (of_groups, (10, 100, 1_000, 10_000)),
    "segments": (of_segments, (1, 10, 100, 1_000)),
    "rollups": (of_rollups, (1, 10, 100)),
    "endpoints": (of_endpoints, (1, 10, 100, 500)),
    "workspaces": (of_workspaces, (1, 10, 100)),
    "tasks": (of_tasks, (10, 100, 1_000, 10_000)),
}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of size that fits the costs best.

    Examples
    --------
    >>> exponent([1, 10, 100], [3, 30, 300]), exponent([1, 10, 100], [5, 5, 5])
    (1.0, 0.0)
    """
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return round(
        sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs), 2
    )


@contextmanager
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aggflow-scale-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def cheapest(do: Callable[[], object], rounds: int) -> float:
    """Processor seconds of the cheapest round; what is quick has more rounds."""
    taken: list[float] = []
    while len(taken) < rounds or (sum(taken) < QUICK and len(taken) < 100 * rounds):
        began = time.process_time()
        do()
        taken.append(time.process_time() - began)
    return min(taken)


def measured(name: str, sizes: Sequence[int], rounds: int) -> dict[str, dict[int, float]]:
    """By what is measured and by size: processor seconds."""
    make, _ = EXPERIMENTS[name]
    seconds: dict[str, dict[int, float]] = {}
    for size in sizes:
        with scratch() as folder:
            for what, do in make(folder, size).items():
                do()
                seconds.setdefault(what, {})[size] = cheapest(do, rounds)
                print(f"{name} {size:,}: {what}: {seconds[what][size] * 1000:.2f} ms", flush=True)
    return seconds


def table(figures: Mapping[str, Mapping[str, Mapping[Any, float]]]) -> str:
    """Costs and their laws, as Markdown."""
    lines = ["| grows | cost | at each size | law |", "|---|---|---|---|"]
    for name, costs in figures.items():
        for what, by_size in costs.items():
            sizes = [int(size) for size in by_size]
            shown = " · ".join(f"{int(size):,}: {_time(cost)}" for size, cost in by_size.items())
            law = f"size^{exponent(sizes, list(by_size.values()))}" if len(sizes) > 1 else ""
            lines.append(f"| {name} | {what} | {shown} | {law} |")
    return "\n".join(lines) + "\n"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def write(folder: Path, figures: Mapping[str, Any], about: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scale.json"
    kept = json.loads(file.read_text(encoding="utf-8"))["seconds"] if file.exists() else {}
    merged = {name: {**kept, **figures}[name] for name in EXPERIMENTS if name in kept or name in figures}
    file.write_text(json.dumps({"measured": about, "seconds": merged}, indent=1) + "\n", encoding="utf-8")
    heading = ", ".join(f"{name} {value}" for name, value in about.items())
    (folder / "scale.md").write_text(f"{heading}\n\n{table(merged)}", encoding="utf-8")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure how cost grows.")
    parser.add_argument("--only", default=",".join(EXPERIMENTS), help="experiments, with commas between them")
    parser.add_argument("--most", type=int, default=20_000_000, help="the largest size that is measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args(words)
    # What was answered before would be answered from memory: that is not what is measured.
    os.environ |= {"AGGFLOW_ANSWER_BYTES": "0", "AGGFLOW_REDUCED_BYTES": "0"}
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": given.rounds,
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
    }
    for name in given.only.split(","):
        sizes = [size for size in EXPERIMENTS[name][1] if size <= given.most]
        write(given.results, {name: measured(name, sizes, given.rounds)}, about)


if __name__ == "__main__":
    main()
