from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from shop import NOON, Aggregation, Shop, at, micros

import aggflow as af
from aggflow.errors import NotFoundError, SpecError

DAILY = "0 25 06 ? * *"


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path)
    shop.source()
    shop.ws.add_cube("c", source="events", measures=[Aggregation("events")])
    yield shop
    shop.close()


@pytest.fixture
def ws(shop: Shop) -> af.Workspace:
    return shop.ws


def run(ws: af.Workspace, job_id: str) -> str:
    batch = ws.begin_batch("c", job_id=job_id)
    assert batch is not None
    ws.build_aggregate(batch, "all", progress=False)
    ws.finish_batch(batch)
    return batch.id


def test_a_schedule_is_known_by_its_job_id(ws: af.Workspace) -> None:
    added = ws.add_schedule("c", DAILY)
    assert str(UUID(added.job_id)) == added.job_id
    assert (added.cube_id, added.project_id) == (ws.cubes["c"].id, ws.projects["default"].id)
    assert (added.time_expression, added.timezone, added.full_build) == (DAILY, "UTC", True)
    assert added.created_us == micros(NOON)
    assert (added.paused, added.latest_execution, added.fired_us) == (False, None, None)
    assert dict(ws.schedules) == {added.job_id: added}
    assert ws.schedule(added.job_id) == added
    assert "every day at 06:25:00 UTC" in ws.schedules._repr_html_()


def test_a_cube_has_several_schedules_each_but_once(ws: af.Workspace, shop: Shop) -> None:
    first = ws.add_schedule("c", DAILY)
    shop.now += timedelta(days=1)
    assert ws.add_schedule(ws.cubes["c"].id, " 0 25 06 ? * * ").job_id == first.job_id
    others = [
        ws.add_schedule("c", DAILY, full_build=False),
        ws.add_schedule("c", DAILY, timezone="Europe/Berlin"),
        ws.add_schedule("c", "0 0 * * * *"),
    ]
    assert next(iter(ws.schedules)) == first.job_id
    assert set(ws.schedules) == {first.job_id, *(one.job_id for one in others)}


def test_what_is_wrong_is_one_sentence(ws: af.Workspace) -> None:
    with pytest.raises(NotFoundError) as gone:
        ws.add_schedule("cc", DAILY)
    assert str(gone.value) == "there is no cube 'cc' (did you mean 'c'?)"
    with pytest.raises(SpecError, match="has 5 fields, not six"):
        ws.add_schedule("c", "25 06 * * *")
    with pytest.raises(SpecError, match="can never fire"):
        ws.add_schedule("c", "0 0 0 30 2 *")
    with pytest.raises(NotFoundError, match="there is no schedule 'x'"):
        ws.schedule("x")
    with pytest.raises(NotFoundError, match="there is no schedule"):
        ws.remove("schedule", ws.cubes["c"].id)
    assert len(ws.schedules) == 0
    assert ws.dispatches() == []


def test_orchestration_is_told_of_every_change_once(ws: af.Workspace) -> None:
    one = ws.add_schedule("c", DAILY)
    assert [(told.kind, told.key) for told in ws.dispatches()] == [("schedules", one.job_id)]
    ws.add_schedule("c", DAILY)
    (told,) = ws.dispatches()
    ws.dispatch_failed(told, "Prefect is away")
    (again,) = ws.dispatches()
    assert (again.number, again.attempts, again.error) == (told.number, 1, "Prefect is away")
    ws.dispatched(again)
    assert ws.dispatches() == []
    ws.remove("schedule", one.job_id)
    assert [(told.kind, told.key) for told in ws.dispatches()] == [("schedules", one.job_id)]
    assert len(ws.schedules) == 0


def test_a_cubes_schedules_go_with_it(ws: af.Workspace) -> None:
    ws.add_cube("d", source="events")
    kept = ws.add_schedule("d", DAILY)
    gone = [ws.add_schedule("c", DAILY).job_id, ws.add_schedule("c", "0 0 * * * *").job_id]
    for told in ws.dispatches():
        ws.dispatched(told)
    with pytest.raises(NotFoundError, match="there is no cube 'cd'"):
        ws.remove("cube", "cd")
    ws.remove("cube", "c")
    assert list(ws.schedules) == [kept.job_id]
    assert {told.key for told in ws.dispatches()} == set(gone)


