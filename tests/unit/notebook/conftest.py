"""What the tests of builders stand on: a workspace with a year of orders, and a pace of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import duckdb
import pytest

import aggflow as af
from aggflow.notebook.previewer import Previewer, Shown


class Pace(Executor):
    """Lets what a previewer puts off happen when a test says so; no thread, no clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.timers: list[Any] = []
        self.work: list[tuple[Any, ...]] = []
        self.shown: list[Shown] = []

    def later(self, seconds: float, happen: Callable[[], None]) -> Any:
        timer = _Timer(self, self.seconds + seconds, happen)
        self.timers.append(timer)
        return timer

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.work.append((fn, args, kwargs))
        return Future()

    def wait(self, seconds: float) -> None:
        """Let time go by; timers happen, work does not begin."""
        self.seconds += seconds
        for timer in [one for one in self.timers if one.at <= self.seconds]:
            self.timers.remove(timer)
            timer.happen()

    def do(self) -> None:
        """Do what was handed to threads."""
        while self.work:
            fn, args, kwargs = self.work.pop(0)
            fn(*args, **kwargs)

    def previewer(self, show: Callable[[Shown], None]) -> Previewer:
        """A previewer of this pace."""

        def told(shown: Shown) -> None:
            self.shown.append(shown)
            show(shown)

        return Previewer(told, executor=self, later=self.later, clock=lambda: self.seconds)


class _Timer:
    def __init__(self, pace: Pace, at: float, happen: Callable[[], None]) -> None:
        self.pace, self.at, self.happen = pace, at, happen

    def cancel(self) -> None:
        if self in self.pace.timers:
            self.pace.timers.remove(self)


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty thousand orders of 2024, an order every 26 minutes; a column of JSON."""
    file = tmp_path_factory.mktemp("orders") / "orders.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"""
            COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL (i * 26) MINUTE AS at,
                ['north', 'south', 'east'][i % 3 + 1] AS region, i % 7 AS size, (i * 37 % 1000) / 10.0 AS price,
                '{{"shop": "' || (i % 5) || '"}}' AS payload
            FROM range(20000) AS t(i)) TO '{file}' (FORMAT parquet)
            """
        )
    return file


@pytest.fixture
def ws(tmp_path: Path, orders: Path) -> Iterator[af.Workspace]:
    with af.open(tmp_path / "home") as opened:
        opened.add_source("orders", str(orders), time="at", json="payload")
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[af.Workspace]:
    with af.open(tmp_path / "empty") as opened:
        yield opened
