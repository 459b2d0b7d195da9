"""Cases: one thing that grows while all others stay, and what is done at each of its sizes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import httpx
from catalog_copies import copy_build, copy_task, copy_workspace

import aggflow as af
from aggflow.api.carrier import Carrier
from aggflow.spec.calculation import Calculation
from aggflow.spec.task import query_of
from aggflow.timeline import Window, parse_instant
from aggflow.workspace import Workspace
from aggflow.workspace.home import Home

START = datetime(2025, 1, 1, tzinfo=UTC)
END = "2025-01-31T00:00:00Z"
AN_HOUR = Window(parse_instant("2025-01-30T22:00:00Z"), parse_instant("2025-01-30T23:00:00Z"))
KEPT = [Calculation.COUNT, Calculation.SUM, Calculation.PERCENTILES]
FIELDS = [
    af.Field("n", "v", Calculation.COUNT),
    af.Field("sum", "v", Calculation.SUM),
    af.Field("p95", "v", Calculation.PERCENTILES, percentile=0.95),
]
DUE = 10
Work: TypeAlias = Mapping[str, Callable[[], object]]
"""By what is measured, what does it."""
Case: TypeAlias = Callable[[ExitStack, Path, int], Work]
"""Makes a home in a folder, of a size; what has to be closed at the end goes into the stack."""


# -- homes


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


def shop(
    held: ExitStack, folder: Path, *, interval: str = "1h", rows: int = 30_000, groups: int = 10
) -> Workspace:
    """A home with a source, a filter and an endpoint; nothing is built."""
    write_events(folder / "events", rows, groups)
    ws = held.enter_context(af.open(folder / "home"))
    furnish(ws, folder, interval)
    return ws


def furnish(ws: Workspace, folder: Path, interval: str = "1h") -> None:
    """Declare a source, a filter and an endpoint."""
    ws.add_source("events", f"{folder}/events/*.parquet", time="at")
    add_filter(ws, "f", interval)
    add_endpoint(ws, "week", "f")


def add_filter(ws: Workspace, name: str, interval: str = "1h", **options: Any) -> object:
    kept = [af.Aggregation("v", field="v", calculations=KEPT, sketch_groupings=[])]
    return ws.add_filter(
        name, source="events", interval=interval, groupings=["g"], aggregations=kept, **options
    )


def add_endpoint(
    ws: Workspace, name: str, of: str, fields: Sequence[af.Field] = FIELDS, **options: Any
) -> object:
    return ws.add_endpoint(name, filter=of, timing=af.Lookback("7d"), fields=fields, **options)


def add_task(ws: Workspace, name: str, least: int, every: str = "100d") -> object:
    text = f"from events where v > {least} group every {every} by g select count() as n"
    return ws.add_task(name, linq=text, from_date="2025-01-01")


# -- what is done


def building(ws: Workspace, name: str = "f") -> Callable[[], object]:
    """Everything is built anew."""
    return lambda: ws.build(name, full=True, progress=False)


def refreshing(ws: Workspace, name: str = "f") -> Callable[[], object]:
    """One hour is missing, and built."""
    target = ws._targets.get(name)

    def refresh() -> object:
        version = ws._catalog.versions(target.rollup_id)[-1].number
        ws._catalog.drop_window(target.rollup_id, version, AN_HOUR, ws._clock())
        return ws.build(name, progress=False)

    return refresh


def asking(ws: Workspace, name: str = "week") -> Callable[[], object]:
    """Ask an endpoint, each time up to another hour: nothing is answered from what was kept of the last time."""
    hours = iter(range(10**9))

    def ask() -> object:
        end = START + timedelta(days=8, hours=next(hours) % 500)
        return ws.query(name, end=end.isoformat(), live=False).rows

    return ask


def looking(held: ExitStack, folder: Path, path: str, workspace: str = "self") -> Callable[[], object]:
    """Get a page of the service, which is asked in this process."""
    from aggflow.api.app import create_app

    # Not begun as a service: what it does by itself would be measured, too.
    app = create_app(folder / "home")
    home: Home = app.state.home
    held.callback(home.close)
    transport = httpx.ASGITransport(app)
    secret = home.workspace(workspace).create_token("scale", owner="a@b.example", permissions=["admin"])
    headers = {"Authorization": f"Bearer {secret}"}

    async def got() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get(path, headers=headers)

    def look() -> object:
        answer = asyncio.run(got())
        assert answer.status_code == 200, answer.text
        return answer.content

    return look


def usual(ws: Workspace) -> dict[str, Callable[[], object]]:
    """What is done in every case."""
    return {
        "build": building(ws),
        "refresh of an hour": refreshing(ws),
        "answer": asking(ws),
        "pass of the scheduler": ws.due,
    }


# -- cases


def of_events(held: ExitStack, folder: Path, size: int) -> Work:
    """Source rows, in as many buckets and groups as ever."""
    ws = shop(held, folder, rows=size)
    ws.build("f", progress=False)
    return usual(ws)


def of_buckets(held: ExitStack, folder: Path, size: int) -> Work:
    """Buckets of 30 days, of as many rows as ever."""
    ws = shop(held, folder, interval=f"{30 * 86_400 // size}s", rows=300_000)
    ws.build("f", progress=False)
    return usual(ws)


def of_groups(held: ExitStack, folder: Path, size: int) -> Work:
    """Groups of a grouping, of as many rows as ever."""
    ws = shop(held, folder, interval="1d", rows=600_000, groups=size)
    ws.build("f", progress=False)
    each, additive = {"g": af.All()}, FIELDS[:2]  # sketches are kept of all groups together
    add_endpoint(ws, "top", "f", additive, groupings=each, sort=[af.Sort("n", "desc")], limit=10)
    add_endpoint(ws, "each", "f", additive, groupings=each, limit=size)
    return {
        **usual(ws),
        "answer of the top ten": asking(ws, "top"),
        "answer of every group": asking(ws, "each"),
    }


def of_segments(held: ExitStack, folder: Path, size: int) -> Work:
    """Segments that the same 30 days are kept in."""
    ws = shop(held, folder, rows=30_000)
    ws.settings = ws.settings.model_copy(
        update={"compact_segments": 10**6, "batch_rows": max(1, 30_000 // size)}
    )
    ws.build("f", progress=False)
    return {**usual(ws), "status": ws.status}


def of_rollups(held: ExitStack, folder: Path, size: int) -> Work:
    """Filters of one source, each with an endpoint."""
    ws = shop(held, folder)
    for number in range(1, size):
        add_filter(ws, f"f{number}", "1d")
        add_endpoint(ws, f"week{number}", f"f{number}")
    for name in ws.filters:
        ws.build(name, progress=False)
    text = "from events group every 6h by g select count() as n"

    def plan() -> object:
        return ws.linq(text, start="2025-01-10", end=END, live=False).explain()

    def build_after_change() -> object:
        add_filter(ws, "f", description=str(time.time_ns()))
        return ws.build("f", progress=False)

    return {
        **usual(ws),
        "definition changed": lambda: add_filter(ws, "f", description=str(time.time_ns())),
        "definition changed, then nothing to build": build_after_change,
        "ad-hoc answer, which looks for its rollup": plan,
        "list": lambda: list(ws.filters.values()),
        "status": ws.status,
        "status page": looking(held, folder, "/"),
    }


def of_endpoints(held: ExitStack, folder: Path, size: int) -> Work:
    """Endpoints of one filter."""
    ws = shop(held, folder)
    for number in range(1, size):
        add_endpoint(ws, f"e{number}", "f")
    ws.build("f", progress=False)
    return {
        "answer": asking(ws),
        "definition changed": lambda: add_endpoint(ws, "week", "f", description=str(time.time_ns())),
        "filter changed": lambda: add_filter(ws, "f", description=str(time.time_ns())),
        "list": lambda: list(ws.endpoints.values()),
        "list over HTTP": looking(held, folder, "/api/v1/endpoints"),
        "status page": looking(held, folder, "/"),
    }


def of_workspaces(held: ExitStack, folder: Path, size: int) -> Work:
    """Tenants of one home; one is built, the others are copies of it."""
    write_events(folder / "events", 30_000)
    home = held.enter_context(Home.open(folder / "home"))
    ws = home.workspace("original")
    furnish(ws, folder)
    ws.build("f", progress=False)
    copy_workspace(home._catalog, "original", ({"original": f"tenant{n}"} for n in range(1, size)))
    every = home.workspaces()
    assert len(every) == size
    carrier = Carrier(home)
    secrets = [one.create_token("t", owner="a@b.example", permissions=["data:read"]) for one in every]

    def begin() -> object:
        with Home.open(folder / "home") as anew:
            return anew.workspace(every[-1].name).query("week", end=END, live=False).rows

    return {
        **usual(ws),
        "pass of the scheduler for all": lambda: [one.due() for one in every],
        "look of a service, once a second": carrier.look,
        "look of a service, twice a minute": carrier.take_queued,
        "token looked at": lambda: home.access(secrets[-1]),
        "first answer of a process": begin,
        "status page": looking(held, folder, "/", "original"),
    }


def of_tasks(held: ExitStack, folder: Path, size: int) -> Work:
    """Tasks of which ten are due, once a second; of the others one is built, and the rest are copies of it."""
    ws = shop(held, folder, rows=3_000)
    for number in range(DUE):
        add_task(ws, f"due {number}", number, "1s")
    if size > DUE:
        add_task(ws, "original", 987654)
    ws.run_tasks()
    texts = ({"original": f"task {n:05}", "987654": str(n)} for n in range(size - DUE - 1))
    if size > DUE + 1:
        copy_task(ws._catalog, "original", texts)
    assert len(ws.tasks) == size
    names = iter(range(10**9))

    def run(of: Workspace = ws) -> object:
        time.sleep(1.1)  # until they are due again; takes no processor time
        done = of.run_tasks()
        assert len(done.built) >= DUE, done
        assert not done.failed, done
        return done

    def run_anew() -> object:
        query_of.cache_clear()
        with af.open(folder / "home") as anew:
            return run(anew)

    def add() -> object:
        return add_task(ws, f"another {next(names)}", next(names))

    return {
        "pass of the scheduler": ws.due,
        "run of what is due": run,
        "run by a process that begins": run_anew,
        "refresh of one": refreshing(ws, "task due 0"),
        "answer": lambda: ws.ask_task("due 0", start="2025-01-02", end="2025-01-03", live=False).rows,
        "list": ws.list_tasks,
        "status page": looking(held, folder, "/"),
        "one added": add,
    }


def of_builds(held: ExitStack, folder: Path, size: int) -> Work:
    """Builds of a filter that were; the records of all but one are copies of it."""
    ws = shop(held, folder)
    ws.build("f", progress=False)
    copy_build(ws._catalog, next(iter(ws.builds)), size - 1)
    return {
        "refresh of an hour": refreshing(ws),
        "pass of the scheduler": ws.due,
        "look for builds that wait": ws.queued,
        "last hundred": lambda: list(ws.builds),
        "status": ws.status,
        "status page": looking(held, folder, "/"),
    }


CASES: Mapping[str, tuple[Case, Sequence[int]]] = {
    "events": (of_events, (200_000, 2_000_000, 20_000_000, 200_000_000)),
    "buckets": (of_buckets, (72, 720, 7_200)),
    "groups": (of_groups, (10, 100, 1_000, 10_000)),
    "segments": (of_segments, (1, 10, 100)),
    "rollups": (of_rollups, (1, 10, 100)),
    "endpoints": (of_endpoints, (1, 10, 100, 500)),
    "workspaces": (of_workspaces, (1, 10, 100, 1_000)),
    "tasks": (of_tasks, (10, 100, 1_000, 10_000)),
    "builds": (of_builds, (1_000, 10_000, 100_000)),
}
"""By what grows: the case, and the sizes that are measured."""
