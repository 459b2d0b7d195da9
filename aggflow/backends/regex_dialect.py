r"""A regex dialect: what an expression of RE2 has to look like for an engine that reads them otherwise.

RE2 is what predicates mean everywhere.  Others take ``\w`` for all letters of Unicode, ``$`` for a place
before the last line break as well, ``.`` for a line break, or do not know ``\b``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aggflow.errors import UnsupportedError

_WORD: Final = "0-9A-Za-z_"
_ASCII: Final = {"d": "0-9", "w": _WORD, "s": r"\t\n\f\r "}
_POSIX: Final = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "0-9A-Za-z", "upper": "A-Z", "lower": "a-z",
    "space": r"\t\n\x0b\f\r ", "word": _WORD, "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_AROUND: Final = rf"(?:(?<![{_WORD}])(?=[{_WORD}])|(?<=[{_WORD}])(?![{_WORD}]))"
_INSIDE: Final = rf"(?:(?<![{_WORD}])(?![{_WORD}])|(?<=[{_WORD}])(?=[{_WORD}]))"
_TOKEN = re.compile(
    r"(?P<flags>^\(\?[a-zA-Z]+\))|(?P<named>\(\?P?<[A-Za-z_]\w*>)|(?P<group>\(\?[a-zA-Z-]*:)|(?P<hex>\\x(?:[0-9a-fA-F]{2}|\{[0-9a-fA-F]+\}))"
    r"|(?P<escape>\\.)|(?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])|(?P<plain>.)",
    re.DOTALL,
)
_IN_CLASS = re.compile(r"\[:(?P<not>\^?)(?P<posix>\w+):\]|(?P<escape>\\.)|(?P<plain>.)", re.DOTALL)
_LAZY_OR_CHOICE = re.compile(r"\||[*+?}]\?")


@dataclass(frozen=True)
class RegexDialect:
    r"""How an engine reads regular expressions.

    Attributes
    ----------
    name
        For people.
    border, inside
        ``\b`` and ``\B`` of ASCII words.
    end
        The end of the text, and nothing before it.
    flags
        Flags that are always set.
    of_case
        The flag of either case.
    dot
        What stands for a dot without the flag ``s``; empty for the dot itself.
    hex
        A character by its code of two digits; empty where it stays as it is.
    longest
        Whether it finds the longest text, where RE2 finds the one of the first alternative.
    group
        How a replacement names a group.
    dollar
        How a replacement writes ``$``.
    """

    name: str
    border: str = _AROUND
    inside: str = _INSIDE
    end: str = r"\z"
    flags: str = ""
    of_case: str = "i"
    dot: str = ""
    hex: str = ""
    longest: bool = False
    group: str = r"\{}"
    dollar: str = "$"


DIALECTS: Final = {
    dialect.name: dialect
    for dialect in (
        RegexDialect("python", end=r"\Z"),
        RegexDialect("pcre"),
        RegexDialect("java", flags="d", of_case="iu", group="${}", dollar=r"\$"),
        RegexDialect("rust", border=r"(?-u:\b)", inside=r"(?-u:\B)", group="${{{}}}", dollar="$$"),
        RegexDialect("posix", end=r"\Z", dot=r"[^\n]", hex=r"\u00{}", longest=True),
    )
}


def pattern_for(pattern: str, dialect: RegexDialect, *, only_found: bool) -> str:
    r"""An expression of RE2 as an engine has to be given it.

    Parameters
    ----------
    pattern
        The expression.
    dialect
        The engine's.
    only_found
        Whether it only matters that something is found, not what.

    Raises
    ------
    UnsupportedError
        It cannot be said there.

    Examples
    --------
    >>> pattern_for(r"(?i)^\w+$", DIALECTS["python"], only_found=True)
    '(?i)^[0-9A-Za-z_]+\\Z'
    >>> pattern_for(r"a.\x7f", DIALECTS["posix"], only_found=True)
    'a[^\\n]\\u007f'
    """
    if dialect.longest and not only_found and _LAZY_OR_CHOICE.search(pattern):
        raise UnsupportedError(
            f"what {pattern!r} finds is another text there: it has alternatives, or is lazy"
        )
    given = re.match(r"\(\?([a-zA-Z]+)\)", pattern)
    flags = given[1] if given else ""
    if dialect.longest and set(flags) - set("ism"):
        raise UnsupportedError(f"the flags of {pattern!r} are not known there")
    kept = _flags(flags, dialect)
    return (f"(?{kept})" if kept else "") + "".join(_parts(pattern, flags, dialect))


def replacement_for(text: str, dialect: RegexDialect) -> str:
    r"""A replacement of RE2 (``\1`` is a group, ``$`` a dollar) as an engine has to be given it.

    Examples
    --------
    >>> replacement_for(r"\1 costs $5", DIALECTS["rust"])
    '${1} costs $$5'
    """
    return re.sub(
        r"\\(\d)|\$", lambda m: dialect.group.format(m[1]) if m[1] is not None else dialect.dollar, text
    )


def _flags(flags: str, dialect: RegexDialect) -> str:
    if dialect.longest:
        # A dot is written out; what is many lines to RE2 is w there.
        return "".join({"i": "i", "m": "w", "s": ""}[flag] for flag in flags)
    return dialect.flags + "".join(dialect.of_case if flag == "i" else flag for flag in flags)


def _parts(pattern: str, flags: str, dialect: RegexDialect) -> Iterator[str]:
    for found in _TOKEN.finditer(pattern):
        text = found[0]
        match found.lastgroup:
            case "flags":
                continue
            case "named":
                yield "("
            case "group":
                yield _known(text, dialect) if text != "(?:" else text
            case "hex":
                yield _hexadecimal(text, dialect)
            case "escape":
                yield _escape(text, dialect)
            case "class":
                yield _class(text, dialect)
            case _:
                yield _plain(text, flags, dialect)


def _plain(text: str, flags: str, dialect: RegexDialect) -> str:
    if text == "$" and "m" not in flags:
        return dialect.end
    return dialect.dot if text == "." and dialect.dot and "s" not in flags else text


def _escape(text: str, dialect: RegexDialect) -> str:
    letter = text[1]
    if letter in "dws":
        return f"[{_ASCII[letter]}]"
    if letter in "DWS":
        return f"[^{_ASCII[letter.lower()]}]"
    borders = {"b": dialect.border, "B": dialect.inside, "z": dialect.end, "A": r"\A"}
    if letter in borders:
        return borders[letter]
    return _known(text, dialect) if letter in "pPQECuUX" else text


def _class(text: str, dialect: RegexDialect) -> str:
    start = re.match(r"\[\^?\]?", text)
    head = start[0] if start else "["
    parts = [head]
    for found in _IN_CLASS.finditer(text[len(head) : -1]):
        if found["posix"]:
            if found["not"] or found["posix"] not in _POSIX:
                raise UnsupportedError(f"the class {found[0]} of {text!r} is not known there")
            parts.append(_POSIX[found["posix"]])
        elif found["escape"]:
            parts.append(_ASCII.get(found[0][1]) or _in_class(found[0], dialect))
        else:
            parts.append(found[0])
    inner = "".join(parts[1:])
    if dialect.hex:
        inner = re.sub(r"\\x([0-9a-fA-F]{2})", lambda m: dialect.hex.format(m[1]), inner)
    return f"{head}{inner}]"


def _in_class(text: str, dialect: RegexDialect) -> str:
    if text[1] in "DWS":
        raise UnsupportedError(f"{text} inside a class is another set of characters there")
    return _known(text, dialect) if text[1] in "pPQEC" else text


def _hexadecimal(text: str, dialect: RegexDialect) -> str:
    if not dialect.hex:
        return text
    return dialect.hex.format(text[2:]) if text[2] != "{" else _known(text, dialect)


def _known(text: str, dialect: RegexDialect) -> str:
    """What is left to the engine where it reads the same as RE2."""
    if dialect.longest or (dialect.name == "python" and text[:2] in (r"\p", r"\P", r"\Q", r"\E")):
        raise UnsupportedError(f"regular expressions with {text} are not known there")
    return text
