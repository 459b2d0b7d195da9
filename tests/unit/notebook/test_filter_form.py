"""The draft of a filter, without a view."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import aggflow as af
from aggflow.errors import ConflictError, NotFoundError, Problem, SpecError
from aggflow.notebook.filter_form import FilterForm
from aggflow.spec.definitions import from_yaml
from aggflow.spec.filter import Filter

WITH_QUOTE = r"@.region == 'no\'rth' || @.size > 1"


def filled(ws: af.Workspace, name: str = "sales", **values: Any) -> FilterForm:
    form = FilterForm(ws)
    form.set("name", name)
    for path, value in values.items():
        form.set(path, value)
    return form


def test_a_new_draft_reads_the_only_source_and_lacks_a_name(ws: af.Workspace) -> None:
    form = FilterForm(ws)
    assert form.get("source") == "orders"
    assert form.reason == "Name: is required"
    with pytest.raises(SpecError, match="is required"):
        form.spec()


def test_what_is_wrong_is_said_beside_it_before_there_is_a_name(ws: af.Workspace) -> None:
    form = FilterForm(ws)
    form.set("aggregations[0].field", "region")
    form.set("aggregations[0].calculations", ["AVG"])
    assert "need numbers" in str(*form.problems_at("aggregations[0].field"))
    assert form.reason == "Name: is required"
    assert form.sketch() is None
    form.set("aggregations[0].field", "price")
    assert [problem.path for problem in form.problems] == ["name"]


def test_what_contradicts_itself_is_said_before_there_is_a_name(ws: af.Workspace) -> None:
    form = FilterForm(ws)
    form.add("aggregations", name="events")
    assert len(form.problems) > 1
    assert form.sketch() is None


def test_nothing_is_said_of_what_nobody_typed_yet(ws: af.Workspace) -> None:
    form = FilterForm(ws)
    assert form.problems_at("name")
    assert not form.is_touched("name")
    form.set("name", "")
    assert form.is_touched("name")


def test_a_change_waits_for_what_follows_the_one_before(
    ws: af.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels hand what a browser sends to several threads."""
    form = filled(ws)
    second = threading.Thread(target=form.set, args=("interval", "1w"))
    misfits = form.misfits

    def slow(spec: Filter) -> Iterable[Problem]:
        if spec.interval == "1d":
            second.start()
            # It does not come through while this is looked at; without a lock it would, at once.
            second.join(0.5)
        return misfits(spec)

    def look(_: str) -> None:
        assert form.problems == ()

    monkeypatch.setattr(form, "misfits", slow)
    form.observe(look)
    form.set("interval", "1d")
    second.join()
    assert form.spec().interval == "1w"


def test_the_options_are_those_of_the_source(ws: af.Workspace) -> None:
    form = filled(ws)
    offered = form.entry("aggregations[0].field").options("aggregations[0].field")
    assert [option.value for option in offered] == ["at", "region", "size", "price", "payload"]
    assert next(option.help for option in offered if option.value == "price").startswith("number")

    def calculations(field: str) -> set[str]:
        form.set("aggregations[0].field", field)
        path = "aggregations[0].calculations"
        return {option.value for option in form.entry(path).options(path)}

    assert calculations("") == {"COUNT"}
    assert {"AVG", "PERCENTILES"} <= calculations("price")
    assert "AVG" not in calculations("region")
    assert {"FIRST", "APPROX_COUNT_DISTINCT"} <= calculations("region")
    assert {"MIN", "MAX"} <= calculations("at")
    assert "PERCENTILES" in calculations("@.a.b"), "what a path leads to is not known"


