"""Echoes: responses given again to who sends the same request, to the letter, while nothing was committed.

A dashboard asks the same every few seconds.  Whatever its answer depends on is in the catalog: the token,
the definitions, what is built.  So where the catalog is as it was, the response is as it was, and nothing
of it has to be found out again: no route, no parameters, no question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggflow.api.body_limit import told_length
from aggflow.api.exchange import Exchange, exchange_of
from aggflow.api.repeatable import Repeatable
from aggflow.catalog import Mark
from aggflow.engine.reductions import Reductions
from aggflow.workspace import Home

_LONGEST: Final = 4096
"""Bytes of a request's body; a longer one would cost more to tell from others than it saves."""
_BESIDE: Final = 2000
"""Bytes, about, that an echo holds beside its body."""
# What of a request's headers a response depends on: who asks, what it has, what it takes.
_ASKED: Final = frozenset({b"authorization", b"x-api-token", b"if-none-match", b"accept-encoding"})


@dataclass(frozen=True, slots=True)
class Echo:
    """A response as it was sent.

    Attributes
    ----------
    start, body
        As messages of ASGI.
    route
        Whose it was.
    repeatable
        What has to hold, and is done, when it is given again.
    """

    start: Message
    body: Message
    route: Any
    repeatable: Repeatable

    @property
    def bytes(self) -> int:
        """Bytes that it holds, about."""
        return len(self.body.get("body", b"")) + _BESIDE


class Echoes:
    """Gives responses again; routes say which (`Exchange.repeatable`).

    Parameters
    ----------
    app
        What answers.
    home
        Whose catalog tells whether anything was committed; one that is a server is not asked.
    prefix
        Of the paths that it listens to.
    budget
        Bytes to keep at most; 0 keeps nothing.
    """

    def __init__(self, app: ASGIApp, home: Home, prefix: str, budget: int) -> None:
        self._app = app
        self._home = home
        self._prefix = prefix
        self._budget = budget if home.is_embedded else 0
        self._mark: Mark | None = None
        self._kept: Reductions[Echo] = Reductions(self._budget)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if not self._budget or scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        length = told_length(scope)
        if length is None or length > _LONGEST:
            await self._app(scope, receive, send)
            return
        content = b""
        if length:
            message = await receive()
            receive = _first(message, receive)
            content = message.get("body", b"")
            if len(content) != length:
                await self._app(scope, receive, send)
                return
        asked = tuple([header for header in scope["headers"] if header[0] in _ASKED])
        key = (scope["method"], scope["path"], scope["query_string"], asked, content)
        exchange = exchange_of(scope)
        echo = self._kept.find(key)
        if echo is not None and self._holds(echo, exchange):
            scope["route"] = echo.route
            await send({**echo.start})
            await send(echo.body)
            return
        messages: list[Message] = []

        async def heard(message: Message) -> None:
            # A response in more parts than one is not kept, so they need not be held.
            if len(messages) < 3:
                messages.append({**message})
            await send(message)

        await self._app(scope, receive, heard)
        self._keep(key, exchange, messages)

    def _holds(self, echo: Echo, exchange: Exchange) -> bool:
        """Whether a response is still right, and its token's use need not be written down."""
        mark = self._home.mark()
        if mark != self._mark or mark is None:
            return False
        token = echo.repeatable.token
        # A token expires without a commit.
        if not self._home.is_valid(token, mark) or self._home.is_to_be_noted(token):
            return False
        exchange.as_of = mark
        exchange.token = token.id
        if echo.repeatable.note is not None:
            echo.repeatable.note()
        return True

    def _keep(self, key: tuple[object, ...], exchange: Exchange, messages: list[Message]) -> None:
        repeatable = exchange.repeatable
        if repeatable is None or exchange.as_of is None or len(messages) != 2:
            return
        if exchange.as_of != self._mark:
            # All that is kept is of before a commit.
            self._mark = exchange.as_of
            self._kept = Reductions(self._budget)
        echo = Echo(messages[0], messages[1], exchange.scope["route"], repeatable)
        self._kept.get(key, lambda: echo)


def _first(message: Message, receive: Receive) -> Receive:
    """What receives a message that was received already, and then what follows."""
    messages = [message]

    async def received() -> Message:
        return messages.pop() if messages else await receive()

    return received
