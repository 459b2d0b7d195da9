from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from aggflow.errors import SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.declaration import digest, plain, read
from aggflow.spec.filter import Filter
from aggflow.spec.timing import Lookback


def test_a_declaration_is_frozen_and_hashable() -> None:
    aggregation = Aggregation("delay", "dep_delay", ("AVG",))  # type: ignore[arg-type]  # texts are read
    with pytest.raises(FrozenInstanceError):
        aggregation.name = "other"  # type: ignore[misc] - refused when it runs
    assert len({aggregation, Aggregation("delay", "dep_delay", ("AVG",))}) == 1  # type: ignore[arg-type] - texts are read


def test_every_problem_of_plain_data_is_told_at_once_each_with_its_path() -> None:
    with pytest.raises(SpecError) as raised:
        read(
            Filter,
            {
                "name": "f",
                "source": "s",
                "interval": "90h",
                "where": "@.a = 1",
                "groupings": ["carrier", "carrier"],
                "aggregations": [{"name": "a", "field": "x", "calculations": ["AVGG"]}],
                "extra": 1,
            },
        )
    problems = {problem.path: problem for problem in raised.value.problems}
    assert set(problems) == {"interval", "where", "aggregations[0].calculations[0]", "extra"}
    assert problems["aggregations[0].calculations[0]"].hint == "did you mean 'AVG'?"
    assert "^" in problems["where"].message
    assert str(raised.value).startswith("filter 'f' has 4 problems:")


def test_an_unknown_key_gets_the_nearest_known_one() -> None:
    with pytest.raises(SpecError, match=r"unknown key 'grouping' \(did you mean 'groupings'\?\)"):
        read(Filter, {"name": "f", "source": "s", "interval": "1h", "grouping": []})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(SpecError, match="interval: is required"):
        read(Filter, {"name": "f", "source": "s"})


def test_a_mistake_in_python_is_the_same_error() -> None:
    with pytest.raises(SpecError, match="lookback: duration: the duration is not a number with a unit"):
        Lookback("soon")


def test_short_data_keep_the_tags_by_which_they_are_read() -> None:
    assert plain(Lookback("4m"), defaults=False) == {"kind": "lookback", "duration": "4m"}


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_declaration_of_two_words_is_called_so() -> None:
    with pytest.raises(SpecError, match=r"^cube aggregate 'daily': interval: "):
        read(CubeAggregate, {"name": "daily", "interval": "often"})
