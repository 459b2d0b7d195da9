from __future__ import annotations

from collections.abc import Callable

import pytest

from aggflow.catalog import Catalog, Rollup, Workspace
from aggflow.errors import NotFoundError, SourceUnavailableError
from aggflow.timeline import Window


def test_a_build_is_started_moves_on_and_ends(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    started = catalog.start_build(
        workspace.id,
        "full",
        5,
        rollup_id=rollup.id,
        window=Window(0, 9),
        windows_total=3,
        detail={"by": "me"},
    )
    assert (started.status, started.created_us, started.started_us, started.finished_us) == (
        "running",
        5,
        5,
        None,
    )
    assert (started.window, started.windows_done, started.windows_total) == (Window(0, 9), 0, 3)
    assert started.detail == {"by": "me"}
    assert catalog.build(started.id) == started
    moved = catalog.progress_build(
        started.id, windows_done=2, rows_read=100, null_times=1, states_written=7, bytes_written=9
    )
    assert (moved.windows_done, moved.windows_total, moved.rows_read) == (2, 3, 100)
    assert (moved.null_times, moved.states_written, moved.bytes_written) == (1, 7, 9)
    ended = catalog.finish_build(started.id, "done", 8)
    assert (ended.status, ended.finished_us, ended.rows_read, ended.error) == ("done", 8, 100, None)


def test_an_error_is_kept_in_words(catalog: Catalog, workspace: Workspace) -> None:
    build = catalog.start_build(workspace.id, "full", 5)
    error = SourceUnavailableError("the database is away", hint="start it")
    ended = catalog.finish_build(build.id, "error", 6, error=error)
    assert ended.error == {
        "class": "SourceUnavailableError",
        "message": "the database is away (start it)",
    }


def test_a_cancelled_build_stays_cancelled(catalog: Catalog, workspace: Workspace) -> None:
    build = catalog.start_build(workspace.id, "full", 5)
    cancelled = catalog.finish_build(build.id, "cancelled", 6)
    assert catalog.progress_build(build.id, windows_done=9) == cancelled
    assert catalog.finish_build(build.id, "done", 7) == cancelled


def test_a_pending_build_is_claimed_once(catalog: Catalog, workspace: Workspace) -> None:
    build = catalog.start_build(workspace.id, "full", 5, status="pending")
    assert (build.status, build.started_us) == ("pending", None)
    claimed = catalog.claim_build(build.id, 6)
    assert claimed
    assert (claimed.status, claimed.started_us) == ("running", 6)
    assert catalog.claim_build(build.id, 7) is None


def test_builds_are_listed_newest_first(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    # Even where all are of one instant, or the clock went back.
    ids = [catalog.start_build(workspace.id, "full", us, rollup_id=rollup.id).id for us in (5, 5, 3)]
    other = catalog.start_build(workspace.id, "full", 4)
    catalog.start_build(catalog.workspace("other").id, "full", 9)
    catalog.finish_build(ids[0], "done", 9)
    assert [b.id for b in catalog.builds(workspace.id)] == [other.id, *reversed(ids)]
    assert [b.id for b in catalog.builds(workspace.id, rollup_id=rollup.id, limit=2)] == [ids[2], ids[1]]
    assert [b.id for b in catalog.builds(workspace.id, status="done")] == [ids[0]]


def test_the_last_build_of_every_rollup_is_told_at_once(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    second, idle = (
        catalog.create_rollup(workspace.id, "filter", rollup.owner_id, name, "s", {}, "h")
        for name in ("second", "idle")
    )
    assert catalog.last_builds(workspace.id) == {}
    for us, of in ((5, rollup), (5, second), (3, rollup)):
        catalog.start_build(workspace.id, "full", us, rollup_id=of.id)
    catalog.start_build(workspace.id, "full", 9)
    last = catalog.last_builds(workspace.id)
    assert last == {
        of.id: catalog.builds(workspace.id, rollup_id=of.id, limit=1)[0] for of in (rollup, second)
    }
    assert last[rollup.id].created_us == 3
    assert idle.id not in last
    assert catalog.last_builds(catalog.workspace("other").id) == {}


def test_what_is_open_is_found_among_the_open_ones(
    catalog: Catalog, workspace: Workspace, rollup: Rollup, plans: Callable[..., list[list[str]]]
) -> None:
    """Records are kept for good: a build that is asked for, and each build, look for others that are open."""

    def read() -> None:
        catalog.builds(workspace.id, status="pending")
        catalog.builds(workspace.id, rollup_id=rollup.id, status="running")
        catalog.builds(workspace.id, rollup_id=rollup.id, limit=1)

    of_workspace, of_rollup, last = plans(read)
    assert "ix_builds_workspace_id_status (workspace_id=? AND status=?)" in of_workspace[0]
    assert "ix_builds_rollup_id_status (rollup_id=? AND status=?)" in of_rollup[0]
    assert last == [last[0]], "sorted, after all of them were read"
    assert "ix_builds_rollup_id_number" in last[0]


def test_the_record_outlives_its_rollup(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    build = catalog.start_build(workspace.id, "full", 5, rollup_id=rollup.id)
    catalog.remove_definition(workspace.id, "filter", "delays", 6)
    assert catalog.build(build.id) == build


def test_what_is_not_there(catalog: Catalog) -> None:
    assert catalog.build("none") is None
    for call in (lambda: catalog.progress_build("none"), lambda: catalog.finish_build("none", "done", 1)):
        with pytest.raises(NotFoundError):
            call()
    with pytest.raises(NotFoundError):
        catalog.start_build("ws_none", "full", 1)


def test_totals_are_of_all_builds_of_a_rollup(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    nothing = catalog.build_totals(rollup.id)
    assert (nothing.rows_read, nothing.states_written, nothing.done_us) == (0, 0, None)
    for rows, status, at in ((10, "done", 5), (20, "done", 7), (40, "error", 9)):
        build = catalog.start_build(workspace.id, "full", 1, rollup_id=rollup.id)
        catalog.progress_build(build.id, rows_read=rows, states_written=rows // 10)
        catalog.finish_build(build.id, status, at)  # type: ignore[arg-type]  # one of them
    catalog.progress_build(catalog.start_build(workspace.id, "full", 1).id, rows_read=99)
    totals = catalog.build_totals(rollup.id)
    assert (totals.rows_read, totals.states_written, totals.done_us) == (70, 7, 7)
