"""A stored cube: a cube as the workspace holds it, in its project."""

from __future__ import annotations

from dataclasses import dataclass, field

from aggflow.engine.stored import Stored
from aggflow.spec.cube import Cube


@dataclass(frozen=True, repr=False)
class StoredCube(Stored[Cube]):
    """A cube as the workspace holds it; the attributes of its spec are its own.

    Attributes
    ----------
    project_id
        Id of its project.
    """

    project_id: str = field(default="", compare=False)
