"""A served home: the service of a home on a disk, asked without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from aggflow.api.app import app_of, create_app
from aggflow.api.attempts import Attempts
from aggflow.workspace import Home


class Served:
    """The service of a home, and a client of it.

    Attributes
    ----------
    home
        To be declared in and built.
    app
        What answers.
    """

    def __init__(self, home: Path | str, modules: Sequence[ModuleType | type] | None = None) -> None:
        if modules is None:
            self.app = create_app(home)
            self.home: Home = self.app.state.home
        else:
            self.home = Home.open(home)
            self.app = app_of(self.home, modules)

    @classmethod
    def on(cls, url: str, store: Path) -> Served:
        """The service of a home whose catalog is a database's, and whose states and events are in a folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AGGFLOW_STORE", str(store / "segments"))
            patch.setenv("AGGFLOW_EVENTS", str(store / "events"))
            return cls(url)

    def token(self, *permissions: str, workspace: str = "self", **options: Any) -> str:
        """The secret of a new token."""
        return self.home.workspace(workspace).create_token(
            "test", owner="a@b.example", permissions=permissions or ["admin"], **options
        )

    def stop_forgiving(self) -> None:
        """Let failed attempts be counted in an instant that does not end, however slow the machine is."""
        self.app.state.door._attempts = Attempts(self.home.settings.failed_attempts, lambda: 0.0)

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
        """The answer to one request."""
        headers = dict(options.pop("headers", None) or {})
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        return asyncio.run(self._ask(method, path, headers=headers, **options))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, **options)
