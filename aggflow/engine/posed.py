"""A posed question: times and values bound, seen against what was declared and built at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from aggflow.engine.question import Question
from aggflow.engine.served import Served
from aggflow.measures.vocabulary import canonical
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source


@dataclass(frozen=True)
class Posed:
    """A question to a filter, before it is answered.

    Attributes
    ----------
    name
        What the answer is called.
    asked_id
        The id of what was asked: an endpoint, or a filter.
    filter, source
        What answers, and what that is made of.
    made_of
        Names everything that is declared and takes part, with its generation.
    question
        What is asked.
    served
        What is built.
    """

    name: str
    asked_id: str
    filter: Filter
    source: Source
    made_of: tuple[object, ...]
    question: Question
    served: Served

    @property
    def is_live(self) -> bool:
        """Whether a part of it has to be read from the source."""
        served = self.served
        return any(piece.is_live for window in self.question.windows for piece in served.pieces(window))

    @cached_property
    def fingerprint(self) -> str | None:
        """Names the answer: equal only where the values are; None where a part is read from the source."""
        if self.is_live:
            return None
        question = self.question
        windows = tuple((asked.window.start, asked.window.end) for asked in question.fields)
        values = tuple((path, tuple(map(canonical, of))) for path, of in question.filters.items())
        parts = (self.made_of, self.served.generation, windows, values)
        return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
