"""Ids of requests, and what is done with an error that nobody foresaw."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggflow.api.exchange import Exchange, Exchanges


def rescue(error: Exception, _: Scope) -> ASGIApp:
    return PlainTextResponse(f"sorry: {type(error).__name__}", 500)


class Asked:
    """One request through an app: what was sent, what was watched."""

    def __init__(self, app: ASGIApp, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.sent: list[Message] = []
        self.watched: list[tuple[str, int, int]] = []
        self.error: Exception | None = None
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers or [], "client": None}
        asyncio.run(self._ask(Exchanges(app, [self._watch], rescue), scope))

    def _watch(self, exchange: Exchange) -> None:
        assert exchange.ended >= exchange.began
        self.watched.append((exchange.request_id, exchange.status, exchange.bytes))

    async def _ask(self, app: ASGIApp, scope: Any) -> None:
        async def receive() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.sent.append(message)

        try:
            await app(scope, receive, send)
        except ZeroDivisionError as error:
            self.error = error

    @property
    def request_id(self) -> str:
        return dict(self.sent[0]["headers"])[b"x-request-id"].decode()


def test_the_id_of_a_client_is_kept() -> None:
    asked = Asked(PlainTextResponse("hello"), [(b"x-request-id", b"run-7.b_3")])
    assert asked.request_id == "run-7.b_3"
    assert asked.watched == [("run-7.b_3", 200, 5)]


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 65, b"a\nb", b'"', "é".encode()])
def test_an_id_that_could_not_be_told_is_replaced(sent: bytes) -> None:
    asked = Asked(PlainTextResponse("hello"), [(b"x-request-id", sent)])
    assert re.fullmatch("[0-9a-f]{32}", asked.request_id)


def test_no_two_ids_are_alike() -> None:
    ids: set[str] = set()

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("hello")(scope, receive, send)

    app = Exchanges(note, [lambda exchange: ids.add(exchange.request_id)], rescue)

    async def ask() -> None:
        for _ in range(100):
            scope = {"type": "http", "method": "GET", "path": "/", "headers": []}

            async def nothing(*_: Any) -> Any:
                return None

            await app(scope, nothing, nothing)

    asyncio.run(ask())
    assert len(ids) == 100


def test_an_error_that_nobody_foresaw_is_answered() -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    asked = Asked(fail)
    assert asked.error is None
    assert [message.get("status") for message in asked.sent] == [500, None]
    assert asked.sent[1]["body"] == b"sorry: ZeroDivisionError"
    assert asked.watched == [(asked.request_id, 500, len(b"sorry: ZeroDivisionError"))]


def test_an_answer_that_has_begun_is_broken_off() -> None:
    async def fail(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[1,", "more_body": True})
        raise ZeroDivisionError

    asked = Asked(fail)
    assert isinstance(asked.error, ZeroDivisionError)
    assert [message["type"] for message in asked.sent] == ["http.response.start", "http.response.body"]
    assert asked.watched == [(asked.request_id, 200, 3)]
