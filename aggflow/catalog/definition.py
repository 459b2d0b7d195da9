"""A definition: what a user declared (a source, filter, endpoint ...), as a JSON-ready spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aggflow.timeline.instant import Micros


@dataclass(frozen=True, slots=True)
class Definition:
    """A stored declaration.

    Attributes
    ----------
    id
        Stays when the definition is replaced under its name.
    kind
        ``source``, ``filter``, ``endpoint`` ...
    spec
        The declaration itself, ready for JSON.
    data_hash, description_hash
        What of the spec changes data, and what does not.
    generation
        Raised by every change, from 1.
    created_us, updated_us
        Instants, in microseconds.
    """

    id: str
    workspace_id: str
    kind: str
    name: str
    spec: Mapping[str, Any]
    data_hash: str
    description_hash: str
    generation: int
    created_us: Micros
    updated_us: Micros
