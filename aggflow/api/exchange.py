"""An exchange: one request and its response, with the id that both and the log know it by."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggflow.api.repeatable import Repeatable
from aggflow.catalog import Mark

HEADER: Final = "X-Request-Id"
_KEY: Final = "aggflow.exchange"
_RAW: Final = HEADER.lower().encode()
_OWN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Exchange:
    """One request and its response, as far as it has come.

    Attributes
    ----------
    scope
        Of ASGI.
    request_id
        That of the client, where it sent one that can be told in a header and a log, else a new one.
    began, ended
        By the clock that only goes forward, in seconds.
    status
        Of the response; 0 before it begins.
    bytes
        Of its body, as they were sent.
    token
        What the token is called that it came with, once that is known.
    as_of
        What the catalog's mark was when the token was shown, where it has marks.
    repeatable
        Said by a route whose response may be given again while nothing is committed.
    """

    __slots__ = ("as_of", "began", "bytes", "ended", "repeatable", "request_id", "scope", "status", "token")

    def __init__(self, scope: Scope, request_id: str) -> None:
        self.scope = scope
        self.request_id = request_id
        self.began = time.perf_counter()
        self.ended = self.began
        self.status = 0
        self.bytes = 0
        self.token = ""
        self.as_of: Mark | None = None
        self.repeatable: Repeatable | None = None

    @property
    def route(self) -> str:
        """The path of its route, as it is declared; empty where it has none."""
        return getattr(self.scope.get("route"), "path", "")

    @property
    def address(self) -> str:
        """Where it came from."""
        client = self.scope.get("client")
        return client[0] if client else ""


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a request belongs to."""
    return scope[_KEY]


Watch = Callable[[Exchange], None]
Rescue = Callable[[Exception, Scope], ASGIApp]


class Exchanges:
    """The outermost part of the service: gives requests their ids, tells who watches how they ended.

    Parameters
    ----------
    app
        What answers.
    watches
        Called with each exchange when it has ended.
    rescue
        The response to an error that nobody foresaw.
    """

    def __init__(self, app: ASGIApp, watches: Sequence[Watch], rescue: Rescue) -> None:
        self._app = app
        self._watches = tuple(watches)
        self._rescue = rescue
        # An id has to be like no other, but may be guessed: a random number for each would be a system call.
        self._prefix = secrets.token_hex(10)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_KEY] = exchange = Exchange(scope, self._request_id(scope))
        header = (_RAW, exchange.request_id.encode())

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message.get("headers", ()), header]
            else:
                exchange.bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            response: Any = self._rescue(error, scope)
            # A response that has begun can only be broken off, so that nobody takes it for whole.
            if exchange.status:
                raise
            await response(scope, receive, noted)
        finally:
            exchange.ended = time.perf_counter()
            for watch in self._watches:
                watch(exchange)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == _RAW and _OWN_ID.fullmatch(value):
                return value.decode()
        return f"{self._prefix}{next(self._numbers):012x}"
