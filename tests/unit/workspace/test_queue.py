from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Shop, at

import aggflow as af
from aggflow.errors import NotFoundError, QueryError


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path)
    shop.source()
    shop.add(Event(at("08:00"), "a", "x", 1.0, 1), Event(at("09:30"), "b", "y", 2.0, 2))
    shop.ws.add_filter("f", source="events", interval="1h", groupings=["team"])
    yield shop
    shop.close()


@pytest.fixture
def ws(shop: Shop) -> af.Workspace:
    return shop.ws


def test_a_queued_build_is_recorded_at_once_and_carried_out_later(ws: af.Workspace) -> None:
    queued = ws.queue_build("f")
    assert (queued.build.status, queued.reference, queued.progress) == ("pending", "filter f", None)
    assert ws.status()[0].cells == 0
    done = ws.run_queued()
    assert done is not None
    assert (done.build.id, done.build.status, done.progress) == (queued.build.id, "done", 1.0)
    assert done.build.rows_read == 2
    assert ws.status()[0].cells == 2
    assert ws.run_queued() is None
    assert [record.build.id for record in ws.build_records()] == [queued.build.id]


def test_what_was_asked_first_is_built_first_and_as_it_was_asked(ws: af.Workspace) -> None:
    first = ws.queue_build("filter f", until="2025-01-01T09:00:00Z")
    second = ws.queue_build("f", full=True)
    done = [ws.run_queued(), ws.run_queued()]
    assert [one and one.build.id for one in done] == [first.build.id, second.build.id]
    assert [one and (one.build.kind, one.build.rows_read) for one in done] == [
        ("incremental", 1),
        ("full", 2),
    ]


def test_what_waits_is_listed_in_its_order_and_one_of_it_is_carried_out_once(ws: af.Workspace) -> None:
    first, second = ws.queue_build("f"), ws.queue_build("f", full=True)
    assert [record.build.id for record in ws.queued()] == [first.build.id, second.build.id]
    done = ws.run_queued(second.build.id)
    assert done is not None
    assert (done.build.id, done.build.status) == (second.build.id, "done")
    assert ws.run_queued(second.build.id) is None
    assert [record.build.id for record in ws.queued()] == [first.build.id]


def test_a_build_that_was_cancelled_before_it_began_is_left_out(ws: af.Workspace) -> None:
    queued = ws.queue_build("f")
    ws.cancel(queued.build.id)
    assert ws.run_queued() is None
    assert ws.build_record(queued.build.id).build.status == "cancelled"


def test_what_stops_a_build_is_in_its_record(shop: Shop, ws: af.Workspace) -> None:
    queued = ws.queue_build("f")
    shop.file.unlink()
    failed = ws.run_queued()
    assert failed is not None
    assert failed.build.status == "error"
    assert (failed.build.error or {})["class"] == "SourceUnavailableError"
    assert failed.to_plain()["error"]["message"].startswith("source 'events': there is no file")
    ws.remove("filter", "f")
    assert ws.build_record(queued.build.id).reference == "filter f"


def test_a_rollup_that_is_gone_when_its_turn_comes_is_an_error_of_the_build(ws: af.Workspace) -> None:
    ws.add_cube("c", source="events", dimensions=["team"], measures=[Aggregation("events")])
    queued = ws.queue_build("cube c/all")
    ws.remove("cube", "c")
    ended = ws.run_queued() or ws.build_record(queued.build.id)
    assert ended.build.status in ("error", "cancelled")


def test_a_build_whose_process_died_is_seen_to_be_dead(shop: Shop, ws: af.Workspace) -> None:
    queued = ws.queue_build("f")
    shop.catalog.claim_build(queued.build.id, 0)
    assert ws.build_record(queued.build.id).build.status == "running"
    with shop.catalog._write() as connection:
        connection.exec_driver_sql("UPDATE builds SET pid_started = 1")
    record = ws.build_record(queued.build.id)
    assert (record.build.status, (record.build.error or {})["message"]) == ("error", "its process died")


def test_a_record_is_of_its_workspace_alone(shop: Shop, ws: af.Workspace) -> None:
    queued = ws.queue_build("f")
    other = af.open(shop.folder / "home", "other")
    with pytest.raises(NotFoundError):
        other.build_record(queued.build.id)
    assert other.build_records() == []
    assert other.run_queued() is None
    other.close()


def test_nobody_queues_what_cannot_be_built(ws: af.Workspace) -> None:
    with pytest.raises(NotFoundError, match="did you mean"):
        ws.queue_build("filter ff")
    with pytest.raises(QueryError, match="ends before it begins"):
        ws.queue_build("f", since="2025-01-02", until="2025-01-01")
    assert ws.build_records() == []


def test_a_batch_is_as_far_as_its_aggregates(ws: af.Workspace) -> None:
    ws.add_cube(
        "c",
        source="events",
        dimensions=["team", "player"],
        measures=[Aggregation("events")],
        aggregates=[
            af.CubeAggregate("fine", "1h", ["team", "player"]),
            af.CubeAggregate("day", "1d", ["team"]),
        ],
    )
    batch = ws.begin_batch("c")
    assert batch is not None
    assert ws.build_record(batch.id).progress == 0.0
    ws.build_aggregate(batch, batch.aggregates[0], progress=False)
    record = ws.build_record(batch.id)
    assert (record.reference, record.progress) == ("cube c", 0.5)
    ws.build_aggregate(batch, batch.aggregates[1], progress=False)
    ws.finish_batch(batch)
    assert ws.build_record(batch.id).progress == 1.0
