"""A posed question: times and values bound, seen against what was declared and built at that moment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final

from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.question import Question
from aggflow.engine.served import Served
from aggflow.measures.vocabulary import GroupingValue, canonical
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.timeline import Window

_MOST_DIGESTS: Final = 4096


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
    asked
        What it has in common with others, where that is known before.
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
    asked: AskedShape | None = None

    @cached_property
    def question(self) -> Question:
        """What is asked; made only where it is needed."""
        return self.make()

    @property
    def is_live(self) -> bool:
        """Whether a part of it has to be read from the source."""
        return any(self.served.name(window) is None for window in dict.fromkeys(self.windows))

    @cached_property
    def key(self) -> Hashable | None:
        """Names the answer within this process: of equal keys, the values are equal, and stay so.

        None where a part is read from the source, which may change, or where the question is not declared.
        """
        if self.made_of is None:
            return None
        # Most questions have one window for all fields.
        names = {window: self.served.name(window) for window in dict.fromkeys(self.windows)}
        if None in names.values():
            return None
        windows = tuple([(window.start, window.end) for window in self.windows])
        values = tuple([(path, tuple(map(canonical, of))) for path, of in self.filters.items()])
        return self.made_of, tuple(names.values()), windows, values

    @cached_property
    def fingerprint(self) -> str | None:
        """The same as 32 characters."""
        return None if self.key is None else _digest(self.key)


@lru_cache(_MOST_DIGESTS)
def _digest(key: Hashable) -> str:
    return sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
