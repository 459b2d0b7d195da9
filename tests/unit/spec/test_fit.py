from __future__ import annotations

from typing import Any

import pytest

from aggflow.errors import SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All, Fixed, QueryTime
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.fit import choices, problems_with, returned_groupings
from aggflow.spec.grouping import Grouping
from aggflow.spec.timing import Lookback, TimeSeries

DELAY = Aggregation("delay", "dep_delay", (Calculation.COUNT, Calculation.AVG, Calculation.PERCENTILES))
DELAYS = Filter(
    "delays",
    "flights",
    "1h",
    groupings=(Grouping("carrier"), Grouping("@.origin", "from")),
    aggregations=(DELAY,),
)
COUNT = Field("n", "delay", Calculation.COUNT)


def endpoint(**options: Any) -> Endpoint:
    usual: dict[str, Any] = {"name": "e", "filter": "delays", "timing": Lookback("1d"), "fields": (COUNT,)}
    return Endpoint(**(usual | options))


def sentences(**options: Any) -> list[str]:
    return [str(problem) for problem in problems_with(endpoint(**options), DELAYS)]


def test_an_endpoint_that_fits_has_no_problem() -> None:
    assert not sentences(
        groupings={"carrier": All(), "@.origin": Fixed(("JFK",))},
        sort=(Sort("n", "desc"), Sort("from")),
        grouping_limits=(("carrier", 3), ("from", 2)),
    )


@pytest.mark.parametrize(
    ("timing", "sentence"),
    [
        (Lookback("30m"), "timing.duration: 30m is shorter than the filter's interval, 1h"),
        (TimeSeries("1d", "30m"), "timing.interval: 30m is shorter than the filter's interval, 1h"),
        (TimeSeries("1d", "90m"), "timing.interval: 90m is no whole multiple of the filter's interval, 1h"),
        (TimeSeries("1h"), "timing.duration: 1h is not longer than the series' interval, 1h"),
        (TimeSeries("1d", "1d"), "timing.duration: 1d is not longer than the series' interval, 1d"),
    ],
)
def test_timings_that_are_refused(timing: Any, sentence: str) -> None:
    assert sentences(timing=timing) == [sentence]


@pytest.mark.parametrize(
    "timing", [Lookback("1h"), TimeSeries("61m"), TimeSeries("2d", "1d"), TimeSeries("1y", "1mo")]
)
def test_timings_at_their_limits(timing: Any) -> None:
    assert not sentences(timing=timing)


def test_a_fields_own_duration_obeys_the_same_rule() -> None:
    assert sentences(fields=(Field("n", "delay", Calculation.COUNT, duration="59m"),)) == [
        "fields[0].duration: 59m is shorter than the filter's interval, 1h"
    ]


def test_only_fields_of_a_lookback_have_their_own_window() -> None:
    with pytest.raises(SpecError, match="only fields of a Lookback"):
        endpoint(timing=TimeSeries("1d"), fields=(Field("n", "delay", Calculation.COUNT, offset="1h"),))


def test_unknown_names_get_the_nearest_known_ones() -> None:
    assert sentences(groupings={"carier": All()}) == [
        "groupings.carier: the filter has no grouping 'carier' (did you mean 'carrier'?)"
    ]
    assert sentences(fields=(Field("n", "dely", Calculation.COUNT),)) == [
        "fields[0].aggregation: the filter has no aggregation 'dely' (did you mean 'delay'?)"
    ]
    assert sentences(fields=(Field("n", "delay", Calculation.SUM),)) == [
        "fields[0].calculation: aggregation 'delay' does not keep SUM (known: AVG, COUNT, PERCENTILES)"
    ]
    assert sentences(sort=(Sort("m"),)) == ["sort[0].by: 'm' is not returned (known: n)"]


