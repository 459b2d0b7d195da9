"""A grouping: a column or path by whose values events are told apart, with an optional alias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, StringConstraints

from aggflow.spec.declaration import Declared, declaration
from aggflow.spec.text import PathText


@declaration
class Grouping(Declared):
    """A grouping.

    Attributes
    ----------
    path
        A column name or a JPath (``@.client``).
    alias
        What answers call it instead of its path.
    """

    path: PathText
    alias: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None

    @property
    def name(self) -> str:
        """What answers call it."""
        return self.alias or self.path


def _from_text(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _to_text(grouping: Grouping) -> str | Mapping[str, str]:
    if grouping.alias is None:
        return grouping.path
    return {"path": grouping.path, "alias": grouping.alias}


GroupingText = Annotated[Grouping, BeforeValidator(_from_text), PlainSerializer(_to_text)]
