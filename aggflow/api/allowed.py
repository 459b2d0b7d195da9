"""Allowed: the methods that a path takes, over all of its routes."""

from __future__ import annotations

import re
from functools import cached_property

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


class Allowed:
    """The methods that each path of an app takes.

    Parameters
    ----------
    app
        With all its routes, when it is first asked.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    @cached_property
    def _routes(self) -> list[tuple[re.Pattern[str], frozenset[str]]]:
        found = iter_route_contexts(self._app.routes)
        return [(route.path_regex, frozenset(route.methods)) for route in found if route.methods]

    def methods(self, path: str) -> list[str]:
        """The methods that a path takes, in alphabetical order."""
        return sorted({method for regex, methods in self._routes if regex.match(path) for method in methods})
