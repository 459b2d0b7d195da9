"""The grammar of JPath: ``jpath.lark``, with what is said where a text does not fit it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aggflow.language.grammar import Grammar, Hint
from aggflow.quote import cut

_WORDS: Final[Mapping[str, str]] = {
    "ROOT": "a field (@.name)",
    "TEXT": "a text in single quotes",
    "NUMBER": "a number",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "BANG": "!( … )",
    "LPAR": "( … )",
    "NAME": "a name",
    "COMPARISON": "a comparison (== != < <= > >=)",
    "LIKE": "LIKE",
    "ILIKE": "ILIKE",
    "_MATCHES": "=~",
    "REGEX": "a regular expression between slashes (/…/)",
    "_IN": "in",
    "DOT": ".name or ['name']",
    "LSQB": "[",
    "COMMA": "a comma",
    "RSQB": "]",
    "RPAR": ")",
    "_AND": "&&",
    "_OR": "||",
    "$END": "the end",
}

_HINTS: Final[Sequence[Hint]] = (
    (r"[\"`\u2018-\u201f]", None, "a text stands in straight single quotes: 'LGA'"),
    (r"(?<=')'", None, r"an apostrophe in a text is written \': 'it\'s'"),
    (r"'", "REGEX", "a regular expression stands between slashes: =~ /^A/"),
    (r"'[^']*$", "TEXT", "the text that begins here has no closing quote"),
    (r"/", "REGEX", "the regular expression that begins here has no closing slash"),
    (r"/", None, "a regular expression follows =~, as in @.name =~ /^A/"),
    (r"and\b", None, "and is written &&"),
    (r"or\b", None, "or is written ||"),
    (r"(?<=/)[a-z]+\b", None, "a regular expression that fits in any case is written /(?i)a/"),
    (r"&(?!&)", None, "and is written &&"),
    (r"\|(?!\|)", None, "or is written ||"),
    (r"=(?!=)", None, "equality is written =="),
    (r">", "NUMBER", "inequality is written !="),
    (r"not\b", None, "negation is written !( … ), as in !(@.name in ['A', 'B'])"),
    (r"!", None, "negation stands before the whole test: !(@.name LIKE 'A%')"),
    (r"is\b", None, "a missing value is asked for by == null, any other by != null"),
    (r"between\b", None, "a range is written @.name >= 1 && @.name <= 5"),
    (r"(rlike|regexp|matches|~)", None, "a regular expression is written @.name =~ /^A/"),
    (r"(contains|starts|ends)\w*", None, "parts of a text are found by LIKE: '%middle%', 'start%', '%end'"),
    (r"(none|nil|undefined)\b", None, "a missing value is written null"),
    (r"[({]", "LSQB", "a list stands in square brackets: in ['A', 'B']"),
    (r"\$", None, "a field is written @.name"),
    (r"[a-z_]\w*\s*\(", "ROOT", """functions are LINQ's, behind an equals sign: "=lower(carrier) = 'aa'\""""),
    (r"@", "RSQB", "a list holds written values only: in ['A', 'B']"),
    (r"\d", "NAME", "a name that does not begin with a letter is written ['2nd']"),
    (r"\d", "TEXT", "a text in single quotes is needed here, a number is none"),
    (r"\.\d", "NUMBER", "a number begins with a digit: 0.5"),
    (r"-", "DOT", "a name with other than letters, digits and _ is written @['any name']"),
)


class JPathGrammar(Grammar):
    """How predicates and paths are written as JPath."""

    file = "jpath.lark"
    starts = ("predicate", "place")
    words = _WORDS
    hints = _HINTS

    def _worth_saying(self, possible: set[str]) -> set[str]:
        # The row of the dot names the bracket of a path already.
        return possible - {"LSQB"} if "DOT" in possible else possible

    def _other_hint(self, text: str, position: int, possible: set[str]) -> str:
        word = re.match(r"[^\W\d]\w*", text[position:])
        if word and "ROOT" in possible:
            return f"a field is written @.{cut(word[0])}, a text '{cut(word[0])}'"
        return ""
