"""Builders as widgets: typed into and clicked, without a browser."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import aggflow as af
from aggflow.charts.panel import specification
from aggflow.charts.renderer import MIME
from aggflow.notebook.builder import Builder
from aggflow.notebook.endpoint_form import EndpointForm
from aggflow.notebook.filter_form import FilterForm
from aggflow.notebook.previewer import DEBOUNCE


def built(pace: Any, form: Any) -> Builder:
    builder = Builder(form, pace.previewer)
    settle(pace)
    return builder


def settle(pace: Any) -> None:
    pace.wait(DEBOUNCE)
    pace.do()


def type_in(builder: Builder, name: str, value: Any) -> None:
    builder.fields[name].control.widget.value = value


def titles(builder: Builder) -> str:
    """The title of the chart that is shown; empty for none."""
    outputs: Any = builder.chart.outputs
    if not outputs:
        return ""
    title = outputs[0]["data"][MIME]["title"]["text"]
    return title if isinstance(title, str) else " ".join(title)


def test_a_filter_is_filled_in_saved_and_opened_again(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    assert builder.save.disabled
    assert "Name: is required" in builder.reason.value
    type_in(builder, "name", "sales")
    assert not builder.save.disabled
    type_in(builder, "where", "@.size > 1")
    builder.fields["groupings"].control.adder.click()
    row = builder.fields["groupings"].control.rows[0]
    row.fields["path"].control.widget.value = "region"
    assert row.fields["path"].control.widget.options == ("at", "region", "size", "price", "payload")
    builder.fields["aggregations"].control.adder.click()
    row = builder.fields["aggregations"].control.rows[1]
    row.fields["name"].control.widget.value = "price"
    row.fields["field"].control.widget.value = "price"
    row.fields["calculations"].control.buttons["PERCENTILES"].value = True
    assert "adds filter" in builder.changes.value
    builder.save.click()
    assert "Saved" in builder.reason.value
    assert "saved" in builder.head.value
    stored = ws.filters["sales"].spec
    assert (stored.where, stored.groupings, stored.aggregations[1].calculations) == (
        "@.size > 1",
        (af.Grouping("region"),),
        ("COUNT", "PERCENTILES"),
    )
    again = built(pace, FilterForm(ws, "sales"))
    assert again.fields["where"].control.widget.value == "@.size > 1"
    assert again.fields["aggregations"].control.rows[1].fields["name"].control.widget.value == "price"


def test_what_is_wrong_is_said_in_words_beside_the_field_and_escaped(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    assert "Error" not in builder.fields["name"].message.value, "nobody typed anything yet"
    type_in(builder, "name", "<b>x</b>")
    assert "<b>x" not in builder.head.value
    type_in(builder, "where", "@.region = '<i>'")
    message = builder.fields["where"].message.value
    assert "Error:" in message
    assert "^" in message
    assert "<i>" not in message
    assert "agf-invalid" in builder.fields["where"].control.widget._dom_classes
    assert builder.save.disabled
    assert "Only events where" in builder.reason.value
    assert "as soon as it can be saved" in builder.text.value
    type_in(builder, "where", "")
    assert "agf-invalid" not in builder.fields["where"].control.widget._dom_classes
    assert "ws.add_filter(" in builder.text.value


def test_what_does_not_apply_is_not_shown(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    row = builder.fields["aggregations"].control.rows[0]
    assert row.fields["sketch_groupings"].layout.display == "none"
    builder.fields["groupings"].control.adder.click()
    builder.fields["groupings"].control.rows[0].fields["path"].control.widget.value = "region"
    row.fields["field"].control.widget.value = "price"
    row.fields["calculations"].control.buttons["PERCENTILES"].value = True
    assert row.fields["kept_by"].layout.display is None
    row.fields["kept_by"].control.widget.value = "some"
    assert list(row.fields["sketch_groupings"].control.buttons) == ["region"]


def test_the_same_as_python_yaml_and_curl_with_a_button_that_copies(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    type_in(builder, "name", "sales")
    for tab, said in (
        ("Python", "ws.add_filter("),
        ("YAML", "filters:"),
        ("curl", "$AGGFLOW_URL/api/v1/filters"),
    ):
        builder.tabs.value = tab
        assert said in builder.text.value
        assert ">Copy</button>" in builder.text.value
        assert "http" not in builder.text.value, "nothing is loaded from anywhere"


def test_rows_are_added_moved_and_removed(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    groupings = builder.fields["groupings"].control
    for name in ("region", "size"):
        groupings.adder.click()
        groupings.rows[-1].fields["path"].control.widget.value = name
    groupings.rows[1].mover.click()
    assert [row.fields["path"].control.widget.value for row in groupings.rows] == ["size", "region"]
    groupings.rows[0].remover.click()
    assert [row.fields["path"].control.widget.value for row in groupings.rows] == ["region"]


def test_a_workspace_without_a_source_shows_what_to_do_first(
    empty: af.Workspace, orders: Any, pace: Any
) -> None:
    builder = built(pace, FilterForm(empty))
    assert "ws.add_source(" in builder.notice_text.value
    assert builder.body.layout.display == "none"
    empty.add_source("orders", str(orders), time="at")
    builder.look_again.click()
    assert builder.notice.layout.display == "none"
    assert builder.body.layout.display is None
    assert ("orders", "orders") in builder.fields["source"].control.widget.options


def test_the_preview_follows_what_is_typed_even_before_there_is_a_name(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    assert "all" in titles(builder), "twenty thousand events are few: all of them are read"
    before = builder.chart.outputs
    type_in(builder, "description", "nothing that is seen")
    settle(pace)
    assert builder.chart.outputs is before
    type_in(builder, "where", "@.size > 5")
    settle(pace)
    assert builder.chart.outputs != before
    type_in(builder, "where", "@.size >")
    settle(pace)
    assert builder.chart.outputs == ()
    assert "as soon as" in builder.said.value


def test_a_path_that_is_typed_is_ended_by_a_click(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))

    def ends(field: Any) -> dict[str, Any]:
        return {button.description: button for button in field.control.ends.children}

    where = builder.fields["where"]
    assert ends(where) == {}
    type_in(builder, "where", "@.size > 1 && @.")
    assert list(ends(where)) == ["at", "region", "size", "price", "payload"]
    assert ends(where)["price"].tooltip == "number · float64"
    type_in(builder, "where", "@.size > 1 && @.R")
    ends(where)["region"].click()
    assert builder.form.get("where") == where.control.widget.value == "@.size > 1 && @.region"
    assert ends(where) == {}
    own = builder.fields["aggregations"].control.rows[0].fields["where"]
    own.control.widget.value = "@.pr"
    assert list(ends(own)) == ["price"]
    assert ends(where) == {}, "each has its own"


def is_waiting(builder: Builder) -> bool:
    return "agf-waiting" in builder.chart._dom_classes


def test_a_chart_of_before_the_change_is_seen_to_be_one(ws: af.Workspace, pace: Any) -> None:
    builder = Builder(FilterForm(ws), pace.previewer)
    assert is_waiting(builder)
    settle(pace)
    assert not is_waiting(builder)
    type_in(builder, "description", "nothing that is seen")
    assert not is_waiting(builder)
    type_in(builder, "where", "@.size > 4")
    assert is_waiting(builder), "at once"
    pace.wait(DEBOUNCE)
    type_in(builder, "where", "@.size > 5")
    pace.do()
    assert is_waiting(builder), "what was superseded ends no waiting"
    settle(pace)
    assert not is_waiting(builder)
    type_in(builder, "where", "@.size >")
    assert not is_waiting(builder), "nothing is waited for"


def test_a_preview_says_which_time_it_shows(ws: af.Workspace, pace: Any) -> None:
    builder = built(pace, FilterForm(ws))
    # 120 hours back from the end of the last order's, on the twenty-seventh of December.
    assert "Shows 2024-12-22 03:00 to 2024-12-27 03:00, UTC." in builder.said.value
    type_in(builder, "interval", "1d")
    settle(pace)
    assert "Shows 2024-08-30 to 2024-12-28, UTC." in builder.said.value


def test_a_preview_that_fails_is_a_sentence(empty: af.Workspace, tmp_path: Any, pace: Any) -> None:
    file = tmp_path / "few.csv"
    file.write_text("at,region\n2024-01-01 00:00:00,north\n")
    empty.add_source("few", str(file), time="at")
    builder = built(pace, FilterForm(empty))
    file.unlink()
    type_in(builder, "interval", "1d")
    empty._trials._samples._kept.clear()
    settle(pace)
    assert "no file matches" in builder.said.value
    assert not is_waiting(builder)
    assert "Traceback" not in builder.said.value


def test_an_endpoint_shows_what_is_built_and_answers_as_soon_as_it_is_saved(
    ws: af.Workspace, pace: Any
) -> None:
    ws.add_filter("sales", source="orders", interval="1h", groupings=["region"])
    builder = built(pace, EndpointForm(ws))
    type_in(builder, "name", "mine")
    settle(pace)
    assert titles(builder).startswith("mine: all ")
    ws.build("sales", until="2025-02-01", progress=False)
    type_in(builder, "timing.duration", "7d")
    settle(pace)
    assert titles(builder) == "mine: from what is built"
    assert builder.exact.layout.display == "none", "it is exact already"
    builder.fields["groupings"].control.rows[0].fields["choice"].control.widget.value = "all"
    assert builder.fields["groupings"].control.rows[0].fields["choice"].control.widget.description == "region"
    builder.save.click()
    assert f"/api/v1/data/{ws.endpoints['mine'].id}" in builder.reason.value
    assert len(ws.query("mine", end="2024-12-01")) > 0


def test_the_second_of_two_builders_is_told_and_chooses(ws: af.Workspace, pace: Any) -> None:
    ws.add_filter("sales", source="orders", interval="1h")
    first, second = (built(pace, FilterForm(ws, "sales")) for _ in range(2))
    type_in(first, "interval", "1d")
    first.save.click()
    type_in(second, "description", "mine")
    second.save.click()
    assert "changed meanwhile" in second.reason.value
    assert second.over.layout.display is None
    assert second.fields["description"].control.widget.value == "mine"
    second.back.click()
    assert second.fields["interval"].control.widget.value == "1d"
    type_in(second, "description", "mine")
    second.save.click()
    assert "Saved" in second.reason.value
    type_in(first, "description", "first")
    first.save.click()
    first.over.click()
    assert ws.filters["sales"].description == "first"


def test_what_a_change_does_to_endpoints_is_said_before_it_is_saved(ws: af.Workspace, pace: Any) -> None:
    ws.add_filter("sales", source="orders", interval="1h", groupings=["region"])
    field = af.Field("n", "events", af.Calculation.COUNT)
    ws.add_endpoint(
        "e", filter="sales", timing=af.Lookback("1d"), fields=[field], groupings={"region": af.All()}
    )
    builder = built(pace, FilterForm(ws, "sales"))
    builder.fields["groupings"].control.rows[0].remover.click()
    assert "Warning: endpoint &#x27;e&#x27;" in builder.changes.value
    row = builder.fields["aggregations"].control.rows[0]
    row.fields["name"].control.widget.value = "others"
    assert "Not allowed" in builder.changes.value
    assert builder.save.disabled


@pytest.mark.parametrize("groupings", [[], ["region"], ["region", "size"]])
def test_a_chart_is_told_to_the_browser_as_altair_would(ws: af.Workspace, groupings: list[str]) -> None:
    ws.add_filter("sales", source="orders", interval="1d", groupings=groupings)
    for timing in (af.Lookback("30d"), af.TimeSeries("30d")):
        field = af.Field("n", "events", af.Calculation.COUNT)
        ws.add_endpoint(
            "e", filter="sales", timing=timing, fields=[field], groupings={g: af.All() for g in groupings}
        )
        chart = ws.query("e", end="2024-06-01").chart()
        told, whole = specification(chart), chart.to_dict()
        rows = [rows for name, rows in told.pop("datasets").items() if name.startswith("rows_")]
        assert _rows(whole) == rows
        assert _without_data(told) == _without_data(whole)


def _rows(spec: dict[str, Any]) -> list[Any]:
    parts = spec.get("vconcat") or spec.get("hconcat") or [spec]
    return [
        spec["datasets"][part["data"]["name"]] if "name" in part["data"] else part["data"]["values"]
        for part in parts
    ]


def _without_data(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_data(one) for key, one in value.items() if key not in ("data", "datasets")}
    return [_without_data(one) for one in value] if isinstance(value, list) else value


def test_importing_aggflow_brings_no_widgets() -> None:
    code = "import sys, aggflow; print('ipywidgets' in sys.modules); aggflow.FilterBuilder; print('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
