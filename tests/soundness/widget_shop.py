"""A widget shop: events of shops in a DuckDB file, a workspace that asks them, and the same answers by SQL alone.

The SQL shares no code with the package; it is meant to be obviously right.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.settings import Settings
from aggflow.spec.widget import WidgetQuery
from aggflow.store import SegmentStore
from aggflow.workspace import Workspace

BRANDS = [f"{digit * 8}-1111-4111-8111-111111111111" for digit in "ab"]
CATALOGS = [f"{digit * 8}-2222-4222-8222-222222222222" for digit in "cd"]
NOW = datetime(2026, 3, 11, 10, 17, 23, 456789, tzinfo=UTC)
DAYS = 12
# Every kind of key and value that can be missing is, now and then; sums of quarters are exact.
_EVENTS = f"""
create or replace table events as
with numbers as (select i, hash(i) as h, hash(i, 'b') as g, hash(i, 'c') as k from range($count) t(i))
select
    timestamp '2026-03-11 10:17:23.456789' - to_microseconds((h % ({DAYS} * 86400000000))::bigint) as ts,
    ['agent_view', 'agent_atc', 'agent_purchase', 'näher 🛒', null][1 + (g % 5)::int] as kind,
    case when k % 9 = 0 then null else 's' || (g % 90) end as sid,
    case when k % 7 = 0 then null when k % 11 = 0 then 'unknown' else 'p' || (h % 12) end as product,
    case when g % 13 = 0 then null else (k % 14)::int end as customer,
    (g % 3)::bigint as agent,
    case when h % 10 = 0 then null when h % 2 = 0 then '{BRANDS[0]}' else '{BRANDS[1]}' end as brand_id,
    case when h % 3 = 0 then '{CATALOGS[0]}'::uuid else '{CATALOGS[1]}'::uuid end as catalog_id,
    case when g % 6 = 0 then null else ((k % 400)::int - 150) end as amount,
    case when g % 17 = 0 then null else ((k % 1000)::decimal(12, 2) - 300) / 4 end::decimal(12, 2) as price,
    case when g % 8 = 0 then null when g % 31 = 0 then 'nan'::double when g % 37 = 0 then 'inf'::double
        else ((k % 800)::int - 200) / 4.0 end as score,
    case when k % 10 = 0 then null when k % 19 = 0 then 'no json'
        else json_object('campaign', 'c' || (h % 4), 'step', (g % 12)::int, 'gone', null)::varchar end as meta
from numbers
"""
COLUMNS = {
    "event_type": "kind",
    "session_id": "sid",
    "product_id": "product",
    "agent_id": "agent",
    "customer_id": "customer",
    "brand": "brand_id",
    "catalog": "catalog_id",
}
VALUES = {"amount": "amount", "price": "price", "rating": "score"}
_GROUPS = {
    "none": "'all'",
    "event_type": "kind",
    "session": "sid",
    "product_id": "product",
    "day": "strftime(ts, '%Y-%m-%d')",
    "hour": "strftime(ts, '%Y-%m-%dT%H:00:00Z')",
    **{
        f"metadata.{key}": f"case when json_valid(meta) then json_extract_string(meta, '$.{key}') end"
        for key in ("campaign", "step", "gone", "never")
    },
}


class WidgetShop:
    """A home, a file of events, and the time that it is now.

    Parameters
    ----------
    folder
        Where both are.
    count
        How many events there are.
    name
        Of its home in the folder.
    settings
        Of the workspace.
    """

    def __init__(self, folder: Path, count: int = 20_000, name: str = "home", **settings: Any) -> None:
        self.now = NOW
        self.file = folder / "events.ddb"
        if not self.file.exists():
            self.sql(_EVENTS, count=count)
        place = folder / name
        self.ws = Workspace(
            Catalog.open(place / "catalog.db"),
            SegmentStore(str(place / "segments")),
            Settings.model_validate({"live_ttl": 0, **settings}),
            "self",
            str(place),
            clock=lambda: round(self.now.timestamp() * 1_000_000),
        )
        if not self.ws.sources:
            self.ws.add_source("events", f"duckdb://{self.file}", table="events", time="ts")
            self.ws.set_event_source("events", **COLUMNS, metadata="meta", values=VALUES)

    def sql(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.file))) as con:
            return con.execute(statement, parameters or None).fetchall()

    def rollup(self, name: str, interval: str, until: datetime, *groupings: str, where: str = "") -> None:
        """A filter that keeps everything that widgets ask, by some groupings, built so far."""
        made: Any = af.Aggregation
        fields = [*VALUES.values(), "agent", "customer"]
        self.ws.add_filter(
            name,
            source="events",
            interval=interval,
            where=where,
            groupings=list(groupings),
            aggregations=[
                made("events"),
                made("sessions", field="sid", calculations=["APPROX_COUNT_DISTINCT"]),
                *(made(field, field=field, calculations=["SUM"]) for field in fields),
            ],
        )
        self.ws.build(name, until=until, progress=False)

    def ask(self, *query: Any, **narrowed: Any) -> Any:
        return self.ws.aggregate(WidgetQuery(*query), **narrowed)

    def expected(
        self, query: WidgetQuery, brand: str | None = None, catalog: str | None = None
    ) -> list[dict[str, Any]]:
        """What SQL says; distinct sessions exactly."""
        column = {**COLUMNS, **VALUES}.get(query.value_field or "", "")
        number = f"case when isfinite({column}::double) then {column} end" if column else "null"
        value = {
            "count": "count(*)",
            "count_distinct": "count(distinct sid)",
            "sum": f"coalesce(sum({number}), 0)",
            "avg": f"avg({number})",
        }[query.aggregation]
        conditions = [
            f"ts >= timestamp '{self._text(self.now - timedelta(days=query.time_window_days))}'",
            f"ts < timestamp '{self._text(self.now)}'",
        ]
        if query.event_types:
            conditions.append(f"kind in ({', '.join(map(repr, query.event_types))})")
        if brand is not None:
            conditions.append(f"brand_id = '{brand}'")
        if catalog is not None:
            conditions.append(f"catalog_id::varchar = '{catalog}'")
        key = f"coalesce({_GROUPS[query.group_by]}, 'unknown')"
        grouped = "" if query.group_by == "none" else "group by 1"
        shown = "'all'" if query.group_by == "none" else key
        rows = self.sql(
            f"select {shown}, {value}, count(*) from events where {' and '.join(conditions)} {grouped}"
        )
        found = [row for row in rows if row[1] is not None]
        by_time = query.group_by in ("day", "hour")
        found.sort(key=lambda row: row[0] if by_time else (-row[1], row[0]))
        secondary = query.aggregation != "count"
        return [
            {"key": row[0], "value": row[1]} | ({"secondary": row[2]} if secondary else {})
            for row in found[: query.limit]
        ]

    @staticmethod
    def _text(moment: datetime) -> str:
        return moment.replace(tzinfo=None).isoformat(" ")

    def close(self) -> None:
        self.ws.close()
