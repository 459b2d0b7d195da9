"""The draft of an endpoint, without a view."""

from __future__ import annotations

import gc
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aggflow as af
from aggflow.errors import ConflictError, NotFoundError, SpecError
from aggflow.notebook.endpoint_form import EndpointForm
from aggflow.notebook.value_list import read_values, write_values
from aggflow.spec.definitions import from_yaml
from aggflow.spec.endpoint import Endpoint, GroupingLimit, Sort
from aggflow.spec.fit import problems_with


@pytest.fixture
def sales(ws: af.Workspace) -> af.Workspace:
    ws.add_filter(
        "sales",
        source="orders",
        interval="1h",
        groupings=[af.Grouping("region", "where"), "size", "@.shop"],
        aggregations=[
            af.Aggregation("events"),
            af.Aggregation("price", "price", (af.Calculation.AVG, af.Calculation.PERCENTILES)),
        ],
    )
    return ws


def named(ws: af.Workspace, name: str = "mine") -> EndpointForm:
    form = EndpointForm(ws)
    form.set("name", name)
    return form


def test_without_a_filter_the_form_says_what_to_do_first(ws: af.Workspace, empty: af.Workspace) -> None:
    assert "ws.add_source(" in EndpointForm(empty).reason
    assert "af.FilterBuilder(ws)" in EndpointForm(ws).reason


def test_a_new_draft_asks_the_only_filter_how_many_events_there_were(sales: af.Workspace) -> None:
    form = named(sales)
    spec = form.spec()
    assert (spec.filter, spec.groupings) == ("sales", {})
    assert [(one.name, one.aggregation, one.calculation) for one in spec.fields] == [
        ("events_count", "events", "COUNT")
    ]


def test_what_is_not_asked_is_no_entry(sales: af.Workspace) -> None:
    with pytest.raises(NotFoundError, match=r"there is no entry 'limt'.*did you mean 'limit'"):
        named(sales).set("limt", 7)


@pytest.mark.parametrize("builder", [af.EndpointBuilder, af.FilterBuilder, af.TaskBuilder, af.CubeBuilder])
def test_a_builder_of_what_is_not_there_is_one_error(sales: af.Workspace, builder: Any) -> None:
    with pytest.raises(NotFoundError, match="nosuch"):
        builder(sales, "nosuch")
    gc.collect()  # what is left of it ends quietly, or it would be another error


def test_a_number_is_taken_as_if_it_were_typed(sales: af.Workspace) -> None:
    builder = af.EndpointBuilder(sales)
    builder.form.set("name", "mine")
    builder.form.set("limit", 7)
    assert builder.fields["limit"].control.widget.value == "7"
    assert "limit=7," in builder.form.as_python()
    builder.close()


def test_names_are_proposed_until_one_is_typed(sales: af.Workspace) -> None:
    form = named(sales)
    form.set("fields[0].measure", "price · PERCENTILES")
    assert form.get("fields[0].name") == "price_p95"
    form.set("fields[0].percentile", "0.5")
    assert form.get("fields[0].name") == "price_p50"
    form.add("fields", measure="price · PERCENTILES", percentile="0.5")
    assert form.get("fields[1].name") == "price_p50_2"
    form.set("fields[0].name", "middle")
    form.set("fields[0].percentile", "0.9")
    assert form.get("fields[0].name") == "middle"


def test_problems_stand_beside_their_entries(sales: af.Workspace) -> None:
    form = named(sales)
    cases: list[tuple[str, Any, str, str]] = [
        ("timing.duration", "3 parsec", "timing.duration", "parsec"),
        ("timing.duration", "1h", "timing.duration", "longer"),
        ("timing.interval", "90m", "timing.interval", "multiple"),
        ("fields[0].name", "a b", "fields[0].name", "pattern"),
        ("fields[0].name", "dt", "fields[0].name", "already"),
        ("limit", "many", "limit", "integer"),
        ("groupings[0].choice", "fixed", "groupings[0].values", "at least one value"),
    ]
    for path, value, place, said in cases:
        before = form.get(path)
        form.set(path, value)
        assert any(said in str(problem) for problem in form.problems_at(place)), (path, form.problems)
        form.set(path, before)
        assert form.problems == (), path
    form.set("groupings[0].choice", "fixed")
    form.set("groupings[0].values", 'north, "sou')
    assert "^" in str(form.problems_at("groupings[0].values")[0])
    form.set("groupings[0].values", "north")
    form.set("fields[0].measure", "price · PERCENTILES")
    form.set("fields[0].percentile", "1.5")
    assert form.problems_at("fields[0].percentile")


def test_what_is_customary_follows_the_kind_of_answer(sales: af.Workspace) -> None:
    form = named(sales)
    form.set("timing.kind", "lookback")
    assert form.spec().timing == af.Lookback("30d", include_incomplete=True)
    form.set("fields[0].own", True)
    form.set("fields[0].duration", "7d")
    form.set("fields[0].include_incomplete", "no")
    assert form.spec().fields[0].duration == "7d"
    assert form.spec().fields[0].include_incomplete is False
    form.set("timing.kind", "time_series")
    assert form.spec().timing == af.TimeSeries("30d"), "a series' fields have no time of their own"
    assert not form.spec().fields[0].has_own_window


