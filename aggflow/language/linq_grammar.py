"""The grammar of LINQ: ``linq.lark``, with what is said where a text does not fit it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aggflow.errors import ParseError
from aggflow.language.grammar import Grammar, Hint

_LITERAL = "a text, number, true or false"
_WORDS: Final[Mapping[str, str]] = {
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

_HINTS: Final[Sequence[Hint]] = (
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


class LinqGrammar(Grammar):
    """How queries, and conditions and operands of their own, are written as LINQ."""

    file = "linq.lark"
    starts = ("query", "condition", "operand")
    words = _WORDS
    hints = _HINTS

    def _worth_saying(self, possible: set[str]) -> set[str]:
        # Functions are called by these names too, which is not worth a word.
        return possible - {"AND", "OR", "IN"} if "NAME" in possible else possible

    def _refused(self, text: str, position: int) -> ParseError | None:
        rest = text[position:]
        for pattern, name, hint in _REFUSED:
            # At the very beginning these are names, misplaced.
            if position and re.match(pattern, rest, re.IGNORECASE):
                return ParseError(f"{name} is not accepted", text=text, position=position, hint=hint)
        if re.fullmatch(r"\s*from\s+[\w.`]+\s*", text[:position], re.IGNORECASE) and rest[:1] in ("(", ","):
            return ParseError("a union is not accepted", text=text, position=position, hint=_ONE_TABLE)
        return None

    def _other_hint(self, text: str, position: int, possible: set[str]) -> str:
        word = _KEYWORD.match(text, position)
        if word and "NAME" in possible:
            return f"{word[0]} is a word of LINQ; a column of that name stands in backticks: `{word[0]}`"
        return ""
