from __future__ import annotations

from dataclasses import replace

import pytest

from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping
from aggflow.spec.rollup import Rollup, rollup_of
from aggflow.spec.source import Source

SOURCE = Source("s", "duckdb:///x.ddb", "ts", "t")
FILTER = Filter(
    "f",
    "s",
    "1h",
    "@.a == 1",
    groupings=(Grouping("g"), Grouping("h")),
    aggregations=(
        Aggregation("delay", "d", (Calculation.COUNT, Calculation.AVG, Calculation.PERCENTILES)),
        Aggregation("late", "d", (Calculation.AVG,), "@.d > 15"),
    ),
)
HASH = rollup_of(FILTER).data_hash(SOURCE)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"description": "for people"},
        {"groupings": (Grouping("g", "alias"), Grouping("h"))},
        {"aggregations": (replace(FILTER.aggregations[0], name="renamed"), FILTER.aggregations[1])},
        {"aggregations": FILTER.aggregations[::-1]},
    ],
)
def test_what_changes_no_data_keeps_the_hash(change: dict[str, object]) -> None:
    assert rollup_of(replace(FILTER, **change)).data_hash(SOURCE) == HASH


@pytest.mark.parametrize(
    "change",
    [
        {"interval": "2h"},
        {"where": "@.a == 2"},
        {"groupings": (Grouping("g"),)},
        {"time_zone": "Europe/Berlin"},
        {"aggregations": FILTER.aggregations[:1]},
        {"aggregations": (replace(FILTER.aggregations[0], sketch_groupings=("g",)), FILTER.aggregations[1])},
    ],
)
def test_what_changes_data_changes_the_hash(change: dict[str, object]) -> None:
    assert rollup_of(replace(FILTER, **change)).data_hash(SOURCE) != HASH


def test_the_source_belongs_to_the_data() -> None:
    assert rollup_of(FILTER).data_hash(replace(SOURCE, table="other")) != HASH
    assert rollup_of(FILTER).data_hash(replace(SOURCE, description="for people", lateness="1h")) == HASH


def test_plain_data_give_the_rollup_back() -> None:
    rollup = rollup_of(FILTER)
    assert Rollup.from_plain(rollup.to_plain()) == rollup


def test_sketches_at_all_groupings_are_no_grain_of_their_own() -> None:
    everywhere = replace(FILTER.aggregations[0], sketch_groupings=("h", "g"))
    assert rollup_of(replace(FILTER, aggregations=(everywhere, FILTER.aggregations[1]))) == rollup_of(FILTER)
