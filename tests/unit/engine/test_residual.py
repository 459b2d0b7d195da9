"""A residual: what is left to be tested on the values of groupings."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest

from aggflow.engine.residual import fulfilling, residual_of
from aggflow.language import read_predicate, write_predicate
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.rollup import Rollup

PLAIN = {"origin", "dest", "@.a.b"}


def rollup(where: str = "") -> Rollup:
    return Rollup("flights", where, "1h", "UTC", ("origin", "@.a.b", "=lower(dest)"), ())


@pytest.mark.parametrize(
    ("asked", "held", "left"),
    [
        ("", "", {}),
        ("@.delay > 3", "@.delay > 3", {}),
        ("@.origin == 'JFK'", "", {"origin": "@.value == 'JFK'"}),
        ("@.origin == 'JFK' && @.delay > 3", "@.delay > 3", {"origin": "@.value == 'JFK'"}),
        ("@.origin == 'JFK' && @.origin != 'LGA'", "", {"origin": "@.value == 'JFK' && @.value != 'LGA'"}),
        ("@.origin == 'JFK' && @.a.b > 1", "", {"origin": "@.value == 'JFK'", "@.a.b": "@.value > 1"}),
        ("@.origin == 'JFK' || @.origin == 'LGA'", "", {"origin": "@.value == 'JFK' || @.value == 'LGA'"}),
        ("=has(origin, 'J')", "", {"origin": '=has(value, "J")'}),
        ("!(@.origin)", "", {"origin": "!(@.value)"}),
    ],
)
def test_what_the_rollup_does_not_say_is_left(asked: str, held: str, left: Mapping[str, str]) -> None:
    found = residual_of(asked, rollup(held), PLAIN)
    assert found is not None
    assert {path: write_predicate(tree) for path, tree in found.items()} == left


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("", "@.delay > 3"),  # events are lacking
        ("@.delay > 3", ""),  # no grouping of that value
        ("@.origin == 'JFK' || @.a.b > 1", ""),  # two values together
        ("@.origin == @.dest", ""),
        ("@.origin ILIKE 'j%'", ""),  # engines fold letters each their own way
        ("@.origin =~ /^J/", ""),  # and have regular expressions each their own
        ("=weakhas(origin, 'j')", ""),
        ("=lower(dest) = 'lax'", ""),
    ],
)
def test_what_cannot_be_tested_there_is_refused(asked: str, held: str) -> None:
    assert residual_of(asked, rollup(held), PLAIN) is None


def test_values_that_are_held_as_texts_of_something_else_are_not_tested() -> None:
    assert residual_of("@.origin == '2026-01-01'", rollup(), {"dest"}) is None


def test_every_value_is_tested_also_those_that_come_later() -> None:
    vocabulary = Vocabulary()
    vocabulary.encode(pa.array(["JFK", None, "LGA"]))
    assert fulfilling(vocabulary, read_predicate("@.value != 'LGA'")).tolist() == [True, False, False]
    assert fulfilling(vocabulary, read_predicate("!(@.value == 'LGA')")).tolist() == [True, True, False]
    vocabulary.encode(pa.array(["EWR"]))
    assert fulfilling(vocabulary, read_predicate("@.value != 'LGA'")).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("values", "predicate", "kept"),
    [
        ([1, 20, 3], "@.value > 2", [False, True, True]),
        ([1.5, 2.5], "@.value == '2.5'", [False, True]),
        (["1", "20", "x"], "@.value > 2", [False, True, False]),
        ([True, False], "@.value == true", [True, False]),
        ([None], "@.value == 'x'", [False]),
    ],
)
def test_values_of_every_type_are_tested(values: list[object], predicate: str, kept: list[bool]) -> None:
    vocabulary = Vocabulary()
    vocabulary.encode(pa.array(values))
    assert fulfilling(vocabulary, read_predicate(predicate)).tolist() == kept
