"""A family: routes under common prefixes that share the shape of their errors and the header of their token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
        The header that its clients send the token in, as they know it; ``Authorization: Bearer`` is
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
        self._by_prefix = by_prefix
        self._longest = max(map(len, by_prefix), default=0)

    def owner(self, path: str) -> Family:
        """The family that owns a path.

        Examples
        --------
        >>> data = Family("data", ("/api/v1/data",))
        >>> Families([data]).owner("/api/v1/data/x").name, Families([data]).owner("/api/v1/database").name
        ('data', 'service')
        """
        # The longest prefix decides; no path has to be looked at any further.
        end = len(path) if len(path) <= self._longest else path.rfind("/", 0, self._longest + 1)
        while end > 0:
            family = self._by_prefix.get(path[:end])
            if family is not None:
                return family
            end = path.rfind("/", 0, end)
        return SERVICE
