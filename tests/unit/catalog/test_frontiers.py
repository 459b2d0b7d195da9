from __future__ import annotations

from collections.abc import Callable

import pytest

from aggflow.catalog import Catalog, NewSegment, Rollup, Workspace
from aggflow.errors import ConflictError, NotFoundError
from aggflow.timeline import BEGINNING, FOREVER, Window


def build(catalog: Catalog, rollup: Rollup, version: int, *windows: tuple[int, int]) -> None:
    for start, end in windows:
        lease = catalog.acquire_lease(rollup.id, Window(start, end), "test", 1, 30)
        assert lease
        segment = NewSegment(Window(start, end), None)
        catalog.replace_window(rollup.id, version, segment.window, [segment], lease, 1)
        catalog.release_lease(lease)


def test_a_rollup_of_which_nothing_is_built_has_a_frontier(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    (found,) = catalog.frontiers(workspace.id, ["filter"])
    assert (found.rollup_id, found.kind, found.name, found.owner_id) == (
        rollup.id,
        "filter",
        rollup.name,
        rollup.owner_id,
    )
    assert found.validity == Window(BEGINNING, FOREVER)
    assert found.spec == catalog.versions(rollup.id)[0].spec
    assert found.span is None
    assert not found.has_gaps


def test_a_frontier_tells_the_span_and_whether_it_has_gaps(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    build(catalog, rollup, 1, (BEGINNING, 10), (10, 30), (40, 50))
    (found,) = catalog.frontiers(workspace.id, ["filter"])
    assert found.span == Window(BEGINNING, 50)
    assert found.has_gaps
    build(catalog, rollup, 1, (30, 40))
    (found,) = catalog.frontiers(workspace.id, ["filter"])
    assert found.span == Window(BEGINNING, 50)
    assert not found.has_gaps


def test_each_version_has_its_own_frontier(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    build(catalog, rollup, 1, (0, 50))
    catalog.add_version(rollup.id, {"interval": "2h"}, "h2", 40, 5)
    old, new = catalog.frontiers(workspace.id, ["filter"])
    assert (old.validity.end, old.span) == (40, Window(0, 40))
    assert (new.validity.start, new.spec, new.span) == (40, {"interval": "2h"}, None)


def test_only_the_kinds_and_the_workspace_that_are_asked_for(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    assert catalog.frontiers(workspace.id, ["task"]) == ()
    assert catalog.frontiers(catalog.workspace("other").id, ["filter"]) == ()


def test_a_definition_is_renamed_with_its_rollup(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    before = catalog.definitions_generation(workspace.id)
    build(catalog, rollup, 1, (0, 50))
    catalog.rename_definition(rollup.owner_id, "late", 9)
    (found,) = catalog.frontiers(workspace.id, ["filter"])
    assert (found.name, found.span) == ("late", Window(0, 50))
    renamed = catalog.get_definition(workspace.id, "filter", "late")
    assert renamed
    assert (renamed.id, renamed.generation, renamed.updated_us) == (rollup.owner_id, 2, 9)
    assert catalog.get_definition(workspace.id, "filter", rollup.name) is None
    assert catalog.definitions_generation(workspace.id) > before


def test_a_name_that_is_taken_is_not_given_again(
    catalog: Catalog, workspace: Workspace, rollup: Rollup
) -> None:
    catalog.put_definition(workspace.id, "filter", "late", {}, "h", "d", 1)
    with pytest.raises(ConflictError):
        catalog.rename_definition(rollup.owner_id, "late", 9)
    with pytest.raises(NotFoundError):
        catalog.rename_definition("nobody", "late", 9)
    assert catalog.rollups(workspace.id)[0].name == rollup.name


def test_what_is_due_of_one_workspace_reads_no_rows_of_the_others(
    catalog: Catalog, workspace: Workspace, rollup: Rollup, plans: Callable[..., list[list[str]]]
) -> None:
    """Else a pass over all workspaces would read everything once for each of them."""

    def read() -> None:
        assert [one.rollup_id for one in catalog.frontiers(workspace.id, ["filter", "task"])] == [rollup.id]
        assert [one.id for one in catalog.rollups(workspace.id)] == [rollup.id]
        assert catalog.tasks(workspace.id, ["RUNNING"]) == ()
        assert catalog.task_named(workspace.id, "by client") is None
        assert catalog.last_builds(workspace.id) == {}

    found = plans(read)
    assert len(found) == 5
    assert [step for steps in found for step in steps if step.startswith("SCAN")] == []
