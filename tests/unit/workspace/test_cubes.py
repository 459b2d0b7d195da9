from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Shop, at

import aggflow as af
from aggflow.errors import BuildError, CancelledError, ConflictError, NotFoundError, SpecError

EVENTS = Aggregation("events")


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    shop = Shop(tmp_path, lease_heartbeat=0.05, lease_ttl=20)
    shop.source()
    shop.add(Event(at("08:00"), "a", "x", 1.0, 1), Event(at("09:30"), "b", "y", 2.0, 2))
    yield shop
    shop.close()


@pytest.fixture
def ws(shop: Shop) -> af.Workspace:
    shop.ws.add_cube("c", source="events", dimensions=["team"], measures=[EVENTS])
    return shop.ws


# -- definitions


def test_a_cube_is_in_a_project_and_the_default_one_is_there(ws: af.Workspace) -> None:
    assert list(ws.projects) == ["default"]
    assert ws.cubes["c"].project_id == ws.projects["default"].id
    other = ws.add_project("other", description="of others")
    cube = ws.add_cube("d", source="events", project="other")
    assert cube.project_id == other.id
    assert ws.cube(cube.id) == ws.cubes["d"] == cube
    with pytest.raises(NotFoundError, match=r"there is no project 'othre' \(did you mean 'other'\?\)"):
        ws.add_cube("d", source="events", project="othre")
    with pytest.raises(ConflictError, match="cube 'd' needs project 'other'"):
        ws.remove("project", "other")
    with pytest.raises(ConflictError, match="always there"):
        ws.remove("project", "default")
    ws.remove("cube", "d")
    ws.remove("project", "other")
    assert list(ws.projects) == ["default"]


def test_a_cube_has_to_fit_its_source_and_every_problem_is_listed(ws: af.Workspace) -> None:
    with pytest.raises(SpecError) as raised:
        ws.add_cube(
            "bad",
            source="events",
            where="@.teem == 'a'",
            dimensions=["teem", af.Dimension("p", levels=["player", "plyer"])],  # type: ignore[list-item] - texts are read
            measures=[
                Aggregation("v", "valeu", ["SUM"]),
                Aggregation("t", "team", ["AVG", "LAST"], where="@.x == 1"),
                EVENTS,
                af.Ratio("r", "t:LAST", "events"),
            ],
        )
    assert {problem.path: problem.hint for problem in raised.value.problems} == {
        "where": "did you mean 'team'?",
        "dimensions[0]": "did you mean 'team'?",
        "dimensions[1].levels[1]": "did you mean 'player'?",
        "measures[0].field": "did you mean 'value'?",
        "measures[1].where": "known: arrived, player, points, team, time, value",
        "measures[1].field": "choose a numeric column, or cast it in the source",
        "measures[3].numerator": "",
    }
    assert "bad" not in ws.cubes
    with pytest.raises(NotFoundError, match="there is no source 'evnts'"):
        ws.add_cube("bad", source="evnts")


def test_a_source_that_a_cube_reads_stays(ws: af.Workspace) -> None:
    with pytest.raises(ConflictError, match="cube 'c' needs source 'events'"):
        ws.remove("source", "events")
    ws.add_cube("c", source="events", aggregates=[])
    with pytest.raises(ConflictError, match="cube 'c' needs source 'events'"):
        ws.remove("source", "events")


def test_definitions_come_back_as_they_were_exported(ws: af.Workspace, shop: Shop, tmp_path: Path) -> None:
    ws.add_project("second")
    ws.add_cube(
        "d",
        source="events",
        dimensions=["team", af.Dimension("when", levels=("month", af.Level("five", interval="5m")))],  # type: ignore[list-item] - texts are read
        measures=[Aggregation("v", "=value * 2", ["SUM"]), EVENTS, af.Ratio("r", "v", "events")],
        aggregates=[af.CubeAggregate("a", None, ["when", "team"])],
        project="second",
        time_zone="Europe/Berlin",
    )
    ws.add_schedule("d", "0 25 06 ? * *", timezone="Europe/Berlin", full_build=False)
    text = ws.export(tmp_path / "all.yaml")
    other = Shop(tmp_path, name="other").ws
    applied = other.apply(tmp_path / "all.yaml")
    assert [cube.name for cube in applied.cubes] == ["c", "d"]
    assert other.export() == text
    assert other.cubes["d"].spec == ws.cubes["d"].spec
    other.apply(tmp_path / "all.yaml")
    assert len(other.schedules) == 1
    other.close()


