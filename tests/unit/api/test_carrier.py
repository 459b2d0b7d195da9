from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from market import NOW, TABLE, Market

import aggflow as af
from aggflow.api.build_thread import BuildThread
from aggflow.api.carrier import Carrier
from aggflow.engine.progress import Progress
from aggflow.errors import CatalogBusyError

Aggregation: Any = af.Aggregation
LINQ = f"from {TABLE} group every 1h by client select sum(total) as total"


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    made = Market(tmp_path)
    made.sell([(NOW - timedelta(hours=hours), "ab"[hours % 2], hours) for hours in range(1, 49)])
    yield made
    made.close()


@pytest.fixture
def carrier(market: Market) -> Carrier:
    return Carrier(market.served.home)


def add_cube(ws: af.Workspace, name: str = "sales") -> str:
    total = Aggregation("total", field="total", calculations=["SUM"])
    return ws.add_cube(name, source=TABLE, dimensions=["client"], measures=[total]).id


def test_a_batch_that_waits_is_built_in_whichever_workspace(market: Market, carrier: Carrier) -> None:
    for ws in (market.ws, market.other):
        add_cube(ws)
        ws.request_build("sales", full=True)
    carrier.look()
    for ws in (market.ws, market.other):
        (batch,) = ws.batches.values()
        assert (batch.status, batch.full) == ("done", True)
        assert ws.dispatches() == []
    assert market.served.home.waiting() == []


def test_what_is_asked_of_tasks_is_done(market: Market, carrier: Carrier) -> None:
    task = market.ws.add_task("hourly", linq=LINQ, from_date=0)
    carrier.look()
    assert market.ws.task(task.task_id).status == "RUNNING"
    assert market.ws.ask_task("hourly", live=False, end="2023-02-22T16:00:00Z").rows
    market.ws.stop_task(task.task_id)
    carrier.look()
    assert market.ws.task(task.task_id).status == "STOPPED"
    market.ws.delete_task(task.task_id)
    carrier.look()
    assert market.ws.task(task.task_id).status == "DELETED"
    assert market.served.home.waiting() == []


def test_nothing_is_done_twice_and_schedules_are_left_to_prefect(market: Market, carrier: Carrier) -> None:
    add_cube(market.ws)
    market.ws.add_schedule("sales", "0 25 06 ? * *")
    carrier.look()
    assert not market.ws.batches
    assert [dispatch.kind for dispatch in market.ws.dispatches()] == ["schedules"]
    market.ws.request_build("sales")
    carrier.look()
    carrier.look()
    assert len(market.ws.batches) == 1


