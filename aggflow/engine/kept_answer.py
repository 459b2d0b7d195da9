"""A kept answer: one that stays right, for whoever asks the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.engine.answer import Answer

# What each has, however few rows: the question that it was, and the reason for it.
_LEAST_BYTES: Final = 4096


@dataclass(frozen=True)
class KeptAnswer:
    """An answer that stays right.

    Attributes
    ----------
    answer
        The answer.
    started
        When it was begun, by the clock that only goes forward, in seconds.
    """

    answer: Answer
    started: float

    @property
    def bytes(self) -> int:
        """Bytes that it holds, about."""
        answer = self.answer
        columns = 1 + len(answer.groupings) + len(answer.fields)
        # A column's entry is a number or a pointer; buckets are objects of their own.
        return _LEAST_BYTES + answer.count * (8 * columns + 32)
