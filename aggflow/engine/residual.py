"""A residual: what a question's predicate asks beyond a rollup's, tested on the values of groupings.

A rollup of all flights by origin answers a question about the flights from one: the condition is
tested once a value, not once a row.  Only conditions are taken that mean the same on every engine.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aggflow.backends import quirks
from aggflow.backends.fetch import fetch
from aggflow.backends.memory import CAPABILITY, memory
from aggflow.language import (
    And,
    Compare,
    Exists,
    Find,
    Glob,
    In,
    Literal,
    Not,
    Or,
    Path,
    Predicate,
    Subject,
    all_of,
    conjuncts,
    implies,
    read_predicate,
    to_ibis,
    write_subject,
)
from aggflow.language.query import substituted_predicate
from aggflow.measures.vocabulary import GroupingValue, Vocabulary, inferred
from aggflow.spec.rollup import Rollup

_VALUE = Path(("value",))


def residual_of(where: str, rollup: Rollup, plain: Collection[str]) -> Mapping[str, Predicate] | None:
    """What is left to be tested of a predicate where a rollup answers it.

    Parameters
    ----------
    where
        Which events are asked for.
    rollup
        Which events it holds, by which groupings.
    plain
        The groupings whose values are held as the source has them: texts, numbers, truth values.

    Returns
    -------
    mapping or None
        By grouping, the predicate that its values must fulfil, said of ``value``; None where the
        rollup lacks events, or a condition cannot be tested on its groupings.

    Examples
    --------
    >>> flights = Rollup("flights", "", "1h", "UTC", ("origin", "dest"), ())
    >>> residual_of("@.origin == 'JFK'", flights, {"origin"})
    {'origin': Compare(op='==', left=Path(parts=('value',)), right=Literal(value='JFK', kind='text'))}
    >>> residual_of("@.carrier == 'AA'", flights, {"origin"}) is None
    True
    """
    asked, held = read_predicate(where), read_predicate(rollup.where)
    if not implies(asked, held):
        return None
    found: dict[str, list[Predicate]] = {}
    for condition in conjuncts(asked):
        if implies(held, condition):
            continue
        subjects = set(_subjects(condition))
        if len(subjects) != 1 or None in subjects:
            return None
        subject = subjects.pop()
        path = "" if subject is None else write_subject(subject)
        if path not in rollup.groupings or path not in plain or not isinstance(subject, Path):
            return None
        found.setdefault(path, []).append(substituted_predicate(condition, {subject: _VALUE}))
    return {path: all_of(conditions) for path, conditions in found.items()}


def _subjects(tree: Predicate) -> Iterator[Subject | None]:
    """What a condition tests; None for a test that engines may understand each its own way."""
    match tree:
        case Not():
            yield from _subjects(tree.term)
        case And() | Or():
            for term in tree.terms:
                yield from _subjects(term)
        case Compare(left=left, right=Literal()) if not isinstance(left, Literal):
            yield left
        case Find(ignore_case=False) | In() | Exists() | Glob():
            yield tree.operand
        case _:
            yield None


def is_testable(type_: Any) -> bool:
    """Whether values of a column's type are held by groupings as the source has them.

    Floating ones are not: those that are no number (NaN, infinities) are missing there, and compare
    at the source.
    """
    return type_.is_string() or type_.is_boolean() or type_.is_integer()


def fulfilling(vocabulary: Vocabulary, predicate: Predicate) -> NDArray[np.bool_]:
    """For every code of a vocabulary, whether its value fulfils a predicate."""
    return _fulfilling(predicate, tuple((type(v), v) for v in tuple(vocabulary.values)))


@functools.lru_cache(256)
def _fulfilling(predicate: Predicate, values: tuple[tuple[type, GroupingValue], ...]) -> NDArray[np.bool_]:
    column = inferred([value for _, value in values])
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    table = ibis.memtable(pa.table({"ROW_": np.arange(len(values)), "value": column}))
    holds = to_ibis(
        predicate,
        lambda _: table["value"],
        number=lambda value: quirks.number_of_text(value, CAPABILITY),
    )
    found = fetch(memory(), CAPABILITY, table.filter(holds).select("ROW_"))
    mask = np.zeros(len(values), dtype=bool)
    mask[found["ROW_"].to_numpy()] = True
    return mask
