"""A path end: the columns that could end the path of JPath that is being typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from aggflow.notebook.entry import Option

_MOST: Final = 12
# Where the text ends within a path: a form tells what stands in a field, not where one types.
_TYPED: Final = re.compile(r"@\.(\w*)$")


def path_ends(text: str, columns: Iterable[Option]) -> list[Option]:
    """The texts that end the path at the end of a text, each called as the column that it ends with.

    Parameters
    ----------
    text
        As far as it is typed.
    columns
        What there is.

    Examples
    --------
    >>> columns = [Option("origin"), Option("dest"), Option("a b")]
    >>> [option.value for option in path_ends("@.dest == 'LAX' && @.OR", columns)]
    ["@.dest == 'LAX' && @.origin"]
    >>> [option.label for option in path_ends("@.", columns)], path_ends("@.origin", columns)
    (['origin', 'dest'], [])
    """
    found = _TYPED.search(text)
    if found is None:
        return []
    before, typed = text[: found.start(1)], found[1]
    return [
        replace(one, value=f"{before}{one.value}", label=one.value)
        for one in columns
        if one.value.isidentifier() and one.value != typed and one.value.lower().startswith(typed.lower())
    ][:_MOST]
