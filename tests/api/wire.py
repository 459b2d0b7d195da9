"""A wire: the way of a client's requests to an app of this process, as if over a network."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


class Wire(httpx.BaseTransport):
    """Asks an app of this process, as if over a network."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        answer = await transport.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        # What is read here is not compressed any more.
        headers = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
        return httpx.Response(answer.status_code, headers=headers, content=await answer.aread())
