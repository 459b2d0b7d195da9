"""A posed question: times and values bound, seen against what was declared and built at that moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final

from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.inquiry import Route
from aggflow.engine.plan import Need, Piece
from aggflow.engine.question import Question, distinct
from aggflow.engine.served import Served, states_of
from aggflow.engine.version import Version
from aggflow.measures.vocabulary import GroupingValue, canonical
from aggflow.spec.filter import Filter
from aggflow.spec.source import Source
from aggflow.timeline import Window

_MOST_DIGESTS: Final = 4096


def need_of(of: Filter, question: Question) -> Need:
    """What a rollup must have to answer a question to a filter."""
    return Need(of.source, of.where, question.keys, question)


@dataclass(frozen=True)
class Posed(ABC):
    """A question, before it is answered.

    Attributes
    ----------
    name
        What the answer is called.
    asked_id
        The id of what was asked: an endpoint, or a filter.
    source
        What the rollup that answers is made of.
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
    source: Source
    windows: tuple[Window, ...]
    filters: Mapping[str, tuple[GroupingValue, ...]]
    make: Callable[[], Question]
    made_of: Hashable | None = None
    asked: AskedShape | None = None

    @property
    @abstractmethod
    def rollup(self) -> str:
        """The rollup that answers, for people."""

    @property
    @abstractmethod
    def version(self) -> Version:
        """The form of the rollup by whose numbers groups are told apart."""

    @property
    @abstractmethod
    def find_need(self) -> Callable[[], Need]:
        """Gives what a rollup must have to answer it; holds nothing of what is built, so that it may be kept."""

    @property
    def need(self) -> Need:
        """What a rollup must have to answer it."""
        return self.find_need()

    @abstractmethod
    def pieces(self, window: Window) -> tuple[Piece, ...]:
        """Where a window is read from."""

    @abstractmethod
    def states(self, window: Window) -> Hashable | None:
        """Names the states that a window is answered from, for good; None where a part is read from the source."""

    @cached_property
    def question(self) -> Question:
        """What is asked; made only where it is needed."""
        return self.make()

    @property
    def distinct_windows(self) -> tuple[Window, ...]:
        """The windows of all fields, each once, in order of time."""
        return distinct(self.windows)

    @property
    def is_live(self) -> bool:
        """Whether a part of it has to be read from the source."""
        return any(self.states(window) is None for window in self.distinct_windows)

    @cached_property
    def key(self) -> Hashable | None:
        """Names the answer within this process: of equal keys, the values are equal, and stay so.

        None where a part is read from the source, which may change, or where the question is not declared.
        """
        if self.made_of is None:
            return None
        names = tuple([self.states(window) for window in self.distinct_windows])
        if None in names:
            return None
        windows = tuple([(window.start, window.end) for window in self.windows])
        values = tuple([(path, tuple(map(canonical, of))) for path, of in self.filters.items()])
        return self.made_of, names, windows, values

    @cached_property
    def fingerprint(self) -> str | None:
        """The same as 32 characters."""
        return None if self.key is None else _digest(self.key)


@dataclass(frozen=True)
class PosedToFilter(Posed):
    """A question to a filter, which its rollup answers.

    Attributes
    ----------
    filter
        What answers.
    served
        What is built.
    """

    filter: Filter = field(kw_only=True)
    served: Served = field(kw_only=True)

    @property
    def rollup(self) -> str:
        """The rollup that answers, for people."""
        return f"filter {self.filter.name}"

    @property
    def version(self) -> Version:
        """The form of the rollup by whose numbers groups are told apart."""
        return self.served.versions[-1]

    @property
    def find_need(self) -> Callable[[], Need]:
        """Gives what a rollup must have to answer it."""
        of, make = self.filter, self.make
        return lambda: need_of(of, make())

    def pieces(self, window: Window) -> tuple[Piece, ...]:
        """Where a window is read from."""
        return self.served.pieces(window)

    def states(self, window: Window) -> Hashable | None:
        """Names the states that a window is answered from, for good; None where a part is read from the source."""
        return self.served.name(window)


@dataclass(frozen=True)
class PosedInquiry(Posed):
    """A question to a task or a cube, which whichever rollup of the source covers it answers.

    Attributes
    ----------
    route
        What answers.
    """

    route: Route = field(kw_only=True)

    @property
    def rollup(self) -> str:
        """The rollup that answers, for people."""
        return self.route.name or f"source {self.source.name}"

    @property
    def version(self) -> Version:
        """The form in which events are read from the source; its values are numbered as the rollup's."""
        return self.route.version

    @property
    def find_need(self) -> Callable[[], Need]:
        """Gives what a rollup must have to answer it."""
        inquiry = self.route.inquiry
        return lambda: inquiry.need

    def pieces(self, window: Window) -> tuple[Piece, ...]:
        """Where a window is read from."""
        return self.route.pieces(window)

    def states(self, window: Window) -> Hashable | None:
        """Names the states that a window is answered from, for good; None where a part is read from the source."""
        return states_of(self.pieces(window))


@lru_cache(_MOST_DIGESTS)
def _digest(key: Hashable) -> str:
    return sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
