"""Tiles: what jupyter-server-proxy is told, and that it takes it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jupyter_server_proxy.config import ServerProcess
from jupyter_server_proxy.utils import call_with_asked_args

from aggflow.notebook.tile import PrefectTile, service


def test_both_are_taken_and_have_pictures() -> None:
    for entry in (service(), PrefectTile({}).entry()):
        process = ServerProcess(name="x", **entry)
        assert process.launcher_entry.enabled
        assert Path(process.launcher_entry.icon_path).read_text().startswith("<svg")


def test_a_service_that_runs_is_shown_and_one_that_does_not_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        port = there.getsockname()[1]
        monkeypatch.setenv("AGGFLOW_SERVICE_PORT", str(port))
        entry = service()
        assert entry["port"] == port
        asked = {"port": port, "base_url": "/", "unix_socket": ""}
        assert call_with_asked_args(entry["command"], asked) == []
    started = call_with_asked_args(entry["command"], asked)
    assert started == [sys.executable, "-m", "aggflow", "serve", "--port", str(port)]


def test_a_wrong_setting_leaves_jupyter_its_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGFLOW_SERVICE_PORT", "many")
    assert service()["port"] == 0


def test_prefect_is_started_and_told_under_which_address_it_is_found() -> None:
    entry = PrefectTile({}).entry()
    asked = {"port": 4300, "base_url": "/user/me/", "unix_socket": ""}
    command = call_with_asked_args(entry["command"], asked)
    assert command[1:6] == ["-m", "aggflow", "up", "--prefect-port", "4300"]
    assert call_with_asked_args(entry["environment"], asked) == {
        "PREFECT_UI_SERVE_BASE": "/user/me/prefect",
        "PREFECT_UI_API_URL": "/user/me/prefect/api",
    }
    paths = ["/", "/ui-settings", "/api/health", "/apiary"]
    assert [call_with_asked_args(entry["mappath"], {"path": path}) for path in paths] == [
        "/user/me/prefect/",
        "/user/me/prefect/ui-settings",
        "/api/health",
        "/user/me/prefect/apiary",
    ]


@pytest.mark.parametrize(
    ("location", "below"),
    [
        ("/user/me/prefect/v2/runs", "/v2/runs"),
        ("/user/me/prefect", "/"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
    ],
)
def test_where_prefect_sends_a_browser_is_said_below_the_tile(location: str, below: str) -> None:
    entry = PrefectTile({}).entry()
    call_with_asked_args(entry["command"], {"port": 1, "base_url": "/user/me/", "unix_socket": ""})
    response = SimpleNamespace(headers={"Location": location})
    entry["rewrite_response"](response)
    assert response.headers["Location"] == below


def test_a_prefect_of_this_machine_is_shown_and_one_elsewhere_has_no_tile() -> None:
    here = PrefectTile({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}).entry()
    assert here["port"] == 4200
    assert call_with_asked_args(here["command"], {"port": 4200, "base_url": "/", "unix_socket": ""}) == []
    elsewhere = PrefectTile({"PREFECT_API_URL": "https://api.prefect.example/api"}).entry()
    assert not elsewhere["launcher_entry"]["enabled"]
