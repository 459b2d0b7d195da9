"""The routes of the whole service, as it declares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from served import Served

# What is for people and machines that look after the service: pages, and nothing of any family.
_OWN = re.compile(r"/|/(docs|openapi\.json|healthz|readyz|metrics|sign-in|sign-out|status)(/.*)?")


@dataclass(frozen=True)
class Asked:
    """A route and one of its methods.

    Attributes
    ----------
    method, path
        As they are declared: ``GET /api/v1/filters/{name}``.
    """

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names of what the path leaves open."""
        return re.findall(r"\{(\w+)", self.path)

    def filled(self, values: dict[str, str]) -> str:
        """The path with values."""
        return re.sub(r"\{(\w+)[^}]*\}", lambda match: values[match[1]], self.path)


def routes_of(app: FastAPI) -> Iterator[Asked]:
    """The routes of all families, each of its methods."""
    for route in iter_route_contexts(app.routes):
        if route.path and route.methods and not _OWN.fullmatch(route.path):
            for method in sorted(route.methods - {"HEAD"}):
                yield Asked(method, route.path)


def family_of(served: Served, path: str) -> str:
    """The name of the family that owns a path."""
    return served.app.state.door._families.owner(path).name
