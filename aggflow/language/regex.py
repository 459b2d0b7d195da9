"""A regular expression: what of RE2 can be checked without an engine."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass

# What Python's own expressions know and RE2, which never backtracks, does not.
_NOT_IN_RE2 = (
    (re.compile(r"\(\?<?[=!]"), "it looks around ((?=, (?!, (?<=, (?<!), which RE2 cannot"),
    (re.compile(r"\\[1-9]|\(\?P="), "it refers back to a group, which RE2 cannot"),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "it has an atomic group or possessive repetition, which RE2 does not know",
    ),
)
# RE2 reads these, Python does not: \p{Greek}, \z, (?U).
_ONLY_IN_RE2 = ("bad escape", "unknown extension")


@dataclass(frozen=True)
class RegexProblem:
    """What is wrong with a regular expression, and where in it."""

    message: str
    position: int


def first_problem(pattern: str) -> RegexProblem | None:
    r"""The first thing that keeps an expression from being RE2, as far as one can tell, or None.

    Examples
    --------
    >>> first_problem("a(b")
    RegexProblem(message='missing ), unterminated subpattern', position=1)
    >>> first_problem(r"^a\.b$") is None
    True
    """
    # Escaped pairs and character classes are blanked, so that `\(?=` is not taken for a group.
    bare = re.sub(r"\\[^1-9]|\[\^?\]?(?:\\.|[^\]\\])*\]", lambda m: " " * len(m[0]), pattern, flags=re.DOTALL)
    for unknown, message in _NOT_IN_RE2:
        found = unknown.search(bare)
        if found:
            return RegexProblem(message, found.start())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        is_open = error.msg.endswith("(end of pattern)")
        if is_open or not error.msg.startswith(_ONLY_IN_RE2):
            return RegexProblem(error.msg, error.pos or 0)
    except (OverflowError, RecursionError):
        return RegexProblem("it repeats or nests too much", 0)
    return None


def unescape_slashes(pattern: str) -> str:
    r"""The expression with ``\/`` written as ``/``, which means the same.

    Examples
    --------
    >>> unescape_slashes(r"a\/b\\c")
    'a/b\\\\c'
    """
    return re.sub(r"\\(.)", lambda m: "/" if m[1] == "/" else m[0], pattern, flags=re.DOTALL)


def escape_slashes(pattern: str) -> str:
    r"""The expression as it stands between slashes: each ``/`` that is not escaped becomes ``\/``.

    Examples
    --------
    >>> print(escape_slashes(r"a/b\\/c"))
    a\/b\\\/c
    """
    return re.sub(r"(\\.)|/", lambda m: m[1] or "\\/", pattern, flags=re.DOTALL)
