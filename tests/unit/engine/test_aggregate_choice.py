"""Aggregate choices: the smallest aggregate that answers a question, and what has all of two."""

from __future__ import annotations

from typing import Any

import pytest
from shop import Aggregation

from aggflow.engine.aggregate_choice import AggregateChoice, smallest_choices
from aggflow.engine.asked_shape import AskedShape
from aggflow.engine.plan import miss
from aggflow.measures.registry import StateKey
from aggflow.spec.cube import Cube
from aggflow.spec.dimension import Dimension
from aggflow.timeline import UTC, Interval, Window, Zone, parse_instant

LEVELS: Any = ["country", "origin"]
PLACE = Dimension("place", levels=LEVELS)
CUBE = Cube(
    "flights",
    "flights",
    dimensions=[Dimension("carrier"), PLACE, Dimension("up", "=upper(tail)")],
    measures=[
        Aggregation("delay", "dep_delay", ["AVG", "SUM", "MAX"]),
        Aggregation("late", "dep_delay", ["COUNT", "PERCENTILES"], "@.dep_delay > 15"),
        Aggregation("events"),
    ],
    where="@.cancelled == false",
)
TOTAL, MOST, COUNT = (
    StateKey("total", "dep_delay", "", ()),
    StateKey("extremes", "dep_delay", "", ()),
    StateKey("count", "", "", ()),
)
LATE = StateKey("quantile", "dep_delay", "@.dep_delay > 15", ())
YEAR = Window(parse_instant("2013-01-01"), parse_instant("2014-01-01"))


def shape(*groupings: str, **options: Any) -> AskedShape:
    known: dict[str, Any] = {
        "name": "flights",
        "is_routed": True,
        "source": "flights",
        "where": "@.cancelled == false",
        "groupings": groupings,
        "filters": (),
        "keys": (TOTAL,),
        "series": None,
        "zone": UTC,
    }
    return AskedShape(**{**known, **options})


def choices(of: AskedShape, window: Window = YEAR, cube: Cube = CUBE) -> list[AggregateChoice]:
    found = smallest_choices(cube, of, (window,))
    assert all(not miss(choice.rollup, of.need()) for choice in found), "it answers what it is made for"
    return found


def test_it_has_what_is_asked_for_and_no_more() -> None:
    (choice,) = choices(shape("carrier", filters=("=upper(tail)",), keys=(MOST, COUNT)))
    assert (str(choice.width), choice.dimensions) == ("1y", ("carrier", "up"))
    assert choice.measures == ("delay:MAX", "events")
    assert choice.rollup.groupings == ("carrier", "=upper(tail)")
    assert choice.rollup.where == "@.cancelled == false"


def test_a_level_brings_those_above_it() -> None:
    (choice,) = choices(shape("origin"))
    assert (choice.dimensions, choice.rollup.groupings) == (("origin",), ("country", "origin"))


def test_aggregations_that_are_kept_whole_are_called_by_their_names() -> None:
    (choice,) = choices(shape(keys=(TOTAL, MOST, COUNT)))
    assert choice.measures == ("delay", "events")
    (choice,) = choices(shape(keys=(LATE, TOTAL)))
    assert choice.measures == ("delay:AVG", "late:PERCENTILES:0.5")


@pytest.mark.parametrize(
    "of",
    [
        shape("weather"),
        shape(filters=("weather",)),
        shape(keys=(StateKey("total", "weather", "", ()),)),
        shape(keys=(StateKey("moments", "dep_delay", "", ()),)),
        shape(keys=(StateKey("total", "dep_delay", "@.dep_delay > 16", ()),)),
    ],
    ids=str,
)
def test_what_the_cube_lacks_it_does_not_answer(of: AskedShape) -> None:
    assert choices(of) == []


def test_a_condition_on_a_dimension_takes_the_dimension() -> None:
    where = "@.cancelled == false && @.carrier == 'UA'"
    (choice,) = choices(shape(where=where, plain=frozenset({"carrier"})))
    assert choice.dimensions == ("carrier",)


@pytest.mark.parametrize(
    ("start", "end", "widths"),
    [
        ("2013-01-01", "2014-01-01", ["1y"]),
        ("2013-01-01", "2013-04-01", ["1q"]),
        ("2013-01-01", "2013-12-01", ["1mo"]),
        ("2013-01-07", "2013-01-21", ["1w"]),
        ("2013-01-01", "2013-01-02", ["1d"]),
        ("2013-01-01", "2013-01-02T06:00:00Z", ["6h"]),
        ("2013-01-01", "2013-01-02T05:00:00Z", ["1h"]),
        ("2013-01-01", "2013-01-02T05:15:00Z", ["1h", "1d"]),
    ],
)
def test_the_width_is_the_coarsest_whose_buckets_no_edge_cuts(
    start: str, end: str, widths: list[str]
) -> None:
    window = Window(parse_instant(start), parse_instant(end))
    assert [str(choice.width) for choice in choices(shape(), window)] == widths


@pytest.mark.parametrize(
    ("series", "zone", "widths"),
    [
        ("1d", "UTC", ["1d"]),
        ("1w", "UTC", ["1d"]),
        ("13m", "UTC", ["13m"]),
        ("1d", "America/New_York", ["1h"]),
        ("1d", "Asia/Kathmandu", ["15m"]),
    ],
)
def test_the_width_divides_that_of_a_series(series: str, zone: str, widths: list[str]) -> None:
    found = choices(shape(series=Interval.of(series), zone=Zone.of(zone)))
    assert [str(choice.width) for choice in found] == widths


def test_days_are_those_of_the_cubes_zone() -> None:
    cube = Cube("c", "flights", measures=CUBE.measures, time_zone="Asia/Tokyo", where=CUBE.where)
    window = Window(parse_instant("2013-01-01T00:00:00+09:00"), parse_instant("2013-01-02T00:00:00+09:00"))
    (choice,) = choices(shape(), window, cube)
    assert (str(choice.width), choice.rollup.time_zone) == ("1d", "Asia/Tokyo")


def test_two_together_have_all_of_both() -> None:
    (one,) = choices(shape("carrier", series=Interval.of("1w")))
    (other,) = choices(shape("origin", keys=(LATE,)))
    both = one.together(other, CUBE)
    assert both
    assert (str(one.width), str(other.width), str(both.width)) == ("1d", "1y", "1d")
    assert both.dimensions == ("carrier", "origin")
    assert both.measures == ("delay:AVG", "late:PERCENTILES:0.5")
    for of in (shape("carrier", series=Interval.of("1w")), shape("origin", keys=(LATE,))):
        assert not miss(both.rollup, of.need())
