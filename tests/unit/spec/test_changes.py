"""The "Considerations" of the endpoints API, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aggflow.engine.shape import Shape
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.asked_cube import AskedCube
from aggflow.spec.asked_task import AskedTask
from aggflow.spec.calculation import Calculation
from aggflow.spec.changes import carried, effects
from aggflow.spec.choice import Aggregate, All, Fixed
from aggflow.spec.cube import Cube
from aggflow.spec.dimension import Dimension
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.fit import canonical_grouping, problems_with
from aggflow.spec.grouping import Grouping
from aggflow.spec.level import Level
from aggflow.spec.task import Task
from aggflow.spec.timing import Lookback, TimeSeries

COUNT = Field("n", "events", Calculation.COUNT)
AVERAGE = Field("mean", "delay", Calculation.AVG)
OLD = Filter(
    "f",
    "s",
    "1d",
    groupings=(Grouping("carrier"), Grouping("origin")),
    aggregations=(Aggregation("events"), Aggregation("delay", "d", (Calculation.AVG, Calculation.MAX))),
)


def endpoint(**options: Any) -> Endpoint:
    usual: dict[str, Any] = {"name": "e", "filter": "f", "timing": Lookback("7d"), "fields": (COUNT,)}
    return Endpoint(**(usual | options))


def test_removing_a_grouping_that_was_returned_leaves_its_past_and_no_future() -> None:
    new = replace(OLD, groupings=(Grouping("origin"),))
    (effect,) = effects(OLD, new, [endpoint(groupings={"carrier": All()})])
    assert not effect.blocks
    assert "its values stay for the past and are empty from now on" in effect.what


def test_removing_a_grouping_that_was_not_returned_does_nothing() -> None:
    new = replace(OLD, groupings=(Grouping("origin"),))
    assert not effects(OLD, new, [endpoint()])


def test_an_alias_is_no_removal() -> None:
    new = replace(OLD, groupings=(Grouping("carrier", "airline"), Grouping("origin")))
    assert not effects(OLD, new, [endpoint(groupings={"carrier": All()})])


def test_taking_the_last_valid_field_is_blocked() -> None:
    new = replace(OLD, aggregations=(Aggregation("delay", "d", (Calculation.AVG,)),))
    (effect,) = effects(OLD, new, [endpoint()])
    assert effect.blocks


def test_taking_one_of_several_fields_makes_it_null() -> None:
    new = replace(OLD, aggregations=(Aggregation("events"), Aggregation("delay", "d", (Calculation.MAX,))))
    (effect,) = effects(OLD, new, [endpoint(fields=(COUNT, AVERAGE))])
    assert not effect.blocks
    assert "'mean' will be null" in effect.what


def test_a_field_that_was_invalid_before_does_not_count_as_left() -> None:
    without_average = replace(OLD, aggregations=(Aggregation("events"),))
    nothing_left = replace(OLD, aggregations=(Aggregation("other"),))
    (effect,) = effects(without_average, nothing_left, [endpoint(fields=(COUNT, AVERAGE))])
    assert effect.blocks


def test_a_more_frequent_interval_does_nothing_to_a_lookback() -> None:
    assert not effects(OLD, replace(OLD, interval="1h"), [endpoint()])


def test_a_more_frequent_interval_is_followed_by_a_series_without_its_own() -> None:
    new = replace(OLD, interval="1h")
    (effect,) = effects(OLD, new, [endpoint(timing=TimeSeries("7d"))])
    assert "its points are now 1h apart" in effect.what
    assert not effects(OLD, new, [endpoint(timing=TimeSeries("7d", "1d"))])


def test_a_less_frequent_interval_may_lose_correctness() -> None:
    (effect,) = effects(replace(OLD, interval="1h"), OLD, [endpoint()])
    assert "it may lose correctness" in effect.what


def test_effects_are_told_for_each_endpoint() -> None:
    new = replace(OLD, groupings=())
    found = effects(OLD, new, [endpoint(name=name, groupings={"carrier": All()}) for name in ("a", "b")])
    assert [effect.endpoint for effect in found] == ["a", "b"]


def task(select: str) -> AskedTask:
    return AskedTask.of(Task("t", f"from s group every 1h by client select {select}", 0))


def ranked(**options: Any) -> Endpoint:
    usual: dict[str, Any] = {
        "filter": None,
        "task": "t",
        "fields": (Field("m", "m"), Field("n", "n")),
        "groupings": {"client": All()},
        "sort": (Sort("m", "desc"),),
        "grouping_limits": (GroupingLimit("client", 3),),
    }
    return endpoint(**(usual | options))


@pytest.mark.parametrize(
    ("select", "options", "message"),
    [
        ("sum(x) / count() as m, count() as n", {}, "'m' is computed of several"),
        ("count() as n", {}, "'m' is not there"),
        (
            "sum(x) / count() as m, count() as n",
            {"timing": TimeSeries("7d", fill="zero"), "sort": (), "grouping_limits": ()},
            "'m' is computed, and not 0",
        ),
    ],
)
def test_what_ranks_no_groups_and_is_not_zero_any_more_is_blocked(
    select: str, options: dict[str, Any], message: str
) -> None:
    old, new, of = task("avg(x) as m, count() as n"), task(select), ranked(**options)
    (blocking,) = (effect for effect in effects(old, new, [of]) if effect.blocks)
    assert message in blocking.what
    # Where it does not rank, it may be so; and what was so before is nobody's doing now.
    other = replace(of, sort=(Sort("n"),), timing=Lookback("7d"))
    assert not any(effect.blocks for effect in effects(old, new, [other]))
    assert not any(effect.blocks for effect in effects(new, new, [of]))


@pytest.mark.parametrize("select", ["min(x) as m", "sum(x) / count() as m", "percentile(x, 0.5) as m"])
def test_what_is_computed_otherwise_is_told(select: str) -> None:
    of = ranked(sort=(), grouping_limits=())
    old = task("percentile(x, 0.95) as m, count() as n")
    (effect,) = effects(old, task(f"{select}, count() as n"), [of])
    assert str(effect) == "endpoint 'e': 'm' will be computed otherwise"
    # Whatever stands before it.
    assert not effects(old, task("max(y) as z, count() as n, percentile(x, 0.95) as m"), [of])


def cube(*dimensions: Dimension) -> AskedCube:
    return AskedCube.of(Cube("c", "s", dimensions, measures=(Aggregation("events"),)))


def by_place(**options: Any) -> Endpoint:
    usual: dict[str, Any] = {
        "filter": None,
        "cube": "c",
        "groupings": {"place": Fixed(("a", "b"))},
        "sort": (Sort("place"),),
        "grouping_limits": (GroupingLimit("place", 3),),
    }
    return endpoint(**(usual | options))


def place(*levels: str, name: str = "place") -> Dimension:
    return Dimension(name, levels=tuple(Level(one, f"{name}_{one}") for one in levels))


PLACE = place("country", "city")


@pytest.mark.parametrize(
    ("new", "kept", "told"),
    [
        ((place("country", "city", "district"),), "city", []),
        ((Dimension("where", levels=PLACE.levels),), "city", []),
        ((PLACE, Dimension("other")), "place", []),
        ((place("country", "region", "city"),), "place", ["its groups will be told apart by 'region', too"]),
        (
            (place("country", "city", "district"), place("city", "street", name="other")),
            "place.city",
            ["answers will call 'city' 'place.city'"],
        ),
    ],
)
def test_an_endpoint_by_a_dimension_keeps_to_the_level_that_was_its_finest(
    new: tuple[Dimension, ...], kept: str, told: list[str]
) -> None:
    old, changed = cube(PLACE), cube(*new)
    same = carried(by_place(), old, changed)
    assert same.groupings == {kept: Fixed(("a", "b"))}
    assert (same.sort[0].by, same.grouping_limits[0].grouping) == (kept, kept)
    # It is saved before the cube is.
    assert canonical_grouping(old, kept) == "city"
    assert [effect.what for effect in effects(old, changed, [by_place()])] == told


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            (Dimension("place", "place_country"), Dimension("other", "place_city")),
            "not be told apart by 'place'",
        ),
        ((place("country", "district"),), "grouping 'city', which it needs, is no longer kept"),
        (
            (place("country", "city", "district"), place("x", name="city"), place("y", name="place_city")),
            "grouping 'place', which it needs, would mean another",
        ),
        ((place("n", "country", "city"),), "grouping 'n' is called as one of its fields"),
    ],
)
def test_a_level_that_cannot_be_named_as_before_is_told(new: tuple[Dimension, ...], message: str) -> None:
    found = [str(effect) for effect in effects(cube(PLACE), cube(*new), [by_place()])]
    assert any(message in effect for effect in found), found


def test_keys_that_are_called_as_each_other_are_told_apart_by_what_they_are() -> None:
    old = AskedTask.of(
        Task("t", "from s select a as x, b as y group every 1h by x, y select count() as n", 0)
    )
    new = AskedTask.of(
        Task("t", "from s select b as x, a as y group every 1h by x, y select count() as n", 0)
    )
    of = ranked(fields=(Field("n", "n"),), groupings={"x": All()}, sort=(), grouping_limits=())
    assert carried(of, old, new).groupings == {"a": All()}
    changed = replace(OLD, groupings=(Grouping("origin", "carrier"), Grouping("carrier", "airline")))
    (effect,) = effects(OLD, changed, [endpoint(groupings={"carrier": All()})])
    assert effect.blocks


def test_a_grouping_that_is_no_more_needs_no_choice() -> None:
    of = by_place(groupings={"place": All(), "other": Aggregate()})
    old, new = cube(PLACE, Dimension("other")), cube(PLACE)
    assert not effects(old, new, [of])
    assert carried(of, old, new).groupings == {"place": All()}


def test_an_order_by_a_field_stays_one_whatever_dimensions_are_called() -> None:
    old, new = cube(PLACE), cube(PLACE, place("x", name="n"))
    of = by_place(sort=(Sort("n", "desc"),))
    assert not effects(old, new, [of])
    assert carried(of, old, new) == of
    assert carried(of, new, cube(PLACE, place("x", "y", name="n"))) == of
    (order,) = Shape.of(of, new).question.order
    assert order.by == "n"
    assert not problems_with(of, new)
