"""A completion: the words that could be typed at a place of a LINQ text, the likely ones first."""

# Ibis is untyped in many places.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from aggflow.errors import AggflowError, ParseError, nearest
from aggflow.language.aggregator import AGGREGATORS, percent_of
from aggflow.language.condition import CONDITIONS
from aggflow.language.function import FUNCTIONS
from aggflow.language.kind import Kind, kind_of_type
from aggflow.language.linq import parse_linq
from aggflow.language.linq_place import LinqPlace
from aggflow.language.linq_text import to_linq
from aggflow.language.predicate import Path
from aggflow.language.query import BUCKET
from aggflow.language.term_builder import possible_after
from aggflow.language.vocabulary import CHOICES, KEYWORDS, Word, WordKind, called

ColumnsOf: TypeAlias = Callable[[str], Mapping[str, Any]]
"""The columns of a table and their Ibis types; of a table that is not there, none."""

_PERIODS: Final = {
    "1m": "a minute",
    "5m": "five minutes",
    "15m": "a quarter of an hour",
    "30m": "half an hour",
    "1h": "an hour",
    "1d": "a day of the time zone",
    "-": "no buckets: one group for the whole time",
}
_BETWEEN: Final = ("from", "every", "by", "as", "and", "or", "where", "select", "group")
_AFTER_PERIOD: Final = ("by", "select", "every")
_OPERATORS: Final = {
    "COMPARISON": {
        "=": "both are equal",
        "/=": "both differ",
        "<": "the first is less",
        "<=": "the first is at most the second",
        ">": "the first is greater",
        ">=": "the first is at least the second",
    },
    "HAS": {"->": "it contains the text", "->>": "it contains the text, in any case"},
    "WITHIN": {"<-": "it is part of the text"},
    "TILDE": {"~": "a regular expression or glob fits"},
}
_PERCENTILES: Final = (50, 90, 95, 99)
_SELECTED: Final = "what was selected under this name"
_LEAST_NEAR: Final = 3
# Functions whose arguments are conditions; of the two that choose, the first argument is.
_OF_CONDITIONS: Final = ("and", "or", "not", "ifthenelse")
_FITS: Final[dict[str, tuple[Kind, ...]]] = {
    "number": ("number",),
    "text": ("text", "scalar"),
    "time": ("time",),
}


@dataclass(frozen=True)
class Completion:
    """The words that could be typed at a place.

    Attributes
    ----------
    start, end
        What a word is put in for, as offsets in the text.
    words
        The words, the likely ones first.
    is_near
        Whether none of them continues what is written: it is the nearest that there is.
    """

    start: int
    end: int
    words: tuple[Word, ...] = ()
    is_near: bool = False

    def applied(self, text: str, word: Word) -> tuple[str, int]:
        """A text with a word put in, and the place behind it.

        Examples
        --------
        >>> complete_linq("from flights gr", 15).words[0].text
        'group'
        >>> Completion(13, 15).applied("from flights gr", Word("group", "keyword"))
        ('from flights group ', 19)
        """
        rest = text[self.end :]
        spaced = word.kind in ("keyword", "table", "operator") and not rest[:1].isspace()
        put = word.text + " " * spaced
        return text[: self.start] + put + rest, self.start + len(put)