def test_choices_are_those_of_the_filter_with_the_types_of_its_source(sales: af.Workspace) -> None:
    form = named(sales)
    assert [row["name"] for row in form.get("groupings")] == ["where", "size", "@.shop"]
    form.set("groupings[0].choice", "all")
    form.set("groupings[1].choice", "fixed")
    form.set("groupings[1].values", "1, 2, null")
    form.set("groupings[2].choice", "query_time")
    form.set("groupings[2].returned", False)
    assert form.spec().groupings == {
        "where": af.All(),
        "size": af.Fixed((1, 2, None)),
        "@.shop": af.QueryTime(returned=False),
    }
    assert {option.value for option in form.entry("sort[0].by").options("sort[0].by")} == {
        "events_count",
        "where",
        "size",
        "dt",
    }


def test_another_filter_brings_its_groupings_and_aggregations(sales: af.Workspace) -> None:
    sales.add_filter(
        "other", source="orders", interval="1d", groupings=["size"], aggregations=[af.Aggregation("n")]
    )
    form = EndpointForm(sales)
    assert form.get("filter") == "", "with two filters, none is chosen"
    form.set("name", "mine")
    form.set("filter", "sales")
    form.set("groupings[1].choice", "all")
    form.set("filter", "other")
    assert form.spec().groupings == {"size": af.All()}
    assert form.spec().fields[0].aggregation == "n"


def test_a_filter_that_changed_is_told_at_the_field(sales: af.Workspace) -> None:
    form = named(sales)
    form.add("fields", measure="price · AVG")
    form.save()
    again = EndpointForm(sales, "mine")
    sales.add_filter("sales", source="orders", interval="1h", aggregations=[af.Aggregation("events")])
    again.touch()
    assert "no aggregation 'price'" in str(again.problems_at("fields[1].measure")[0])
    with pytest.raises(SpecError):
        again.save()


def test_the_second_of_two_forms_is_told_what_changed(sales: af.Workspace) -> None:
    named(sales).save()
    first, second = EndpointForm(sales, "mine"), EndpointForm(sales, "mine")
    first.set("limit", "7")
    first.save()
    second.set("timing.duration", "7d")
    with pytest.raises(ConflictError, match="limit: nothing → 7"):
        second.save()
    assert second.get("timing.duration") == "7d"
    second.save(over=True)
    assert sales.endpoints["mine"].limit is None


def test_the_command_that_asks_it_is_told_when_it_is_saved(sales: af.Workspace) -> None:
    form = named(sales)
    form.set("groupings[0].choice", "query_time")
    stored = form.save()
    assert f"/api/v1/data/{stored.id}" in form.saved()
    assert "groupingFilters" in form.saved()
    assert "$AGGFLOW_TOKEN" in form.saved()


