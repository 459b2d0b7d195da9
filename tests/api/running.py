"""A running service: ``aggflow serve`` as a process of its own, on a free port of loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from daemon import Daemon, free_port


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes
    ----------
    url
        Where.
    daemon
        Its process.
    """

    url: str
    daemon: Daemon

    def ask(self, method: str, path: str, token: str, **options: Any) -> httpx.Response:
        """The answer to one request."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=60, **options)


@contextmanager
def running(home: Path | str, folder: Path, **environment: str) -> Iterator[Running]:
    """A service for the time of a ``with``; no Prefect is named to it unless the environment says so.

    Parameters
    ----------
    home
        What it serves: a folder, or the URL of a catalog.
    folder
        Where its log goes.
    environment
        Variables of its own.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    command = [sys.executable, "-m", "aggflow", "serve", "--home", str(home), "--port", str(port)]
    given = {"PREFECT_API_URL": "", "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    daemon = Daemon.started(
        command, user=None, log=folder / "service.log", is_ready=answers, environment=given
    )
    try:
        yield Running(url, daemon)
    finally:
        daemon.stop()
