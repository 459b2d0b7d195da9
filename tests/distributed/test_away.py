"""Servers that are not there, or do not let anyone in: one sentence, and never a password."""

from __future__ import annotations

import pytest
from daemon import free_port
from object_store import ObjectStore
from postgres_server import PostgresServer
from s3fs import S3FileSystem

import aggflow as af
from aggflow.catalog import Catalog
from aggflow.errors import CatalogError, CatalogUnavailableError, StoreError, StoreUnavailableError
from aggflow.store import SegmentStore


def test_a_catalog_whose_server_is_away(postgres: PostgresServer) -> None:
    url = postgres.url().replace(str(postgres.port), str(free_port()))
    with pytest.raises(CatalogUnavailableError, match=r"cannot be reached: .*refused") as caught:
        Catalog.open(url)
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password(postgres: PostgresServer) -> None:
    url = f"postgresql://{postgres.user}:wr0ng@127.0.0.1:{postgres.port}/postgres"
    with pytest.raises(CatalogError, match="password authentication failed") as caught:
        Catalog.open(url)
    assert "wr0ng" not in str(caught.value)


def test_a_connection_that_was_cut_off_is_made_anew(postgres: PostgresServer) -> None:
    with Catalog.open(postgres.create("cut")) as catalog:
        before = catalog.home_id()
        assert postgres.drop_connections("cut")
        assert catalog.home_id() == before
        assert postgres.drop_connections("cut")
        assert catalog.workspace("shop").name == "shop"


def test_a_home_on_servers_needs_a_store(postgres: PostgresServer) -> None:
    with pytest.raises(af.AggflowError, match="a catalog's URL needs a store") as caught:
        af.open(postgres.url())
    assert "s3cret" not in str(caught.value)


def test_a_bucket_that_is_not_there(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in objects.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match="make the bucket first") as caught:
        SegmentStore("s3://nowhere/segments").put("r/1/a.parquet", b"x")
    assert objects.secret not in str(caught.value)


@pytest.mark.slow
def test_an_object_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with ObjectStore.started() as objects:
        gone = objects.environment
    for name, value in gone.items():
        monkeypatch.setenv(name, value)
    # A process keeps its connection to a store, whatever its environment says later.
    S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreUnavailableError, match="does the object store answer") as caught:
        SegmentStore("s3://away/segments").raw("r/1/a.parquet")
    S3FileSystem.clear_instance_cache()
    assert objects.secret not in str(caught.value)
