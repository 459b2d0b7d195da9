"""A value list: values of a grouping as people type them: ``JFK, "New York, NY", null``."""

from __future__ import annotations

import json
import re
from typing import Any

from aggflow.errors import ParseError

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)')
_WORDS = {"true": True, "false": False, "null": None}


def read_values(text: str, type_: Any = None) -> list[Any]:
    """The values of a text.

    Parameters
    ----------
    text
        Values with commas between; in double quotes where a value has a comma, ``null`` for a missing one.
    type_
        The Ibis type of the column; of numbers, digits are numbers, else texts.

    Raises
    ------
    ParseError
        A quote is not closed, or what it holds cannot be read; with its place.

    Examples
    --------
    >>> read_values('JFK, "New York, NY", null, 7')
    ['JFK', 'New York, NY', None, '7']
    """
    found: list[Any] = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None or (token[1].startswith('"') and not _is_quoted(token[1])):
            raise _wrong(text, place)
        if token[1]:
            try:
                found.append(_value(token[1], type_))
            except json.JSONDecodeError:
                raise _wrong(text, place) from None
        place = token.end()
    return found


def write_values(values: Any) -> str:
    """Values as a text that is read as the same.

    Examples
    --------
    >>> write_values(["JFK", "New York, NY", None, "null", 7])
    'JFK, "New York, NY", null, "null", 7'
    """
    return ", ".join(map(_written, values))


def _value(token: str, type_: Any) -> Any:
    if _is_quoted(token):
        return json.loads(token)
    if token == "null":  # noqa: S105 - no password
        return None
    if type_ is not None and type_.is_boolean() and token in _WORDS:
        return _WORDS[token]
    if type_ is not None and type_.is_numeric() and _NUMBER.fullmatch(token):
        return json.loads(token)
    return token


def _wrong(text: str, place: int) -> ParseError:
    hint = 'a value in double quotes ends with one; within it, a quote is written \\"'
    start = place + len(text[place:]) - len(text[place:].lstrip())
    return ParseError("a value cannot be read from here on", text=text, position=start, hint=hint)


def _is_quoted(token: str) -> bool:
    return len(token) > 1 and token.startswith('"') and token.endswith('"')


def _written(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = value and value == value.strip() and not re.search(r'[",\\\n]', value) and value not in _WORDS
    return value if is_plain else json.dumps(value, ensure_ascii=False)
