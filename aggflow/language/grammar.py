"""A grammar: a Lark file, what its terminals are called, and what is said where a text does not fit it."""

# Lark is untyped in places.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from aggflow.errors import ParseError
from aggflow.language.syntax import WrongHereError, start_of

Hint: TypeAlias = tuple[str, str | None, str]
"""What stands at the wrong place, the terminal that was possible there (or any), and what to do."""


class Grammar(ABC):
    """A grammar of a language.

    Parameters
    ----------
    builder
        What makes a node of the tree of each rule.
    """

    file: ClassVar[str]
    """The Lark file beside this one."""
    starts: ClassVar[Sequence[str]]
    """The rules that a text may be read by."""
    words: ClassVar[Mapping[str, str]]
    """How terminals are called, in the order in which they are said."""
    hints: ClassVar[Sequence[Hint]]
    """What to do, by what stands at the wrong place: the first that fits is said."""

    def __init__(self, builder: Transformer[Token, Any]) -> None:
        self._lark = Lark.open(
            self.file,
            rel_to=__file__,
            parser="lalr",
            start=list(self.starts),
            maybe_placeholders=False,
            transformer=builder,
        )

    def tree(self, text: str, start: str, what: str) -> Any:
        """What the builder makes of a text.

        Parameters
        ----------
        text
            The text.
        start
            The rule that it is read by.
        what
            What it is called in an error.

        Raises
        ------
        ParseError
            It does not fit: with the place, what could stand there, and a hint.
        WrongHereError
            It fits, and the builder refuses it.
        """
        try:
            return self._lark.parse(text, start=start)
        except UnexpectedInput:
            raise self._explained(text, start, what) from None

    def tokens(self, text: str, start: str) -> Sequence[Token]:
        """The tokens of a text that fits."""
        return self._lark.parse_interactive(text, start=start).exhaust_lexer()

    def possible_after(self, text: str, start: str) -> set[str] | None:
        """The terminals that could follow a text that is the beginning of one that fits; None where it is none."""
        parser = self._lark.parse_interactive(text, start=start)
        try:
            parser.exhaust_lexer()
        except (UnexpectedInput, WrongHereError):
            return None
        return set(parser.accepts())

    def _explained(self, text: str, start: str, what: str) -> ParseError:
        position, possible = self._stop(text, start)
        refused = self._refused(text, position)
        if refused is not None:
            return refused
        at_end = position >= len(text.rstrip())
        said = self._worth_saying(possible)
        return ParseError(
            f"{what} ends too early" if at_end else f"{what} cannot be read from here on",
            text=text,
            position=position,
            expected=list(dict.fromkeys(word for terminal, word in self.words.items() if terminal in said)),
            hint=self._first_hint(text, position, possible) or self._other_hint(text, position, possible),
        )

    def _stop(self, text: str, start: str) -> tuple[int, set[str]]:
        """Where a text that does not fit stops to, and the terminals that were possible there."""
        parser = self._lark.parse_interactive(text, start=start)
        position = len(text.rstrip())
        try:
            parser.exhaust_lexer()
        except UnexpectedToken as error:
            position = start_of(error.token)
        except UnexpectedCharacters as error:
            position = error.pos_in_stream or 0
        return position, set(parser.accepts())

    def _first_hint(self, text: str, position: int, possible: set[str]) -> str:
        for pattern, terminal, hint in self.hints:
            fits = terminal is None or terminal in possible
            # Of the whole text, so that a pattern may look behind.
            if fits and re.compile(pattern, re.IGNORECASE | re.DOTALL).match(text, position):
                return hint
        return ""

    def _worth_saying(self, possible: set[str]) -> set[str]:
        """The terminals that are worth a word, of those that were possible."""
        return possible

    def _refused(self, text: str, position: int) -> ParseError | None:  # noqa: ARG002 - languages override it
        """What is said of something that the language knows, and does not take; None where it is none."""
        return None

    def _other_hint(self, text: str, position: int, possible: set[str]) -> str:  # noqa: ARG002 - likewise
        """What to do where no row of the hints fits; empty where nothing helps."""
        return ""