def test_a_batch_that_fails_says_why_and_keeps_nothing_else_waiting(
    market: Market, carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    market.ws.add_source("gone", f"duckdb://{market.file}", table="sales", time="eventdate")
    total = Aggregation("total", field="total", calculations=["SUM"])
    market.ws.add_cube("broken", source="gone", dimensions=["client"], measures=[total])
    add_cube(market.ws)
    for cube in ("broken", "sales"):
        market.ws.request_build(cube)
    market.sql("ALTER TABLE sales RENAME TO kept")
    market.sql("CREATE VIEW sales AS SELECT * FROM kept WHERE error('no')::BOOLEAN")
    carrier.look()
    assert {batch.status for batch in market.ws.batches.values()} == {"error"}
    assert market.served.home.waiting() == []
    assert "batch" in caplog.text
    market.sql("DROP VIEW sales")
    market.sql("ALTER TABLE kept RENAME TO sales")
    market.ws.request_build("sales")
    carrier.look()
    assert next(iter(market.ws.batches.values())).status == "done"


def test_a_batch_whose_cube_is_gone_is_forgotten(market: Market, carrier: Carrier) -> None:
    add_cube(market.ws)
    market.ws.request_build("sales")
    market.ws.remove("cube", "sales")
    carrier.look()
    assert market.served.home.waiting() == []


def test_what_was_asked_of_a_process_that_ended_is_taken_up(market: Market, carrier: Carrier) -> None:
    market.ws.add_filter("f", source=TABLE, interval="1h")
    queued = market.ws.queue_build("f")
    task = market.ws.add_task("hourly", linq=LINQ, from_date=0)
    (told,) = market.ws.dispatches()
    assert [market.ws.dispatched(told) for _ in range(2)] == [True, False]  # it was taken up, and left
    carrier.look()
    assert market.ws.task(task.task_id).status == "PENDING_CREATE"
    carrier._take_up()
    assert market.ws.task(task.task_id).status == "RUNNING"
    assert market.ws.build_record(queued.build.id).build.status == "done"


def test_a_run_of_tasks_that_could_not_be_made_is_made_at_the_next_look_by_one_process(
    market: Market, carrier: Carrier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task, real, runs = market.ws.add_task("hourly", linq=LINQ, from_date=0), af.Workspace.run_tasks, []

    def failing(ws: af.Workspace, **options: Any) -> Any:
        runs.append(ws.name)
        if len(runs) == 1:
            raise CatalogBusyError("another process writes")
        return real(ws, **options)

    monkeypatch.setattr(af.Workspace, "run_tasks", failing)
    carrier.look()
    assert "another process writes" in caplog.text
    Carrier(market.served.home).look()  # another process, which has not taken it on
    assert market.ws.task(task.task_id).status == "PENDING_CREATE"
    for _ in range(2):
        carrier.look()
    assert market.ws.task(task.task_id).status == "RUNNING"
    assert len(runs) == 2


def test_a_queued_build_that_the_process_that_was_asked_did_not_come_to_is_taken_while_others_look(
    market: Market, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.ws.add_filter("f", source=TABLE, interval="1h")
    monkeypatch.setattr("aggflow.api.carrier._LOOK_EVERY", 0.01)
    monkeypatch.setattr("aggflow.api.carrier._TAKE_UP_EVERY", 2)
    looked = threading.Event()
    monkeypatch.setattr(carrier, "look", looked.set)
    carrier.start()
    assert looked.wait(30)
    queued = market.ws.queue_build("f")
    for _ in range(600):
        if market.ws.build_record(queued.build.id).build.status not in ("pending", "running"):
            break
        carrier._closed.wait(0.05)
    carrier.close()
    assert market.ws.build_record(queued.build.id).build.status == "done"


def test_an_error_outside_of_builds_does_not_begin_again_at_once(
    market: Market, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def failing(ws: af.Workspace, **_: Any) -> None:
        tried.append(ws.name)
        if len(tried) == 1:
            raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(af.Workspace, "run_queued", failing)
    builds = BuildThread()
    builds.wake(market.ws)
    builds_thread = builds._thread
    assert builds_thread is not None
    builds_thread.join(30)
    builds.close()
    assert len(tried) == 1
    assert "a mistake of ours" in caplog.text


def test_a_build_that_the_end_of_the_service_stops_waits_again(market: Market, carrier: Carrier) -> None:
    add_cube(market.ws)
    asked = market.ws.request_build("sales", full=True)
    go_on = carrier._go_on

    def ending(now: Progress) -> None:
        carrier.close()
        go_on(now)

    carrier._go_on = ending  # type: ignore[method-assign] - ends on purpose
    carrier.look()
    assert market.ws.batch(asked.id).status == "cancelled"
    (again,) = market.ws.open_batches()
    assert (again.status, again.full) == ("pending", True)
    Carrier(market.served.home).look()
    assert market.ws.batch(again.id).status == "done"


def test_it_looks_by_itself_until_it_is_closed(market: Market, carrier: Carrier) -> None:
    add_cube(market.ws)
    asked = market.ws.request_build("sales")
    carrier.start()
    while market.ws.batch(asked.id).status in ("pending", "running"):
        carrier._closed.wait(0.05)
    assert market.ws.batch(asked.id).status == "done"
    carrier.close()
    assert not carrier._thread.is_alive()


@pytest.mark.parametrize(("url", "needed"), [(None, True), ("", True), ("http://127.0.0.1:4200/api", False)])
def test_beside_a_prefect_it_is_not_needed(
    monkeypatch: pytest.MonkeyPatch, url: str | None, needed: bool
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("PREFECT_API_URL", url)
    assert Carrier.is_needed() is needed
