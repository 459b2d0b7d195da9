from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from partner import Partner

from aggflow.catalog import Build, Catalog, Definition, Workspace
from aggflow.catalog.tables import builds
from aggflow.errors import NotFoundError

SECOND = 1_000_000
TTL = 30 * SECOND
CLAIM = """if True:
    import os, sys
    from aggflow.catalog import Catalog
    catalog = Catalog.open(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    batch = catalog.claim_batch("ws_shop", sys.argv[2], False, 0, ttl_us=30_000_000)
    print(batch.id if batch else None, flush=True)
    sys.stdin.readline()
    os._exit(1)  # as if killed: nothing is closed
"""


@pytest.fixture
def cube(catalog: Catalog, workspace: Workspace) -> Definition:
    return catalog.put_definition(workspace.id, "cube", "flights", {}, "h", "d", 1)


@pytest.fixture
def claimers(catalog: Catalog, cube: Definition) -> Iterator[list[Partner]]:
    """Four other processes that are about to claim a batch."""
    url = catalog.url.render_as_string(hide_password=False)
    partners = [Partner(CLAIM, url, cube.id) for _ in range(4)]
    assert [partner.line() for partner in partners] == ["ready"] * 4
    yield partners
    for partner in partners:
        partner.kill()
        partner.end()


def claim(
    catalog: Catalog, cube: Definition, now_us: int = 0, full: bool = False, **options: Any
) -> Build | None:
    return catalog.claim_batch("ws_shop", cube.id, full, now_us, ttl_us=TTL, **options)


def alter(catalog: Catalog, build: Build, **values: object) -> None:
    engine = sa.create_engine(catalog.url)
    with engine.begin() as connection:
        connection.execute(builds.update().where(builds.c.id == build.id).values(values))
    engine.dispose()


def test_a_request_waits_with_its_dispatch(catalog: Catalog, cube: Definition) -> None:
    batch = catalog.request_batch("ws_shop", cube.id, False, 5, job_id="j", detail={"cube": "flights"})
    assert (batch.kind, batch.status, batch.owner_id, batch.job_id) == (
        "incremental",
        "pending",
        cube.id,
        "j",
    )
    assert (batch.rollup_id, batch.created_us, batch.started_us, batch.pid) == (None, 5, None, None)
    assert batch.is_batch
    assert batch.detail == {"cube": "flights"}
    assert catalog.build(batch.id) == batch
    (dispatch,) = catalog.pending_dispatches("ws_shop")
    assert (dispatch.kind, dispatch.key, dispatch.created_us) == ("batch", batch.id, 5)


def test_a_second_request_joins_the_one_that_waits(catalog: Catalog, cube: Definition) -> None:
    first = catalog.request_batch("ws_shop", cube.id, False, 5, detail={"a": 1})
    full = catalog.request_batch("ws_shop", cube.id, True, 6, job_id="j", detail={"b": 2})
    third = catalog.request_batch("ws_shop", cube.id, False, 7, job_id="k")
    assert first.id == full.id == third.id
    assert (full.kind, third.kind) == ("full", "full"), "full wins"
    assert (third.job_id, third.detail, third.created_us) == ("j", {"a": 1, "b": 2}, 5)
    assert catalog.count_builds("ws_shop", batches=True) == 1
    assert len(catalog.pending_dispatches("ws_shop")) == 1


def test_cubes_wait_apart(catalog: Catalog, workspace: Workspace, cube: Definition) -> None:
    other = catalog.put_definition(workspace.id, "cube", "trains", {}, "h", "d", 1)
    first = catalog.request_batch("ws_shop", cube.id, False, 5)
    assert catalog.request_batch("ws_shop", other.id, False, 5).id != first.id
    assert claim(catalog, cube)
    assert claim(catalog, other)


def test_while_one_runs_one_more_waits(catalog: Catalog, cube: Definition) -> None:
    running = claim(catalog, cube)
    assert running
    waiting = catalog.request_batch("ws_shop", cube.id, False, 1)
    assert waiting.id != running.id
    assert claim(catalog, cube, 2) is None
    assert claim(catalog, cube, 2, batch_id=waiting.id) is None
    catalog.finish_build(running.id, "done", 3)
    taken = claim(catalog, cube, 4)
    assert taken
    assert (taken.id, taken.status, taken.started_us) == (waiting.id, "running", 4)


