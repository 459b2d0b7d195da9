"""A home that Prefect looks after: events, a cube, a filter, a task; and `aggflow up` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from daemon import free_port
from patience import awaited
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

import aggflow as af
from aggflow.spec.calculation import Calculation
from aggflow.workspace import Workspace

KEPT = (Calculation.COUNT, Calculation.SUM, Calculation.PERCENTILES)
MEASURES = [af.Aggregation("v", field="v", calculations=KEPT)]
LINQ = "from events group every 1h by who select count() as n"


def write_events(file: Path, rows: int, plus: int = 0) -> None:
    """Events, one a minute from 2025-01-01 on."""
    columns = f"range % 7 as who, range % 50 as what, range * 1.0 + {plus} as v"
    with duckdb.connect() as con:
        con.execute(
            "copy (select timestamp '2025-01-01' + interval (range) minute as at, "
            f"{columns} from range({rows})) to '{file}'"
        )


def make_home(folder: Path, rows: int = 5_000) -> Workspace:
    """A home with a source, a filter, a task and a cube; nothing is built."""
    folder.mkdir(parents=True, exist_ok=True)
    write_events(folder / "events.parquet", rows)
    ws = af.open(folder / "home")
    ws.add_source("events", str(folder / "events.parquet"), time="at")
    ws.add_filter("all", source="events", interval="1h", groupings=["who"])
    ws.add_task("by who", linq=LINQ, from_date="2025-01-01")
    ws.add_cube("events", source="events", dimensions=["who", "what"], measures=MEASURES)
    return ws


class Up:
    """`aggflow up` as a process.

    Parameters
    ----------
    home
        Of which home.
    settings
        More of its environment.
    """

    def __init__(self, home: Path, log: Path, settings: Mapping[str, str]) -> None:
        self.port, self.prefect_port = free_port(), free_port()
        self.log = log
        self.home = home
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "AGGFLOW_"))}
        ports = ["--port", str(self.port), "--prefect-port", str(self.prefect_port)]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aggflow", "up", "--home", str(home), *ports],
                env={**clean, **settings},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        awaited("aggflow up", self._has_begun)

    def _has_begun(self) -> bool:
        assert self.process.poll() is None, self.said
        return "Ctrl-C ends all three" in self.said

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def ui(self) -> str:
        return f"http://127.0.0.1:{self.prefect_port}"

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        with (
            temporary_settings({PREFECT_API_URL: f"{self.ui}/api"}),
            get_client(sync_client=True) as client,
        ):
            yield client

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it as a user does, and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(120)

    def kill(self) -> None:
        """End it without a word, and what it started."""
        import psutil

        everything = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        for process in everything:
            with_nothing_left(process)


def with_nothing_left(process: Any) -> None:
    """Kill a process that may be gone."""
    import psutil

    try:
        process.kill()
        process.wait(10)
    except psutil.NoSuchProcess:
        return


@contextmanager
def started(home: Path, log: Path, **settings: str) -> Iterator[Up]:
    """`aggflow up`, ended whatever happens."""
    up = Up(home, log, settings)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.stop(signal.SIGTERM)
