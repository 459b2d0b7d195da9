"""What keeps `aggflow up` from beginning, each with one sentence."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import aggflow as af
from aggflow.errors import OrchestrationError, PortTakenError
from aggflow.orchestration import server, up


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def begins(tmp_path: Path, port: int, prefect_port: int | None = None) -> up.Up:
    return up.Up(str(tmp_path), "self", "id", [sys.executable, "-c", ""], port, prefect_port)


def never(*_: object) -> None:
    raise AssertionError


def test_a_port_that_is_taken_is_named(tmp_path: Path, taken: int) -> None:
    with pytest.raises(PortTakenError, match=rf"port {taken} .* \(--port names another one\)"):
        begins(tmp_path, taken).run(never, print, print)
    with pytest.raises(PortTakenError, match=rf"port {taken} .* \(--prefect-port names another one\)"):
        begins(tmp_path, up._prefect_port(None), taken).run(never, print, print)


def test_prefect_gets_another_port_where_its_own_is_taken(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PORT", taken)
    other = up._prefect_port(None)
    assert other != taken
    up.require_free(other, "")


def test_a_part_that_ends_by_itself_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    broken = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    wanted = up.Up(str(tmp_path), "self", "id", broken, up._prefect_port(None))
    with pytest.raises(OrchestrationError, match="the service ended with code 1") as raised:
        wanted.run(never, print, print)
    assert "no such thing" in raised.value.hint
    assert "service.log" in raised.value.hint


class ToldError(Exception):
    """What a test waited to be told."""


@pytest.mark.slow
def test_that_a_prefect_elsewhere_is_waited_for_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = up._prefect_port(None)
    with af.open(tmp_path) as ws:
        home_id = ws.home_id
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    idle = [sys.executable, "-c", "import time; time.sleep(600)"]
    wanted = up.Up(str(tmp_path), "self", home_id, idle, port)

    def said(line: str) -> None:
        if "cannot be reached" in line:
            raise ToldError(line)

    with pytest.raises(ToldError, match=r"Prefect at http://127\.0\.0\.1:9/api .*; it is waited for"):
        wanted.run(never, lambda _: None, said)


def test_nothing_is_told_to_anyone_unless_the_user_wants_it(tmp_path: Path) -> None:
    made = server.environment({"PATH": "/bin"}, tmp_path, 4242)
    assert made["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert made["DO_NOT_TRACK"] == "1"
    assert made["PREFECT_UI_API_URL"] == made["PREFECT_API_URL"] == "http://127.0.0.1:4242/api"
    assert made["PREFECT_HOME"] == str(tmp_path)
    wanted = server.environment({"PREFECT_SERVER_ANALYTICS_ENABLED": "true"}, tmp_path, 4242)
    assert wanted["PREFECT_SERVER_ANALYTICS_ENABLED"] == "true"
