"""A rollup: what is materialised for a definition, as a chain of versions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rollup:
    """What is materialised for a definition.

    Attributes
    ----------
    owner_id
        Id of the definition that it belongs to.
    source
        Name of the source that it is built from.
    generation
        Raised by every change of its versions or coverage.
    """

    id: str
    workspace_id: str
    kind: str
    owner_id: str
    name: str
    source: str
    generation: int
