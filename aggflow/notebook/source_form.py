"""A form of what reads a source: without one it says what to do first, and the only one is chosen already."""

from __future__ import annotations

from typing import Any, TypeVar

from aggflow.notebook.entry import Option
from aggflow.notebook.form import Form
from aggflow.notebook.path_end import path_ends
from aggflow.notebook.source_columns import columns_of, first_source, kind_word

S = TypeVar("S")


class SourceForm(Form[S]):
    """The draft of a definition that names a source."""

    def first(self) -> str:
        """It needs a source."""
        return first_source(self.ws)

    def empty(self) -> dict[str, Any]:
        """A new draft reads the only source, where there is one."""
        values = super().empty()
        sources = list(self.ws.sources)
        values["source"] = sources[0] if len(sources) == 1 else ""
        return values

    def columns(self, _: str = "") -> list[Option]:
        """What can be chosen of the source, each with its type."""
        found = columns_of(self.ws, self.get("source"))
        return [Option(name, help=kind_word(type_)) for name, type_ in found.items()]

    def path_ends(self, path: str) -> list[Option]:
        """What could end the condition that is being typed at a path."""
        return path_ends(str(self.get(path) or ""), self.columns())
