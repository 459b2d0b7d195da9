"""Repeatable: what a route says of a response that may be given again while nothing is committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aggflow.catalog.tokens import Token


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What has to hold, and is done, when a response is given again.

    Attributes
    ----------
    token
        That the request came with; it has to be valid still.
    note
        Notes that the same was asked once more; None where nobody counts.
    """

    token: Token
    note: Callable[[], None] | None
