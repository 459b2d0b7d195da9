from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from aggflow.catalog import Catalog, TaskRecord, Workspace
from aggflow.errors import ConflictError, NotFoundError


@pytest.fixture
def task(catalog: Catalog, workspace: Workspace) -> TaskRecord:
    return catalog.add_task(workspace.id, "by client", {"linq": "from flights"}, 5)


def test_a_task_is_added_under_an_id_of_its_workspace(catalog: Catalog, task: TaskRecord) -> None:
    assert re.fullmatch("cc_shop:[a-z0-9]{8}", task.id)
    assert (task.name, task.spec, task.status) == ("by client", {"linq": "from flights"}, "PENDING_CREATE")
    assert (task.created_us, task.updated_us, task.changed_us, task.deleted_us) == (5, 5, 5, None)
    assert (task.status_data, task.settled_status, task.failures) == (None, None, 0)
    assert catalog.task(task.id) == task
    assert catalog.task("cc_shop:none") is None


def test_names_are_taken_until_a_task_is_deleted(
    catalog: Catalog, workspace: Workspace, task: TaskRecord
) -> None:
    with pytest.raises(ConflictError, match="by client"):
        catalog.add_task(workspace.id, "by client", {}, 6)
    catalog.add_task(catalog.workspace("other").id, "by client", {}, 6)
    catalog.change_task(task.id, "PENDING_CREATE", status="DELETED", deleted_us=7)
    assert catalog.add_task(workspace.id, "by client", {}, 8).id != task.id


def test_a_task_is_found_by_its_name_until_it_is_deleted(
    catalog: Catalog, workspace: Workspace, task: TaskRecord
) -> None:
    assert catalog.task_named(workspace.id, "by client") == task
    assert catalog.task_named(workspace.id, "by") is None
    assert catalog.task_named(catalog.workspace("other").id, "by client") is None
    catalog.change_task(task.id, "PENDING_CREATE", status="DELETED", deleted_us=7)
    assert catalog.task_named(workspace.id, "by client") is None
    anew = catalog.add_task(workspace.id, "by client", {}, 8)
    assert catalog.task_named(workspace.id, "by client") == anew


def test_only_one_of_a_name_is_added_at_once(catalog: Catalog, workspace: Workspace) -> None:
    def add(_: int) -> bool:
        try:
            catalog.add_task(workspace.id, "by client", {}, 5)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(add, range(6))) == [False] * 5 + [True]


def test_a_change_is_made_where_the_status_is_as_expected(catalog: Catalog, task: TaskRecord) -> None:
    assert not catalog.change_task(task.id, "RUNNING", status="STOPPED")
    assert catalog.task(task.id) == task
    values: dict[str, Any] = {
        "status": "ERROR",
        "status_data": {"message": "away"},
        "failures": 3,
        "changed_us": 9,
    }
    assert catalog.change_task(task.id, ("RUNNING", "PENDING_CREATE"), **values)
    changed = catalog.task(task.id)
    assert changed
    assert {name: getattr(changed, name) for name in values} == values
    assert catalog.change_task(task.id, "ERROR", status="RUNNING", status_data=None)
    cleared = catalog.task(task.id)
    assert cleared
    assert cleared.status_data is None
    assert cleared.updated_us == 5


def test_of_several_changes_one_wins(catalog: Catalog, task: TaskRecord) -> None:
    def change(number: int) -> bool:
        return catalog.change_task(task.id, "PENDING_CREATE", status="RUNNING", failures=number)

    with ThreadPoolExecutor(6) as pool:
        won = [number for number, done in enumerate(pool.map(change, range(6))) if done]
    assert len(won) == 1
    changed = catalog.task(task.id)
    assert changed
    assert changed.failures == won[0]


def test_a_task_is_renamed_to_a_free_name_only(
    catalog: Catalog, workspace: Workspace, task: TaskRecord
) -> None:
    catalog.add_task(workspace.id, "by day", {}, 5)
    with pytest.raises(ConflictError):
        catalog.change_task(task.id, "PENDING_CREATE", name="by day")
    assert catalog.change_task(task.id, "PENDING_CREATE", name="by client")
    assert catalog.change_task(task.id, "PENDING_CREATE", name="by week")
    assert [t.name for t in catalog.tasks(workspace.id)] in (["by week", "by day"], ["by day", "by week"])


@pytest.mark.parametrize("name", ["id", "workspace_id", "created_us", "colour"])
def test_what_does_not_change_is_refused(catalog: Catalog, task: TaskRecord, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        catalog.change_task(task.id, "PENDING_CREATE", **cast("dict[str, Any]", {name: "x"}))


def test_a_change_is_told_where_asked(catalog: Catalog, workspace: Workspace, task: TaskRecord) -> None:
    assert not catalog.change_task(task.id, "RUNNING", status="STOPPED", dispatch=("tasks", ""))
    assert catalog.pending_dispatches(workspace.id) == ()
    catalog.change_task(task.id, "PENDING_CREATE", status="RUNNING", changed_us=9, dispatch=("tasks", ""))
    catalog.add_task(workspace.id, "by day", {}, 10, dispatch=("tasks", "all"))
    told = [(d.kind, d.key, d.created_us) for d in catalog.pending_dispatches(workspace.id)]
    assert told == [("tasks", task.id, 9), ("tasks", "all", 10)]


def test_tasks_are_listed_oldest_first_by_status_and_id(
    catalog: Catalog, workspace: Workspace, task: TaskRecord
) -> None:
    late = catalog.add_task(workspace.id, "late", {}, 7, status="RUNNING")
    early = catalog.add_task(workspace.id, "early", {}, 1, status="RUNNING")
    catalog.add_task(catalog.workspace("other").id, "x", {}, 1, status="RUNNING")
    assert catalog.tasks(workspace.id) == (early, task, late)
    assert catalog.tasks(workspace.id, statuses=["RUNNING"]) == (early, late)
    assert catalog.tasks(workspace.id, ids=[late.id, task.id]) == (task, late)
    assert catalog.tasks(workspace.id, statuses=["RUNNING"], ids=[task.id]) == ()
    assert catalog.tasks(workspace.id, ids=[]) == ()


def test_a_task_outlives_its_definition(catalog: Catalog, workspace: Workspace) -> None:
    definition = catalog.put_definition(workspace.id, "task", "by client", {}, "h", "d", 1)
    task = catalog.add_task(workspace.id, "by client", {}, 5, definition_id=definition.id)
    assert catalog.task(task.id) == task
    catalog.remove_definition(workspace.id, "task", "by client", 6)
    left = catalog.task(task.id)
    assert left
    assert left.definition_id is None


def test_deleted_ones_are_forgotten_after_a_while(catalog: Catalog, workspace: Workspace) -> None:
    for name, status, deleted_us in (("a", "DELETED", 5), ("b", "DELETED", 6), ("c", "RUNNING", None)):
        task = catalog.add_task(workspace.id, name, {}, 1)
        catalog.change_task(task.id, "PENDING_CREATE", status=status, deleted_us=deleted_us)
    assert catalog.purge_tasks(6) == 1
    assert {task.name for task in catalog.tasks(workspace.id)} == {"b", "c"}


def test_what_is_not_there(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError):
        catalog.change_task("cc_shop:none", "RUNNING", status="STOPPED")
    with pytest.raises(NotFoundError):
        catalog.add_task("ws_none", "x", {}, 1)
