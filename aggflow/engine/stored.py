"""A stored definition: what was declared, as the workspace holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Generic, TypeVar

import yaml

from aggflow.brief import brief, lines
from aggflow.catalog import Definition
from aggflow.engine.definition_kind import KINDS
from aggflow.spec.changes import Effect
from aggflow.spec.declaration import plain, read
from aggflow.spec.source import Source

S = TypeVar("S")


@dataclass(frozen=True)
class Stored(Generic[S]):
    """A definition as the workspace holds it; the attributes of its spec are its own.

    Attributes
    ----------
    id
        Its id in the catalog.
    spec
        What was declared.
    effects
        What adding it did to other definitions.
    generation
        Raised by every change of it.
    """

    id: str
    spec: S
    effects: tuple[Effect, ...] = field(default=(), compare=False)
    generation: int = field(default=1, compare=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "spec":
            raise AttributeError(name)
        return getattr(self.spec, name)

    @property
    def _shown(self) -> Mapping[str, Any]:
        """What was declared, without defaults and secrets."""
        return self.spec.shown() if isinstance(self.spec, Source) else plain(self.spec, defaults=False)

    @property
    def _state(self) -> str:
        """Where it stands, in a word; empty where there is nothing to say."""
        return ""

    def __repr__(self) -> str:
        facts = {"": self._state, **self._shown}
        kind = next((word for word, of in KINDS.items() if isinstance(self.spec, of)), "definition")
        name = facts.pop("name", None)
        what = kind.replace("_", " ") + (f" {name!r}" if name else "")
        return lines(brief(what, facts), self.effects)

    def _repr_html_(self) -> str:
        text = escape(yaml.safe_dump(self._shown, sort_keys=False, allow_unicode=True))
        notes = "".join(f"<li>{escape(str(effect))}</li>" for effect in self.effects)
        return f"<pre>{text}</pre>" + (f"<ul>{notes}</ul>" if notes else "")


def stored_of(definition: Definition) -> Stored[Any]:
    """The definition that the catalog keeps, read."""
    spec = read(KINDS[definition.kind], definition.spec)
    return Stored(definition.id, spec, (), definition.generation)
