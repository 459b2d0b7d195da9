from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from aggflow.catalog import Catalog


def test_a_catalog_keeps_its_id(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "a.db") as catalog:
        first = catalog.home_id()
        assert str(UUID(first)) == first == catalog.home_id()
    (tmp_path / "a.db").rename(tmp_path / "b.db")
    with Catalog.open(tmp_path / "b.db") as catalog:
        assert catalog.home_id() == first
    with Catalog.open(tmp_path / "c.db") as catalog:
        assert catalog.home_id() != first


def test_it_is_made_once_however_many_ask(catalog: Catalog) -> None:
    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(lambda _: catalog.home_id(), range(12)))) == 1
