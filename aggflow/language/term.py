"""A term: a piece of a LINQ text as it is written, before it is known what its names mean.

An infix operator is the function of its name, so that ``a = b`` and ``eq(a, b)`` are one term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from aggflow.language.literal import Literal


@dataclass(frozen=True)
class Name:
    """A name, of as many parts as dots make."""

    parts: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Written:
    """A literal."""

    literal: Literal
    at: int


@dataclass(frozen=True)
class Braces:
    """A set in braces."""

    items: tuple[Term, ...]
    at: int


@dataclass(frozen=True)
class Applied:
    """A function, or an infix operator, applied to terms."""

    function: str
    arguments: tuple[Term, ...]
    at: int
    depth: int


Term: TypeAlias = Name | Written | Braces | Applied


@dataclass(frozen=True)
class Item:
    """One thing selected, with its name if it is given one; all there is where there is no term."""

    term: Term | None
    name: str | None
    at: int


@dataclass(frozen=True)
class Where:
    """A clause of conditions."""

    terms: tuple[Term, ...]
    at: int


@dataclass(frozen=True)
class Select:
    """A clause of selected items."""

    items: tuple[Item, ...]
    at: int


@dataclass(frozen=True)
class Width:
    """A period as it is written."""

    text: str
    at: int


@dataclass(frozen=True)
class Group:
    """The clause that groups."""

    server: Width | None
    keys: tuple[Term, ...]
    client: Width | None
    at: int


@dataclass(frozen=True)
class Pipeline:
    """A whole query as it is written."""

    table: Name
    clauses: tuple[Where | Select | Group, ...]
