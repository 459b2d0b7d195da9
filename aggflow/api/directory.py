"""A directory: finds the route of a path by its parts, however many routes there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_ANY: Final = "{}"


class _Place:
    """The routes that end at some part of a path, and where further parts lead."""

    __slots__ = ("routes", "ways")

    def __init__(self) -> None:
        self.ways: dict[str, _Place] = {}
        self.routes: list[tuple[int, Route]] = []


class Directory(BaseRoute):
    """Stands before the routes of an app, and saves trying them one after the other.

    What it does not find, a wrong method among it, is left to the routes behind it.

    Parameters
    ----------
    routes
        Of which those that are plain routes are kept; the first that matches is taken, as always.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._root = _Place()
        for number, route in enumerate(routes):
            # A parameter of several parts can stand for any number of them.
            if isinstance(route, Route) and ":path}" not in route.path:
                self._enter(number, route)

    def _enter(self, number: int, route: Route) -> None:
        place = self._root
        for part in route.path.split("/"):
            place = place.ways.setdefault(_ANY if "{" in part else part, _Place())
        place.routes.append((number, route))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether there is a route for a path and method, and what it makes of them."""
        # A path below a proxy's prefix begins with what is no part of any route.
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        found = self._ends(scope["path"].split("/"))
        if len(found) > 1:
            found.sort(key=lambda numbered: numbered[0])
        for _, route in found:
            match, child = route.matches(scope)
            if match is Match.FULL:
                child["route"] = route
                return match, child
        return Match.NONE, {}

    def _ends(self, parts: list[str]) -> list[tuple[int, Route]]:
        places = [self._root]
        for part in parts:
            places = [end for place in places for way in (part, _ANY) if (end := place.ways.get(way))]
        return [route for place in places for route in place.routes]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the route that was found."""
        await scope["route"].handle(scope, receive, send)
