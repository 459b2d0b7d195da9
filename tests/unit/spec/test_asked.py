"""What endpoints can ask of tasks and cubes."""

from __future__ import annotations

from typing import Any

import pytest

from aggflow.errors import SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.askable import Askable, Key
from aggflow.spec.asked import asked_of
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import Aggregate, All, Fixed
from aggflow.spec.cube import Cube
from aggflow.spec.dimension import Dimension
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.ratio import Ratio
from aggflow.spec.task import Task
from aggflow.spec.timing import Lookback

LINQ = (
    "from t select lower(a) as low group every 1h by low, b "
    "select count() as n, percentile95(x) as p, sum(x) / count() as pace, lower(b) as key, median(x) as m"
)
LEVELS: Any = ["country", "city"]
TIMES: Any = ["month", "week"]


def asked(spec: Any) -> Askable:
    found = asked_of(spec)
    assert isinstance(found, Askable)
    return found


def cube(**options: Any) -> Cube:
    usual: dict[str, Any] = {
        "dimensions": (Dimension("place", levels=LEVELS), Dimension("kind")),
        "measures": (Aggregation("x", "x", (Calculation.SUM, Calculation.AVG)), Ratio("r", "x:SUM", "x:AVG")),
    }
    return Cube("c", "t", **(usual | options))


def endpoint(**groupings: Any) -> Endpoint:
    fields = (Field("s", "x", Calculation.SUM),)
    return Endpoint("e", cube="c", timing=Lookback("1d"), fields=fields, groupings=groupings)


def test_a_filter_is_asked_as_it_is() -> None:
    filter_ = Filter("f", "t", "1h")
    assert asked_of(filter_) is filter_


def test_a_task_offers_what_it_selects_by_what_it_groups_by() -> None:
    task = Task("t", LINQ, 0, delay=90, time_zone="Asia/Tokyo", min_grain="15m")
    of = asked(task)
    assert of.groupings == (Key("low", "=lower(a)"), Key("b", "b"))
    assert [(one.aggregation, one.calculation, one.percentile) for one in of.offers] == [
        ("n", "COUNT", None),
        ("p", "PERCENTILES", "0.95"),
        ("pace", None, None),
        ("m", "PERCENTILES", "0.5"),
    ]
    assert (of.interval, of.time_zone, str(of.delay), of.source) == ("15m", "Asia/Tokyo", "90s", "t")
    # What it is made of is what the task's rollup keeps.
    kept = {part.kept for one in of.offers for part in of.value(Field("f", one.aggregation)).parts}
    assert kept == set(task.rollup.kept)
    assert [key.path for key in of.groupings] == list(task.rollup.groupings)


@pytest.mark.parametrize(
    ("dimensions", "interval"),
    [
        ((), "1h"),
        ((Dimension("date", levels=TIMES),), "1d"),
        ((Dimension("date", levels=("year", "month")),), "1mo"),  # type: ignore[arg-type]  # texts are levels
        ((Dimension("date", levels=("day",)), Dimension("fine", levels=("hour",))), "1h"),  # type: ignore[arg-type]
    ],
)
def test_the_buckets_of_a_cube_are_what_its_levels_of_time_are_made_of(
    dimensions: Any, interval: str
) -> None:
    assert asked(cube(dimensions=dimensions)).interval == interval


def test_a_level_brings_those_above_it_and_what_is_chosen_of_them_stays() -> None:
    of = asked(cube())
    assert of.completed(endpoint(city=All())).groupings == {"city": All(), "country": All()}
    merged = endpoint(place=All(), country=Aggregate())
    assert of.completed(merged).groupings == {"place": All(), "country": All()}
    fixed = endpoint(city=All(), country=Fixed(("CH",), returned=False))
    assert of.completed(fixed) == fixed
    for alone in (
        endpoint(country=All()),
        endpoint(kind=All()),
        endpoint(city=Fixed(("Bern",), returned=False)),
    ):
        assert of.completed(alone) == alone


def test_what_is_computed_is_not_plain() -> None:
    of = asked(cube())
    assert of.value(Field("s", "x", Calculation.SUM)).is_plain
    ratio = of.value(Field("r", "r"))
    assert not ratio.is_plain
    assert [part.kept.calculation for part in ratio.parts] == ["SUM", "AVG"]
    with pytest.raises(SpecError, match="'x' has several calculations"):
        of.value(Field("x", "x"))
    with pytest.raises(SpecError, match="a field without a calculation takes no percentile"):
        Field("x", "x", percentile=0.5)
