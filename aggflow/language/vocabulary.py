"""A vocabulary: every word that a LINQ text may hold, for completion and help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aggflow.language.aggregator import AGGREGATORS
from aggflow.language.condition import CONDITIONS
from aggflow.language.function import FUNCTIONS
from aggflow.language.linq_text import to_linq
from aggflow.language.predicate import Path
from aggflow.language.query import BUCKET

KEYWORDS = {
    "from": "the table that is read",
    "where": "the conditions that rows fulfil",
    "select": "expressions with names: of rows before the group, of aggregates after it",
    "as": "the name of an expression",
    "group": "one row for each value of the keys, and each bucket of time",
    "every": "the width of the buckets",
    "by": "the keys of the groups",
    "and": "both hold",
    "or": "one of them holds",
    "not": "it does not hold, and its value is there",
    "true": "a written value",
    "false": "a written value",
    "null": "a missing value",
}
CHOICES = {
    "ifthenelse": "one value where a condition holds, another where not",
    "decode": "the value that belongs to the first equal key",
    "re": "a regular expression",
    "nameglob": "a pattern: * any text, ? any one character",
}


WordKind: TypeAlias = Literal[
    "table", "column", "name", "keyword", "condition", "function", "aggregate", "period", "operator"
]


@dataclass(frozen=True)
class Word:
    """One word.

    Attributes
    ----------
    text
        As LINQ writes it; a function ends with an opening parenthesis.
    kind
        What it is; a ``name`` is a key, or was given by ``as``.
    sentence
        What it means, for people; of a column its type, if that is known.
    """

    text: str
    kind: WordKind
    sentence: str = ""


def vocabulary(columns: Iterable[str] = (), *, begins: str = "") -> tuple[Word, ...]:
    """The words that LINQ knows, columns first.

    Parameters
    ----------
    columns
        Names of the table's columns.
    begins
        What the words begin with, in any case; empty for all.

    Examples
    --------
    >>> [word.text for word in vocabulary(["carrier", "dep delay"], begins="c")]
    ['carrier', 'ceil(', 'count(']
    """
    words = (
        *(Word(to_linq(Path((name,))), "column") for name in dict.fromkeys((*columns, BUCKET))),
        *(Word(name, "keyword", sentence) for name, sentence in KEYWORDS.items()),
        *(Word(called(row.name), "condition", row.sentence) for row in CONDITIONS.values()),
        *(Word(called(row.name), "function", row.sentence) for row in FUNCTIONS.values()),
        *(Word(called(name), "function", sentence) for name, sentence in CHOICES.items()),
        *(Word(called(row.name), "aggregate", row.sentence) for row in AGGREGATORS.values()),
    )
    return tuple(word for word in words if word.text.strip("`").lower().startswith(begins.lower()))


def called(name: str) -> str:
    """A function as a call of it begins."""
    return "`in`(" if name == "in" else f"{name}("
