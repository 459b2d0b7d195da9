"""A task builder: a form for a task in JupyterLab, with what could be typed next in its query."""

from __future__ import annotations

from typing import Any, Final, cast

import ipywidgets as widgets

from aggflow.language import Completion, Word
from aggflow.notebook.builder import Builder
from aggflow.notebook.html_text import note
from aggflow.notebook.parts_style import PARTS_STYLE
from aggflow.notebook.task_form import TaskForm
from aggflow.workspace import Workspace

_SIGNS: Final = {
    "table": "▦",
    "column": "▤",
    "name": "≔",
    "keyword": "",
    "condition": "?",
    "function": "ƒ",
    "aggregate": "∑",
    "period": "◷",
    "operator": "",
}


class TaskBuilder(Builder):
    """A form for a task: a rollup written as LINQ.

    Parameters
    ----------
    ws
        The workspace.
    name
        Of the task that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """

    def __init__(self, ws: Workspace, name: str | None = None) -> None:
        super().__init__(TaskForm(ws, name))

    def extra_cards(self) -> list[Any]:
        """What could be typed next stands under the query, not in a card of its own."""
        self.suggestions = widgets.Box()
        self.suggestions.add_class("agf-chips")
        self.suggested = widgets.HTML()
        self._completion: Completion | None = None
        linq = self.fields["linq"]
        linq.add_class("agf-query")
        linq.children = (*linq.children, self.suggested, self.suggestions)
        return []

    def refreshed(self) -> None:
        """Let what is suggested follow a change."""
        found = cast("TaskForm", self.form).completion()
        if found == self._completion:
            return
        self._completion = found
        said = "Nearest to it:" if found.is_near else "Could stand here:" if found.words else ""
        self.suggested.value = PARTS_STYLE + note(said)
        self.suggestions.children = tuple(self._chip(found, word) for word in found.words)

    def _chip(self, completion: Completion, word: Word) -> Any:
        sign = _SIGNS[word.kind]
        button = widgets.Button(
            description=f"{sign} {word.text}".strip(),
            tooltip=f"{word.kind}: {word.sentence}" if word.sentence else word.kind,
        )
        button.add_class("agf-button")
        button.add_class("agf-suggestion")
        button.add_class(f"of-{word.kind}")
        button.on_click(lambda _: cast("TaskForm", self.form).complete(completion, word))
        return button
