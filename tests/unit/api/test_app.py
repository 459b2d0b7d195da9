"""The service of a home: whether it runs, whether it is ready, where a browser goes on."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from httpx import ASGITransport

import aggflow as af
from aggflow import __version__
from aggflow.api import create_app
from aggflow.errors import CatalogBusyError, StoreError
from aggflow.workspace import Workspace

ADDRESS = "postgresql://me@db.example/shop"


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
    "address",
    [
        "http://127.0.0.1:port/api",
        "http://127.0.0.1:99999999/api",
        "http://me:s3cret/word@127.0.0.1:4200/api",
        "http://[::1/api",
        "http://with space/api",
        "127.0.0.1:4200/api",
    ],
)
def test_an_address_of_prefect_that_is_none_is_no_error_of_the_service(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)
    answer = get(client, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["prefect"].startswith("it cannot be reached: ")
    assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("error", "which", "told"),
    [
        (CatalogBusyError(f"{ADDRESS} is locked"), "catalog", "the catalog cannot be used just now"),
        (StoreError(f"{ADDRESS} is gone"), "store", "the states cannot be read just now"),
    ],
)
def test_without_its_catalog_or_store_it_is_not_ready(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    which: str,
    told: str,
) -> None:
    """Anybody is told which of them, and the log, not anybody, where it is."""

    def fail(_: Workspace) -> None:
        raise error

    monkeypatch.setattr(Workspace, "check", fail)
    answer = get(client, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["checks"][which] == told
    assert ADDRESS not in answer.text
    assert ADDRESS in caplog.text


def home_of_a_segment(folder: Path) -> Path:
    """A home in which something is built; where its segments are."""
    with af.open(folder / "home") as ws:
        (folder / "clicks.csv").write_text("at,kind\n2025-01-01 10:00:00,view\n2025-01-01 11:30:00,view\n")
        ws.add_source("clicks", str(folder / "clicks.csv"), time="at")
        ws.add_filter("views", source="clicks", interval="1h", groupings=["kind"])
        ws.build("views", progress=False)
    return folder / "home" / "segments"


@pytest.mark.parametrize("is_file", [False, True])
def test_without_the_folder_of_its_segments_it_is_not_ready(tmp_path: Path, *, is_file: bool) -> None:
    segments = home_of_a_segment(tmp_path)
    client = httpx.AsyncClient(
        transport=ASGITransport(create_app(tmp_path / "home")), base_url="http://service"
    )
    assert get(client, "/readyz").status_code == 200
    segments.rename(tmp_path / "elsewhere")
    if is_file:
        segments.write_text("")
    answer = get(client, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["store"] == "the states cannot be read just now"


def test_a_file_where_segments_are_to_be_is_no_store(client: httpx.AsyncClient, tmp_path: Path) -> None:
    segments = tmp_path / "segments"
    if segments.exists():
        segments.rmdir()
    segments.write_text("")
    assert get(client, "/readyz").status_code == 503


def test_its_routes_are_described(client: httpx.AsyncClient) -> None:
    paths = get(client, "/openapi.json").json()["paths"]
    assert {"/healthz", "/readyz", "/metrics"} <= set(paths)
