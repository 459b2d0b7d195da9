from __future__ import annotations

import pytest

from aggflow.errors import ParseError, SpecError
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.choice import All, Fixed, QueryTime
from aggflow.spec.definitions import Definitions, from_yaml
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.field import Field
from aggflow.spec.filter import Filter
from aggflow.spec.grouping import Grouping
from aggflow.spec.source import Source
from aggflow.spec.task import Task
from aggflow.spec.timing import Lookback, TimeSeries
from aggflow.timeline import parse_instant

EVERYTHING = Definitions(
    (Source("flights", "duckdb:///flights.ddb", "time_hour", "flights", lateness="2h", time_zone="+05:30"),),
    (
        Filter(
            "delays",
            "flights",
            "1h",
            "@.origin != 'LGA' && @.dep_delay > 0",
            (Grouping("carrier"), Grouping("@.origin", "from")),
            (
                Aggregation(
                    "delay", "dep_delay", (Calculation.AVG, Calculation.PERCENTILES), "@.x", ("carrier",)
                ),
                Aggregation("flights"),
            ),
            "Europe/Berlin",
            "Für alle 🛫",
        ),
    ),
    (
        Endpoint(
            "worst",
            "delays",
            Lookback("30d", "1h", include_incomplete=False),
            (Field("p95", "delay", Calculation.PERCENTILES, 0.95, duration="7d"),),
            {"carrier": All(), "from": Fixed(("JFK", None, 1, True), returned=False)},
            (Sort("p95", "desc"),),
            10,
            (GroupingLimit("carrier", 5),),
        ),
        Endpoint(
            "series",
            "delays",
            TimeSeries("7d", "1d", fill="zero"),
            (Field("n", "flights", Calculation.COUNT),),
            {"carrier": QueryTime()},
        ),
    ),
    (
        Task(
            "by client",
            'from flights where origin = "LGA" group every 1h by carrier select avg(dep_delay) as late',
            parse_instant("2013-01-01T00:00:00.500Z") // 1000,
            60,
            "GMT+01:00",
            "es",
            "30m",
            "Für alle",
            "john.smith@devo.com",
        ),
        Task("all", "from flights group", 0),
    ),
)


def test_yaml_gives_the_same_values_back() -> None:
    assert from_yaml(EVERYTHING.to_yaml()) == EVERYTHING


def test_yaml_is_short_and_in_the_order_of_people() -> None:
    text = Definitions(filters=(Filter("f", "s", "1h", groupings=(Grouping("g"),)),)).to_yaml()
    assert text == "filters:\n- name: f\n  source: s\n  interval: 1h\n  groupings:\n  - g\n"


def test_an_empty_document_declares_nothing() -> None:
    assert from_yaml("") == Definitions()


def test_problems_of_all_definitions_are_told_at_once() -> None:
    with pytest.raises(SpecError) as raised:
        from_yaml(
            "sourcs: []\nfilters:\n- {name: f, source: s, interval: 1x}\nendpoints:\n- 5\n- {name: e}\n",
            "a.yaml",
        )
    paths = [problem.path for problem in raised.value.problems]
    assert paths == [
        "sourcs",
        "filters[0].interval",
        "endpoints[0]",
        *(f"endpoints[1].{k}" for k in ("filter", "timing", "fields")),
    ]
    assert raised.value.problems[0].hint == "did you mean 'sources'?"


def test_what_is_no_yaml_is_shown_with_its_place() -> None:
    with pytest.raises(ParseError, match=r"a.yaml is no YAML.*line 2"):
        from_yaml("filters:\n- {name: f", "a.yaml")


@pytest.mark.parametrize("text", ["5", "- a", "filters: 5", "filters: {}"])
def test_a_document_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="needed"):
        from_yaml(text)


def test_names_that_stand_twice_are_told() -> None:
    found = from_yaml("filters: [{name: f, source: s, interval: 1h}, {name: f, source: s, interval: 1d}]")
    assert [str(problem) for problem in found.doubled()] == [
        "filters: 'f' stands here 2 times; names are unique within a kind"
    ]
    assert not list(from_yaml("filters: [{name: f, source: s, interval: 1h}]").doubled())
