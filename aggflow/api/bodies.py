"""Bodies: answers as they were written, kept for whoever asks the same; only those that stay right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aggflow.api.answer_json import answer_json
from aggflow.api.data_request import Format
from aggflow.api.pool import run
from aggflow.engine.answer import Answer
from aggflow.engine.explanation import Explanation
from aggflow.engine.posed import Posed
from aggflow.engine.reductions import Reductions

AT_ONCE: Final = 2000
"""Rows that are written in a millisecond or two."""


@dataclass(frozen=True, slots=True)
class Body:
    """An answer as it was written.

    Attributes
    ----------
    content
        Its bytes.
    explanation
        Of the answer.
    """

    content: bytes
    explanation: Explanation

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
        self._kept: Reductions[Body] = Reductions(budget)

    def find(self, posed: Posed, format_: Format) -> Body | None:
        """The body of a question's answer, where it is kept."""
        # Where nothing is kept, nothing has to be named.
        if not self._kept.budget or posed.key is None:
            return None
        return self._kept.find((format_, posed.key))

    async def of(self, posed: Posed, answer: Answer, format_: Format) -> bytes:
        """The body of an answer, JSON or CSV; where it is long, written in a thread.

        Parameters
        ----------
        posed, answer
            The question and its answer.
        format_
            Of the body.
        """
        key = None if not self._kept.budget or posed.key is None else (format_, posed.key)
        if answer.count > AT_ONCE:
            return (await run(self._kept.get, key, lambda: _written(answer, format_))).content
        return self._kept.get(key, lambda: _written(answer, format_)).content


def _written(answer: Answer, format_: Format) -> Body:
    content = answer.to_csv().encode() if format_ == "CSV" else answer_json(answer)
    return Body(content, answer.explanation)
