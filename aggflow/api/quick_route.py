"""A quick route: one whose function reads all of its request by itself, so that it is called with nothing in between."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import Receive, Scope, Send


class QuickRoute(APIRoute):
    """A route without FastAPI's search for parameters, which takes longer than many an answer.

    Its function is ``async`` and takes the request alone; it finds who calls by ``caller_of(request)``
    and its parameters in ``request.path_params``.  What it takes is described by ``openapi_extra``.
    Made by ``APIRouter(route_class=QuickRoute)``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What FastAPI puts around a function is for what it depends on, and this one depends on nothing.
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    def get_route_handler(self) -> Callable[[Any], Any]:
        """The function itself."""
        names = list(inspect.signature(self.endpoint).parameters)
        if not inspect.iscoroutinefunction(self.endpoint) or len(names) != 1:
            raise TypeError(f"{self.endpoint.__name__} must be async and take the request alone, not {names}")
        return self.endpoint