def test_a_claim_begins_a_new_one_in_this_process(catalog: Catalog, cube: Definition) -> None:
    batch = claim(catalog, cube, 5, full=True, job_id="j", detail={"cube": "flights"})
    assert batch
    assert (batch.kind, batch.status, batch.created_us, batch.started_us) == ("full", "running", 5, 5)
    assert (batch.owner_id, batch.job_id, batch.pid, batch.heartbeat_us) == (cube.id, "j", os.getpid(), 5)
    assert batch.detail == {"cube": "flights"}
    assert catalog.pending_dispatches("ws_shop") == ()


@pytest.mark.parametrize(("asked", "claimed"), [(False, True), (True, False)])
def test_any_run_takes_the_one_that_waits_and_full_wins(
    catalog: Catalog, cube: Definition, asked: bool, claimed: bool
) -> None:
    waiting = catalog.request_batch("ws_shop", cube.id, asked, 5)
    batch = claim(catalog, cube, 6, full=claimed, job_id="j")
    assert batch
    assert (batch.id, batch.kind, batch.job_id, batch.created_us) == (waiting.id, "full", "j", 5)
    assert catalog.pending_dispatches("ws_shop") == (), "nobody need be told of it any more"


def test_one_that_is_named_and_does_not_wait_is_not_begun(catalog: Catalog, cube: Definition) -> None:
    waiting = catalog.request_batch("ws_shop", cube.id, False, 5)
    assert claim(catalog, cube, batch_id="another") is None
    assert claim(catalog, cube, batch_id=waiting.id)
    catalog.finish_build(waiting.id, "done", 6)
    assert claim(catalog, cube, batch_id=waiting.id) is None
    assert catalog.count_builds("ws_shop") == 1


def test_of_several_threads_one_gets_it(catalog: Catalog, cube: Definition) -> None:
    waiting = catalog.request_batch("ws_shop", cube.id, False, 5)
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda _: claim(catalog, cube), range(6)))
    assert [batch.id for batch in got if batch] == [waiting.id]


def test_of_several_processes_one_gets_it(
    catalog: Catalog, cube: Definition, claimers: list[Partner]
) -> None:
    waiting = catalog.request_batch("ws_shop", cube.id, False, 5)
    for partner in claimers:
        partner.go_on()
    got = sorted(partner.line() for partner in claimers)
    assert got == sorted([waiting.id, "None", "None", "None"])


def test_threads_that_ask_at_once_join_one(catalog: Catalog, cube: Definition) -> None:
    with ThreadPoolExecutor(6) as pool:
        asked = list(
            pool.map(
                lambda i: catalog.request_batch("ws_shop", cube.id, i == 3, i, detail={f"{i}": i}), range(6)
            )
        )
    assert len({batch.id for batch in asked}) == 1
    (batch,) = catalog.builds("ws_shop")
    assert batch.kind == "full"
    assert batch.detail == {f"{i}": i for i in range(6)}
    assert len(catalog.pending_dispatches("ws_shop")) == 1


def test_that_of_a_dead_process_is_closed_and_another_begins(
    catalog: Catalog, cube: Definition, claimers: list[Partner]
) -> None:
    claimers[0].go_on()
    first_id = claimers[0].line()
    assert claim(catalog, cube) is None, "its process is alive"
    claimers[0].kill()
    second = claim(catalog, cube, 7)
    assert second
    first = catalog.build(first_id)
    assert first
    assert (first.status, first.finished_us) == ("error", 7)
    assert first.error == {"class": "BuildError", "message": "its process died"}


def test_the_dead_are_closed_with_the_parts_that_died(
    catalog: Catalog, workspace: Workspace, cube: Definition
) -> None:
    dead = claim(catalog, cube)
    assert dead
    parts = [
        catalog.start_build("ws_shop", "full", 0, owner_id=cube.id, batch_id=dead.id, rollup_id=f"r{i}")
        for i in range(3)
    ]
    catalog.finish_build(parts[0].id, "done", 1)
    for build in (dead, parts[1]):
        alter(catalog, build, pid=2**22 + 1)
    assert catalog.close_dead_batches(catalog.workspace("other").id, 2, TTL) == ()
    (closed,) = catalog.close_dead_batches("ws_shop", 2, TTL)
    assert (closed.id, closed.status) == (dead.id, "error")
    assert [b.status for b in catalog.builds("ws_shop", batch_id=dead.id)] == ["running", "error", "done"]
    assert catalog.close_dead_batches("ws_shop", 3, TTL) == ()


