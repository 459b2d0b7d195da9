"""JPath: the text form of paths and predicates (``jpath.lark`` is its grammar)."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from lark import Token, Transformer

from aggflow.errors import ParseError
from aggflow.language.jpath_grammar import JPathGrammar
from aggflow.language.literal import Literal, read_number
from aggflow.language.predicate import (
    TRUE,
    And,
    Compare,
    Constant,
    Exists,
    In,
    Length,
    Like,
    Match,
    Not,
    Operand,
    Or,
    Path,
    Predicate,
)
from aggflow.language.regex import first_problem
from aggflow.language.syntax import WrongHereError, check_depth, placed, start_of
from aggflow.quote import cut


def parse_predicate(text: str) -> Predicate:
    """The tree of a JPath predicate.

    Parameters
    ----------
    text
        Such as ``@.origin != 'LGA' && (@.delay > 15 || @['tags'].length >= 2)``.
        Empty text is TRUE: it holds for every row.

    Returns
    -------
    Predicate
        The tree; ``to_jpath`` of it is the canonical text.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> parse_predicate("@.delay > 15")
    Compare(op='>', left=Path(parts=('delay',)), right=Literal(value=15, kind='number'))
    >>> parse_predicate("@.carrier = 'AA'")
    Traceback (most recent call last):
    aggflow.errors.ParseError: the predicate cannot be read from here on, at line 1, column 11
        @.carrier = 'AA'
                  ^
    expected: a comparison (== != < <= > >=), LIKE, ILIKE, =~, in, .name or ['name'], &&, ||, the end
    hint: equality is written ==
    """
    if not text.strip():
        return TRUE
    return _parse(text, "predicate", "the predicate")


def parse_path(text: str) -> Path:
    """The path of a field: ``@.a.b``, ``@['a']['b']``, mixed, or a column's bare name.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.

    Examples
    --------
    >>> parse_path("carrier"), parse_path("@.payload['user id']")
    (Path(parts=('carrier',)), Path(parts=('payload', 'user id')))
    """
    text = text.strip()
    if re.fullmatch(r"[^\W\d]\w*", text):
        return Path((text,))
    if not text.startswith("@"):
        place = re.match(r"[^\W\d]\w*", text)
        raise ParseError(
            "the path cannot be read",
            text=text,
            position=place.end() if place else 0,
            expected=("a path such as @.name or @['any name']", "the name of a column"),
            hint=_bare_path_hint(text),
        )
    field: _Placed = _parse(text, "place", "the path")
    if isinstance(field.operand, Path):
        return field.operand
    raise ParseError(
        "a length is no field", text=text, position=text.rfind("length"), hint=_length_hint(field.operand)
    )


def field_places(text: str) -> list[int]:
    """Where the fields of a predicate begin, as offsets in its text, in its order.

    Examples
    --------
    >>> field_places("@.a == '@.b' && @['c'] > 5")
    [0, 16]
    """
    return [start_of(token) for token in _grammar().tokens(text, "predicate") if token.type == "ROOT"]


@dataclass(frozen=True)
class _Placed:
    """A field as it stands in a text."""

    operand: Path | Length
    position: int


class _TreeBuilder(Transformer[Token, Any]):
    """A rule of the grammar each: from what its parts gave to a node of the tree."""

    def predicate(self, parts: list[Predicate]) -> Predicate:
        return parts[0]

    def disjunction(self, parts: list[Predicate]) -> Predicate:
        return Or(tuple(parts))

    def conjunction(self, parts: list[Predicate]) -> Predicate:
        return And(tuple(parts)) if len(parts) > 1 else parts[0]

    def negation(self, parts: list[Any]) -> Predicate:
        check_depth(1 + _depth(parts[-1]), start_of(parts[0]))
        return Not(parts[-1])

    def group(self, parts: list[Any]) -> Predicate:
        check_depth(1 + _depth(parts[-1]), start_of(parts[0]))
        return parts[-1]

    def constant(self, parts: list[Token]) -> Predicate:
        return Constant(parts[0].lower() == "true")

    def compare(self, parts: list[Any]) -> Predicate:
        left, op, right = parts
        return Compare(op.value, _operand(left), _operand(right))

    def like(self, parts: list[Any]) -> Predicate:
        field, word, pattern = parts
        return Like(_field(field), _unquoted(pattern), ignore_case=word.upper() == "ILIKE")

    def match(self, parts: list[Any]) -> Predicate:
        field, regex = parts
        problem = first_problem(regex[1:-1])
        if problem is not None:
            raise WrongHereError(
                f"the regular expression cannot be used: {problem.message}",
                start_of(regex) + 1 + problem.position,
                "expressions are those of RE2; a slash in one is written \\/",
            )
        return Match(_field(field), regex[1:-1])

    def is_in(self, parts: list[Any]) -> Predicate:
        return In(parts[0].operand, tuple(parts[1:]))

    def exists(self, parts: list[_Placed]) -> Predicate:
        return Exists(_field(parts[0]))

    def place(self, parts: list[Any]) -> _Placed:
        root, *segments = parts
        names = tuple(_unquoted(s) if s.type == "TEXT" else str(s) for s in segments)
        is_function = len(names) > 1 and segments[-1].type == "NAME" and names[-1] == "length"
        return _Placed(Length(Path(names[:-1])) if is_function else Path(names), start_of(root))

    def segment(self, parts: list[Token]) -> Token:
        return parts[0]

    def literal(self, parts: list[Token]) -> Literal:
        token = parts[0]
        match token.type:
            case "TEXT":
                return Literal(_unquoted(token))
            case "NUMBER":
                number = read_number(token)
                if number is None:
                    raise WrongHereError("the number is too large to compare with", start_of(token))
                return Literal(number)
            case "NULL":
                return Literal(None)
            case _:
                return Literal(token.lower() == "true")


@functools.cache
def _grammar() -> JPathGrammar:
    return JPathGrammar(_TreeBuilder())


def _parse(text: str, start: str, what: str) -> Any:
    with placed(text):
        return _grammar().tree(text, start, what)


def _operand(part: _Placed | Literal) -> Operand:
    return part.operand if isinstance(part, _Placed) else part


def _field(field: _Placed) -> Path:
    if isinstance(field.operand, Length):
        raise WrongHereError("a length can only be compared", field.position, _length_hint(field.operand))
    return field.operand


def _length_hint(length: Length) -> str:
    field = Path((*length.path.parts, "length"))
    return f"compare it, as in {length} > 0; a field of that name is written {field}"


def _unquoted(token: str) -> str:
    return re.sub(r"\\(['\\])", r"\1", token[1:-1])


def _depth(tree: Predicate) -> int:
    match tree:
        case Not():
            return 1 + _depth(tree.term)
        case And() | Or():
            return 1 + max(map(_depth, tree.terms))
        case _:
            return 0


def _bare_path_hint(text: str) -> str:
    if not text:
        return ""
    parts = text.split(".")
    if all(re.fullmatch(r"[^\W\d]\w*", part) for part in parts):
        return f"a field in a column is written @.{cut(text)}"
    return f"a name with other than letters, digits and _ is written {Path((cut(text),))}"
