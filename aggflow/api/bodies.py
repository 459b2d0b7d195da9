"""Bodies: answers as they were written, kept for whoever asks the same; only those that stay right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.api.answer_json import answer_json
from aggflow.api.data_request import Format
from aggflow.api.pool import run
from aggflow.engine.answer import Answer
from aggflow.engine.posed import Posed
from aggflow.engine.reductions import Reductions

MOST_BYTES: Final = 32_000_000
"""Bytes that a service keeps at most."""
AT_ONCE: Final = 2000
"""Rows that are written in a millisecond or two."""


@dataclass(frozen=True, slots=True)
class _Body:
    content: bytes

    @property
    def bytes(self) -> int:
        """Bytes that it holds."""
        return len(self.content)


class Bodies:
    """The bodies of a service.

    Parameters
    ----------
    budget
        Bytes to keep at most.
    """

    def __init__(self, budget: int) -> None:
        self._kept: Reductions[_Body] = Reductions(budget)

    async def of(self, posed: Posed, answer: Answer, format_: Format) -> bytes:
        """The body of an answer, JSON or CSV; where it is long, written in a thread.

        Parameters
        ----------
        posed, answer
            The question and its answer.
        format_
            Of the body.
        """
        key = None if posed.key is None else (format_, posed.key)
        kept = self._kept.find(key)
        if kept is not None:
            return kept.content
        if answer.count > AT_ONCE:
            return (await run(self._kept.get, key, lambda: _written(answer, format_))).content
        return self._kept.get(key, lambda: _written(answer, format_)).content


def _written(answer: Answer, format_: Format) -> _Body:
    return _Body(answer.to_csv().encode() if format_ == "CSV" else answer_json(answer))
