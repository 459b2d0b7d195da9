from __future__ import annotations

from typing import Any

import pytest

import aggflow.spec.aggregation
import aggflow.spec.dimension
from aggflow.errors import NotFoundError, SpecError
from aggflow.spec.calculation import Calculation
from aggflow.spec.cube import Cube
from aggflow.spec.cube_aggregate import CubeAggregate
from aggflow.spec.cube_rollup import aggregate_rollup, cube_rollups
from aggflow.spec.declaration import plain, read
from aggflow.spec.level import TIME_LEVELS, Level
from aggflow.spec.measure_reference import MeasureReference
from aggflow.spec.ratio import Ratio

# Declarations take texts, which type checkers do not know.
Aggregation: Any = aggflow.spec.aggregation.Aggregation
Dimension: Any = aggflow.spec.dimension.Dimension
DELAY = Aggregation("delay", "dep_delay", ["COUNT", "AVG", "PERCENTILES"])
EVENTS = Aggregation("flights")
LATE = Aggregation("late", where="@.dep_delay > 15")
SHARE = Ratio("late share", "late", "flights")
PLACE = Dimension("place", levels=("origin", Level("to", "@.dest")))
DATE = Dimension("date", levels=TIME_LEVELS)


def cube(**changed: Any) -> Cube:
    whole: dict[str, Any] = {
        "name": "flights",
        "source": "flights",
        "dimensions": ["carrier", PLACE, DATE, Dimension("low", "=lower( carrier )")],
        "measures": [DELAY, EVENTS, LATE, SHARE],
    }
    return Cube(**(whole | changed))


