"""A place in a LINQ text: the word that stands there, and what the text before it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from aggflow.language.aggregator import is_aggregator

_CLAUSES: Final = ("from", "where", "select", "group", "every", "by")
_BEGINNING: Final = ("where", "select", "group")
_PIECE: Final = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<text>"(?:\\.|[^"\\])*"|'[^']*')
      | (?P<open>["'].*)
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<unquoted>`(?:[^`]|``)*)
      | (?P<number>\d[\w.]*)
      | (?P<name>[^\W\d]\w*)
      | (?P<space>\s+)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_REST: Final = re.compile(r"\w*")


class _Piece(NamedTuple):
    """One piece of a text: its kind, its text, where it begins."""

    kind: str
    text: str
    at: int

    @property
    def ends(self) -> int:
        return self.at + len(self.text)

    @property
    def name(self) -> str | None:
        """The name that it is, without its backticks; one that is not closed yet is one as well."""
        match self.kind:
            case "name":
                return self.text
            case "quoted":
                return self.text[1:-1].replace("``", "`")
            case "unquoted":
                return self.text[1:].replace("``", "`")
            case _:
                return None


@dataclass(frozen=True)
class CallPlace:
    """A call that a place stands in.

    Attributes
    ----------
    function
        Its name, empty for parentheses alone.
    index
        The argument, from 0 on.
    """

    function: str
    index: int


@dataclass(frozen=True)
class LinqPlace:
    """A place in a LINQ text.

    Attributes
    ----------
    start, end
        The word that stands there, as offsets; both are the place where none does.
    parts
        What is written of the word up to the place, parted by dots: ``("payload", "us")``.
    before
        The text before the word.
    clause
        The keyword whose clause it is in: ``from`` to ``by``; empty before the first.
    grouped
        Whether it stands after the group.
    naming
        Whether a name is given here, behind ``as``.
    calls
        The calls that are open, the outermost first.
    table
        The name of the table; empty where none is written before the place.
    selected, outputs
        The names that ``as`` gives before the place: before the group, and after it.
    clause_at
        Where the last ``where``, ``select`` or ``group`` begins; 0 before the first.
    """

    start: int
    end: int
    parts: tuple[str, ...]
    before: str
    clause: str
    grouped: bool
    naming: bool
    calls: tuple[CallPlace, ...]
    table: str
    selected: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    clause_at: int = 0

    @classmethod
    def of(cls, text: str, position: int) -> LinqPlace | None:
        """The place at an offset; None inside a text or a comment, where nothing is read.

        Examples
        --------
        >>> place = LinqPlace.of("from flights group by ca", 24)
        >>> place.clause, place.parts, place.table, place.grouped
        ('by', ('ca',), 'flights', True)
        >>> LinqPlace.of('from flights where origin = "LG', 31) is None
        True
        """
        position = max(0, min(position, len(text)))
        pieces = list(_pieces(text[:position]))
        if pieces and pieces[-1].kind in ("open", "comment"):
            return None
        word = _word(pieces)
        start = word[0].at if word else position
        read = [piece for piece in pieces if piece.at < start and piece.kind not in ("space", "comment")]
        keywords = _keywords(read)
        words = [piece.text.lower() for piece in keywords]
        group_at = keywords[words.index("group")].at if "group" in words else position
        names = list(_named(read))
        return cls(
            start=start,
            end=_end(text, position) if word else position,
            parts=_parts(word),
            before=text[:start],
            clause=next((word for word in reversed(words) if word in _CLAUSES), ""),
            grouped="group" in words,
            naming=bool(read) and read[-1].text.lower() == "as",
            calls=_calls(read),
            table=_table(read),
            selected=tuple(name for at, name in names if at < group_at),
            outputs=tuple(name for at, name in names if at > group_at),
            clause_at=max((piece.at for piece in keywords if piece.text.lower() in _BEGINNING), default=0),
        )

    @property
    def stem(self) -> str:
        """What is written of the last part of the word."""
        return self.parts[-1] if self.parts else ""

    @property
    def is_aggregated(self) -> bool:
        """Whether it is in the argument of an aggregate."""
        return any(is_aggregator(call.function) for call in self.calls)

    @property
    def last_clause(self) -> str:
        """A query of the clause alone that the place is in: what is wrong before it does not count."""
        return f"from t {self.before[self.clause_at :]}" if self.clause_at else self.before


def _pieces(text: str) -> Iterator[_Piece]:
    for found in _PIECE.finditer(text):
        yield _Piece(str(found.lastgroup), found[0], found.start())


def _end(text: str, position: int) -> int:
    """Where the word ends that begins before a place."""
    rest = _REST.match(text, position)
    return rest.end() if rest else position


def _named(pieces: list[_Piece]) -> Iterator[tuple[int, str]]:
    """The names behind ``as``, with where they are."""
    for before, piece in pairwise(pieces):
        if before.kind == "name" and before.text.lower() == "as" and piece.name is not None:
            yield piece.at, piece.name


def _word(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces at the end that are one word: names that dots join, or a number."""
    if pieces and pieces[-1].kind == "number":
        return pieces[-1:]
    word: list[_Piece] = []
    for piece in reversed(pieces):
        wanted = piece.text == "." if word and word[0].name is not None else piece.name is not None
        if not wanted and not (not word and piece.text == "."):
            break
        word.insert(0, piece)
    return word if word and word[0].name is not None else word[1:] if len(word) > 1 else []


def _parts(word: list[_Piece]) -> tuple[str, ...]:
    if word and word[0].kind == "number":
        return (word[0].text,)
    names = tuple(piece.name for piece in word if piece.name is not None)
    return (*names, "") if word and word[-1].text == "." else names


def _keywords(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces that may be keywords: names that no dot stands before."""
    read = [piece for piece in pieces if piece.kind not in ("space", "comment")]
    return [
        piece
        for before, piece in zip([None, *read], read, strict=False)
        if piece.kind == "name" and (before is None or before.text != ".")
    ]


def _calls(pieces: list[_Piece]) -> tuple[CallPlace, ...]:
    calls: list[CallPlace] = []
    for before, piece in zip([None, *pieces], pieces, strict=False):
        if piece.text == "(":
            calls.append(CallPlace((before.name if before else None) or "", 0))
        elif piece.text == ")" and calls:
            calls.pop()
        elif piece.text == "," and calls:
            calls[-1] = CallPlace(calls[-1].function, calls[-1].index + 1)
    return tuple(calls)


def _table(pieces: list[_Piece]) -> str:
    """The table that is written after ``from``."""
    parts: list[str] = []
    is_name = True
    for piece in pieces[1:] if pieces and pieces[0].text.lower() == "from" else []:
        name = piece.name
        if is_name and name is not None:
            parts.append(name)
        elif is_name or piece.text != ".":
            break
        is_name = not is_name
    return ".".join(parts)
