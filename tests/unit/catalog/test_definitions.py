from __future__ import annotations

import pytest

from aggflow.catalog import Catalog, Definition, Rollup, Workspace
from aggflow.errors import ConflictError, NotFoundError, SpecError


def test_a_workspace_is_made_on_first_use(catalog: Catalog) -> None:
    assert catalog.workspace("shop") == Workspace("ws_shop", "shop") == catalog.workspace("shop")
    assert catalog.workspaces() == (Workspace("ws_shop", "shop"),)


@pytest.mark.parametrize("name", ["", "Shop", "my shop", "../x", "a-b", "é"])
def test_a_workspace_has_a_plain_name(catalog: Catalog, name: str) -> None:
    with pytest.raises(SpecError):
        catalog.workspace(name)


def test_what_is_put_is_got(catalog: Catalog, workspace: Workspace) -> None:
    spec = {"where": "@.a == 'é'", "list": [1, 2.5, None, True], "deep": {"x": {}}}
    put = catalog.put_definition(workspace.id, "filter", "delays", spec, "h", "d", 5)
    assert (put.generation, put.created_us, put.updated_us) == (1, 5, 5)
    assert catalog.get_definition(workspace.id, "filter", "delays") == put
    assert catalog.definition_by_id(put.id) == put
    assert put.spec == spec


def test_equal_hashes_leave_it_alone(catalog: Catalog, workspace: Workspace) -> None:
    first = catalog.put_definition(workspace.id, "filter", "delays", {"a": 1}, "h", "d", 5)
    assert catalog.put_definition(workspace.id, "filter", "delays", {"a": 1}, "h", "d", 9) == first


@pytest.mark.parametrize("hashes", [("h2", "d"), ("h", "d2")])
def test_another_hash_replaces_it_under_its_id(
    catalog: Catalog, workspace: Workspace, hashes: tuple[str, str]
) -> None:
    first = catalog.put_definition(workspace.id, "filter", "delays", {"a": 1}, "h", "d", 5)
    second = catalog.put_definition(workspace.id, "filter", "delays", {"a": 2}, *hashes, 9)
    assert (second.id, second.generation, second.created_us, second.updated_us) == (first.id, 2, 5, 9)
    assert catalog.get_definition(workspace.id, "filter", "delays") == second


def test_names_are_of_a_kind_and_a_workspace(catalog: Catalog, workspace: Workspace) -> None:
    other = catalog.workspace("other")
    for owner, kind in ((workspace, "filter"), (workspace, "endpoint"), (other, "filter")):
        catalog.put_definition(owner.id, kind, "delays", {"of": kind}, "h", "d", 1)
    assert [d.kind for d in catalog.list_definitions(workspace.id)] == ["endpoint", "filter"]
    assert len(catalog.list_definitions(workspace.id, "filter")) == 1
    assert catalog.get_definition(other.id, "endpoint", "delays") is None


def test_lists_are_by_name(catalog: Catalog, workspace: Workspace) -> None:
    for name in ("b", "a", "c"):
        catalog.put_definition(workspace.id, "filter", name, {}, "h", "d", 1)
    assert [d.name for d in catalog.list_definitions(workspace.id, "filter")] == ["a", "b", "c"]


def test_removing_takes_its_rollups_along(catalog: Catalog, workspace: Workspace, rollup: Rollup) -> None:
    catalog.remove_definition(workspace.id, "filter", "delays", 2)
    assert catalog.get_definition(workspace.id, "filter", "delays") is None
    with pytest.raises(NotFoundError):
        catalog.rollup(rollup.id)


def test_removing_what_is_not_there_names_the_nearest(catalog: Catalog, rollup: Rollup) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'delays'"):
        catalog.remove_definition("ws_shop", "filter", "delay", 2)


def test_an_unknown_workspace_is_an_error(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="workspace"):
        catalog.put_definition("ws_none", "filter", "x", {}, "h", "d", 1)


def test_a_definition_is_not_stored_without_what_it_needs(catalog: Catalog, workspace: Workspace) -> None:
    needed = catalog.put_definition(workspace.id, "filter", "delays", {}, "h", "d", 1)
    catalog.put_definition(workspace.id, "endpoint", "e", {}, "h", "d", 2, needs=needed.id)
    catalog.remove_definition(workspace.id, needed.kind, needed.name, 3)
    with pytest.raises(ConflictError, match="what endpoint 'late' needs was removed meanwhile"):
        catalog.put_definition(workspace.id, "endpoint", "late", {}, "h", "d", 4, needs=needed.id)
    assert catalog.get_definition(workspace.id, "endpoint", "late") is None


def test_a_definition_is_kept_where_a_look_at_others_refuses(catalog: Catalog, workspace: Workspace) -> None:
    kept = catalog.put_definition(workspace.id, "filter", "delays", {}, "h", "d", 1)
    other = catalog.put_definition(workspace.id, "endpoint", "e", {}, "h", "d", 2)

    def refuse(seen: tuple[Definition, ...]) -> None:
        raise ConflictError(", ".join(one.id for one in seen))

    with pytest.raises(ConflictError, match=f"^{other.id}$"):
        catalog.remove_definition(workspace.id, kept.kind, kept.name, 3, check=("endpoint", refuse))
    assert catalog.definition_by_id(kept.id) == kept
