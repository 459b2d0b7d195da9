"""A project: a name under which cubes stand together."""

from __future__ import annotations

from typing import Final

from aggflow.spec.declaration import Declared, declaration
from aggflow.spec.text import Name

DEFAULT_PROJECT: Final = "default"


@declaration
class Project(Declared):
    """A name under which cubes stand together.

    Attributes
    ----------
    name
        Its name in the workspace; ``default`` is there by itself.
    description
        For people.
    """

    name: Name
    description: str = ""