def test_nothing_is_applied_where_a_cube_or_schedule_is_wrong(ws: af.Workspace, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("""
projects: [{name: good}]
cubes:
- {name: one, source: events, project: goood, dimensions: [teem]}
- {name: two, source: events, project: good}
schedules:
- {cube: twoo, time_expression: 0 0 0 * * *}
- {cube: two, time_expression: 0 0 0 * * *}
""")
    with pytest.raises(SpecError) as raised:
        ws.apply(tmp_path / "bad.yaml")
    assert {problem.path for problem in raised.value.problems} == {
        "cube 'one'.dimensions[0]",
        "cube 'one'",
        "schedule '0 0 0 * * *'",
    }
    assert str(raised.value).startswith("what is declared has 3 problems:")
    # What was meant may be declared beside it.
    assert "there is no cube 'twoo' (did you mean 'two'?)" in str(raised.value)
    assert "there is no project 'goood' (did you mean 'good'?)" in str(raised.value)
    assert list(ws.projects) == ["default"]
    assert list(ws.cubes) == ["c"]


def test_what_there_is_shows_itself(ws: af.Workspace) -> None:
    ws.build_cube("c", progress=False)
    assert "team" in ws.cubes._repr_html_()
    assert "incremental" in ws.batches._repr_html_()
    assert "cube c/all" in ws.builds._repr_html_()
    assert [one.name for one in ws.status()] == ["cube c/all"]


def test_an_aggregate_may_be_called_as_its_cube(ws: af.Workspace) -> None:
    ws.add_cube("c", source="events", aggregates=[af.CubeAggregate("c", "1h")])
    assert ws.references() == ["cube c/c"]
    assert ws.build_cube("c", progress=False).aggregates["c"].rows_read == 2


# -- batches


def test_a_batch_is_recorded_with_its_cube_counts_and_estimate(ws: af.Workspace, shop: Shop) -> None:
    first = ws.build_cube("c", full=True, progress=False)
    assert (first.status, first.rows_read, first.states_written, first.windows) == ("done", 2, 2, 1)
    batch = ws.batches[first.id]
    assert batch == ws.batch(first.id) == first.batch
    assert (batch.cube, batch.cube_id, batch.kind) == ("c", ws.cubes["c"].id, "full")
    assert batch.project_id == ws.projects["default"].id
    assert batch.aggregates == ("all",)
    with pytest.raises(NotFoundError, match="there is no batch"):
        ws.batch(next(build.id for build in ws.builds.values() if build.id != batch.id))


def test_the_estimate_is_the_median_of_the_last_five_of_that_kind(ws: af.Workspace, shop: Shop) -> None:
    assert ws.estimate("c", full=True) == 0
    for seconds in (60, 1, 2, 9, 4, 3):
        batch = ws.begin_batch("c", full=True)
        assert batch is not None
        ws.build_aggregate(batch, "all", progress=False)
        shop.now += timedelta(seconds=seconds)
        ws.finish_batch(batch)
    assert ws.estimate("c", full=True) == 3000
    assert ws.estimate("c") == 0
    assert ws.request_build("c", full=True).estimate_ms == 3000
    stopped = ws.begin_batch("c", full=True)
    assert stopped is not None
    shop.now += timedelta(seconds=500)
    ws.finish_batch(stopped, "stopped")
    assert ws.estimate("c", full=True) == 3000


def test_batches_that_are_asked_for_join_the_one_that_waits_and_full_wins(ws: af.Workspace) -> None:
    first = ws.request_build("c")
    assert (first.status, first.full, first.started_us) == ("pending", False, None)
    assert [(one.kind, one.key) for one in ws.dispatches()] == [("batch", first.id)]
    second = ws.request_build("c", full=True)
    assert (second.id, second.full) == (first.id, True)
    assert ws.request_build("c").full
    assert [batch.id for batch in ws.open_batches()] == [first.id]
    begun = ws.begin_batch("c")
    assert begun is not None
    assert (begun.id, begun.full, begun.status) == (first.id, True, "running")
    assert ws.dispatches() == []
    queued = ws.request_build("c")
    assert queued.id != first.id
    assert [(batch.id, batch.status) for batch in ws.open_batches()] == [
        (first.id, "running"),
        (queued.id, "pending"),
    ]
    assert ws.begin_batch("c", batch_id=queued.id) is None
    ws.build_aggregate(begun, "all", progress=False)
    ws.finish_batch(begun)
    assert ws.begin_batch("c", batch_id=first.id) is None
    last = ws.begin_batch("c", batch_id=queued.id)
    assert last is not None
    assert last.id == queued.id
    ws.finish_batch(last, "enough")


def test_any_run_takes_the_batch_that_waits(ws: af.Workspace) -> None:
    asked = ws.request_build("c", full=True)
    report = ws.build_cube("c", progress=False)
    assert (report.id, report.full, report.status) == (asked.id, True, "done")


def test_batches_are_listed_newest_first_by_cube_and_status(ws: af.Workspace) -> None:
    ws.add_cube("d", source="events")
    done = [ws.build_cube(cube, progress=False).id for cube in ("c", "d", "c")]
    waiting = ws.request_build("d").id
    assert [batch.id for batch in ws.list_batches()] == [waiting, *reversed(done)]
    assert [batch.id for batch in ws.list_batches(cube="c")] == [done[2], done[0]]
    assert [batch.id for batch in ws.list_batches(cube=ws.cubes["d"].id, status="done")] == [done[1]]
    assert [batch.id for batch in ws.list_batches(limit=1, offset=1)] == [done[2]]
    with pytest.raises(NotFoundError, match="there is no cube 'e'"):
        ws.list_batches(cube="e")
    with pytest.raises(
        NotFoundError, match=r"no status of a batch 'inprogress' \(known: cancelled, done, error"
    ):
        ws.list_batches(status="inprogress")  # pyright: ignore[reportArgumentType] - as people type it


def test_a_batch_that_waits_may_be_cancelled_and_is_told_to_nobody(ws: af.Workspace) -> None:
    asked = ws.request_build("c")
    ws.cancel(asked.id)
    assert ws.batch(asked.id).status == "cancelled"
    assert ws.dispatches() == []
    assert ws.open_batches() == []
    assert ws.request_build("c").id != asked.id


def test_a_batch_is_done_only_when_all_of_it_is(ws: af.Workspace) -> None:
    batch = ws.begin_batch("c")
    assert batch is not None
    report = ws.finish_batch(batch)
    assert report.status == "error"
    assert report.error == {"class": "BuildError", "message": "not built: all"}
    with pytest.raises(ConflictError, match="the batch of cube 'c' does not run: it is error"):
        ws.build_aggregate(batch, "all", progress=False)


@pytest.mark.parametrize(
    ("error", "status"),
    [(BuildError("no"), "error"), (CancelledError("no"), "cancelled"), (KeyboardInterrupt(), "cancelled")],
)
def test_what_stops_a_batch_is_noted(ws: af.Workspace, error: BaseException, status: str) -> None:
    batch = ws.begin_batch("c")
    assert batch is not None
    report = ws.finish_batch(batch, error)
    assert report.status == status
    assert report.error == {"class": type(error).__name__, "message": str(error)}


def test_an_aggregate_that_is_gone_is_named(ws: af.Workspace) -> None:
    batch = ws.begin_batch("c")
    assert batch is not None
    with pytest.raises(NotFoundError, match=r"there is no aggregate 'al' \(did you mean 'all'\?\)"):
        ws.build_aggregate(batch, "al", progress=False)
    ws.remove("cube", "c")
    with pytest.raises(CancelledError, match="the batch of cube 'c' was cancelled"):
        ws.build_aggregate(batch, "all", progress=False)
    ws.finish_batch(batch, "its cube is gone")
    with pytest.raises(NotFoundError, match="there is no cube 'c'"):
        ws.begin_batch("c")


def test_a_batch_that_runs_gives_signs_of_life_until_it_ends(ws: af.Workspace, shop: Shop) -> None:
    batch = ws.begin_batch("c")
    assert batch is not None
    shop.now += timedelta(minutes=5)  # longer than a batch counts as alive without a sign
    _until(lambda: _heartbeat(ws, batch.id) == _us(shop))
    assert ws.close_dead_batches() == []
    ws.finish_batch(batch, "enough")
    seen = _heartbeat(ws, batch.id)
    shop.now += timedelta(minutes=5)
    time.sleep(0.2)
    assert _heartbeat(ws, batch.id) == seen


def test_signs_of_life_end_with_a_batch_that_another_process_cancelled(ws: af.Workspace, shop: Shop) -> None:
    batch = ws.begin_batch("c")
    assert batch is not None
    thread = ws._batches._pulses[batch.id]._thread
    Shop(shop.folder, shop.now).ws.cancel(batch.id)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert ws.finish_batch(batch).status == "cancelled"


def test_a_workspace_that_is_closed_leaves_its_batch_for_dead(shop: Shop, ws: af.Workspace) -> None:
    other = Shop(shop.folder, shop.now)
    batch = other.ws.begin_batch("c")
    assert batch is not None
    thread = other.ws._batches._pulses[batch.id]._thread
    other.close()
    assert not thread.is_alive()
    assert ws.begin_batch("c") is None
    shop.now += timedelta(seconds=21)
    assert [one.id for one in ws.close_dead_batches()] == [batch.id]


def test_a_workspace_shows_its_cubes(ws: af.Workspace) -> None:
    assert "<h4>Cubes</h4>" in ws._repr_html_()
    assert "<h4>Schedules</h4>" not in ws._repr_html_()


_BEGIN = """
import sys, time
import aggflow as af
ws = af.open(sys.argv[1])
batch = ws.begin_batch("c", full=True)
print(batch.id, flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


def begun_elsewhere(shop: Shop, what: str) -> tuple[subprocess.Popen[str], str]:
    home = str(shop.folder / "home")
    process = subprocess.Popen([sys.executable, "-c", _BEGIN, home, what], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        return process, said.readline().strip()


@pytest.fixture
def here(ws: af.Workspace, shop: Shop) -> Any:
    """A workspace on the same home, by the clock on the wall."""
    opened = af.open(shop.folder / "home")
    yield opened
    opened.close()


def test_a_batch_whose_process_died_is_closed_and_the_next_begins(here: af.Workspace, shop: Shop) -> None:
    process, batch_id = begun_elsewhere(shop, "end")
    assert process.wait(30) == 0
    assert [batch.id for batch in here.close_dead_batches()] == [batch_id]
    assert here.batch(batch_id).error == {"class": "BuildError", "message": "its process died"}
    assert here.build_cube("c", progress=False).status == "done"


def test_a_batch_that_runs_elsewhere_is_waited_for_until_its_process_is_killed(
    here: af.Workspace, shop: Shop
) -> None:
    process, batch_id = begun_elsewhere(shop, "wait")
    try:
        assert here.begin_batch("c") is None
        assert here.close_dead_batches() == []
    finally:
        process.kill()
        process.wait(30)
    report = here.build_cube("c", progress=False)
    assert report.id != batch_id
    assert here.batch(batch_id).status == "error"


def _heartbeat(ws: af.Workspace, batch_id: str) -> int | None:
    build = ws._catalog.build(batch_id)
    assert build is not None
    return build.heartbeat_us


def _us(shop: Shop) -> int:
    return shop.ws.now_us()


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
