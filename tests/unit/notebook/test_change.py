from __future__ import annotations

from typing import Any

import aggflow as af
from aggflow.notebook.change import differences

Aggregation: Any = af.Aggregation
Dimension: Any = af.Dimension


def cube(**options: Any) -> af.Cube:
    known: dict[str, Any] = {
        "dimensions": ["carrier", Dimension("place", levels=["state", "city"])],
        "measures": [Aggregation("events"), Aggregation("delay", "delay", ["AVG"])],
    }
    return af.Cube("c", "flights", **(known | options))


def test_what_is_the_same_is_not_told() -> None:
    assert differences(cube(), cube()) == ()


def test_a_value_is_told_with_what_it_was() -> None:
    assert differences(cube(), cube(where="@.a == 1")) == ('where: nothing → "@.a == 1"',)


def test_items_that_come_and_go_are_told_by_their_names() -> None:
    changed = cube(measures=[Aggregation("delay", "delay", ["AVG"]), af.Ratio("r", "delay", "delay")])
    assert differences(cube(), changed) == ('measures: without "events"', 'measures: with "r" too')
    assert differences(cube(), cube(dimensions=["carrier"])) == ('dimensions: without "place"',)


def test_of_an_item_that_stays_what_changes_is_told() -> None:
    changed = cube(measures=[Aggregation("events"), Aggregation("delay", "late", ["AVG", "MAX"])])
    assert differences(cube(), changed) == (
        'measures, delay: field: "delay" → "late"',
        'measures, delay: calculations: with "MAX" too',
    )
    levels = cube(dimensions=["carrier", Dimension("place", levels=["state"])])
    assert differences(cube(), levels) == ('dimensions, place: levels: without "city"',)


def test_another_order_is_told() -> None:
    other = cube(dimensions=[Dimension("place", levels=["state", "city"]), "carrier"])
    assert differences(cube(), other) == ("dimensions: in another order",)


def test_a_list_that_begins_to_be_is_told_as_it_is() -> None:
    (text,) = differences(cube(), cube(aggregates=[af.CubeAggregate("h", "1h")]))
    assert text.startswith("aggregates: nothing → [")