DURATIONS = st.sampled_from(["2h", "1d", "7d", "30d", "1mo"])
CALCULATIONS = st.sampled_from([("events", "COUNT"), ("price", "AVG"), ("price", "PERCENTILES")])
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
CHOICES = st.one_of(
    st.just(af.All()),
    st.builds(af.QueryTime, st.booleans()),
    st.builds(af.Fixed, st.lists(st.none() | TEXTS, min_size=1, max_size=3), st.booleans()),
)


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    is_series = draw(st.booleans())
    duration, complete = draw(DURATIONS), draw(st.booleans())
    offset = draw(st.sampled_from(["0s", "1h"]))
    timing: Any = (
        af.TimeSeries(
            duration,
            draw(st.sampled_from([None, "1h"])),
            offset,
            complete,
            draw(st.sampled_from(["none", "zero"])),
        )
        if is_series
        else af.Lookback(duration, offset, complete)
    )
    fields = [
        af.Field(
            f"f{i}",
            aggregation,
            af.Calculation(calculation),
            draw(st.floats(0, 1)) if calculation == "PERCENTILES" else None,
            duration=None if is_series else draw(st.sampled_from([None, "1d"])),
            include_incomplete=None if is_series else draw(st.sampled_from([None, True, False])),
        )
        for i, (aggregation, calculation) in enumerate(draw(st.lists(CALCULATIONS, min_size=1, max_size=3)))
    ]
    groupings = draw(st.dictionaries(st.sampled_from(["where", "@.shop"]), CHOICES, max_size=2))
    returned = [name for name, one in groupings.items() if getattr(one, "returned", True)]
    limits = [GroupingLimit(name, draw(st.integers(1, 9))) for name in returned if draw(st.booleans())]
    return Endpoint(
        draw(TEXTS.filter(str.strip)),
        "sales",
        timing,
        fields,
        groupings,
        [Sort("f0", draw(st.sampled_from(["asc", "desc"])))] if draw(st.booleans()) else (),
        draw(st.none() | st.integers(1, 50)),
        limits,
        draw(TEXTS),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(spec=endpoints())
def test_what_is_opened_is_declared_alike_by_the_form_and_by_every_text(
    sales: af.Workspace, spec: Endpoint
) -> None:
    assert problems_with(spec, sales.filters["sales"].spec) == []
    form = EndpointForm(sales)
    form._values = form.values_of(spec)
    form.touch()
    assert form.problems == ()
    assert form.spec() == spec
    assert from_yaml(form.as_yaml()).endpoints == (spec,)
    assert from_yaml(f"endpoints: [{shlex.split(form.as_curl())[-1]}]").endpoints == (spec,)
    declared: list[Endpoint] = []

    class Double:
        def add_endpoint(self, name: str, **options: Any) -> None:
            declared.append(Endpoint(name, **options))

    exec(form.as_python(), {"ws": Double()})  # noqa: S102 - the text under test
    assert declared == [spec]


@given(st.lists(st.none() | TEXTS))
def test_value_lists_are_read_as_they_were_written(values: list[Any]) -> None:
    assert read_values(write_values(values)) == values


def test_copied_python_makes_the_same_endpoint(sales: af.Workspace, tmp_path: Path) -> None:
    form = named(sales)
    form.set("groupings[0].choice", "all")
    form.save()
    with af.open(tmp_path / "other") as other:
        other.add_source("orders", sales.sources["orders"].url, time="at", json="payload")
        other.apply_definitions(from_yaml(sales.export()))
        other.remove("endpoint", "mine")
        exec(form.as_python(), {"ws": other})  # noqa: S102 - the text under test
        assert other.endpoints["mine"].spec == form.spec()


# -- tasks and cubes

LINQ = "from orders group every 1h by size select avg(price) as mean, sum(price) / count() as pace"


def test_without_tasks_and_cubes_only_filters_are_there_to_be_asked(sales: af.Workspace) -> None:
    form = named(sales)
    assert not form.entry("asks").shows("asks")
    sales.add_task("by size", linq=LINQ, from_date=0)
    assert form.entry("asks").shows("asks")
    assert [option.value for option in form.entry("asks").options("asks")] == ["filter", "task", "cube"]


def test_of_a_task_what_it_selects_is_offered(sales: af.Workspace) -> None:
    sales.add_task("by size", linq=LINQ, from_date=0)
    form = named(sales)
    form.set("asks", "task")
    form.set("task", "by size")
    assert not form.entry("filter").shows("filter")
    offered = form.entry("fields[0].measure").options("fields[0].measure")
    assert [option.value for option in offered] == ["mean", "pace"]
    form.add("fields", measure="pace")
    form.set("groupings[0].choice", "all")
    spec = form.spec()
    assert spec.subject == ("task", "by size")
    assert [(one.name, one.aggregation, one.calculation) for one in spec.fields] == [
        ("mean", "mean", None),
        ("pace", "pace", None),
    ]
    assert spec.groupings == {"size": af.All()}
    assert 'task="by size"' in form.as_python()
    assert "filter" not in form.as_python()
    form.save()
    again = EndpointForm(sales, "mine")
    assert again.spec() == spec
    assert not again.is_dirty


def test_a_calculation_that_an_endpoint_says_of_a_task_stays(sales: af.Workspace) -> None:
    sales.add_task("by size", linq=LINQ, from_date=0)
    fields = [af.Field("m", "mean", af.Calculation.AVG)]
    spec = sales.add_endpoint("e", task="by size", timing=af.Lookback("1d"), fields=fields).spec
    form = EndpointForm(sales, "e")
    assert (form.spec(), form.is_dirty) == (spec, False)
    offered = form.entry("fields[0].measure").options("fields[0].measure")
    assert [option.value for option in offered] == ["mean", "pace", "mean · AVG"]


def test_of_a_cube_its_measures_ratios_and_dimensions_are_offered(sales: af.Workspace) -> None:
    sales.add_cube(
        "c",
        source="orders",
        dimensions=["size", af.Dimension("date", levels=[af.Level("day")])],
        measures=[
            af.Aggregation("price", "price", (af.Calculation.SUM, af.Calculation.PERCENTILES)),
            af.Aggregation("events"),
            af.Ratio("each", "price:SUM", "events"),
        ],
    )
    form = named(sales)
    form.set("asks", "cube")
    form.set("cube", "c")
    offered = form.entry("fields[0].measure").options("fields[0].measure")
    assert [option.value for option in offered] == [
        "price · SUM",
        "price · PERCENTILES",
        "events · COUNT",
        "each",
    ]
    assert [row["name"] for row in form.get("groupings")] == ["size"]
    form.add("fields", measure="each")
    form.add("fields", measure="price · PERCENTILES", percentile="0.9")
    names = [(one.name, one.aggregation, one.calculation) for one in form.spec().fields]
    assert names[1:] == [("each", "each", None), ("price_p90", "price", "PERCENTILES")]
    form.set("timing.interval", "1h")
    assert "1h is shorter than the cube's interval, 1d" in form.reason
    form.set("timing.interval", "")
    form.save()
    assert EndpointForm(sales, "mine").is_dirty is False


def test_without_a_filter_a_task_is_asked(ws: af.Workspace) -> None:
    ws.add_task("by size", linq=LINQ, from_date=0)
    assert named(ws).spec().subject == ("task", "by size")