def test_every_offered_calculation_of_every_column_can_be_saved(ws: af.Workspace) -> None:
    form = filled(ws)
    for column in ws.columns("orders"):
        form.set("aggregations[0].field", column)
        path = "aggregations[0].calculations"
        form.set(path, [option.value for option in form.entry(path).options(path)])
        assert form.problems == (), column


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@.region = 'north'", "equality is written =="),
        ("@.regio == 'north' && @.size > 1", ""),
        ("=region eq 1", "^"),
    ],
)
def test_a_predicate_that_cannot_be_read_is_told_with_its_place(
    ws: af.Workspace, text: str, said: str
) -> None:
    form = filled(ws, where=text)
    problems = form.problems_at("where")
    # With a column of JSON, a name that is no column is a key in it.
    assert bool(problems) == bool(said)
    assert all(said in str(problem) for problem in problems)


def test_a_linq_condition_is_declared_as_jpath(ws: af.Workspace) -> None:
    assert filled(ws, where='=region = "north", size > 2').spec().where == "@.region == 'north' && @.size > 2"


def test_problems_stand_beside_their_entries(ws: af.Workspace) -> None:
    form = filled(ws, interval="1 parsec")
    assert form.problems_at("interval")
    form.set("interval", "1h")
    form.add("groupings", path="region")
    form.add("groupings", path="region")
    assert "2 times" in str(form.problems_at("groupings")[0])
    form.drop("groupings", 1)
    form.add("aggregations", name="events")
    assert form.problems_at("aggregations")
    form.set("aggregations[1].name", "price")
    form.set("aggregations[1].calculations", ["AVG"])
    assert "AVG needs a field" in str(form.problems_at("aggregations[1].field")[0])
    form.set("aggregations[1].field", "region")
    assert "need numbers" in str(form.problems_at("aggregations[1].field")[0])
    form.set("aggregations[1].field", "price")
    assert form.problems == ()
    assert form.reason == ""


def test_a_row_that_is_dropped_takes_its_values_with_it(ws: af.Workspace) -> None:
    form = filled(ws)
    for path in ("region", "size"):
        form.add("groupings", path=path)
    form.move("groupings", 1, -1)
    assert [one.path for one in form.spec().groupings] == ["size", "region"]
    form.drop("groupings", 0)
    assert [one.path for one in form.spec().groupings] == ["region"]


def test_without_a_source_the_form_says_what_to_do_first(empty: af.Workspace) -> None:
    form = FilterForm(empty)
    assert "ws.add_source(" in form.reason
    empty.add_source("orders", str(_csv(empty)), time="at")
    form.touch()
    assert "ws.add_source(" not in form.reason


def _csv(ws: af.Workspace) -> Path:
    file = Path(ws._place) / "orders.csv"
    file.write_text("at,region\n2024-01-01 00:00:00,north\n")
    return file


def test_a_source_that_is_gone_is_said_beside_the_source(empty: af.Workspace) -> None:
    file = _csv(empty)
    empty.add_source("orders", str(file), time="at")
    empty.add_filter("sales", source="orders", interval="1h")
    file.unlink()
    form = FilterForm(empty, "sales")
    assert "no file matches" in str(form.problems_at("source")[0])
    empty.remove("filter", "sales")
    empty.remove("source", "orders")
    form.touch()
    assert "ws.add_source(" in form.reason
    with pytest.raises(SpecError):
        form.save()


def test_saving_and_opening_again_gives_the_same(ws: af.Workspace) -> None:
    form = filled(ws, where="@.size > 1", time_zone="Europe/Berlin", description='Größe \'n "quotes"')
    form.add("groupings", path="region", alias="where")
    form.add("groupings", path="@.shop")
    form.add(
        "aggregations", name="price", field="price", calculations=["AVG", "PERCENTILES"], where="@.size < 6"
    )
    form.set("aggregations[1].kept_by", "some")
    form.set("aggregations[1].sketch_groupings", ["where"])
    assert form.is_dirty
    stored = form.save()
    assert not form.is_dirty
    again = FilterForm(ws, "sales")
    assert again.spec() == stored.spec == ws.filters["sales"].spec
    assert again.values == form.values
    with pytest.raises(NotFoundError):
        FilterForm(ws, "sale")


