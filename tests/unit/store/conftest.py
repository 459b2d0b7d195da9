"""A store, a catalog and a rollup in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggflow.catalog import Catalog, Rollup
from aggflow.store import SegmentStore


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "segments")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.db") as opened:
        yield opened


@pytest.fixture
def rollup(catalog: Catalog) -> Rollup:
    workspace = catalog.workspace("shop")
    owner = catalog.put_definition(workspace.id, "filter", "delays", {}, "h1", "d1", 1)
    return catalog.create_rollup(workspace.id, "filter", owner.id, "delays", "flights", {}, "h1")
