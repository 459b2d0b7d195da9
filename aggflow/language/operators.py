"""Operators: one row each, with its symbol, its sentence for people, and its meaning.

The meaning takes an Ibis value and what stands on the right.  It is written so that
every engine with a regular expression gives the same answer: ``LIKE`` of SQL, for one,
ignores case on some engines and knows escapes on others, so it is not used.  An engine
whose own spelling is right and faster may be given it (``to_ibis(spelled=...)``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
Meaning = Callable[[Any, Any], Any]

_SPECIAL_IN_REGEX = frozenset(r"\.^$*+?()[]{}|")


@dataclass(frozen=True)
class Operator:
    """One operator of predicates.

    Attributes
    ----------
    symbol
        As JPath writes it.
    sentence
        As people say it: ``<field> <sentence> <right side>``.
    takes
        What stands on its right side.
    meaning
        From an Ibis value and the right side to an Ibis boolean; null where the value is.
    """

    symbol: str
    sentence: str
    takes: Literal["value", "values", "pattern", "regex", "nothing"]
    meaning: Meaning


def like_regex(pattern: str, *, ignore_case: bool = False) -> str:
    r"""The regular expression that says what a LIKE pattern says, from the start of a text on.

    ``%`` stands for any text and ``_`` for any one character; nothing escapes them.
    A pattern that does not end with ``%`` expects ``.`` after the text: ``$`` alone
    would, on some engines, overlook a line break at the end.

    Examples
    --------
    >>> like_regex("a.b%")
    '(?s)^a\\.b'
    >>> like_regex("%b", ignore_case=True)
    '(?si)^.*b\\.$'
    """
    wildcards = {"%": ".*", "_": "."}
    flags = "(?si)" if ignore_case else "(?s)"
    is_open = pattern.endswith("%")
    body = "".join(wildcards.get(c, _escaped(c)) for c in (pattern.rstrip("%") if is_open else pattern))
    return f"{flags}^{body}" if is_open else f"{flags}^{body}\\.$"


def glob_regex(pattern: str) -> str:
    r"""The regular expression that says what a glob says: ``*`` any text, ``?`` any one character.

    As with `like_regex`, a pattern without a ``*`` at its end expects ``.`` after the text.

    Examples
    --------
    >>> glob_regex("a.?*"), glob_regex("*.log")
    ('(?s)^a\\..', '(?s)^.*\\.log\\.$')
    """
    wildcards = {"*": ".*", "?": "."}
    is_open = pattern.endswith("*")
    body = "".join(wildcards.get(c, _escaped(c)) for c in (pattern.rstrip("*") if is_open else pattern))
    return f"(?s)^{body}" if is_open else f"(?s)^{body}\\.$"


def find_regex(texts: Sequence[str], left: str, right: str, *, ignore_case: bool) -> str:
    r"""The regular expression that finds one of some texts within its borders (see ``Find``).

    Where the right border is the ``end``, it expects ``.`` after the text.

    Examples
    --------
    >>> find_regex(["a.b", "c"], "end", "any", ignore_case=True)
    '(?si)^(?:a\\.b|c)'
    """
    between = r"[\x00-/:-@\[-`{-\x7f]"
    before = {"any": "", "token": f"(?:^|{between})", "end": "^"}[left]
    after = {"any": "", "token": f"(?:{between}|$)", "end": r"\.$"}[right]
    body = "|".join("".join(map(_escaped, text)) for text in texts)
    return f"{'(?si)' if ignore_case else '(?s)'}{before}(?:{body}){after}"


def _escaped(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL_IN_REGEX else character


def _like(value: Any, pattern: str) -> Any:
    inner = pattern[1:-1]
    if not set(pattern) & {"%", "_"}:
        return value == pattern
    if inner and pattern[0] == pattern[-1] == "%" and not set(inner) & {"%", "_"}:
        return value.contains(inner)
    return _search_like(value, pattern, ignore_case=False)


def _ilike(value: Any, pattern: str) -> Any:
    return _search_like(value, pattern, ignore_case=True)


def _search_like(value: Any, pattern: str, *, ignore_case: bool) -> Any:
    text = value if pattern.endswith("%") else value + "."
    return text.re_search(like_regex(pattern, ignore_case=ignore_case))


def _glob(value: Any, pattern: str) -> Any:
    return (value if pattern.endswith("*") else value + ".").re_search(glob_regex(pattern))


def _search(value: Any, pattern: str) -> Any:
    return value.re_search(pattern)


def _is_in(value: Any, options: Any) -> Any:
    return value.isin(options)


def _exists(value: Any, _: Any = None) -> Any:
    return value.notnull()


_ROWS = (
    Operator("==", "is", "value", operator.eq),
    Operator("!=", "is there and is not", "value", operator.ne),
    Operator("<", "is less than", "value", operator.lt),
    Operator("<=", "is at most", "value", operator.le),
    Operator(">", "is greater than", "value", operator.gt),
    Operator(">=", "is at least", "value", operator.ge),
    Operator("LIKE", "looks like (% any text, _ any character)", "pattern", _like),
    Operator("ILIKE", "looks like, in any case,", "pattern", _ilike),
    Operator("glob", "looks like (* any text, ? any character)", "pattern", _glob),
    Operator("=~", "contains a match of", "regex", _search),
    Operator("in", "is one of", "values", _is_in),
    Operator("exists", "is there", "nothing", _exists),
)

OPERATORS: dict[str, Operator] = {row.symbol: row for row in _ROWS}

#: The comparison that says the same with its sides exchanged.
MIRRORED: dict[Comparison, Comparison] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

#: The comparison that is true where the other is false; neither is where a side is missing.
OPPOSITE: dict[Comparison, Comparison] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