def test_only_what_is_returned_can_be_sorted_by_or_limited() -> None:
    hidden = {"carrier": Fixed(("AA",), returned=False), "from": QueryTime(returned=False)}
    assert len(sentences(groupings=hidden, sort=(Sort("carrier"),), grouping_limits=(("from", 1),))) == 2
    assert len(sentences(sort=(Sort("dt"),))) == 1
    assert not sentences(timing=TimeSeries("1d"), sort=(Sort("dt", "desc"),))


def test_a_grouping_stands_once_by_path_or_alias() -> None:
    assert sentences(groupings={"from": All(), "@.origin": All()}) == [
        "groupings.@.origin: this grouping stands here twice"
    ]
    assert sentences(groupings={"carrier": All()}, grouping_limits=(("carrier", 1), ("carrier", 2))) == [
        "grouping_limits[1]: 'carrier' is limited twice"
    ]


def test_groupings_are_aggregated_unless_chosen() -> None:
    one = endpoint(groupings={"@.origin": Fixed(("JFK",))})
    assert list(choices(one, DELAYS)) == ["carrier", "from"]
    assert returned_groupings(one, DELAYS) == ["from"]


def test_sketches_are_asked_only_by_groupings_that_they_are_kept_at() -> None:
    coarse = Aggregation("delay", "dep_delay", DELAY.calculations, sketch_groupings=("carrier",))
    of = Filter("delays", "flights", "1h", groupings=DELAYS.groupings, aggregations=(coarse,))
    p95 = Field("p95", "delay", Calculation.PERCENTILES, percentile=0.95)
    assert not problems_with(endpoint(groupings={"carrier": All()}, fields=(p95,)), of)
    assert not problems_with(endpoint(groupings={"from": All()}, fields=(COUNT,)), of)
    (problem,) = problems_with(endpoint(groupings={"from": All()}, fields=(p95,)), of)
    assert problem.message == "the sketches of this aggregation are not kept by 'from'"


class TestField:
    @pytest.mark.parametrize("name", ["p95", "_x", "A1"])
    def test_names(self, name: str) -> None:
        assert Field(name, "a", Calculation.COUNT).name == name

    @pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "a.b", "ä"])
    def test_names_that_are_refused(self, name: str) -> None:
        with pytest.raises(SpecError, match="name"):
            Field(name, "a", Calculation.COUNT)

    def test_a_percentile_belongs_to_percentiles(self) -> None:
        with pytest.raises(SpecError, match="PERCENTILES needs a percentile"):
            Field("p", "a", Calculation.PERCENTILES)
        with pytest.raises(SpecError, match="COUNT takes no percentile"):
            Field("p", "a", Calculation.COUNT, percentile=0.5)

    @pytest.mark.parametrize("percentile", [0.0, 1.0])
    def test_percentiles_at_their_limits(self, percentile: float) -> None:
        assert Field("p", "a", Calculation.PERCENTILES, percentile).percentile == percentile

    @pytest.mark.parametrize("percentile", [-0.01, 1.01])
    def test_percentiles_beyond(self, percentile: float) -> None:
        with pytest.raises(SpecError, match="percentile"):
            Field("p", "a", Calculation.PERCENTILES, percentile)


def test_a_limit_is_a_pair_or_a_limit() -> None:
    assert endpoint(grouping_limits=(("carrier", 2),)) == endpoint(
        grouping_limits=(GroupingLimit("carrier", 2),)
    )
    with pytest.raises(SpecError, match="limit"):
        endpoint(grouping_limits=(("carrier", 0),))


def test_a_fixed_choice_needs_values() -> None:
    with pytest.raises(SpecError, match="at least one value"):
        Fixed(())


def test_a_field_takes_no_name_of_another_column() -> None:
    named = Field("carrier", "delay", Calculation.COUNT)
    assert sentences(groupings={"carrier": All()}, fields=(named,)) == [
        "fields[0].name: the answer has a column 'carrier' already (choose another name)"
    ]
    assert not sentences(fields=(named,))
    time = Field("dt", "delay", Calculation.COUNT)
    assert len(sentences(timing=TimeSeries("1d"), fields=(time,))) == 1
    assert not sentences(fields=(time,))
