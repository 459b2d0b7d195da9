"""A source: a table of events on an Ibis backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aggflow.errors import AggflowError, Problem, without_password
from aggflow.language import Path, read_subject
from aggflow.spec.declaration import Declared, declaration, plain
from aggflow.spec.text import DurationText, Name, ZoneText

EMBEDDED: Final = "embedded"
"""The scheme of the URL ``embedded://``: the events are kept by aggflow itself, in the home."""


@declaration
class Source(Declared):
    """A table of events, and which of its columns play a part.

    Attributes
    ----------
    name
        Its name in the workspace; the table of LINQ.
    url
        Where it is: any Ibis URL (``duckdb://flights.ddb``, ``postgresql://...``), or a Parquet or
        CSV file or glob.  ``embedded://`` for events that are sent to aggflow, which keeps them in the
        home.  Empty for a table that lives in this session only.
    time
        The column with the time of the event: a timestamp, with or without a zone, or a date.  Of an
        embedded source the name of the field, or the path to it; ``_arrived`` for when it was sent.
    table
        Name of the table (``schema.table`` where needed); empty for files, or with ``sql``.
    sql
        A SELECT in the backend's own SQL, instead of ``table``.
    ingestion_time
        A column with the time at which a row arrived, if there is one: buckets that got rows since
        the last build are built again, however late the rows came.
    json
        A column of JSON text into which paths lead whose first part is no column.
    lateness
        How late rows may arrive: so much of what is built is built again by each build.
    time_zone
        The zone of times that carry none.
    description
        For people.
    """

    name: Name
    url: str
    time: Name
    table: str = ""
    sql: str = ""
    ingestion_time: str | None = None
    json: str | None = None
    lateness: DurationText = "0s"
    time_zone: ZoneText = "UTC"
    description: str = ""

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={value!r}" for key, value in self.shown().items())
        return f"Source({shown})"

    def shown(self) -> dict[str, object]:
        """What differs from the defaults, for people: without the password of the URL."""
        return plain(replace(self, url=without_password(self.url)), defaults=False)

    def problems(self) -> Iterator[Problem]:
        """Only one of ``table`` and ``sql`` may name the rows."""
        if self.table and self.sql:
            yield Problem("sql", "a source has a table or a SELECT, not both")
        if self.url.startswith(f"{EMBEDDED}:"):
            yield from self._problems_of_embedded()

    @property
    def is_embedded(self) -> bool:
        """Whether its events are kept by aggflow itself."""
        return self.url == f"{EMBEDDED}://"

    def _problems_of_embedded(self) -> Iterator[Problem]:
        if not self.is_embedded:
            yield Problem("url", "the events of an embedded source are in the home", f"{EMBEDDED}://")
        for name in ("table", "sql", "ingestion_time", "json"):
            if getattr(self, name):
                yield Problem(name, "an embedded source knows this by itself", "leave it out")
        try:
            is_path = isinstance(read_subject(self.time), Path)
        except AggflowError as error:
            yield Problem("time", str(error))
        else:
            if not is_path:
                yield Problem("time", f"{self.time!r} is no path", "@.at, for one")
        if self.time_zone != "UTC":
            yield Problem("time_zone", "times of embedded events without a zone are UTC", "leave it out")

    def data(self) -> dict[str, object]:
        """What decides the rows: a change of it makes states of other data."""
        return {
            "url": self.url,
            "table": self.table,
            "sql": self.sql,
            "time": self.time,
            "json": self.json,
            "time_zone": self.time_zone,
        }
