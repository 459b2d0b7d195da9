"""A catalog, and a rollup in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggflow.catalog import Catalog, Rollup, Workspace


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy, which is faster than making another."""
    path = tmp_path_factory.mktemp("catalog") / "empty.db"
    Catalog.open(path).close()
    return path


@pytest.fixture
def catalog(empty_catalog: Path, tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(shutil.copy(empty_catalog, tmp_path / "catalog.db"), create=False) as opened:
        yield opened


@pytest.fixture
def workspace(catalog: Catalog) -> Workspace:
    return catalog.workspace("shop")


@pytest.fixture
def rollup(catalog: Catalog, workspace: Workspace) -> Rollup:
    owner = catalog.put_definition(workspace.id, "filter", "delays", {"interval": "1h"}, "h1", "d1", 1)
    return catalog.create_rollup(workspace.id, "filter", owner.id, "delays", "flights", {"v": 1}, "h1")
