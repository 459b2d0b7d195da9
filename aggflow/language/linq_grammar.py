"""The grammar of LINQ: ``linq.lark``, with what is said where a text does not fit it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aggflow.errors import ParseError, nearest
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
_CUT = "all groups are kept; cut the answer, or ask by an endpoint, which has a limit"
# What is not accepted, by name: what stands there, what it is called, and what to do.
_REFUSED = (
    (r"limit\b", "limit", _CUT),
    (r"(offset|fetch|top)\b", "that clause", _CUT),
    (r"(order|asc|desc)\b", "order by", "sort the answer; an endpoint sorts by itself"),
    (r"(sort|having)\b", "that clause", "sort and filter the answer"),
    (r"(left|right|inner|full|cross|join)\b", "a join", _ONE_TABLE),
    (r"(union|also)\b", "a union", _ONE_TABLE),
    (r"let\b", "let", "name an expression by select … as name"),
    (r"pragma\b", "a pragma", "leave it out; the time zone is a setting of its own"),
    (r"\(?\s*from\b|\(\s*select\b|(?<=\()select\b", "a subquery", _ONE_TABLE),
    (
        r"\|(?!\|)",
        "an alignment of buckets",
        "they begin at multiples of the period; days follow the time zone",
    ),
)

_HINTS: Final[Sequence[Hint]] = (
    (
        r"(select|where|group|with|limit|order|having)\b",
        "FROM",
        "the table comes first: from flights where … group every 1h by … select …",
    ),
    (r"(?<=')'", None, """a text with an apostrophe stands in double quotes: "it's\""""),
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
    (r"not\s+(in|like|between)\b", None, 'not comes first: not name in {"A", "B"}'),
    (r"like\b", None, 'parts of a text are found by has, startswith, endswith, or ~ nameglob("a*")'),
    (r"between\b", None, "a range is written 1 <= name <= 5"),
    (r"is\b", None, "a missing value is asked for by isnull(name), any other by isnotnull(name)"),
    (r"\*\s*\)", None, "rows are counted by count()"),
    (r"\[", None, 'a set stands in braces: name in {"A", "B"}'),
    (r"%", None, "there is no remainder"),
    (r"//", None, "// begins a comment"),
    (r"--|/\*", None, "a comment begins with //"),
    (r"when\b", None, "a choice is written ifthenelse(condition, 1, 0)"),
    (r"-", "DOT", "a name with other than letters, digits and _ stands in backticks"),
    (r"\d", "NAME", "a name that does not begin with a letter stands in backticks"),
    (r"@", None, "a column is written as its name: client, payload.user"),
    (r";", None, "there is one query, and nothing after it"),
)
# What stands before the wrong place, what stands there, and what to do.
_BEHIND: Final = (
    (r"""\bin\s*\(([^()'"]|'[^']*'|"[^"]*")*$""", r",", 'a set stands in braces: name in {"A", "B"}'),
    (r"\{\s*$", r"\}", "a set has one value at least"),
    (
        r"\bdistinct\s*$",
        r"",
        "group by a column for its different values; hllpp(name) says about how many there are",
    ),
    (r"\bevery\s+[0-9]+\s*$", r"[a-z]", "a period is one word: 30m, 1h, 1d"),
    (r"\\'\w*$", r"", """a text with an apostrophe stands in double quotes: "it's\""""),
)
_TABLE = re.compile(r"\s*from\s+[\w.`]+\s*", re.IGNORECASE)
_NO_ALIAS = "a table has no other name here; its columns stand alone: carrier"
_NAMED_BEFORE = "an expression is named before the group: select lower(client) as name group by name"
_KEYWORDS = ("from", "where", "select", "group", "every", "by", "as", "and", "or", "in")
_WORD = re.compile(r"[^\W\d]\w*")
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
        for pattern, name, hint in _REFUSED:
            # At the very beginning these are names, misplaced.
            if position and re.compile(pattern, re.IGNORECASE).match(text, position):
                return ParseError(f"{name} is not accepted", text=text, position=position, hint=hint)
        if _TABLE.fullmatch(text[:position]) and text[position : position + 1] in ("(", ","):
            return ParseError("a union is not accepted", text=text, position=position, hint=_ONE_TABLE)
        return None

    def _other_hint(self, text: str, position: int, possible: set[str]) -> str:
        word = _KEYWORD.match(text, position)
        if word and "NAME" in possible:
            return f"{word[0]} is a word of LINQ; a column of that name stands in backticks: `{word[0]}`"
        before, rest = text[:position], text[position:]
        for behind, there, hint in _BEHIND:
            if re.search(behind, before, re.IGNORECASE) and re.match(there, rest, re.IGNORECASE):
                return hint
        if word and word[0].lower() == "as":
            return _NO_ALIAS if _TABLE.fullmatch(before) else _NAMED_BEFORE
        meant = self._meant(text, position, possible)
        return meant or (_NO_ALIAS if _TABLE.fullmatch(before) and rest[:1].isalpha() else "")

    def _meant(self, text: str, position: int, possible: set[str]) -> str:
        """A hint for a mistyped word of the language."""
        word = _WORD.match(text, position)
        meant = nearest(word[0], (one for one in _KEYWORDS if one.upper() in possible)) if word else None
        return f"did you mean {meant}?" if meant else ""
