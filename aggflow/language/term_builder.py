"""A term builder: what makes terms of a LINQ text, rule by rule of its grammar."""

# Lark is untyped in places.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import functools
import re
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from lark import Token, Transformer

from aggflow.errors import ParseError
from aggflow.language.linq_grammar import LinqGrammar
from aggflow.language.literal import Literal, read_number
from aggflow.language.syntax import WrongHereError, check_depth, start_of
from aggflow.language.term import (
    Applied,
    Braces,
    Group,
    Item,
    Name,
    Pipeline,
    Select,
    Term,
    Where,
    Width,
    Written,
)
from aggflow.quote import quoted

_INFIX: Final = {
    "=": "eq",
    "!=": "ne",
    "/=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "->": "has",
    "->>": "weakhas",
    "<-": "in",
    "~": "matches",
}
_ESCAPES: Final = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}


def read(text: str, start: str, what: str) -> Any:
    """What a text is by one rule of the grammar.

    Parameters
    ----------
    text
        The text.
    start
        ``query`` gives a `Pipeline`, ``condition`` a tuple of terms, ``operand`` a term.
    what
        What it is called in an error.

    Raises
    ------
    ParseError
        With the place, what could stand there, and a hint.
    WrongHereError
        A rule of the language, which is not of the grammar, is broken.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users give what they have
        raise ParseError(f"{what} is a text, not {quoted(text)}", text=repr(text), position=0)
    return _grammar().tree(text, start, what)


def possible_after(text: str) -> set[str] | None:
    """The terminals that could follow a text that is the beginning of a query; None where it is none.

    Examples
    --------
    >>> sorted(possible_after("from flights group every"))
    ['PERIOD']
    >>> possible_after("from from") is None
    True
    """
    return _grammar().possible_after(text, "query")


class _TermBuilder(Transformer[Token, Any]):
    """A rule of the grammar each: from what its parts gave to a term, or a clause."""

    def query(self, parts: list[Any]) -> Pipeline:
        return Pipeline(parts[1], tuple(parts[2:]))

    def condition(self, parts: list[Term]) -> tuple[Term, ...]:
        return tuple(parts)

    def operand(self, parts: list[Term]) -> Term:
        return parts[0]

    def name(self, parts: list[Token]) -> Name:
        return Name(tuple(map(_unquoted, parts)), start_of(parts[0]))

    table = name

    def part(self, parts: list[Token]) -> Token:
        return parts[0]

    def where(self, parts: list[Any]) -> Where:
        return Where(tuple(parts[1:]), start_of(parts[0]))

    def select(self, parts: list[Any]) -> Select:
        return Select(tuple(parts[1:]), start_of(parts[0]))

    def everything(self, parts: list[Token]) -> Item:
        return Item(None, None, start_of(parts[0]))

    def item(self, parts: list[Any]) -> Item:
        if len(parts) == 1:
            return Item(parts[0], None, parts[0].at)
        return Item(parts[0], _unquoted(parts[2]), start_of(parts[2]))

    def group(self, parts: list[Any]) -> Group:
        word, *rest = parts
        here = [i for i, part in enumerate(rest) if isinstance(part, tuple)]
        widths = [part for part in rest if isinstance(part, Width)]
        keys = rest[here[0]] if here else ()
        # Before the keys stands the server's period, after them the client's.
        only_client = bool(here) and here[0] == 0
        server = None if only_client or not widths else widths[0]
        client = widths[-1] if (only_client and widths) or len(widths) > 1 else None
        return Group(server, keys, client, start_of(word))

    def every(self, parts: list[Token]) -> Width:
        return Width(str(parts[1]), start_of(parts[1]))

    def by(self, parts: list[Any]) -> tuple[Term, ...]:
        return tuple(parts[1:])

    def disjunction(self, parts: list[Any]) -> Applied:
        return _applied("or", parts[::2])

    def conjunction(self, parts: list[Any]) -> Applied:
        return _applied("and", parts[::2])

    def negation(self, parts: list[Any]) -> Applied:
        return _applied("not", parts[1:], start_of(parts[0]))

    def comparison(self, parts: list[Any]) -> Applied:
        tests = [
            _applied(_INFIX[op], [left, right])
            for (left, right), op in zip(pairwise(parts[::2]), parts[1::2], strict=True)
        ]
        return tests[0] if len(tests) == 1 else _applied("and", tests)

    def test(self, parts: list[Any]) -> Applied:
        return _applied(_INFIX.get(parts[1], "in"), [parts[0], parts[2]])

    def product(self, parts: list[Any]) -> Applied:
        return _applied(str(parts[1]), [parts[0], parts[2]])

    sum = product

    def negative(self, parts: list[Any]) -> Term:
        sign, term = parts
        if isinstance(term, Written) and term.literal.kind == "number":
            number = term.literal.number
            # The minus of a Decimal rounds it.
            return Written(
                Literal(number.copy_negate() if isinstance(number, Decimal) else -number), start_of(sign)
            )
        return _applied("-", [Written(Literal(0), start_of(sign)), term])

    def call(self, parts: list[Any]) -> Applied:
        name = _unquoted(parts[0]) if parts[0].type == "QUOTED" else str(parts[0])
        is_word = parts[0].type in ("AND", "OR", "IN")
        return _applied(name.lower() if is_word else name, parts[1:], start_of(parts[0]))

    def literal(self, parts: list[Token]) -> Written:
        token = parts[0]
        match token.type:
            case "DOUBLE":
                return Written(Literal(_unescaped(token)), start_of(token))
            case "SINGLE":
                return Written(Literal(token[1:-1]), start_of(token))
            case "ADDRESS":
                return Written(Literal(str(token)), start_of(token))
            case "NUMBER":
                number = read_number(token)
                if number is None:
                    raise WrongHereError("the number is too large to compute with", start_of(token))
                return Written(Literal(number), start_of(token))
            case "NULL":
                return Written(Literal(None), start_of(token))
            case _:
                return Written(Literal(token.lower() == "true"), start_of(token))

    def set(self, parts: list[Any]) -> Braces:
        return Braces(tuple(parts[1:]), start_of(parts[0]))

    def net(self, parts: list[Token]) -> Term:
        raise WrongHereError(
            f"the net {parts[0]} cannot be tested: Ibis knows no addresses",
            start_of(parts[0]),
            'addresses compare as texts, as in startswith(ip, "10.")',
        )


@functools.cache
def _grammar() -> LinqGrammar:
    return LinqGrammar(_TermBuilder())


def _applied(function: str, arguments: list[Any], at: int | None = None) -> Applied:
    start: int = arguments[0].at if at is None else at
    depth = 1 + max(map(_depth, arguments), default=0)
    check_depth(depth, start)
    return Applied(function, tuple(arguments), start, depth)


def _depth(term: Term) -> int:
    match term:
        case Applied():
            return term.depth
        case Braces():
            return max(map(_depth, term.items))
        case _:
            return 0


def _unquoted(token: Token) -> str:
    return token[1:-1].replace("``", "`") if token.startswith("`") else str(token)


def _unescaped(token: Token) -> str:
    def escaped(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            hint = r"in double quotes a backslash is written \\, in single quotes \ as it is"
            raise WrongHereError(
                f"there is no escape \\{found[1]}", start_of(token) + 1 + found.start(), hint
            )
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", escaped, token[1:-1], flags=re.DOTALL)
