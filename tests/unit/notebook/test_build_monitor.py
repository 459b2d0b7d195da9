"""The monitor of builds: what it reads, when it looks, how it ends; with builds of other processes."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from partner import Partner
from patience import awaited

import aggflow as af
from aggflow.catalog import Build, Process
from aggflow.engine.build_record import BuildRecord
from aggflow.errors import CatalogBusyError
from aggflow.notebook.build_monitor import BuildMonitor
from aggflow.notebook.build_row import rows_of
from aggflow.notebook.build_text import ended_table, open_row, what_runs
from aggflow.notebook.build_watch import BUSY, IDLE, BuildWatch, Seen, Watchman
from aggflow.notebook.running_cell import RunningCell

PATIENCE = 300.0  # seconds; machines that are shared take their time
_SECOND = 1_000_000
# A process that builds filter "sales", and waits for a line of its input after its first batch.
_BUILDER = """
import sys
import aggflow as af

def wait(now):
    print(now.windows_done, flush=True)
    sys.stdin.readline()

af.open(sys.argv[1]).build("sales", progress=wait)
"""


def build(number: int = 1, **values: Any) -> Build:
    known: dict[str, Any] = {
        "number": number,
        "id": f"b{number}",
        "workspace_id": "ws_self",
        "rollup_id": "r",
        "kind": "incremental",
        "status": "running",
        "created_us": 0,
        "started_us": 0,
        "finished_us": None,
        "window": None,
        "windows_done": 0,
        "windows_total": None,
        "rows_read": 0,
        "null_times": 0,
        "states_written": 0,
        "bytes_written": 0,
        "error": None,
        "detail": {},
    }
    return Build(**(known | values))


def record(reference: str = "filter sales", parts_done: int = 0, **values: Any) -> BuildRecord:
    return BuildRecord.of(build(**values), reference, parts_done)


def batch(number: int, **values: Any) -> BuildRecord:
    aggregates = {"aggregates": ["hourly", "daily"], "cube": "c"}
    return record("cube c", number=number, rollup_id=None, owner_id="o", detail=aggregates, **values)


# -- rows


def test_how_far_a_build_is_and_how_long_it_takes_still() -> None:
    one = record(windows_done=1, windows_total=4, rows_read=10, states_written=5, heartbeat_us=10 * _SECOND)
    (row,) = rows_of([one], 10 * _SECOND)
    assert (row.name, row.progress, row.rows, row.states, row.seconds) == ("filter sales", 0.25, 10, 5, 10.0)
    assert row.seconds_left == pytest.approx(30)
    assert row.is_open
    assert "25 %" in open_row(row)
    assert "1 of 4 windows" in open_row(row)


def test_nothing_is_said_of_what_is_not_known_yet() -> None:
    (row,) = rows_of([record()], 0)
    assert (row.progress, row.windows_total, row.seconds_left) == (None, None, None)
    assert "unknown" in open_row(row)
    assert "%" not in open_row(row).replace("width:0%", "")


def test_a_batch_is_one_row_with_the_progress_of_its_builds() -> None:
    records = [
        record("cube c/daily", number=3, batch_id="b1", windows_done=1, windows_total=2, rows_read=5),
        record(
            "cube c/hourly",
            number=2,
            batch_id="b1",
            status="done",
            windows_done=4,
            windows_total=4,
            rows_read=90,
        ),
        batch(1, parts_done=1),
    ]
    (row,) = rows_of(records, 0)
    assert (row.id, row.name, row.part) == ("b1", "cube c", "daily")
    assert row.progress == pytest.approx(0.75)
    assert (row.rows, row.windows, row.windows_total) == (95, 5, 6)


def test_a_build_without_a_sign_of_life_says_so() -> None:
    quiet, lively = record(heartbeat_us=0), record(heartbeat_us=100 * _SECOND)
    assert "no sign of life for 110 s" in rows_of([quiet], 110 * _SECOND)[0].note
    assert rows_of([lively], 110 * _SECOND)[0].note == ""


def test_what_a_cell_of_this_kernel_builds_says_how_it_is_stopped() -> None:
    busy = Process("here", 7, 0.0)
    own, of_another = record(host="here", pid=7), record(host="here", pid=8)
    (row,) = rows_of([own], 0, busy)
    assert "interrupt the kernel" in row.note
    assert "nothing is half done" in row.note
    assert not row.is_heard
    for heard in (
        *rows_of([of_another], 0, busy),
        *rows_of([record(host="here", pid=7, status="done")], 0, busy),
        *rows_of([own], 0),  # on a thread: no cell runs
    ):
        assert heard.note == ""
        assert heard.is_heard


def test_cells_are_followed() -> None:
    shell = InteractiveShell()
    cell = RunningCell(shell)
    assert not cell.runs, "what follows it was made by a button's callback: there is no cell"
    seen: list[bool] = []
    shell.user_ns["look"] = lambda: seen.append(cell.runs)
    for code in ("look()", "look(); 1 / 0", "import asyncio; await asyncio.sleep(0); look()"):
        shell.run_cell(code)
        assert not cell.runs
    shell.run_cell("look()", silent=True)
    assert seen == [True, True, True, False]
    assert not RunningCell(None).runs, "outside of IPython there are no cells"


@pytest.mark.parametrize("by_thread", [False, True])
def test_a_cell_is_followed_from_within(*, by_thread: bool) -> None:
    shell = InteractiveShell()
    made: list[RunningCell] = []

    def make() -> None:
        made.append(RunningCell(shell))

    def in_thread() -> None:
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()

    seen: list[bool] = []
    shell.user_ns |= {"make": in_thread if by_thread else make, "look": lambda: seen.append(made[0].runs)}
    shell.run_cell("make(); look(); get_ipython().run_cell('look()'); look()")
    assert seen == [True, True, True]
    assert not made[0].runs


@pytest.mark.parametrize("inner", ["look()", "1 / 0", "", "get_ipython().run_cell('look()')"])
def test_a_cell_runs_on_after_one_that_it_ran(inner: str) -> None:
    shell = InteractiveShell()
    cell = RunningCell(shell)
    seen: list[bool] = []
    shell.user_ns |= {"look": lambda: seen.append(cell.runs), "inner": inner}
    shell.run_cell("get_ipython().run_cell(inner); look()")
    assert seen
    assert all(seen)
    assert not cell.runs


def test_a_cell_whose_end_was_never_told_is_forgotten() -> None:
    shell = InteractiveShell()
    cell = RunningCell(shell)
    cell._begins(object())
    assert cell.runs
    shell.run_cell("1")
    assert not cell.runs


def test_what_waits_says_who_carries_it_out() -> None:
    (row,) = rows_of([record(status="pending", started_us=None)], 0)
    assert "aggflow up" in row.note
    assert row.seconds is None
    (waiting,) = rows_of([batch(1, status="pending", started_us=None)], 0)
    assert "%" not in open_row(waiting).replace("width:0%", "")


def test_errors_are_shown_without_passwords_and_tags() -> None:
    error = {"class": "SourceError", "message": "postgresql://me:secret@host <b>is</b> away"}
    (row,) = rows_of([record(status="error", error=error, finished_us=5 * _SECOND)], 0)
    shown = ended_table([row])
    assert "secret" not in shown
    assert "<b>is</b>" not in shown
    assert "failed" in shown


def test_the_head_counts() -> None:
    rows = rows_of([record(number=2), record(number=1, status="pending", started_us=None)], 0)
    assert "1 running, 1 waiting" in what_runs(rows)
    assert "idle" in what_runs([])


# -- looks


def test_it_looks_often_while_something_is_built_and_ever_less_while_nothing_is(ws: af.Workspace) -> None:
    watch = BuildWatch(ws)
    pauses: list[float] = []
    for _ in range(len(IDLE) + 2):
        assert watch.look() == Seen()
        pauses.append(watch.pause)
    assert pauses == [*IDLE, IDLE[-1], IDLE[-1]]
    ws.add_filter("sales", source="orders", interval="1h")
    ws._catalog.start_build(ws._id, "full", ws.now_us(), rollup_id=ws._targets.get("sales").rollup_id)
    assert [row.name for row in watch.look().open] == ["filter sales"]
    assert watch.pause == BUSY


def test_a_catalog_that_cannot_be_read_is_told_and_asked_again(
    ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = watched(ws)
    before = monitor.ended.value

    def busy(**_: Any) -> list[BuildRecord]:
        raise CatalogBusyError("the catalog is locked")

    with monkeypatch.context() as patched:
        patched.setattr(ws, "build_records", busy)
        monitor.show(monitor.watch.look())
        assert "the catalog is locked" in monitor.said.value
        assert monitor.ended.value == before
    monitor.show(monitor.watch.look())
    assert monitor.said.value == ""
    monitor.close()


# -- the thread


class Listener:
    """Somebody who wants to know, and lets a test wait until it was told."""

    def __init__(self) -> None:
        self.told = threading.Semaphore(0)

    def show(self, seen: Seen) -> None:
        self.told.release()


def test_the_thread_ends_when_it_is_stopped_and_when_nobody_listens(ws: af.Workspace) -> None:
    listener = Listener()
    watchman = Watchman(BuildWatch(ws), listener.show)
    watchman.start()
    assert listener.told.acquire(timeout=PATIENCE)
    watchman.look_now()
    assert listener.told.acquire(timeout=PATIENCE), "it looks again at once when it is asked to"
    assert watchman.stop(timeout=PATIENCE)

    forgotten = Listener()
    watchman = Watchman(BuildWatch(ws), forgotten.show)
    watchman.start()
    assert forgotten.told.acquire(timeout=PATIENCE)
    del forgotten
    gc.collect()
    watchman.look_now()
    watchman._thread.join(PATIENCE)
    assert not watchman.is_alive


def test_closing_the_monitor_ends_its_thread(ws: af.Workspace) -> None:
    monitor = BuildMonitor(ws)
    assert monitor.watchman.is_alive
    monitor.close()
    assert monitor.watchman.stop(timeout=PATIENCE)


def test_a_monitor_of_nothing_says_that_nothing_is_built(empty: af.Workspace) -> None:
    monitor = BuildMonitor(empty)
    assert "idle" in monitor.head.value
    assert "Nothing was built yet" in monitor.ended.value
    assert "Nothing is built just now" in monitor.under_way.children[0].value
    monitor.close()


# -- builds of other processes


@pytest.fixture
def sales(ws: af.Workspace) -> af.Workspace:
    ws.add_filter("sales", source="orders", interval="1h", groupings=["region"])
    return ws


@pytest.fixture
def other(sales: af.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    """A process that builds, and stands still after its first batch."""
    monkeypatch.setenv("AGGFLOW_BATCH_ROWS", "5000")
    partner = Partner(_BUILDER, tmp_path / "home")
    while int(partner.line()) < 1:
        partner.go_on()
    yield partner
    partner.kill()
    partner.end()


def watched(ws: af.Workspace) -> BuildMonitor:
    """A monitor that looks when a test does; its thread would show what it saw before, and be late."""
    monitor = BuildMonitor(ws)
    assert monitor.watchman.stop(PATIENCE)
    return monitor


def shown(monitor: BuildMonitor, holds: Callable[[Seen], bool]) -> Seen:
    """What it sees as soon as something holds; it is looked at again and again, as its thread does."""

    def look() -> bool:
        monitor.show(monitor.watch.look())
        return holds(monitor.seen)

    awaited("what is seen then", look)
    return monitor.seen


@pytest.mark.slow
def test_a_build_of_another_process_is_seen_and_cancelled(sales: af.Workspace, other: Partner) -> None:
    monitor = watched(sales)
    (row,) = monitor.seen.open
    assert (row.name, row.status) == ("filter sales", "running")
    assert row.progress is not None
    assert 0 < row.progress < 1
    (view,) = monitor.under_way.children
    view.button.click()
    assert view.button.disabled
    seen = shown(monitor, lambda seen: not seen.open)
    assert [row.status for row in seen.ended] == ["cancelled"]
    assert "cancelled" in monitor.ended.value
    assert other.end() != 0, "the process that built was told as well"
    monitor.close()


@pytest.mark.slow
def test_a_build_whose_kernel_was_killed_is_shown_as_dead_with_what_to_do(
    sales: af.Workspace, other: Partner
) -> None:
    monitor = watched(sales)
    assert [row.status for row in monitor.seen.open] == ["running"]
    other.kill()
    seen = shown(monitor, lambda seen: not seen.open)
    (row,) = seen.ended
    assert row.status == "error"
    assert "its process died" in monitor.ended.value
    assert "build again" in monitor.ended.value
    report = sales.build("sales", progress=False)
    assert 0 < report.rows_read < 20_000, "it goes on from there"
    monitor.close()


def test_a_batch_of_a_cube_is_shown_while_it_waits_and_when_it_is_done(ws: af.Workspace) -> None:
    ws.add_cube("c", source="orders", dimensions=["region"])
    ws.request_build("c")
    monitor = watched(ws)
    (row,) = monitor.seen.open
    assert (row.name, row.status) == ("cube c", "pending")
    ws.build_cube("c", progress=False)
    monitor.show(monitor.watch.look())
    assert monitor.seen.open == ()
    (row,) = monitor.seen.ended
    assert (row.name, row.status, row.rows) == ("cube c", "done", 20_000)
    monitor.close()
