"""A body limit: requests with a larger body are refused, however their length is told."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggflow.api.errors import answer, failure_of
from aggflow.api.failure import Refused
from aggflow.api.family import Families

MOST_BYTES: Final = 1 << 20


class BodyLimit:
    """Refuses bodies over a limit: at once where the length is told, else when it is passed.

    Parameters
    ----------
    app
        What answers.
    families
        Whose shapes errors take.
    most
        Bytes.
    """

    def __init__(self, app: ASGIApp, families: Families, most: int = MOST_BYTES) -> None:
        self._app = app
        self._families = families
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        told = told_length(scope) if scope["type"] == "http" else 0
        # A body is no longer than it is told to be: servers see to that.
        if told is not None and told <= self._most:
            await self._app(scope, receive, send)
            return
        if told is not None:
            request = Request(scope)
            response = answer(failure_of(self._refusal()), request, self._families)
            await response(scope, receive, send)
            return
        length = 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > self._most:
                raise self._refusal()
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> Refused:
        # What was not read of the body would be taken for the next request.
        return Refused(
            413,
            f"the body is larger than {self._most:,} bytes",
            details=[("body", "is too large")],
            headers={"Connection": "close"},
        )


def told_length(scope: Scope) -> int | None:
    """The length of a request's body, as it is told; None where there may be one of unknown length."""
    told = 0 if scope["method"] in ("GET", "HEAD") else None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length" and value.isdigit():
            # More digits than any length has: as a number they would cost time.
            told = int(value[:18])
    return told
