"""A shop: a source that grows while it is looked at, and a workspace with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import oracle
from oracle import Event

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.engine.plan import pieces
from aggflow.engine.reader import cut
from aggflow.measures.registry import StateKey
from aggflow.measures.state import Sketch, State
from aggflow.settings import Settings
from aggflow.spec.filter import Filter
from aggflow.store import SegmentStore
from aggflow.timeline import ALWAYS
from aggflow.workspace import Workspace

# Declarations take the texts of calculations and intervals, which type checkers do not know.
Aggregation: Any = af.Aggregation
Field: Any = af.Field

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
_TABLE = """CREATE TABLE IF NOT EXISTS events
(time TIMESTAMP, team VARCHAR, player VARCHAR, value DOUBLE, points BIGINT, arrived TIMESTAMP)"""


def at(text: str, day: str = "2025-01-01") -> datetime:
    """An instant of a day, ``12:05`` or ``12:05:30``; or of any day, in full."""
    whole = text if "-" in text else f"{day} {text}"
    return datetime.fromisoformat(whole).replace(tzinfo=UTC)


def micros(moment: datetime) -> int:
    return round((moment - oracle.EPOCH) / timedelta(microseconds=1))


class Shop:
    """A home, a DuckDB file of events, and the time that it is now.

    Parameters
    ----------
    folder
        Where both are; a second shop of one folder is a second process's view of it.
    now
        What its clock shows.
    name
        Of its home in the folder.
    settings
        Of the workspace; live tails are computed anew each time unless these say otherwise.
    """

    def __init__(self, folder: Path, now: datetime = NOON, name: str = "home", **settings: Any) -> None:
        self.now = now
        self.folder = folder
        self.file = folder / "events.ddb"
        if not self.file.exists():
            self.arrive([])
        place = folder / name
        self.catalog = Catalog.open(place / "catalog.db")
        self.store = SegmentStore(str(place / "segments"))
        self.ws = Workspace(
            self.catalog,
            self.store,
            Settings.model_validate({"live_ttl": 0, "retry_wait": 0, **settings}),
            "self",
            str(place),
            clock=lambda: micros(self.now),
        )
        self.events: list[Event] = []

    def arrive(self, events: Iterable[Event]) -> None:
        """Append rows to the file."""
        rows = [
            (e.time.replace(tzinfo=None), e.team, e.player, e.value, e.points, e.arrived.replace(tzinfo=None))
            for e in events
        ]
        with closing(duckdb.connect(str(self.file))) as con:
            con.execute(_TABLE)
            if rows:
                con.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)

    def add(self, *events: Event) -> None:
        """Append rows, and remember them."""
        self.arrive(events)
        self.events += events

    def sql(self, statement: str) -> None:
        """Do something else to the file."""
        with closing(duckdb.connect(str(self.file))) as con:
            con.execute(statement)

    def rollup_id(self) -> str:
        """The rollup of its filter, as the catalog knows it."""
        return self.ws._declarations.rollup(self.ws.filters["f"]).id

    def source(self, **options: Any) -> None:
        self.ws.add_source("events", f"duckdb://{self.file}", table="events", time="time", **options)

    def filter(self, interval: str = "1h", **options: Any) -> Filter:
        return self.ws.add_filter("f", source="events", interval=interval, **options).spec

    def build(self, **options: Any) -> Any:
        return self.ws.build("f", progress=False, **options)

    def ask(self, endpoint: str, end: datetime | None = None, **options: Any) -> list[dict[str, Any]]:
        return self.ws.query(endpoint, end=end, **options).rows

    def expected(self, endpoint: str, end: datetime | None = None, **options: Any) -> list[dict[str, Any]]:
        """What the oracle says of all events that arrived."""
        spec = self.ws.endpoints[endpoint].spec
        assert spec.filter is not None
        of = self.ws.filters[spec.filter].spec
        return oracle.answer(self.events, of, spec, end or self.now, **options)

    def check(self, endpoint: str, end: datetime | None = None, **options: Any) -> None:
        """The answer is what the oracle says."""
        spec = self.ws.endpoints[endpoint].spec
        oracle.assert_equal(self.ask(endpoint, end, **options), self.expected(endpoint, end), spec)

    def states(self) -> dict[tuple[Any, ...], list[Any]]:
        """Everything that its filter's segments hold, by grain, bucket and values of groupings."""
        served = self.ws._posing.rollups.get(self.ws._targets.get("f").rollup_id)
        found: dict[tuple[Any, ...], list[Any]] = {}
        for piece in pieces(served.versions, served.coverage, ALWAYS):
            if piece.row is None or piece.row.file is None:
                continue
            assert piece.version.layout
            vocabularies = self.ws._resident.vocabularies(piece.version.rollup_id)
            for grain, whole in enumerate(self.ws._resident.grains(piece.version.layout, piece.row)):
                cells = cut(whole, piece.window)
                columns = [vocabularies[path].decode(codes) for path, codes in cells.codes.items()]
                for i, key in enumerate(zip(cells.buckets.tolist(), *columns, strict=True)):
                    one = cells.slice(i, i + 1)
                    assert (grain, *key) not in found, "a cell is stored twice"
                    found[grain, *key] = [int(one.rows[0]), *map(_numbers, one.states.items())]
        return found

    def close(self) -> None:
        self.ws.close()


def _numbers(item: tuple[StateKey, State]) -> tuple[Any, ...]:
    key, state = item
    columns = [
        [column.keys.tolist(), column.counts.tolist()] if isinstance(column, Sketch) else column.tolist()
        for column in state.values()
    ]
    return key, columns
