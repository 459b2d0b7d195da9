from __future__ import annotations

import pytest
import sqlalchemy as sa
import sqlalchemy.event
import sqlalchemy.exc

from aggflow.catalog import Catalog, DispatchKind, Workspace
from aggflow.errors import CatalogError, NotFoundError

DAY_US = 86_400_000_000


def put(catalog: Catalog, name: str, now_us: int = 1, key: str = "cube") -> str:
    dispatch: tuple[DispatchKind, str] = ("schedules", key)
    return catalog.put_definition("ws_shop", "schedule", name, {}, "h", "d", now_us, dispatch=dispatch).id


def test_is_written_with_the_definition(catalog: Catalog, workspace: Workspace) -> None:
    put(catalog, "nightly", 5)
    (dispatch,) = catalog.pending_dispatches(workspace.id)
    assert (dispatch.kind, dispatch.key, dispatch.payload, dispatch.created_us) == (
        "schedules",
        "cube",
        {},
        5,
    )
    assert (dispatch.workspace_id, dispatch.attempts, dispatch.error) == (workspace.id, 0, None)


def test_an_empty_key_is_the_definitions_id(catalog: Catalog, workspace: Workspace) -> None:
    definition_id = put(catalog, "nightly", key="")
    catalog.remove_definition(workspace.id, "schedule", "nightly", 2, dispatch=("schedules", ""))
    assert [d.key for d in catalog.pending_dispatches(workspace.id)] == [definition_id] * 2


def test_a_definition_that_stays_as_it_is_tells_nothing(catalog: Catalog, workspace: Workspace) -> None:
    put(catalog, "nightly")
    put(catalog, "nightly")
    assert len(catalog.pending_dispatches(workspace.id)) == 1


def test_a_write_that_fails_leaves_none(catalog: Catalog, workspace: Workspace) -> None:
    cube = catalog.put_definition(workspace.id, "cube", "flights", {}, "h", "d", 1)
    engine = catalog._engines().writer

    def refuse(*_: object) -> None:
        raise sqlalchemy.exc.OperationalError("COMMIT", {}, Exception("the disk is gone"))

    sqlalchemy.event.listen(engine, "commit", refuse)
    for call in (
        lambda: put(catalog, "nightly"),
        lambda: catalog.request_batch(workspace.id, cube.id, False, 1),
        lambda: catalog.remove_definition(workspace.id, "cube", "flights", 1, dispatch=("schedules", "")),
        lambda: catalog.add_task(workspace.id, "by client", {}, 1, dispatch=("tasks", "")),
    ):
        with pytest.raises(CatalogError):
            call()
    sqlalchemy.event.remove(engine, "commit", refuse)
    assert catalog.pending_dispatches(workspace.id) == ()
    assert [d.name for d in catalog.list_definitions(workspace.id)] == ["flights"]
    assert catalog.builds(workspace.id) == ()
    assert catalog.tasks(workspace.id) == ()


def test_a_removal_that_fails_leaves_none(catalog: Catalog, workspace: Workspace) -> None:
    with pytest.raises(NotFoundError):
        catalog.remove_definition(workspace.id, "cube", "none", 1, dispatch=("schedules", "none"))
    assert catalog.pending_dispatches(workspace.id) == ()


def test_they_wait_in_their_order_each_in_its_workspace(catalog: Catalog, workspace: Workspace) -> None:
    for name in ("c", "a", "b"):
        put(catalog, name, key=name)
    other = catalog.workspace("other")
    catalog.put_definition(other.id, "schedule", "x", {}, "h", "d", 1, dispatch=("schedules", "x"))
    assert [d.key for d in catalog.pending_dispatches(workspace.id)] == ["c", "a", "b"]
    assert [d.key for d in catalog.pending_dispatches(other.id)] == ["x"]


def test_one_that_fails_stays_and_one_that_is_finished_goes(catalog: Catalog, workspace: Workspace) -> None:
    put(catalog, "a")
    put(catalog, "b")
    first, second = catalog.pending_dispatches(workspace.id)
    catalog.fail_dispatch(first.number, "the server is away")
    catalog.fail_dispatch(first.number, "it is away still")
    catalog.finish_dispatch(second.number, 2)
    (left,) = catalog.pending_dispatches(workspace.id)
    assert (left.number, left.attempts, left.error) == (first.number, 2, "it is away still")


def test_finishing_or_failing_one_that_is_settled_changes_nothing(
    catalog: Catalog, workspace: Workspace
) -> None:
    put(catalog, "a")
    (dispatch,) = catalog.pending_dispatches(workspace.id)
    for _ in range(2):
        catalog.finish_dispatch(dispatch.number, 2)
    catalog.fail_dispatch(dispatch.number, "too late")
    assert catalog.pending_dispatches(workspace.id) == ()


def test_finished_ones_are_kept_a_week(catalog: Catalog, workspace: Workspace) -> None:
    def kept() -> int:
        engine = sa.create_engine(catalog.url)
        with engine.connect() as connection:
            found = connection.execute(sa.text("SELECT count(*) FROM dispatches")).scalar_one()
        engine.dispose()
        return found

    for name in "abc":
        put(catalog, name)
    for dispatch, now_us in zip(
        catalog.pending_dispatches(workspace.id), (0, 7 * DAY_US, 7 * DAY_US + 1), strict=True
    ):
        catalog.finish_dispatch(dispatch.number, now_us)
    assert kept() == 2
