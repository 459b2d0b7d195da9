"""A syntax error: something that a grammar allows and its language does not, and where it stands."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from lark import Token

from aggflow.errors import ParseError

DEEPEST: Final = 100
"""Deeper nesting is refused: what works on trees may recurse."""


class WrongHereError(Exception):
    """Something that a grammar allows and its language does not, found while the tree is built."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.position, self.hint = message, position, hint


@contextmanager
def placed(text: str) -> Generator[None, None, None]:
    """For the time of a ``with``, what is wrong in a text is an error of the package, with its place."""
    try:
        yield
    except WrongHereError as wrong:
        raise ParseError(wrong.message, text=text, position=wrong.position, hint=wrong.hint) from None


def start_of(token: Token) -> int:
    """Where a token begins in its text."""
    return token.start_pos or 0


def check_depth(depth: int, position: int) -> None:
    """Refuse what is nested too deep."""
    if depth > DEEPEST:
        raise WrongHereError(f"this is nested more than {DEEPEST} deep", position)
