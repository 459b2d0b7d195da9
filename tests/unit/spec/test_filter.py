from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aggflow.errors import NotFoundError, SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping

COUNT = Aggregation("events")


def test_texts_are_made_canonical() -> None:
    one = Filter("f", "s", timedelta(hours=24), "@.a  ==  1", time_zone="europe/berlin")  # type: ignore[arg-type] - plain values are read
    assert (one.interval, one.where, one.time_zone) == ("1d", "@.a == 1", "Europe/Berlin")
    assert one == Filter("f", "s", "1d", "@['a']==1", time_zone="Europe/Berlin")


def test_a_grouping_is_found_by_path_and_by_alias() -> None:
    one = Filter("f", "s", "1h", groupings=({"path": "@.client", "alias": "who"}, "carrier"))  # type: ignore[arg-type] - plain values are read
    assert one.grouping("who") is one.grouping("@.client")
    assert [grouping.name for grouping in one.groupings] == ["who", "carrier"]
    with pytest.raises(NotFoundError, match="did you mean 'carrier'"):
        one.grouping("carier")


@pytest.mark.parametrize("count", [0, 11])
def test_one_to_ten_aggregations(count: int) -> None:
    with pytest.raises(SpecError, match=f"{count} aggregations; 1 to 10 are allowed"):
        Filter("f", "s", "1h", aggregations=tuple(Aggregation(f"a{i}") for i in range(count)))


def test_at_most_ten_groupings() -> None:
    Filter("f", "s", "1h", groupings=tuple(Grouping(f"g{i}") for i in range(10)))
    with pytest.raises(SpecError, match="11 groupings; at most 10 are allowed"):
        Filter("f", "s", "1h", groupings=tuple(Grouping(f"g{i}") for i in range(11)))


def test_names_are_unique() -> None:
    with pytest.raises(SpecError, match="groupings: 'who' stands here 2 times"):
        Filter("f", "s", "1h", groupings=(Grouping("a", "who"), Grouping("who")))
    with pytest.raises(SpecError, match="aggregations: 'events' stands here 2 times"):
        Filter("f", "s", "1h", aggregations=(COUNT, COUNT))


def test_an_alias_has_at_most_a_hundred_characters() -> None:
    Grouping("a", "x" * 100)
    with pytest.raises(SpecError, match="alias"):
        Grouping("a", "x" * 101)


def test_sketch_groupings_are_groupings_of_the_filter() -> None:
    coarse = Aggregation("a", "x", (Calculation.PERCENTILES,), sketch_groupings=("carier",))
    with pytest.raises(SpecError, match=r"aggregations\[0\].sketch_groupings: .*did you mean 'carrier'"):
        Filter("f", "s", "1h", groupings=(Grouping("carrier"),), aggregations=(coarse,))


@pytest.mark.parametrize("interval", ["30s", "13m", "1h", "1d", "7d", "1w", "1mo", "1q", "1y", "100y"])
def test_intervals_that_are_allowed(interval: str) -> None:
    assert Filter("f", "s", interval).interval == interval


@pytest.mark.parametrize(
    "interval", ["29s", "0s", "101y", "25h", "soon", "", "-1h", ["1h"], {"hours": 1}, 1.5]
)
def test_intervals_that_are_refused(interval: Any) -> None:
    with pytest.raises(SpecError, match="interval"):
        Filter("f", "s", interval)


class TestAggregation:
    def test_a_field_is_needed_but_for_count(self) -> None:
        assert Aggregation("a").calculations == (Calculation.COUNT,)
        with pytest.raises(SpecError, match="AVG, MAX needs a field"):
            Aggregation("a", calculations=("COUNT", "AVG", "MAX"))  # type: ignore[arg-type] - plain values are read

    def test_calculations_in_any_case_none_twice_at_least_one(self) -> None:
        assert Aggregation("a", "x", ("avg",)).calculations == (Calculation.AVG,)  # type: ignore[arg-type] - plain values are read
        with pytest.raises(SpecError, match="stands here twice"):
            Aggregation("a", "x", ("AVG", "avg"))  # type: ignore[arg-type] - plain values are read
        with pytest.raises(SpecError, match="at least one calculation"):
            Aggregation("a", "x", ())
