"""A tile: what JupyterLab's launcher opens: the service's page, or Prefect's, behind Jupyter's own address.

jupyter-server-proxy finds both by the entry points of this package, starts what is behind a tile when it
is first opened, and ends it with Jupyter.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aggflow.errors import AggflowError
from aggflow.settings import read_settings

_HOST: Final = "127.0.0.1"
_PICTURES: Final = Path(__file__).parent / "pictures"
_SERVICE_SECONDS, _PREFECT_SECONDS = 90.0, 240.0


def service() -> dict[str, Any]:
    """The tile of the service: its page says what is built, what failed, what endpoints answer.

    Returns
    -------
    dict
        For jupyter-server-proxy.  What listens at ``AGGFLOW_SERVICE_PORT`` is shown; where that is not
        set, or nothing listens there, a service of the home that ``AGGFLOW_HOME`` names is started.
    """
    return {
        "command": _serve,
        "port": _service_port(),
        "timeout": _SERVICE_SECONDS,
        # Jupyter has let the reader in; to the service it is a reader of its own machine.
        "request_headers_override": {"Host": f"{_HOST}:{{port}}"},
        "launcher_entry": _entry("aggflow", "aggflow.svg", is_there=find_spec("fastapi") is not None),
        "new_browser_tab": False,
    }


def _serve(port: int) -> list[str]:
    if _listens(port):
        return []
    return [sys.executable, "-m", "aggflow", "serve", "--port", str(port)]


def _service_port() -> int:
    try:
        return read_settings().service_port
    except AggflowError:
        # Whoever opens a workspace is told what is wrong with the settings.
        return 0


class PrefectTile:
    """The tile of Prefect's UI, whose pages have to know under which address a browser finds them.

    Parameters
    ----------
    environment
        Of Jupyter: where ``PREFECT_API_URL`` names a server of this machine, it is shown; else
        ``aggflow up`` is started, and with it the flows.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        named = urlsplit(environment.get("PREFECT_API_URL", ""))
        self._is_named = bool(named.netloc)
        self.is_there = not self._is_named or named.hostname in (_HOST, "localhost")
        self._port = (named.port or 80) if self._is_named and self.is_there else 0
        self._base = ""

    def entry(self) -> dict[str, Any]:
        """For jupyter-server-proxy."""

        # It looks at the names of what it calls, and a method's first would be self.
        def command(port: int, base_url: str) -> list[str]:
            return self.command(port, base_url)

        def environment(base_url: str) -> dict[str, str]:
            return self.environment(base_url)

        def mapped(path: str) -> str:
            return self.path(path)

        def rewritten(response: Any) -> None:
            self.relocated(response)

        is_there = self.is_there and find_spec("prefect") is not None
        return {
            "command": command,
            "environment": environment,
            "port": self._port,
            "timeout": _PREFECT_SECONDS,
            "mappath": mapped,
            "rewrite_response": rewritten,
            "launcher_entry": _entry("Prefect", "prefect.svg", is_there=is_there),
            "new_browser_tab": False,
        }

    def command(self, port: int, base_url: str) -> list[str]:
        """What starts it; nothing where it runs already."""
        self._base = f"{base_url.rstrip('/')}/prefect"
        if self._is_named:
            return []
        beside = ["--prefect-port", str(port), "--port", str(_free_port())]
        return [sys.executable, "-m", "aggflow", "up", *beside]

    def environment(self, base_url: str) -> dict[str, str]:
        """What its pages have to know: where they are, and where their API is."""
        base = f"{base_url.rstrip('/')}/prefect"
        return {"PREFECT_UI_SERVE_BASE": base, "PREFECT_UI_API_URL": f"{base}/api"}

    def path(self, path: str) -> str:
        """Where the server has what a browser asks for below the tile's address."""
        return path if path == "/api" or path.startswith("/api/") else f"{self._base}{path}"

    def relocated(self, response: Any) -> None:
        """Let an address that the server sends a browser to be one below the tile's, as the proxy wants it."""
        location = response.headers.get("Location", "")
        if self._base and location.startswith(self._base):
            response.headers["Location"] = location.removeprefix(self._base) or "/"


def prefect() -> dict[str, Any]:
    """The tile of Prefect's UI, for jupyter-server-proxy."""
    return PrefectTile().entry()


def _entry(title: str, picture: str, *, is_there: bool) -> dict[str, Any]:
    # JupyterLab draws pictures of tiles in this category and no other.
    return {
        "title": title,
        "icon_path": str(_PICTURES / picture),
        "category": "Notebook",
        "enabled": is_there,
    }


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex((_HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind((_HOST, 0))
        return any_port.getsockname()[1]
