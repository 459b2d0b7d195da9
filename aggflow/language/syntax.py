"""A syntax error: where a text stops to fit its grammar, and what could stand there, in words."""

# Lark is untyped in places.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

Hint: TypeAlias = tuple[str, str | None, str]
"""What stands at the wrong place, the terminal that was possible there (or any), and what to do."""


class WrongHereError(Exception):
    """Something that a grammar allows and its language does not, found while the tree is built."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.position, self.hint = message, position, hint


def start_of(token: Token) -> int:
    """Where a token begins in its text."""
    return token.start_pos or 0


def stop_of(grammar: Lark, text: str, start: str) -> tuple[int, set[str]]:
    """Where a text that does not fit stops to, and the terminals that were possible there."""
    parser = grammar.parse_interactive(text, start=start)
    position = len(text.rstrip())
    try:
        parser.exhaust_lexer()
    except UnexpectedToken as error:
        position = start_of(error.token)
    except UnexpectedCharacters as error:
        position = error.pos_in_stream or 0
    return position, set(parser.accepts())


def words_of(possible: set[str], words: Mapping[str, str]) -> list[str]:
    """What could stand there, in words, each once, in the order of the table."""
    return list(dict.fromkeys(said for terminal, said in words.items() if terminal in possible))


def first_hint(hints: Sequence[Hint], text: str, position: int, possible: set[str]) -> str:
    """What the first row says that fits the text from a position on; empty where none does."""
    rest = text[position:]
    for pattern, terminal, hint in hints:
        if (terminal is None or terminal in possible) and re.match(pattern, rest, re.IGNORECASE | re.DOTALL):
            return hint
    return ""
