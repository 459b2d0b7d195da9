"""A workspace: one tenant of a catalog."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant of a catalog.

    Attributes
    ----------
    id
        ``ws_<name>``.
    name
        Lower-case letters and digits.
    """

    id: str
    name: str
