"""A posed question: times and values bound, seen against what was declared and built at that moment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from aggflow.engine.question import Question
from aggflow.engine.served import Served
from aggflow.measures.vocabulary import GroupingValue, canonical
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.timeline import Window


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
    served
        What is built.
    windows, filters
        The window of each field, and by path the values to keep.
    make
        Makes the question.
    made_of
        Names the definitions that say all but windows and values; None where the question is not declared.
    """

    name: str
    asked_id: str
    filter: Filter
    source: Source
    served: Served
    windows: tuple[Window, ...]
    filters: Mapping[str, tuple[GroupingValue, ...]]
    make: Callable[[], Question]
    made_of: Hashable | None = None

    @cached_property
    def question(self) -> Question:
        """What is asked; made only where it is needed."""
        return self.make()

    @property
    def is_live(self) -> bool:
        """Whether a part of it has to be read from the source."""
        return any(map(self.served.is_live, dict.fromkeys(self.windows)))

    @cached_property
    def key(self) -> Hashable | None:
        """Names the answer within this process: of equal keys, the values are equal, and stay so.

        None where a part is read from the source, which may change, or where the question is not declared.
        """
        if self.made_of is None or self.is_live:
            return None
        windows = tuple([(window.start, window.end) for window in self.windows])
        values = tuple([(path, tuple(map(canonical, of))) for path, of in self.filters.items()])
        return self.made_of, self.served.generation, windows, values

    @cached_property
    def fingerprint(self) -> str | None:
        """The same as 32 characters."""
        if self.key is None:
            return None
        return sha256(repr(self.key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
