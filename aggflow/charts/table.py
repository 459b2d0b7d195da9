"""A table: an answer as charts read it, with labels for groupings and numbers for fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from aggflow.charts.number import digits, exact, short
from aggflow.engine.answer import Answer
from aggflow.errors import NotFoundError, QueryError
from aggflow.measures.state import Values
from aggflow.timeline import Window, WindowSet

_SECOND_US = 1_000_000
NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Measured:
    """The values of one field.

    Attributes
    ----------
    numbers
        What is drawn, None for a gap; empty of a field that holds no numbers.
    texts
        What tooltips say.
    counted
        Whether it is a whole number of things in every row: then zero belongs on its axis.
    """

    numbers: tuple[float | None, ...]
    texts: tuple[str, ...]
    counted: bool

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What is written beside marks: the numbers in short, with as many digits each."""
        places = digits(self.present)
        return tuple(NOTHING if number is None else short(number, places) for number in self.numbers)

    @cached_property
    def present(self) -> list[float]:
        """The numbers that are there."""
        return [number for number in self.numbers if number is not None]


@dataclass(frozen=True)
class Table:
    """An answer, as charts read it.

    Attributes
    ----------
    buckets
        The start of every row's bucket in seconds, of a series.
    labels
        By the title of a grouping, a text a row; different values have different texts.
    fields
        By the title of a field, the values.
    count
        How many rows there are.
    notes
        What a reader has to know: what is not drawn.
    open_from
        Of a series, the start of the first bucket that is not complete yet, in seconds; None where all are.
    unbuilt
        The parts of a series that no states covered, from and to in seconds; empty where that is all of it.
    """

    buckets: tuple[int, ...] | None
    labels: Mapping[str, tuple[str, ...]]
    fields: Mapping[str, Measured]
    count: int
    notes: tuple[str, ...] = ()
    open_from: int | None = None
    unbuilt: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, answer: Answer, fields: Sequence[str] | None) -> Table:
        """The table of an answer, of the fields named or of all.

        Raises
        ------
        NotFoundError
            A field is not in the answer.
        QueryError
            No field is wanted.
        """
        names = tuple(answer.fields) if fields is None else tuple(dict.fromkeys(fields))
        if not names:
            raise QueryError("there is no field to draw", hint="name at least one field of the answer")
        for name in names:
            if name not in answer.fields:
                raise NotFoundError("field", name, answer.fields)
        labels = [_labels(values) for values in answer.groupings.values()]
        measured = [_measured(answer.fields[name]) for name in names]
        return cls(
            answer.buckets,
            dict(zip(_titles(answer.groupings), labels, strict=True)),
            dict(zip(_titles(names), measured, strict=True)),
            answer.count,
            _meanings(answer),
            answer.open_from,
            _unbuilt(answer),
        )

    @property
    def drawable(self) -> dict[str, Measured]:
        """The fields that hold numbers."""
        return {name: field for name, field in self.fields.items() if field.present}

    def first(self, most: int, what: str = "rows") -> Table:
        """The first rows, with a note if there are more."""
        if self.count <= most:
            return self
        return self.where(range(most)).noted(f"the first {most:,} of {self.count:,} {what}")

    def where(self, rows: Sequence[int]) -> Table:
        """Some rows, in that order."""
        return replace(
            self,
            buckets=None if self.buckets is None else tuple(self.buckets[i] for i in rows),
            labels={name: tuple(texts[i] for i in rows) for name, texts in self.labels.items()},
            fields={name: _taken(field, rows) for name, field in self.fields.items()},
            count=len(rows),
        )

    def noted(self, note: str) -> Table:
        """With one more note."""
        return replace(self, notes=(*self.notes, note))

    def shown(self, field: str | None = None) -> dict[str, str]:
        """What is told about a mark, its groupings and a value: by the text in the data, its title."""
        groupings = {f"g{i}": name for i, name in enumerate(self.labels)}
        return groupings if field is None else {**groupings, "text": field}

    def told(self, row: int) -> dict[str, str]:
        """The groupings of a row, as texts in the data."""
        return {f"g{i}": texts[row] for i, texts in enumerate(self.labels.values())}

    def groups(self) -> list[str]:
        """Of every row, the labels of all its groupings as one text."""
        return [" · ".join(row) for row in zip(*self.labels.values(), strict=True)] or [""] * self.count


def _meanings(answer: Answer) -> tuple[str, ...]:
    """What the marks of a series mean that are not like the others."""
    dashed = () if answer.open_from is None else ("dashed: not complete yet",)
    return (*dashed, "shaded: not built, read from the source") if _unbuilt(answer) else dashed


def _unbuilt(answer: Answer) -> tuple[tuple[int, int], ...]:
    """The parts between the first and the last bucket that were read from the source."""
    if not answer.buckets or answer.explanation.plan != "mixed":
        return ()
    # The last bucket has no width on the axis.
    drawn = Window(min(answer.buckets) * _SECOND_US, max(answer.buckets) * _SECOND_US + 1)
    parts = answer.explanation.live & WindowSet([drawn])
    found = [(part.start // _SECOND_US, part.end // _SECOND_US) for part in parts]
    return tuple((start, end) for start, end in found if start < end)


def _titles(names: Iterable[str]) -> list[str]:
    """Names as titles, each another.

    Vega-Lite writes titles into programs without escaping them: what would end a text there is
    replaced by what looks alike.
    """
    titles: list[str] = []
    for name in names:
        title = "".join(letter if letter.isprintable() else " " for letter in name)
        title = title.replace('"', "'").replace("\\", "/")
        while title in titles:
            title += "'"
        titles.append(title)
    return titles


def _taken(field: Measured, rows: Sequence[int]) -> Measured:
    numbers = tuple(field.numbers[i] for i in rows) if field.numbers else ()
    return Measured(numbers, tuple(field.texts[i] for i in rows), field.counted)


def _labels(values: Sequence[Any]) -> tuple[str, ...]:
    """A text a value, told apart where two values of different types look the same."""
    texts = {(type(value), value): _label(value) for value in values}
    shared = Counter(texts.values())
    for (kind, value), text in texts.items():
        if shared[text] > 1:
            texts[kind, value] = f"{text} ({'text' if kind is str else kind.__name__})"
    return tuple(texts[type(value), value] for value in values)


def _label(value: object) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or "(empty)"


def _measured(values: Values) -> Measured:
    items = values.to_list()
    present = [item for item in items if item is not None]
    if any(isinstance(item, str | bool) for item in present):
        return Measured((), tuple(NOTHING if item is None else str(item) for item in items), counted=False)
    counted = len(present) == len(items) and all(isinstance(item, int) and item >= 0 for item in present)
    return Measured(
        tuple(_number(item) for item in items),
        tuple(exact(item) if isinstance(item, int | float | Decimal) else NOTHING for item in items),
        counted,
    )


def _number(value: object) -> float | None:
    if not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