def problems(**changed: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as raised:
        cube(**changed)
    return {problem.path: str(problem).removeprefix(problem.path + ": ") for problem in raised.value.problems}


def test_a_text_among_levels_is_a_width_of_time_where_it_names_one_and_else_a_column() -> None:
    assert [level.is_time for level in DATE.hierarchy] == [True] * 6
    assert [str(level.width) for level in DATE.hierarchy] == ["1y", "1q", "1mo", "1w", "1d", "1h"]
    assert [level.column for level in PLACE.hierarchy] == ["origin", "dest"]
    month = Level("month", path="month")
    assert not month.is_time
    assert month.column == "month"
    assert str(Level("five", interval="300s").width) == "5m"


def test_a_dimension_by_its_name_alone_is_a_column_be_it_called_as_a_width() -> None:
    (month,) = Dimension("month").hierarchy
    assert not month.is_time
    assert month.column == "month"


def test_plain_data_give_the_same_cube_back() -> None:
    given = cube(aggregates=[CubeAggregate("x", "1d", ["place"], ["late share"])], where="@.dest != 'LGA'")
    assert read(Cube, plain(given)) == given
    short = plain(given, defaults=False)
    assert read(Cube, short) == given
    assert short["dimensions"][0] == "carrier"
    assert short["dimensions"][1]["levels"] == ["origin", {"name": "to", "path": "@.dest"}]


def test_every_problem_is_listed_with_its_place() -> None:
    assert problems(
        dimensions=["carrier", "carrier", Dimension("q", levels=["city"]), Dimension("p", levels=["city"])],
        measures=[DELAY, DELAY, Aggregation("carrier"), Aggregation("a:b")],
        aggregates=[
            CubeAggregate("x", None, ["carier"], ["dellay"]),
            CubeAggregate("x", "1h", ["city"], ["delay:AVERAGE"]),
        ],
    ) == {
        "dimensions": "'carrier' stands here 2 times; names are unique",
        "measures": "'delay' stands here 2 times; names are unique",
        "aggregates": "'x' stands here 2 times; names are unique",
        "measures[2].name": "'carrier' is what answers call a dimension or the time",
        "measures[3].name": "'a:b' has a colon, which stands before a calculation",
        "aggregates[0].dimensions[0]": "there is no dimension 'carier' (did you mean 'carrier'?)",
        "aggregates[0].measures[0]": "there is no measure 'dellay' (did you mean 'delay'?)",
        "aggregates[1].dimensions[0]": "several dimensions have a level 'city' (q.city, p.city)",
        "aggregates[1].measures[0]": "aggregation 'delay' does not keep 'AVERAGE' (did you mean 'AVG'?)",
    }


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"dimensions": ["on time"]}, "dimensions[0].path", "'on time' is no path by itself"),
        ({"dimensions": ["a.b"]}, "dimensions[0].name", "'a.b' has a dot"),
        (
            {"dimensions": [{"name": "p", "levels": ["a", "day"]}]},
            "dimensions[0].levels",
            "columns or widths of time, not both",
        ),
        (
            {"dimensions": [{"name": "p", "levels": ["a", "a"]}]},
            "dimensions[0].levels",
            "'a' stands here 2 times",
        ),
        (
            {"dimensions": [{"name": "p", "path": "a", "levels": ["b"]}]},
            "dimensions[0].path",
            "has its columns there",
        ),
        (
            {"dimensions": [{"name": "p", "levels": [{"name": "a", "path": "a", "interval": "1d"}]}]},
            "dimensions[0].levels[0].interval",
            "not both",
        ),
        ({"measures": []}, "measures", "at least one aggregation is needed"),
        ({"measures": [5]}, "measures[0]", "5 is no measure"),
        (
            {"measures": [{"name": "d", "calculations": ["SUMM"]}]},
            "measures[0].calculations[0]",
            "did you mean 'SUM'?",
        ),
        (
            {"measures": [EVENTS, {"name": "r", "numerator": "flghts", "denominator": "flights"}]},
            "measures[1].numerator",
            "did you mean 'flights'?",
        ),
        (
            {"measures": [DELAY, SHARE, Ratio("r", "late share", "delay:AVG")]},
            "measures[2].numerator",
            "there is no aggregation 'late share'",
        ),
        (
            {"measures": [DELAY, Ratio("r", "delay", "delay:AVG")]},
            "measures[1].numerator",
            "(delay:COUNT, delay:AVG, delay:PERCENTILES)",
        ),
        (
            {"measures": [DELAY, Ratio("r", "delay:AVG", "delay:PERCENTILES")]},
            "measures[1].denominator",
            "0.95",
        ),
        (
            {"measures": [DELAY, Ratio("r", "delay:AVG", "delay:AVG:1")]},
            "measures[1].denominator",
            "behind AVG",
        ),
        (
            {"measures": [DELAY, Ratio("r", "delay:AVG", "delay:PERCENTILES:95")]},
            "measures[1].denominator",
            "not from 0 to 1",
        ),
        (
            {"measures": [Aggregation("d", "x", ["PERCENTILES"], sketch_groupings=["carier"])]},
            "measures[0].sketch_groupings",
            "did you mean 'carrier'?",
        ),
        ({"aggregates": [{"name": "a", "interval": "90x"}]}, "aggregates[0].interval", "90x"),
        ({"aggregates": [{"name": "a"}]}, "aggregates[0].interval", "the width of its buckets is not said"),
        ({"aggregates": [{"name": "a/b", "interval": "1h"}]}, "aggregates[0].name", "has a slash"),
        (
            {"aggregates": [{"name": "a", "interval": "1h", "measures": []}]},
            "aggregates[0].measures",
            "at least",
        ),
        (
            {"aggregates": [{"name": "a", "interval": "1mo", "dimensions": ["week"]}]},
            "aggregates[0].interval",
            "1mo does not divide its level of time, 1w",
        ),
        ({"time_zone": "Europe/Berln"}, "time_zone", "did you mean 'Europe/Berlin'?"),
    ],
)
def test_each_mistake_has_its_place_and_a_hint(given: dict[str, Any], path: str, message: str) -> None:
    found = problems(**given)
    assert path in found
    assert message in found[path]


def test_names_mean_the_finest_of_a_dimension_a_level_or_a_level_of_a_dimension() -> None:
    both = cube(
        dimensions=[
            Dimension("from", levels=["country", "city"]),
            Dimension("to", levels=["country", "town"]),
            "carrier",
        ]
    )
    assert [level.name for level in both.levels] == ["from.country", "city", "to.country", "town", "carrier"]
    assert [level.name for level in both.columns(["to.country"])] == ["to.country"]
    assert [level.name for level in both.columns(["carrier", "city"])] == ["from.country", "city", "carrier"]
    assert [level.name for level in both.columns(["to"])] == ["to.country", "town"]
    with pytest.raises(
        SpecError, match=r"several dimensions have a level 'country' \(from.country, to.country"
    ):
        both.columns(["country"])
    with pytest.raises(NotFoundError, match="did you mean 'town'"):
        both.columns(["twon"])


