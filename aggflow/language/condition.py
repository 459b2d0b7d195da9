"""A condition: a function of LINQ that is true or false, and what it says of its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aggflow.language.literal import Literal
from aggflow.language.operators import Comparison
from aggflow.language.predicate import (
    Border,
    Compare,
    Exists,
    Find,
    Glob,
    In,
    Match,
    Not,
    Predicate,
)
from aggflow.language.syntax import WrongHereError
from aggflow.language.term import Applied, Braces, Term, Written

if TYPE_CHECKING:
    from aggflow.language.reader import Reader


@dataclass(frozen=True)
class Condition:
    """A function that is true or false.

    Attributes
    ----------
    name
        As LINQ writes it.
    fewest, most
        How many arguments it takes; ``most`` is None where there is no end.
    predicate
        What it says of its arguments.
    sentence
        When it holds, for people.
    """

    name: str
    fewest: int
    most: int | None
    predicate: Callable[[Reader, Applied], Predicate]
    sentence: str


def _compare(op: Comparison) -> Callable[[Reader, Applied], Predicate]:
    return lambda reader, term: reader.comparison(op, term)


def _find(
    left: Border, right: Border, *, ignore_case: bool = False
) -> Callable[[Reader, Applied], Predicate]:
    def find(reader: Reader, term: Applied) -> Predicate:
        subject, *texts = term.arguments
        return Find(reader.text(subject), reader.texts(texts), left, right, ignore_case)

    return find


def _token(*, ignore_case: bool) -> Callable[[Reader, Applied], Predicate]:
    def token(reader: Reader, term: Applied) -> Predicate:
        subject, text, *extends = term.arguments
        borders: list[Border] = ["token", "token"]
        for i, extend in enumerate(extends):
            if not (isinstance(extend, Written) and isinstance(extend.literal.value, bool)):
                raise WrongHereError("true or false is needed here", extend.at)
            borders[i] = "any" if extend.literal.value else "token"
        return Find(reader.text(subject), reader.texts([text]), borders[0], borders[1], ignore_case)

    return token


def _needles(reader: Reader, term: Applied) -> tuple[Term, list[Literal]]:
    """What is looked up, and among which values: the needle first, or the column last."""
    *first, last = term.arguments
    if isinstance(last, Braces):
        if len(first) > 1:
            raise WrongHereError("one value stands before a set", first[1].at)
        return first[0], reader.written([last])
    return last, reader.written(first)


def _in(reader: Reader, term: Applied) -> Predicate:
    last = term.arguments[-1]
    if isinstance(last, Written):
        hint = "after < a minus needs a space: x < -5" if isinstance(last.literal.value, int) else ""
        raise WrongHereError(
            "a set or a column stands on the right",
            last.at,
            hint or 'as in name in {"A", "B"}, or "A" <- name',
        )
    needle, values = _needles(reader, term)
    subject = reader.subject(needle)
    for value in values:
        reader.must_match(subject, value, needle.at)
    return In(subject, tuple(values))


def _weakin(reader: Reader, term: Applied) -> Predicate:
    needle, values = _needles(reader, term)
    texts = tuple(value.value if isinstance(value.value, str) else str(value) for value in values)
    return Find(reader.text(needle), texts, "end", "end", ignore_case=True)


def _matches(reader: Reader, term: Applied) -> Predicate:
    subject, pattern = term.arguments
    searched = reader.text(subject)
    function, text = reader.pattern(pattern, "re", "nameglob")
    return Match(searched, text) if function == "re" else Glob(searched, text)


def _isnull(reader: Reader, term: Applied) -> Predicate:
    return Not(Exists(reader.subject(term.arguments[0])))


def _isnotnull(reader: Reader, term: Applied) -> Predicate:
    return Exists(reader.subject(term.arguments[0]))


def _isempty(reader: Reader, term: Applied) -> Predicate:
    return Compare("==", reader.text(term.arguments[0]), Literal(""))


_ROWS = (
    Condition("eq", 2, 2, _compare("=="), "both are equal"),
    Condition("ne", 2, 2, _compare("!="), "both are there and differ"),
    Condition("lt", 2, 2, _compare("<"), "the first is less"),
    Condition("le", 2, 2, _compare("<="), "the first is at most the second"),
    Condition("gt", 2, 2, _compare(">"), "the first is greater"),
    Condition("ge", 2, 2, _compare(">="), "the first is at least the second"),
    Condition("eqic", 2, 2, _find("end", "end", ignore_case=True), "both are equal in any case"),
    Condition("has", 2, None, _find("any", "any"), "it contains one of the texts"),
    Condition(
        "weakhas", 2, None, _find("any", "any", ignore_case=True), "it contains one of the texts, in any case"
    ),
    Condition("startswith", 2, None, _find("end", "any"), "it begins with one of the texts"),
    Condition("endswith", 2, None, _find("any", "end"), "it ends with one of the texts"),
    Condition("toktains", 2, 4, _token(ignore_case=False), "it contains the text as a whole token"),
    Condition(
        "weaktoktains", 2, 4, _token(ignore_case=True), "it contains the text as a whole token, in any case"
    ),
    Condition("in", 2, None, _in, "the last argument is one of those before it"),
    Condition("weakin", 2, None, _weakin, "the last argument is one of those before it, in any case"),
    Condition("matches", 2, 2, _matches, "a regular expression or glob fits"),
    Condition("isnull", 1, 1, _isnull, "the value is missing"),
    Condition("isnotnull", 1, 1, _isnotnull, "the value is there"),
    Condition("isempty", 1, 1, _isempty, "the text is empty"),
)

CONDITIONS: dict[str, Condition] = {row.name: row for row in _ROWS}
