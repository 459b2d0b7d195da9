"""A LINQ draft: a query as it is typed: where one types just now, and what could stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aggflow.errors import AggflowError
from aggflow.language import Completion, Word, complete_linq
from aggflow.workspace import Workspace

MOST: Final = 14


@dataclass(frozen=True)
class LinqDraft:
    """A query as it is typed.

    Attributes
    ----------
    text
        As far as it is written.
    cursor
        Where one types, as far as the changes tell: a text area tells what stands in it, not where its
        cursor is.
    """

    text: str = ""
    cursor: int = 0

    def typed(self, text: str) -> LinqDraft:
        """The draft after a change: one types behind what was changed.

        Examples
        --------
        >>> LinqDraft("from flights group", 18).typed("from flights where group").cursor
        18
        >>> LinqDraft("from flights", 12).typed("from fligh").cursor
        10
        """
        if text == self.text:
            return self
        before, most = 0, min(len(text), len(self.text))
        while before < most and text[before] == self.text[before]:
            before += 1
        same = 0
        while same < most - before and text[-1 - same] == self.text[-1 - same]:
            same += 1
        cursor = len(text) - same
        # A word with its space before another one: whether the space stands before it or behind, one types in the word.
        if 0 < before < cursor and text[cursor - 1].isspace() and text[before - 1] == text[cursor - 1]:
            cursor -= 1
        return LinqDraft(text, cursor)

    def completion(self, ws: Workspace, most: int = MOST) -> Completion:
        """What could stand where one types: tables and columns of a workspace, functions, keywords."""

        def columns(table: str) -> Mapping[str, Any]:
            try:
                return ws.columns(table) if table in ws.sources else {}
            except AggflowError:
                return {}  # what is wrong with the source is said beside the text

        return complete_linq(self.text, self.cursor, tables=ws.sources, columns=columns, most=most)

    def completed(self, completion: Completion, word: Word) -> LinqDraft:
        """The draft with a word put in."""
        return LinqDraft(*completion.applied(self.text, word))