@pytest.mark.parametrize(
    ("named", "interval"),
    [
        (["month"], "1mo"),
        (["date.month", "carrier"], "1mo"),
        (["date"], "1h"),
        (["year", "month"], "1mo"),
        (["week", "month"], "1d"),
        (["day", "hour"], "1h"),
    ],
)
def test_an_aggregate_is_as_fine_as_its_levels_of_time_need(named: list[str], interval: str) -> None:
    given = cube(aggregates=[CubeAggregate("a", None, named)])
    assert cube_rollups(given)["a"].interval == interval


def test_hours_and_days_of_a_zone_between_hours_are_kept_by_quarters() -> None:
    given = cube(aggregates=[CubeAggregate("a", None, ["hour", "day"])], time_zone="Asia/Kathmandu")
    assert cube_rollups(given)["a"].interval == "15m"


def test_a_rollup_an_aggregate_in_the_cubes_own_order() -> None:
    given = cube(
        aggregates=[
            CubeAggregate("fine", "1h", ["low", "place", "carrier"]),
            CubeAggregate("far", "1d", ["origin"], ["late share", "delay:AVG"]),
            CubeAggregate("all", "1d"),
        ]
    )
    found = cube_rollups(given)
    assert list(found) == ["fine", "far", "all"]
    assert found["fine"].groupings == ("carrier", "origin", "dest", "=lower(carrier)")
    assert found["far"].groupings == ("origin",)
    assert found["all"].groupings == ()
    assert [(kept.field, kept.where, kept.calculation) for kept in found["far"].kept] == [
        (None, "", "COUNT"),
        (None, "@.dep_delay > 15", "COUNT"),
        ("dep_delay", "", "AVG"),
    ]
    assert len(found["fine"].kept) == 4
    assert found["fine"].kept == found["all"].kept


def test_a_cube_that_declares_none_has_one_aggregate_of_all_dimensions_by_the_hour() -> None:
    (rollup,) = cube_rollups(cube()).items()
    assert rollup[0] == "all"
    assert rollup[1].interval == "1h"
    assert rollup[1].groupings == ("carrier", "origin", "dest", "=lower(carrier)")
    finer = cube(dimensions=[Dimension("date", levels=("day", Level("ten", interval="10m")))])
    assert cube_rollups(finer)["all"].interval == "10m"
    assert cube_rollups(cube(aggregates=[])) == {}


def test_sketches_are_kept_by_those_of_their_groupings_that_an_aggregate_has() -> None:
    coarse = Aggregation("delay", "dep_delay", ["AVG", "PERCENTILES"], sketch_groupings=["place"])
    given = cube(
        measures=[coarse],
        aggregates=[
            CubeAggregate("both", "1h", ["carrier", "place"]),
            CubeAggregate("part", "1h", ["carrier", "origin"]),
            CubeAggregate("none", "1h", ["carrier"]),
            CubeAggregate("same", "1h", ["place"]),
        ],
    )
    by_name = {
        name: {kept.calculation: kept.groupings for kept in rollup.kept}
        for name, rollup in cube_rollups(given).items()
    }
    assert {name: of[Calculation.PERCENTILES] for name, of in by_name.items()} == {
        "both": ("origin", "dest"),
        "part": ("origin",),
        "none": (),
        "same": None,
    }
    assert {of[Calculation.AVG] for of in by_name.values()} == {None}


def test_columns_that_two_dimensions_share_are_grouped_by_once() -> None:
    given = cube(dimensions=["origin", PLACE], aggregates=[CubeAggregate("a", "1h", ["origin", "place"])])
    assert aggregate_rollup(given, given.aggregate("a")).groupings == ("origin", "dest")
    with pytest.raises(NotFoundError, match="there is no aggregate 'b'"):
        given.aggregate("b")


def test_references_are_read_in_any_case_and_written_in_one() -> None:
    assert MeasureReference.of(" delay : percentiles : 0.950 ", [DELAY]).text == "delay:PERCENTILES:0.95"
    assert MeasureReference.of("flights", [DELAY, EVENTS]).text == "flights:COUNT"
    assert MeasureReference.of("delay:PERCENTILES:1E-1", [DELAY]).percentile == "0.1"
    with pytest.raises(SpecError, match="not from 0 to 1"):
        MeasureReference.of("delay:PERCENTILES:NaN", [DELAY])
