"""A cell completer: LINQ in ``%%linq`` cells, and the columns behind ``@.`` in texts of Python."""

# IPython's decorators have no types.
# pyright: reportUntypedFunctionDecorator=false

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from aggflow.errors import AggflowError
from aggflow.language.completion import complete_linq
from aggflow.notebook.at_hand import workspace_at_hand

_MAGIC: Final = "%%linq"
_MOST: Final = 60
# A path of JPath that is being written inside a text.
_PATH: Final = re.compile(r"""['"][^'"\n]*@\.(\w*)$""")
_SOURCE: Final = re.compile(r"""\bsource\s*=\s*['"]([^'"]+)['"]""")


class CellCompleter:
    """Completes what the workspace at hand knows.

    Parameters
    ----------
    shell
        Whose variables hold the workspace.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell

        # IPython writes on the function that it is given: a method of ours has no place for that.
        @context_matcher(identifier="aggflow")
        def match(context: CompletionContext) -> SimpleMatcherResult:
            return self._match(context)

        self.matcher = match

    def _match(self, context: CompletionContext) -> SimpleMatcherResult:
        """What could be typed at a place of a cell; nothing where that is not for us to say."""
        lines = context.full_text.split("\n")
        place = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        try:
            if context.full_text.startswith(_MAGIC):
                return self._linq(context.full_text, place)
            return self._path(context.full_text, place)
        except AggflowError:
            # No workspace, or a source that cannot be opened: then there is nothing to offer.
            return _offered("", [])

    def _linq(self, cell: str, place: int) -> SimpleMatcherResult:
        head = cell.find("\n") + 1
        if head == 0 or place < head:
            return _offered("", [])
        ws = workspace_at_hand(self._shell.user_ns)
        text, position = cell[head:], place - head
        found = complete_linq(
            text, position, tables=list(ws.sources), columns=lambda name: _columns(ws, name), most=_MOST
        )
        typed = text[found.start : position]
        return _offered(
            typed, [SimpleCompletion(word.text, type=word.kind) for word in found.words], alone=True
        )

    def _path(self, cell: str, place: int) -> SimpleMatcherResult:
        written = _PATH.search(cell, 0, place)
        if written is None:
            return _offered("", [])
        ws, typed = workspace_at_hand(self._shell.user_ns), written.group(1)
        named = [name for name in _SOURCE.findall(cell) if name in ws.sources]
        names = dict.fromkeys(column for source in named or ws.sources for column in _columns(ws, source))
        begins = [name for name in names if name.lower().startswith(typed.lower())]
        return _offered(typed, [SimpleCompletion(name, type="column") for name in begins[:_MOST]], alone=True)


def _columns(ws: Any, source: str) -> Mapping[str, Any]:
    """The columns of a source; of a workspace behind a service they are not known."""
    if source not in ws.sources or not hasattr(ws, "columns"):
        return {}
    try:
        return ws.columns(source)
    except AggflowError:
        # One source that is away does not hide the columns of the others.
        return {}


def _offered(typed: str, words: list[SimpleCompletion], *, alone: bool = False) -> SimpleMatcherResult:
    """What is offered instead of what is typed; alone, where Python's own names would be wrong."""
    return {
        "completions": words,
        "matched_fragment": typed,
        "suppress": alone and bool(words),
        "ordered": True,
    }