def test_batches_of_a_schedule_are_its_history(ws: af.Workspace, shop: Shop) -> None:
    job = ws.add_schedule("c", DAILY).job_id
    other = ws.add_schedule("c", "0 0 * * * *").job_id
    assert ws.schedule_history(job) == []
    ids: list[str] = []
    for _ in range(3):
        shop.now += timedelta(hours=1)
        ids.append(run(ws, job))
    run(ws, other)
    ws.build_cube("c", progress=False)
    history = ws.schedule_history(job)
    assert [one.id for one in history] == ids[::-1]
    assert {one.job_id for one in history} == {job}
    assert history[0].executed_us == micros(shop.now)
    assert ws.schedule(job).latest_execution == history[0]
    assert len(ws.schedule_history(job, limit=2)) == 2
    ws.remove("schedule", job)
    assert ws.schedule_history(job) == history


def test_a_batch_that_waits_is_no_execution_yet(ws: af.Workspace) -> None:
    job = ws.add_schedule("c", DAILY).job_id
    asked = ws.request_build("c", job_id=job)
    assert asked.job_id == job
    assert ws.schedule(job).latest_execution is None
    ws.build_cube("c", progress=False)
    latest = ws.schedule(job).latest_execution
    assert latest is not None
    assert latest.id == asked.id


def missed(shop: Shop, job: str, now: datetime) -> datetime | None:
    us = shop.ws.missed_fire(job, micros(now))
    return None if us is None else NOON + timedelta(microseconds=us - micros(NOON))


def test_a_time_that_nobody_saw_to_is_missed_the_latest_alone(ws: af.Workspace, shop: Shop) -> None:
    job = ws.add_schedule("c", DAILY).job_id
    assert missed(shop, job, NOON) is None
    assert missed(shop, job, at("06:24:59", "2025-01-02")) is None
    assert missed(shop, job, at("06:25", "2025-01-02")) == at("06:25", "2025-01-02")
    assert missed(shop, job, at("06:24", "2025-01-05")) == at("06:25", "2025-01-04")
    ws.note_schedule(job, fired_us=micros(at("06:25", "2025-01-04")))
    assert missed(shop, job, at("06:24", "2025-01-05")) is None
    assert missed(shop, job, at("07:00", "2025-01-05")) == at("06:25", "2025-01-05")


def test_a_batch_of_the_schedule_saw_to_its_time(ws: af.Workspace, shop: Shop) -> None:
    job = ws.add_schedule("c", DAILY).job_id
    shop.now = at("06:25", "2025-01-02")
    run(ws, job)
    assert missed(shop, job, at("12:00", "2025-01-02")) is None
    assert ws.schedule(job).fired_us == micros(shop.now)
    shop.now = at("12:00", "2025-01-02")
    ws.build_cube("c", progress=False)
    assert missed(shop, job, at("06:25", "2025-01-03")) == at("06:25", "2025-01-03")


def test_a_schedule_that_joins_what_another_asked_for_has_seen_to_its_time(
    ws: af.Workspace, shop: Shop
) -> None:
    one, other = (ws.add_schedule("c", text).job_id for text in (DAILY, "0 25 * * * *"))
    shop.now = at("06:25", "2025-01-02")
    ws.request_build("c", job_id=one)
    ws.request_build("c", job_id=other)
    assert missed(shop, one, shop.now) is None
    assert missed(shop, other, shop.now) is None
    begun = ws.begin_batch("c")
    assert begun is not None
    shop.now = at("07:25", "2025-01-02")
    ws.request_build("c", job_id=other)
    ws.finish_batch(begun, "enough")
    assert missed(shop, other, shop.now) is None


def test_times_of_a_pause_are_not_made_up_for(ws: af.Workspace, shop: Shop) -> None:
    job = ws.add_schedule("c", DAILY).job_id
    ws.note_schedule(job, paused=True, prefect_id="p1")
    stored = ws.schedule(job)
    assert (stored.paused, stored.prefect_id) == (True, "p1")
    shop.now = at("12:00", "2025-01-03")
    ws.note_schedule(job, paused=False)
    assert not ws.schedule(job).paused
    assert missed(shop, job, at("12:00", "2025-01-03")) is None
    assert missed(shop, job, at("12:00", "2025-01-04")) == at("06:25", "2025-01-04")
    with pytest.raises(NotFoundError, match="there is no schedule"):
        ws.note_schedule("nosuch", paused=True)


def test_a_schedule_that_fires_often_and_was_forgotten_long_ago_is_looked_at_at_once(
    ws: af.Workspace, shop: Shop
) -> None:
    job = ws.add_schedule("c", "* * * * * *").job_id
    now = NOON + timedelta(days=3000)
    assert missed(shop, job, now) == now
    rare = ws.add_schedule("c", "0 0 0 29 2 *").job_id
    assert missed(shop, rare, at("2027-12-31 00:00")) is None
    assert missed(shop, rare, at("2031-12-31 00:00")) == at("2028-02-29 00:00")
