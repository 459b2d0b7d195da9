"""A form of what reads a source: without one it says what to do first, and the only one is chosen already."""

from __future__ import annotations

from typing import Any, TypeVar

from aggflow.notebook.form import Form
from aggflow.notebook.source_columns import first_source

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
