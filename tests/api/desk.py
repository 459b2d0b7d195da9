"""A desk: events in a file, a workspace with a clock of its own, and its service, where questions are asked."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
from served import Served

from aggflow.api import endpoints
from aggflow.workspace import Workspace

COLUMNS = "ts TIMESTAMP, grp1 VARCHAR, grp2 VARCHAR, n BIGINT, x DOUBLE"
Row = tuple[str, str | None, str | None, int | None, float | None]


def moment(text: str) -> datetime:
    """A time, or a time of 1 January 2025, in UTC."""
    return datetime.fromisoformat(text if "-" in text else f"2025-01-01 {text}").replace(tzinfo=UTC)


class Desk:
    """A home of one source, and its service.

    Parameters
    ----------
    folder
        Where the events and the home are.
    now
        What the clock shows, as `moment` reads it.
    whole
        Whether the service has all families, instead of the endpoints alone.
    """

    def __init__(self, folder: Path, now: str = "12:07", *, whole: bool = False) -> None:
        self.now = moment(now)
        self.file = folder / "events.ddb"
        self.sql(f"CREATE TABLE events ({COLUMNS})")
        self.served = Served(folder / "home", None if whole else [endpoints])
        self.served.home._clock = lambda: round(self.now.timestamp() * 1_000_000)
        self.ws: Workspace = self.served.home.workspace("self")
        self.ws.add_source("events", f"duckdb://{self.file}", table="events", time="ts")
        self.token = self.served.token("data:read")

    def sql(self, statement: str) -> None:
        """Do something to the events."""
        with closing(duckdb.connect(str(self.file))) as con:
            con.execute(statement)

    def add(self, *rows: Row) -> None:
        """Append events; of a time alone, on the first of January."""
        timed = [(moment(ts).replace(tzinfo=None), *rest) for ts, *rest in rows]
        with closing(duckdb.connect(str(self.file))) as con:
            if timed:
                con.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", timed)

    def filter(self, interval: str = "1h", name: str = "f", **options: Any) -> str:
        """Declare a filter; its id."""
        return self.ws.add_filter(name, source="events", interval=interval, **options).id

    def endpoint(self, name: str = "e", filter: str = "f", **options: Any) -> str:  # noqa: A002 - the field's word
        """Save a question; its id."""
        return self.ws.add_endpoint(name, filter=filter, **options).id

    def build(self, until: str | None = None, name: str = "f", **options: Any) -> None:
        """Build a filter."""
        self.ws.build(name, until=None if until is None else moment(until), progress=False, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a POST, by the token of the desk where no other is named."""
        return self.ask("POST", path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a GET."""
        return self.ask("GET", path, **options)

    def data(self, endpoint_id: str, body: Any = None, **options: Any) -> httpx.Response:
        """The answer of an endpoint."""
        if body is not None:
            options["json"] = body
        return self.post(f"/api/v1/data/{endpoint_id}", **options)

    def rows(self, endpoint_id: str, body: Any = None) -> Any:
        """The rows of an endpoint."""
        answer = self.data(endpoint_id, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(
        self, method: str, path: str, *, headers: Any = None, token: str | None = None, **options: Any
    ) -> Any:
        """The answer to a request; an empty token sends none."""
        secret = self.token if token is None else token
        sent = {**({"x-api-token": secret} if secret else {}), **(headers or {})}
        return self.served.ask(method, path, headers=sent, **options)

    def close(self) -> None:
        """Close the home."""
        self.served.home.close()