def complete_linq(
    text: str,
    position: int,
    *,
    tables: Collection[str] = (),
    columns: ColumnsOf | None = None,
    most: int | None = None,
) -> Completion:
    """What could be typed at a place of a query.

    Parameters
    ----------
    text
        The query, as far as it is written; what stands behind the place does not count.
    position
        The place, an offset from 0 to ``len(text)``.
    tables
        The tables there are.
    columns
        From the name of a table to its columns and their Ibis types.
    most
        How many words at most.

    Returns
    -------
    Completion
        By what the grammar takes there: tables after ``from``, columns of the table before the group
        and in aggregates, keys and aggregates after it, keywords, functions, periods.  Words that
        continue what is written come first, then those that contain it, or else the nearest; of these,
        columns of the type that the function around takes.  None inside a text or a comment.

    Examples
    --------
    >>> columns = {"flights": {"carrier": "string", "dep_delay": "int64"}}
    >>> def words(text):
    ...     found = complete_linq(text, len(text), tables=columns, columns=lambda table: columns.get(table, {}))
    ...     return [word.text for word in found.words[:3]]
    >>> words("from fl"), words("from flights group every 3"), words("from flights group by c")
    (['flights'], ['30m'], ['carrier', 'ceil(', 'second('])
    >>> words("from flights group by carrier select avg(dep"), words("from flights where carier")
    (['dep_delay'], ['carrier'])
    """
    place = LinqPlace.of(text, position)
    if place is None:
        return Completion(position, position)
    possible = possible_after(place.before)
    if possible is None:
        possible = possible_after(place.last_clause)
    if possible is None or place.naming:
        return Completion(place.start, place.end)
    candidates = list(_Candidates(place, possible, tables, columns or (lambda _: {})).all())
    found, is_near = _matching(place.stem, candidates)
    start = _start_of_last(text, place, position) if len(place.parts) > 1 else place.start
    return Completion(start, place.end, tuple(found[:most]), is_near)


def _start_of_last(text: str, place: LinqPlace, position: int) -> int:
    """Where the last part of a word of several begins, with its backtick if it has one."""
    start = position - len(place.stem)
    return start - 1 if text[start - 1] == "`" else start


