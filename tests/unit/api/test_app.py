"""The service of a home: whether it runs, whether it is ready, where a browser goes on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from httpx import ASGITransport

from aggflow import __version__
from aggflow.api import create_app
from aggflow.errors import CatalogBusyError, StoreError
from aggflow.workspace import Workspace


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    return httpx.AsyncClient(transport=ASGITransport(create_app(tmp_path)), base_url="http://service")


def get(client: httpx.AsyncClient, path: str) -> httpx.Response:
    import asyncio

    return asyncio.run(client.get(path))


def test_it_runs(client: httpx.AsyncClient) -> None:
    assert get(client, "/healthz").json() == {"status": "ok", "version": __version__}


def test_it_is_ready_without_prefect(client: httpx.AsyncClient) -> None:
    answer = get(client, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {
        "catalog": "ok",
        "store": "ok",
        "prefect": "none: PREFECT_API_URL is not set; schedules do not fire, tasks run when they are changed",
    }


def test_prefect_away_is_said_and_keeps_nobody_from_asking(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    answer = get(client, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["prefect"].startswith("it cannot be reached")


@pytest.mark.parametrize(
    ("error", "which"), [(CatalogBusyError("it is locked"), "catalog"), (StoreError("it is gone"), "store")]
)
def test_without_its_catalog_or_store_it_is_not_ready(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, error: Exception, which: str
) -> None:
    def fail(_: Workspace) -> None:
        raise error

    monkeypatch.setattr(Workspace, "check", fail)
    answer = get(client, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["checks"][which].startswith("it is")


def test_its_routes_are_described(client: httpx.AsyncClient) -> None:
    paths = get(client, "/openapi.json").json()["paths"]
    assert {"/healthz", "/readyz", "/metrics"} <= set(paths)
