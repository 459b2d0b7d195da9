"""A secret: a value in a text that only its owner may read: a password, a token, a key, a signature.

What a value is, its name tells: by a word in it, not by letters that happen to be in it
(``api_key`` and ``AccountKey``, not ``keyspace`` or ``monkey``).  Where a name may be either,
the value is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_HIDDEN: Final = "***"
_USER_INFO: Final = re.compile(r"(://[^:/@\s]*):\S*@")
# Names of secrets wherever these letters are, but for the ordinary words that hold them.
_TELLING: Final = re.compile(r"secret(?!ar)|passw|passphrase|passcode|pwd|token(?!i[sz])|credential")
# The last letters of a word of a name, and the ordinary words that end so.
_ENDING: Final = re.compile(r"(?:key(?:s|ids?)?|sig|signature|pass)$")
_KEY_OF: Final = re.compile(r"(?:api|access|account|private|shared|storage|auth|master|encryption)_?-?key")
_ORDINARY: Final = re.compile(
    r"(?:mon|tur|don|hoc|joc|whis|lac|flun)keys?|(?:by|com|over|under|tres|sur)pass"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_QUOTE: Final = re.compile(r"""\\*["']""")
# A name is looked for from its beginning only, so that a long word is read once.
_PAIR: Final = re.compile(r"(?<![\w.-])(?P<name>[\w.-]+)(?P<equals>\s*==?\s*|%3D)", re.IGNORECASE)
_VALUE: Final = re.compile(
    r"-----BEGIN[\s\S]*?-----END[^-\n]*-----"
    r"|'(?:[^'\\]|\\.|'')*'"
    r'|"(?:[^"\\]|\\.|"")*"'
    r"|\{[^}\n]*\}+"
    r"|['\"{][^\n]*"
    r"|(?:(?!%3B|%26)[^\s&;])+",
    re.IGNORECASE,
)
_MEMBER: Final = re.compile(r"""(?P<quote>\\{0,8}["'])(?P<name>[\w.-]+)(?P=quote)\s*:\s*""")
_MEMBER_VALUE: Final = re.compile(
    r"""(?P<quote>\\{1,8}["']).*?(?P=quote)"""
    r"""|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'][^\n]*|\[[^\]]*\]"""
    r"""|(?!(?:null|true|false|None|True|False)\b)[^\s,}\]\[{"'\\]+""",
)


def without_password(text: str) -> str:
    """A text with the secrets in it hidden: of URLs, of connection strings, of JSON.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The text with ``***`` for each secret; quotes around it stay.

    Examples
    --------
    >>> without_password("postgresql://me:secret@host/db")
    'postgresql://me:***@host/db'
    >>> without_password("mysql://host/db?password=secret&ssl=1")
    'mysql://host/db?password=***&ssl=1'
    >>> without_password("host=db AccountKey=abc== keyspace=shop")
    'host=db AccountKey=*** keyspace=shop'
    >>> without_password('{"api_key": "abc", "keyword": "x"}')
    '{"api_key": "***", "keyword": "x"}'
    """
    text = _USER_INFO.sub(rf"\1:{_HIDDEN}@", text)
    text = _without(text, _MEMBER, _MEMBER_VALUE, lambda found: names_secret(found["name"]))
    return _without(text, _PAIR, _VALUE, _begins_secret)


def _without(
    text: str, name: re.Pattern[str], value: re.Pattern[str], is_secret: Callable[[re.Match[str]], bool]
) -> str:
    """A text without the values of names of secrets; in other values it is looked for more names."""
    parts: list[str] = []
    at = 0
    while found := name.search(text, at):
        parts.append(text[at : found.end()])
        at = found.end()
        hidden = value.match(text, at) if is_secret(found) else None
        if hidden is not None:
            parts.append(_hidden(hidden[0]))
            at = hidden.end()
    return "".join([*parts, text[at:]])


def _begins_secret(found: re.Match[str]) -> bool:
    name, equals = found.groups()
    # With spaces around it, a bare key is a column that SQL compares, such as that of a join.
    is_compared = equals.strip() != equals
    return _is_telling(name) if is_compared else names_secret(name)


def _hidden(value: str) -> str:
    """What stands for a value: the quotes around it stay."""
    quote = _QUOTE.match(value)
    shown = "" if quote is None or len(value) < 2 or not value.endswith(quote[0]) else quote[0]
    return f"{shown}{_HIDDEN}{shown}"


def names_secret(name: str) -> bool:
    """Whether what has this name is a secret.

    Examples
    --------
    >>> [names_secret(name) for name in ("aws_access_key_id", "AccountKey", "apikey", "sig", "PWD")]
    [True, True, True, True, True]
    >>> [names_secret(name) for name in ("keyspace", "monkey", "signal", "design", "tokenizer")]
    [False, False, False, False, False]
    """
    return _is_telling(name) or any(
        _ENDING.search(word) and not _ORDINARY.fullmatch(word)
        for word in (part.lower() for part in _WORD.findall(name))
    )


def _is_telling(name: str) -> bool:
    lower = name.lower()
    return bool(_TELLING.search(lower) or _KEY_OF.search(lower))
