"""A term: a piece of a LINQ text as it is written, before it is known what its names mean.

An infix operator is the function of its name, so that ``a = b`` and ``eq(a, b)`` are one term.
"""

# Lark is untyped in places.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput

from aggflow.errors import ParseError
from aggflow.language.predicate import Literal, read_number
from aggflow.language.syntax import Hint, WrongHereError, first_hint, start_of, stop_of, words_of

#: Deeper nesting is refused: what works on trees may recurse.
DEEPEST = 100

_INFIX = {
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
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}


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
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users give what they have
        raise ParseError(f"{what} is a text, not {text!r}", text=repr(text), position=0)
    try:
        return _grammar().parse(text, start=start)
    except UnexpectedInput:
        raise _explained(text, start, what) from None


class _TermBuilder(Transformer[Token, Any]):
    """A rule of the grammar each."""

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
def _grammar() -> Lark:
    return Lark.open(
        "linq.lark",
        rel_to=__file__,
        parser="lalr",
        start=["query", "condition", "operand"],
        maybe_placeholders=False,
        transformer=_TermBuilder(),
    )


def possible_after(text: str) -> set[str] | None:
    """The terminals that could follow a text that is the beginning of a query; None where it is none.

    Examples
    --------
    >>> sorted(possible_after("from flights group every"))
    ['PERIOD']
    >>> possible_after("from from") is None
    True
    """
    parser = _grammar().parse_interactive(text, start="query")
    try:
        parser.exhaust_lexer()
    except (UnexpectedInput, WrongHereError):
        return None
    return set(parser.accepts())


def _applied(function: str, arguments: list[Any], at: int | None = None) -> Applied:
    start: int = arguments[0].at if at is None else at
    depth = 1 + max(map(_depth, arguments), default=0)
    if depth > DEEPEST:
        raise WrongHereError(f"this is nested more than {DEEPEST} deep", start)
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


# ---------------------------------------------------------------------------------------
# Errors

_LITERAL = "a text, number, true or false"
_WORDS = {
    "FROM": "from",
    "NAME": "a name",
    "QUOTED": "a name",
    "DOUBLE": _LITERAL,
    "SINGLE": _LITERAL,
    "NUMBER": _LITERAL,
    "LPAR": "( … )",
    "LBRACE": "{ … }",
    "NOT": "not",
    "PERIOD": "a period (30m, 1h, 1d, - for none)",
    "COMPARISON": "a comparison (= /= < <= > >=)",
    "HAS": "-> ->> <- ~ in",
    "PLUS": "+ - * /",
    "STAR": "+ - * /",
    "DOT": "a dot",
    "COMMA": "a comma",
    "RPAR": ")",
    "RBRACE": "}",
    "AND": "and, or",
    "OR": "and, or",
    "AS": "as",
    "BY": "by",
    "EVERY": "every",
    "WHERE": "where",
    "SELECT": "select",
    "GROUP": "group",
    "$END": "the end",
}

_ONE_TABLE = "an aggregation reads one table; join or unite tables in the source"
# What is not accepted, by name: what stands there, what it is called, and what to do.
_REFUSED = (
    (r"limit\b", "limit", "all groups are kept; cut the answer"),
    (r"order\b", "order by", "sort the answer"),
    (r"(sort|having)\b", "that clause", "sort and filter the answer"),
    (r"(left|right|inner|full|cross|join)\b", "a join", _ONE_TABLE),
    (r"(union|also)\b", "a union", _ONE_TABLE),
    (r"let\b", "let", "name an expression by select … as name"),
    (r"pragma\b", "a pragma", "leave it out; the time zone is a setting of its own"),
    (r"\(?\s*from\b", "a subquery", _ONE_TABLE),
    (r"\|", "an alignment of buckets", "they begin at multiples of the period; days follow the time zone"),
)

_HINTS: tuple[Hint, ...] = (
    (r'"', None, "the text that begins here has no closing quote"),
    (r"'", None, "the text that begins here has no closing quote"),
    (r"`", None, "the name that begins here has no closing backtick"),
    (r"[\u2018-\u201f]", None, 'a text stands in straight quotes: "LGA"'),
    (r"==", None, "equality is written ="),
    (r"=", "NAME", "equality is written ="),
    (r"=~", None, 'a regular expression is written name ~ re("^A")'),
    (r"<>", None, "inequality is written /="),
    (r">", None, "a comparison is = /= < <= > >="),
    (r"&&?", None, "and is written and, or as a comma"),
    (r"\|\|", None, "or is written or"),
    (r"!", None, "negation is written not"),
    (r"like\b", None, 'parts of a text are found by has, startswith, endswith, or ~ nameglob("a*")'),
    (r"between\b", None, "a range is written 1 <= name <= 5"),
    (r"is\b", None, "a missing value is asked for by isnull(name), any other by isnotnull(name)"),
    (r"\*\s*\)", None, "rows are counted by count()"),
    (r"\[", None, 'a set stands in braces: name in {"A", "B"}'),
    (r"%", None, "there is no remainder"),
    (r"//", None, "// begins a comment"),
    (r"-", "DOT", "a name with other than letters, digits and _ stands in backticks"),
    (r"\d", "NAME", "a name that does not begin with a letter stands in backticks"),
    (r"@", None, "a column is written as its name: client, payload.user"),
    (r";", None, "there is one query, and nothing after it"),
)
_KEYWORD = re.compile(r"(from|where|select|group|every|by|as|and|or|not|in|true|false|null)\b", re.IGNORECASE)


def _explained(text: str, start: str, what: str) -> ParseError:
    position, possible = stop_of(_grammar(), text, start)
    if "NAME" in possible:
        possible -= {"AND", "OR", "IN"}  # functions of these names, not worth a word
    rest = text[position:]
    for pattern, name, hint in _REFUSED:
        # At the very beginning these are names, misplaced.
        if position and re.match(pattern, rest, re.IGNORECASE):
            return ParseError(f"{name} is not accepted", text=text, position=position, hint=hint)
    if re.fullmatch(r"\s*from\s+[\w.`]+\s*", text[:position], re.IGNORECASE) and rest[:1] in ("(", ","):
        return ParseError("a union is not accepted", text=text, position=position, hint=_ONE_TABLE)
    ends = position >= len(text.rstrip())
    return ParseError(
        f"{what} ends too early" if ends else f"{what} cannot be read from here on",
        text=text,
        position=position,
        expected=words_of(possible, _WORDS),
        hint=_hint(text, position, possible),
    )


def _hint(text: str, position: int, possible: set[str]) -> str:
    hint = first_hint(_HINTS, text, position, possible)
    word = _KEYWORD.match(text, position)
    if not hint and word and "NAME" in possible:
        return f"{word[0]} is a word of LINQ; a column of that name stands in backticks: `{word[0]}`"
    return hint