def test_it_says_what_saving_would_do_before_it_is_done(ws: af.Workspace) -> None:
    form = filled(ws)
    form.add("groupings", path="region")
    form.add("aggregations", name="price", field="price", calculations=["AVG", "MAX"])
    assert form.changes()[0].text == "adds filter 'sales'"
    form.save()
    ws.add_endpoint(
        "mean",
        filter="sales",
        timing=af.Lookback("30d"),
        fields=[af.Field("mean", "price", af.Calculation.AVG)],
        groupings={"region": af.All()},
    )
    form.set("description", "only words")
    assert "what is built stays as it is" in [change.text for change in form.changes()]
    form.drop("groupings", 0)
    warnings = [change.text for change in form.changes() if change.level == "warning"]
    assert any("endpoint 'mean'" in text and "no longer kept" in text for text in warnings)
    form.set("aggregations[1].calculations", ["MAX"])
    assert "last valid field" in form.reason, "a change that is not allowed is said before it is tried"
    with pytest.raises(ConflictError):
        form.save()
    form.set("aggregations[1].calculations", ["AVG"])
    form.set("rebuild", True)
    assert any("to be built anew" in change.text for change in form.changes())
    assert "rebuild=True" in form.as_python()
    assert "rebuild=true" in form.as_curl()


def test_the_second_of_two_forms_is_told_what_changed_and_loses_nothing(ws: af.Workspace) -> None:
    filled(ws).save()
    first, second = FilterForm(ws, "sales"), FilterForm(ws, "sales")
    first.set("interval", "1d")
    first.save()
    second.set("description", "mine")
    with pytest.raises(ConflictError, match='interval: "1h" → "1d"'):
        second.save()
    assert second.get("description") == "mine"
    assert ws.filters["sales"].interval == "1d"
    second.save(over=True)
    assert (ws.filters["sales"].interval, ws.filters["sales"].description) == ("1h", "mine")
    # Who saved over it is the one that was changed under: the first is told now.
    with pytest.raises(ConflictError, match="mine"):
        first.save()
    first.reset()
    assert first.get("description") == "mine"
    first.save()


def test_a_name_that_is_taken_and_a_filter_that_was_removed_are_told(ws: af.Workspace) -> None:
    filled(ws).save()
    with pytest.raises(ConflictError, match="there is a filter 'sales' already"):
        filled(ws, interval="1d").save()
    form = FilterForm(ws, "sales")
    ws.remove("filter", "sales")
    form.set("interval", "1d")
    with pytest.raises(ConflictError, match="removed"):
        form.save()
    form.save(over=True)
    assert ws.filters["sales"].interval == "1d"


def test_a_stored_filter_under_another_name_is_another_filter(ws: af.Workspace) -> None:
    filled(ws).save()
    form = FilterForm(ws, "sales")
    form.set("name", "copy")
    assert form.changes()[0].text == "adds filter 'copy'"
    form.save()
    assert set(ws.filters) == {"sales", "copy"}


def test_copied_texts_declare_the_same(ws: af.Workspace, tmp_path: Path) -> None:
    form = filled(ws, name="a 'b' \"c\" $d\\n", where=WITH_QUOTE)
    form.add("groupings", path="region", alias='the "region"')
    form.add("aggregations", name="p", field="price", calculations=["PERCENTILES", "COUNT"])
    with af.open(tmp_path / "other") as other:
        other.add_source("orders", ws.sources["orders"].url, time="at", json="payload")
        exec(form.as_python(), {"ws": other})  # noqa: S102 - the text under test
        assert other.filters[form.get("name")].spec == form.spec()
    assert from_yaml(form.as_yaml()).filters == (form.spec(),)
    words = shlex.split(form.as_curl())
    assert "$AGGFLOW_URL/api/v1/filters" in words
    assert from_yaml(f"filters: [{words[-1]}]").filters == (form.spec(),)
