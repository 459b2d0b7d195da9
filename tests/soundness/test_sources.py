"""A source that changes: replaced, of other types, gone, growing by files, growing while it is read."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import SourceError, SourceTypeError

VALUE = Aggregation("value", "value", ["COUNT", "SUM", "PERCENTILES"])
FIELDS = [
    Field("n", "value", "COUNT"),
    Field("sum", "value", "SUM"),
    Field("p", "value", "PERCENTILES", percentile=1),
]


def daily(shop: Shop) -> Shop:
    shop.filter("1h", groupings=["team"], aggregations=[VALUE])
    shop.ws.add_endpoint("week", filter="f", timing=af.Lookback("7d"), fields=FIELDS)
    shop.ws.add_endpoint(
        "days",
        filter="f",
        timing=af.TimeSeries("7d", "1d", include_incomplete=True),
        fields=FIELDS,
        groupings={"team": af.All()},
    )
    return shop


def test_another_table_of_that_name_is_built_anew(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0), Event(at("10:10"), "b", value=2.0))
    shop.build()
    shop.sql("CREATE TABLE others AS SELECT * FROM events WHERE team = 'b'")
    replaced = shop.ws.add_source("events", f"duckdb://{shop.file}", table="others", time="time")
    assert "built anew" in str(replaced.effects[0])
    shop.events = shop.events[1:]
    shop.check("week")
    shop.build()
    shop.check("week", live=False)


def test_what_does_not_change_the_rows_keeps_what_is_built(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0))
    shop.build()
    assert (
        shop.ws.add_source(
            "events", f"duckdb://{shop.file}", table="events", time="time", lateness="1h", description="new"
        ).effects
        == ()
    )
    shop.check("week", at("12:00"), live=False)


def test_a_column_of_another_type_is_an_error_until_all_is_built_anew(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0))
    shop.build()
    shop.sql("ALTER TABLE events ALTER value TYPE INTEGER")
    shop.now = at("13:30")
    with pytest.raises(SourceTypeError, match="no longer what the states were made of"):
        shop.build()
    with pytest.raises(SourceTypeError):
        shop.ask("week")
    shop.build(full=True)
    assert shop.ask("week") == [{"fields": {"n": 1, "sum": 1, "p": pytest.approx(1, rel=0.005)}}]


def test_a_source_that_is_gone_leaves_what_is_built(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0))
    shop.build()
    shop.file.rename(shop.folder / "gone.ddb")
    shop.check("week", at("12:00"))
    shop.now = at("13:30")
    for what in (shop.build, lambda: shop.ask("week")):
        with pytest.raises(SourceError, match="no file"):
            what()
    (shop.folder / "gone.ddb").rename(shop.file)
    shop.build()
    shop.check("week")


def test_files_that_come_later_are_read(shop: Shop) -> None:
    """A glob of Parquet files: each build and each tail sees the files that are there."""
    parts = shop.folder / "parts"
    parts.mkdir()

    def deliver(*events: Event) -> None:
        shop.sql("DELETE FROM events")
        shop.add(*events)
        name = parts / f"{len(list(parts.iterdir()))}.parquet"
        shop.sql(f"COPY events TO '{name}' (FORMAT parquet)")

    deliver(Event(at("09:10"), "a", value=1.0, arrived=at("09:10")))
    shop.ws.add_source("events", str(parts / "*.parquet"), time="time", ingestion_time="arrived")
    daily(shop)
    shop.build()
    for hour in (13, 14, 15):
        shop.now = at(f"{hour}:30")
        late = Event(at("09:20") - timedelta(hours=hour), "late", value=4.0, arrived=at(f"{hour}:00"))
        deliver(Event(at(f"{hour}:10"), "b", value=2.0, arrived=at(f"{hour}:10")), late)
        shop.build()
        shop.check("days")
    assert shop.ws.verify("f").agrees


def test_rows_that_are_deleted_are_gone_from_what_is_built_anew(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0), Event(at("10:10"), "b", value=2.0))
    shop.build()
    shop.sql("DELETE FROM events WHERE team = 'a'")
    shop.events = shop.events[1:]
    found = [str(difference) for difference in shop.ws.verify("f", fix=True).differences]
    bucket = "[2025-01-01T09:00:00Z, 2025-01-01T10:00:00Z): 1 row is stored, the source has 0"
    assert bucket in found
    shop.check("week")  # what differed is missing, and so it is live
    shop.build()
    shop.check("week", live=False)
    assert shop.ws.verify("f").agrees


def test_a_source_that_grows_while_it_is_read_gives_whole_numbers(tmp_path: Path) -> None:
    """Each row has the value 1: whenever states are made, count and sum agree in every row."""
    shop = Shop(tmp_path, batch_rows=120)
    shop.source(ingestion_time="arrived")
    daily(shop)
    shop.add(*(Event(at("2024-12-30 01:00") + timedelta(minutes=9 * i), "a", value=1.0) for i in range(300)))
    stop = threading.Event()
    written: list[Event] = []

    def write() -> None:
        with closing(duckdb.connect(str(shop.file))) as con:
            while not stop.is_set():
                i = len(written)
                event = Event(
                    at("2024-12-30 01:05") + timedelta(minutes=7 * (i % 380)), "ab"[i % 2], value=1.0
                )
                con.execute(
                    "INSERT INTO events VALUES (?, ?, NULL, 1, NULL, now()::TIMESTAMP)",
                    [event.time.replace(tzinfo=None), event.team],
                )
                written.append(event)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for full in (False, True):
            shop.build(full=full)
            for row in shop.ask("days"):
                assert row["fields"]["n"] == row["fields"]["sum"]
    finally:
        stop.set()
        writer.join()
    assert written
    shop.events += written
    shop.build()
    shop.check("days")
    assert shop.ws.verify("f").agrees
    shop.close()


def test_a_filter_of_another_source_is_built_anew(shop: Shop) -> None:
    shop.source()
    daily(shop)
    shop.add(Event(at("09:10"), "a", value=1.0), Event(at("10:10"), "b", value=2.0))
    shop.build()
    shop.sql("CREATE TABLE others AS SELECT * FROM events WHERE team = 'b'")
    shop.ws.add_source("others", f"duckdb://{shop.file}", table="others", time="time")
    shop.ws.add_filter("f", source="others", interval="1h", groupings=["team"], aggregations=[VALUE])
    shop.events = shop.events[1:]
    shop.check("week")
    shop.build()
    shop.check("week", live=False)
