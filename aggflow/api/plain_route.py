"""A plain route: its function takes the request and reads of it what it needs; FastAPI only describes it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class PlainRoute(APIRoute):
    """For routes that are asked thousands of times a second.

    ``APIRouter(route_class=PlainRoute)`` makes all routes of a router plain; their functions take one
    argument, the request.  What FastAPI does to find parameters takes as long as a short answer.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function itself."""
        return self.endpoint
