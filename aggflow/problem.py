"""A problem: one thing that is wrong with a definition, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.quote import cut

LONGEST_PATH: Final = 300
"""Characters of a path to what is wrong that a sentence shows at most: what users call things is part of it."""

MOST_PROBLEMS: Final = 100
"""Problems of one definition that are told at most."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a definition.

    Attributes
    ----------
    path
        Where, as a path from the definition's root: ``aggregations[0].calculations[1]``.
    message
        What is wrong, one sentence without a full stop.
    hint
        What to do, or empty.
    """

    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{cut(self.path, LONGEST_PATH)}: {self.message}" if self.path else self.message
        return f"{text} ({self.hint})" if self.hint else text