def test_one_of_another_host_is_dead_without_a_sign(catalog: Catalog, cube: Definition) -> None:
    batch = claim(catalog, cube)
    assert batch
    alter(catalog, batch, host="elsewhere", pid=2**22 + 1)
    assert claim(catalog, cube, TTL - 1) is None
    assert claim(catalog, cube, TTL)


def test_a_sign_of_life_keeps_it(catalog: Catalog, cube: Definition) -> None:
    batch = claim(catalog, cube)
    assert batch
    beaten = catalog.beat_build(batch.id, 20 * SECOND)
    assert (beaten.status, beaten.heartbeat_us, beaten.started_us) == ("running", 20 * SECOND, 0)
    assert claim(catalog, cube, TTL) is None
    assert claim(catalog, cube, 50 * SECOND)
    closed = catalog.beat_build(batch.id, 51 * SECOND)
    assert (closed.status, closed.heartbeat_us) == ("error", 20 * SECOND), "it is told that it lost"


def test_a_sign_of_life_tells_of_a_cancel(catalog: Catalog, cube: Definition) -> None:
    batch = claim(catalog, cube)
    assert batch
    catalog.finish_build(batch.id, "cancelled", 1)
    assert catalog.beat_build(batch.id, 2).status == "cancelled"
    with pytest.raises(NotFoundError):
        catalog.beat_build("none", 2)


def test_one_that_waits_is_not_dead(catalog: Catalog, cube: Definition) -> None:
    catalog.request_batch("ws_shop", cube.id, False, 0)
    assert catalog.close_dead_batches("ws_shop", 99 * TTL, TTL) == ()


def test_removing_the_cube_cancels_what_waits_and_what_runs(catalog: Catalog, cube: Definition) -> None:
    running = claim(catalog, cube)
    assert running
    catalog.request_batch("ws_shop", cube.id, False, 0)
    catalog.remove_definition("ws_shop", "cube", "flights", 9)
    assert {(b.status, b.finished_us) for b in catalog.builds("ws_shop")} == {("cancelled", 9)}
    assert catalog.pending_dispatches("ws_shop") == ()
    assert catalog.beat_build(running.id, 10).status == "cancelled"


def test_builds_are_listed_and_counted_by_batch_owner_and_schedule(
    catalog: Catalog, cube: Definition
) -> None:
    batch = claim(catalog, cube, job_id="j")
    assert batch
    part = catalog.start_build("ws_shop", "full", 0, owner_id=cube.id, batch_id=batch.id, rollup_id="r")
    alone = catalog.start_build("ws_shop", "full", 0, rollup_id="s")
    assert not part.is_batch
    assert not alone.is_batch
    cases: list[tuple[dict[str, Any], list[Build]]] = [
        ({"batches": True}, [batch]),
        ({"owner_id": cube.id}, [part, batch]),
        ({"batch_id": batch.id}, [part]),
        ({"job_id": "j"}, [batch]),
        ({"status": "done"}, []),
        ({}, [alone, part, batch]),
    ]
    for options, found in cases:
        assert list(catalog.builds("ws_shop", **options)) == found
        assert catalog.count_builds("ws_shop", **options) == len(found)
    assert list(catalog.builds("ws_shop", limit=1, offset=1)) == [part]
    assert list(catalog.builds("ws_shop", offset=2)) == [batch]


def test_what_is_not_there(catalog: Catalog, workspace: Workspace, cube: Definition) -> None:
    other = catalog.workspace("other")
    for workspace_id, owner_id in ((workspace.id, "none"), ("ws_none", cube.id), (other.id, cube.id)):
        with pytest.raises(NotFoundError):
            catalog.request_batch(workspace_id, owner_id, False, 1)
        with pytest.raises(NotFoundError):
            catalog.claim_batch(workspace_id, owner_id, False, 1, ttl_us=TTL)
    assert catalog.builds(workspace.id) == ()
