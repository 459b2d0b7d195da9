"""A family: routes under common prefixes that share the shape of their errors and the header of their token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from aggflow.api.failure import Failure

BEARER: Final = "authorization"

Encode = Callable[[Failure], tuple[int, Mapping[str, Any]]]


def plain_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    """The shape of errors where no older API sets one: a message, what is wrong field by field, the request.

    Examples
    --------
    >>> plain_error(Failure(404, "not_found", "there is no such endpoint", request_id="r1"))
    (404, {'message': 'there is no such endpoint', 'errors': [], 'requestId': 'r1'})
    """
    errors = [{"field": detail.field, "message": detail.message} for detail in failure.details]
    return failure.status, {"message": failure.message, "errors": errors, "requestId": failure.request_id}


@dataclass(frozen=True)
class Family:
    """Routes that belong together.

    Attributes
    ----------
    name
        For people, metrics and the OpenAPI document.
    prefixes
        The paths that it owns, and all below them, those too that lead nowhere.
    encode_error
        The HTTP status and the body of a failure.
    header
        In lower case, the header that its clients send the token in; ``Authorization: Bearer`` is
        read on every route.
    """

    name: str
    prefixes: tuple[str, ...]
    encode_error: Encode = plain_error
    header: str = BEARER


SERVICE: Final = Family("service", ("/",))
"""Owns what no other family does."""


class Families:
    """The families of an app, found by path.

    Parameters
    ----------
    families
        All but `SERVICE`.
    """

    def __init__(self, families: Iterable[Family] = ()) -> None:
        self.all: tuple[Family, ...] = (*families, SERVICE)
        by_prefix = {prefix.rstrip("/"): family for family in self.all for prefix in family.prefixes}
        # The longest prefix decides.
        self._by_prefix = sorted(by_prefix.items(), key=lambda item: -len(item[0]))
        # Each request is asked about more than once, most are about the same few things.
        self._owner = lru_cache(1024)(self._find)

    def owner(self, path: str) -> Family:
        """The family that owns a path.

        Examples
        --------
        >>> data = Family("data", ("/api/v1/data",))
        >>> Families([data]).owner("/api/v1/data/x").name, Families([data]).owner("/api/v1/database").name
        ('data', 'service')
        """
        return self._owner(path)

    def _find(self, path: str) -> Family:
        for prefix, family in self._by_prefix:
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return family
        return SERVICE
