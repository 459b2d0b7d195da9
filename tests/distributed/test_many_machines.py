"""One home on many machines, whatever dies: no answer is of half a window, nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from machine import PATIENCE, Api, Machine, builder
from object_store import ObjectStore
from postgres_server import PostgresServer

import aggflow as af
from aggflow.spec.calculation import Calculation
from aggflow.store import collect_garbage
from aggflow.timeline import FOREVER
from aggflow.workspace import Workspace

pytestmark = pytest.mark.slow

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS, A_DAY = 9, 48
END = "2025-01-10T00:00:00Z"
# Parts that overlap: builds of different days go side by side, those of the same days wait for one another.
PARTS = [("2025-01-01", "2025-01-05"), ("2025-01-04", "2025-01-08"), ("2025-01-07", "2025-01-10")]
SETTINGS = {"AGGFLOW_BATCH_ROWS": str(A_DAY), "AGGFLOW_LEASE_TTL": "6", "AGGFLOW_LEASE_HEARTBEAT": "1"}
KEPT = [Calculation.COUNT, Calculation.SUM, Calculation.MIN, Calculation.MAX, Calculation.PERCENTILES]
FIELDS = [af.Field(kind.value.lower(), "v", kind) for kind in KEPT[:4]]


def stamp(file: Path, number: int) -> None:
    """Every event of the source carries a number: from one moment to the next all of them another."""
    rows = DAYS * A_DAY
    columns = {
        "at": pa.array([START + timedelta(minutes=30 * i) for i in range(rows)], pa.timestamp("us", "UTC")),
        "shop": [f"s{i % 4}" for i in range(rows)],
        "v": [number] * rows,
    }
    new = file.with_suffix(".new")
    pq.write_table(pa.table(columns), new)
    new.replace(file)


def declare(ws: Workspace, file: Path) -> str:
    ws.add_source("events", str(file), time="at")
    kept = [af.Aggregation("v", field="v", calculations=KEPT)]
    ws.add_filter("f", source="events", interval="1h", groupings=["shop"], aggregations=kept)
    return ws.add_endpoint("days", filter="f", timing=af.TimeSeries(f"{DAYS}d", "1d"), fields=FIELDS).id


class Witness:
    """Who asks all servers in turn, and notes whatever no single state could have answered."""

    def __init__(self, apis: list[Api], endpoint: str, token: str) -> None:
        self.answers: Counter[int] = Counter()
        self.away: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.seen: set[tuple[int, ...]] = set()
        self._apis, self._endpoint, self._token = apis, endpoint, token
        self._last = (0,) * DAYS
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx.Client(headers=headers, timeout=60) as client:
            while not self._ended.is_set():
                for number, api in enumerate(self._apis):
                    try:
                        found = api.ask(client, self._endpoint, END)
                    except AssertionError as error:
                        self.wrong.append(str(error))
                        continue
                    if isinstance(found, list):
                        self.answers[number] += 1
                        self._check(found)
                    else:
                        self.away[number] += 1
                time.sleep(0.02)

    def _check(self, rows: list[dict[str, Any]]) -> None:
        stamps = tuple(row["fields"]["min"] for row in rows)
        whole = all(
            row["fields"] == {"count": A_DAY, "sum": A_DAY * one, "min": one, "max": one}
            for row, one in zip(rows, stamps, strict=True)
        )
        if not whole or len(rows) != DAYS:
            self.wrong.append(f"half a window: {rows}")
        elif any(now < before for now, before in zip(stamps, self._last, strict=True)):
            self.wrong.append(f"an older state after a newer one: {stamps} after {self._last}")
        else:
            self._last = stamps
        self.seen.add(stamps)

    def wait_for(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert not self.wrong, self.wrong[0]
            assert time.monotonic() < deadline, (
                f"{what} did not come: {self.answers}, {self.away}, {self._last}"
            )
            time.sleep(0.05)

    def wait_for_all(self, number: int) -> None:
        """Until every day carries a stamp, on every server."""
        self.wait_for(f"stamp {number}", lambda: self._last == (number,) * DAYS)
        before = Counter(self.answers)
        self.wait_for(
            "an answer of each", lambda: all(self.answers[n] > before[n] for n in range(len(self._apis)))
        )

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    with PostgresServer.started() as server:
        yield server


def _is_in_the_middle(told: dict[str, Any]) -> bool:
    return 0 < told.get("done", 0) < told.get("of", 0)


def _is_built(told: dict[str, Any]) -> bool:
    return "built" in told


def test_whatever_dies(
    tmp_path: Path, server: PostgresServer, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, file = server.create("home"), tmp_path / "events.parquet"
    environment = {**objects.environment, **SETTINGS, "AGGFLOW_STORE": f"{objects.create('home')}/segments"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stamp(file, 1)
    with ExitStack() as stack, af.open(home) as ws:
        endpoint = declare(ws, file)
        ws.build("f", until=END, progress=False)
        token = ws.create_token("witness", owner="a@b.example", permissions=["data:read"])

        machines: list[Machine] = []

        def begin(number: int) -> Machine:
            made = builder(home, *PARTS[number], environment, tmp_path / f"builder-{number}.log")
            stack.callback(made.kill)
            return made

        apis = [Api(home, environment, tmp_path / f"api-{number}.log") for number in range(3)]
        stack.callback(lambda: [api.machine.kill() for api in apis])
        machines = [begin(number) for number in range(3)]
        witness = Witness(apis, endpoint, token)
        stack.callback(witness.end)
        witness.wait_for("every server", lambda: all(witness.answers[n] for n in range(3)))
        for machine in machines:
            machine.wait_for(_is_built)

        # A builder dies in the middle: its lease runs out, for nobody can see from elsewhere that it is dead.
        stamp(file, 2)
        machines[0].hear()
        machines[0].wait_for(_is_in_the_middle)
        machines[0].kill()
        machines[0] = begin(0)
        witness.wait_for_all(2)

        # A server dies, and comes back.
        stamp(file, 3)
        apis[1].machine.kill()
        away = witness.away[1]
        witness.wait_for("its absence", lambda: witness.away[1] > away)
        apis[1].start_again()
        answers = witness.answers[1]
        witness.wait_for("its return", lambda: witness.answers[1] > answers)
        witness.wait_for_all(3)

        # The catalog's server stops in the middle of a build, and comes back.
        stamp(file, 4)
        machines[1].hear()
        machines[1].wait_for(_is_in_the_middle)
        before = Counter(witness.away)
        server.stop()
        witness.wait_for("503", lambda: all(witness.away[n] > before[n] for n in (0, 2)))
        server.start()
        witness.wait_for_all(4)

        stamp(file, 5)
        witness.wait_for_all(5)
        assert [machine.end() for machine in machines] == [0, 0, 0], [machine.said() for machine in machines]
        witness.end()
        assert not witness.wrong, witness.wrong[0]
        # While the lease of who died runs out, at the latest.
        assert any(len(set(stamps)) > 1 for stamps in witness.seen), "no state in between was ever seen"
        errors = {told["error"] for machine in machines for told in machine.told if "error" in told}
        assert errors <= {"CatalogUnavailableError", "LeaseLostError", "CatalogBusyError"}

        check_end(ws, tmp_path, file)
        for log in tmp_path.glob("*.log"):
            assert server.password not in log.read_text()
            assert objects.secret not in log.read_text()


def check_end(ws: Workspace, tmp_path: Path, file: Path) -> None:
    """What is left is what a build that nobody disturbed makes; no file is left that nobody names."""
    catalog, store = ws._catalog, ws._store
    rollup = ws._targets.get("f").rollup_id
    assert catalog.live_leases(ws._clock()) == ()
    coverage = catalog.coverage(rollup)
    windows = sorted(row.window for row in coverage.rows)
    assert all(one.end <= other.start for one, other in pairwise(windows))
    assert ws.verify("f", sample=50).agrees
    answer = ws.query("days", end=END, live=False).rows
    kept = collect_garbage(catalog, store, grace=3600, now_us=ws._clock())
    assert (kept.superseded, kept.strays) == (0, 0)
    swept = collect_garbage(catalog, store, grace=0, now_us=FOREVER)
    assert swept.superseded > 20
    assert {stored.file for stored in store.files()} == catalog.live_files()
    with pytest.MonkeyPatch.context() as alone:
        for name in os.environ:
            if name.startswith("AGGFLOW_"):
                alone.delenv(name)
        with af.open(tmp_path / "unbroken") as other:
            declare(other, file)
            other.build("f", until=END, progress=False)
            assert answer == other.query("days", end=END, live=False).rows
    with af.open(ws._place) as anew:
        assert anew.query("days", end=END, live=False).rows == answer