@dataclass(frozen=True)
class _Candidates:
    """Gathers what the grammar and the names there are allow at a place, in the order of likelihood."""

    place: LinqPlace
    possible: set[str]
    tables: Collection[str]
    columns: ColumnsOf

    def all(self) -> Iterator[Word]:
        if "PERIOD" in self.possible:
            yield from _words(_PERIODS, "period")
        elif "NAME" in self.possible and self.place.clause == "from":
            yield from self._tables()
        elif "NAME" in self.possible:
            yield from self._values()
        else:
            yield from self._between()

    def _tables(self) -> Iterator[Word]:
        """Names of tables; behind a dot, what stands behind it in names that begin alike."""
        before = [*self.place.parts[:-1]]
        for table in sorted(self.tables):
            parts = table.split(".")
            if parts[: len(before)] == before and len(parts) > len(before):
                yield Word(_written(parts[len(before) :]), "table")

    def _between(self) -> Iterator[Word]:
        """What may stand behind a value, a table or a clause."""
        refused = {"where", "group"} if self.place.grouped else set[str]()
        for word in _AFTER_PERIOD if self.place.clause == "every" else _BETWEEN:
            if word.upper() in self.possible and word not in refused:
                yield Word(word, "keyword", KEYWORDS[word])
        if self._is_condition:
            if "IN" in self.possible:
                yield Word("in", "operator", "it is one of a set in braces")
            for terminal, signs in _OPERATORS.items():
                if terminal in self.possible:
                    yield from _words(signs, "operator")

    def _values(self) -> Iterator[Word]:
        """What a value or a condition may begin with."""
        if len(self.place.parts) > 1:
            yield from self._fields()
            return
        outside = self.place.grouped and self.place.clause == "select" and not self.place.is_aggregated
        if outside:
            yield from self._names_after_group()
            yield from self._aggregates()
        else:
            yield from self._columns()
        if self._is_condition:
            yield from (Word(called(row.name), "condition", row.sentence) for row in CONDITIONS.values())
            yield Word("not", "keyword", KEYWORDS["not"])
        yield from (Word(called(row.name), "function", row.sentence) for row in FUNCTIONS.values())
        for name in ("ifthenelse", "decode"):
            yield Word(called(name), "function", CHOICES[name])
        if self.place.clause != "by":
            yield from (Word(name, "keyword", KEYWORDS[name]) for name in ("true", "false", "null"))

    @property
    def _is_condition(self) -> bool:
        """Whether a condition may stand at the place."""
        if not self.place.calls:
            return self.place.clause == "where"
        call = self.place.calls[-1]
        if not call.function:
            return self.place.clause == "where"
        return call.function in _OF_CONDITIONS and not (call.function == "ifthenelse" and call.index)

    def _columns(self) -> Iterator[Word]:
        """Columns, those first whose type the function around takes, and what is selected with a name."""
        columns = self._of_table()
        fitting = _FITS.get(self._takes, ())
        words = {name: Word(to_linq(Path((name,))), "column", str(type_)) for name, type_ in columns.items()}
        fits = {name: not fitting or _kind(columns[name]) in fitting for name in words}
        yield from (word for name, word in words.items() if fits[name])
        yield from (word for word in self._selected() if word.text not in words)
        yield from (word for name, word in words.items() if not fits[name])
        if BUCKET not in words and self.place.clause != "by":
            yield Word(BUCKET, "column", "the time of the event")

    def _of_table(self) -> Mapping[str, Any]:
        try:
            return self.columns(self.place.table) if self.place.table else {}
        except AggflowError:
            # A source that is gone has no columns to offer; the check of the text says that it is.
            return {}

    @property
    def _takes(self) -> str:
        """What the function around takes at this argument."""
        if not self.place.calls:
            return ""
        call = self.place.calls[-1]
        if call.function in AGGREGATORS or percent_of(call.function):
            return AGGREGATORS["percentile" if percent_of(call.function) else call.function].takes
        row = FUNCTIONS.get(call.function)
        return row.takes[call.index] if row and call.index < len(row.takes) else ""

    def _fields(self) -> Iterator[Word]:
        """Fields of a column that has some."""
        of: Any = self._of_table().get(self.place.parts[0])
        for part in self.place.parts[1:-1]:
            of = of[part] if _is_struct(of) and part in of.names else None
        if _is_struct(of):
            yield from (Word(to_linq(Path((name,))), "column", str(of[name])) for name in of.names)

    def _selected(self) -> Iterator[Word]:
        for name in self.place.selected:
            yield Word(to_linq(Path((name,))), "name", _SELECTED)

    def _names_after_group(self) -> Iterator[Word]:
        """The keys of the groups, what was selected before, and the start of the bucket."""
        try:
            query = parse_linq(self.place.before[: self.place.clause_at])
        except ParseError:
            return
        for key in query.keys:
            path = key.operand if isinstance(key.operand, Path) else Path((key.name,))
            yield Word(to_linq(path), "name", "a key of the groups")
        yield from (Word(to_linq(Path((name,))), "name", _SELECTED) for name in self.place.outputs)
        if query.period_ms is not None:
            yield Word(BUCKET, "name", "the start of the bucket")

    def _aggregates(self) -> Iterator[Word]:
        for row in AGGREGATORS.values():
            yield Word(called(row.name), "aggregate", row.sentence)
        for percent in _PERCENTILES:
            yield Word(
                called(f"percentile{percent}"), "aggregate", f"the value below which {percent} percent are"
            )


def _words(said: Mapping[str, str], kind: WordKind) -> Iterator[Word]:
    yield from (Word(text, kind, sentence) for text, sentence in said.items())


def _written(parts: Iterable[str]) -> str:
    return ".".join(to_linq(Path((part,))) for part in parts)


def _kind(type_: Any) -> Kind | None:
    return kind_of_type(type_) if hasattr(type_, "is_boolean") else None


def _is_struct(type_: Any) -> bool:
    return hasattr(type_, "is_struct") and bool(type_.is_struct())


def _matching(stem: str, candidates: list[Word]) -> tuple[list[Word], bool]:
    """The words that continue what is written, then those that contain it; the nearest where none does."""
    wanted = stem.lower()
    bare = [(word.text.replace("`", "").rstrip("(").lower(), word) for word in candidates]
    first = [word for text, word in bare if text.startswith(wanted)]
    inside = [word for text, word in bare if wanted in text and not text.startswith(wanted)]
    found = list(dict.fromkeys(first + inside))
    if found or len(stem) < _LEAST_NEAR:
        return found, False
    near = nearest(stem, [text for text, _ in bare])
    return [word for text, word in bare if text == near][:1], near is not None
