"""A market: a served home of two workspaces, a DuckDB file of sales that grows, and a clock that is set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
from served import Served

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# When the example of the tasks API was made: 1677087818714 milliseconds after the epoch.
NOW = datetime(2023, 2, 22, 17, 43, 38, 714_000, tzinfo=UTC)
TABLE = "demo.ecommerce.data"
OWNER = "john.smith@devo.com"
Sale = tuple[datetime, str | None, int | None]


def micros(moment: datetime) -> int:
    return round((moment - _EPOCH) / timedelta(microseconds=1))


def millis(moment: datetime) -> int:
    return micros(moment) // 1000


def at_once(ask: Callable[[], httpx.Response], times: int = 8) -> list[int]:
    """The statuses of the answers to one request that many send at the same moment, rising."""
    with ThreadPoolExecutor(times) as pool:
        return sorted(one.result().status_code for one in [pool.submit(ask) for _ in range(times)])


class Market:
    """A served home of two workspaces, ``self`` and ``other``, and their sales.

    Parameters
    ----------
    folder
        Where all of it is.
    url
        Of the database where the home's catalog is, if not in the folder.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.now = NOW
        self.file = folder / "sales.ddb"
        self.sql('CREATE TABLE sales (eventdate TIMESTAMP, client VARCHAR, total BIGINT, "odd name" DOUBLE)')
        self.served = Served(folder / "home") if url is None else Served.on(url, folder / "states")
        self.served.home._clock = lambda: micros(self.now)
        self.ws = self.served.home.workspace("self")
        self.other = self.served.home.workspace("other")
        for workspace in (self.ws, self.other):
            workspace.add_source(TABLE, f"duckdb://{self.file}", table="sales", time="eventdate")

    def sql(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.file))) as con:
            return con.execute(statement, values).fetchall()

    def sell(self, sales: Iterable[Sale]) -> None:
        rows = [(time.replace(tzinfo=None), client, total) for time, client, total in sales]
        with closing(duckdb.connect(str(self.file))) as con:
            con.executemany("INSERT INTO sales VALUES (?, ?, ?, NULL)", rows)

    def token(self, *permissions: str, workspace: str = "self") -> str:
        return self.served.home.workspace(workspace).create_token(
            "a test's", owner=OWNER, permissions=permissions or ["admin"]
        )

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
        return self.served.ask(method, path, token, **options)

    def close(self) -> None:
        self.served.home.close()
