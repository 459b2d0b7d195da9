"""The draft of a cube and its widgets: dimensions, measures, aggregates; what saving does; the texts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import aggflow as af
from aggflow.engine.wish import Wish
from aggflow.errors import ConflictError, NotFoundError, SpecError
from aggflow.notebook.cube_builder import CubeBuilder
from aggflow.notebook.cube_form import CubeForm
from aggflow.notebook.level_text import level_text, levels_of
from aggflow.notebook.previewer import DEBOUNCE
from aggflow.notebook.python_text import python_call
from aggflow.spec.definitions import from_yaml
from aggflow.spec.level import Level

# Declarations take texts where type checkers know values only.
Cube: Any = af.Cube
Aggregation: Any = af.Aggregation
Aggregate: Any = af.CubeAggregate
Dimension: Any = af.Dimension

#: A cube with everything that a cube can have.
WHOLE = Cube(
    "whole",
    "orders",
    [
        "region",
        Dimension("kind", path="=lower(region)", description="in small letters"),
        Dimension("place", levels=["region", Level("part", "=substring(region, 0, 2)")]),
        Dimension("date", levels=["month", "day", af.Level("quarter", interval="15m")]),
    ],
    [
        Aggregation("events"),
        af.Ratio("mean", "price:SUM", "price:COUNT", "what an order costs"),
        Aggregation("price", "price", ["SUM", "COUNT", "PERCENTILES"], "@.size > 1", ["region"]),
    ],
    [
        Aggregate("hourly", "1h", ["region"], ["price:SUM"]),
        Aggregate("daily", None, ["date", "place"]),
    ],
    where="@.size > 0",
    time_zone="Europe/Berlin",
    description="all of it",
)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Iterator[af.Workspace]:
    """A workspace that no test changes."""
    with af.open(tmp_path_factory.mktemp("still")) as opened:
        opened.add_source("orders", str(orders), time="at")
        add(opened, WHOLE)
        yield opened


def add(ws: af.Workspace, cube: af.Cube) -> None:
    ws.add_cube(**{one.name: getattr(cube, one.name) for one in fields(cube)})


def filled(ws: af.Workspace) -> CubeForm:
    form = CubeForm(ws)
    form.set("name", "sales")
    form.add("dimensions", name="region")
    form.add("measures", name="price", field="price", calculations=["SUM", "AVG"])
    return form


def offered(form: CubeForm, path: str) -> list[Any]:
    return [option.value for option in form.entry(path).options(path)]


def test_a_workspace_without_a_source_says_what_to_do_first(empty: af.Workspace) -> None:
    assert "ws.add_source" in CubeForm(empty).first()


def test_a_new_draft_reads_the_only_source_and_counts(still: af.Workspace) -> None:
    form = CubeForm(still)
    assert form.get("source") == "orders"
    assert form.reason == "Name: is required"
    form.set("name", "n")
    assert form.spec() == Cube("n", "orders")


def test_everything_that_a_cube_has_is_opened_and_nothing_is_lost(still: af.Workspace) -> None:
    form = CubeForm(still, "whole")
    assert form.spec() == WHOLE
    assert not form.is_dirty
    assert [row["levels"] for row in form.get("dimensions")] == [
        "",
        "",
        "region, part: =substring(region, 0, 2)",
        "month, day, quarter: 15m",
    ]
    with pytest.raises(NotFoundError):
        CubeForm(still, "nothing")


def test_levels_are_read_as_they_are_written() -> None:
    for levels in (["country", Level("town", "@.city")], [Level("part", "=substring(a, 0, 2)"), "b"], []):
        declared = Dimension("d", levels=levels).levels if levels else ()
        text = level_text(declared)
        assert Dimension("d", levels=levels_of(text, is_time=False)).levels == tuple(declared) or not levels
    assert levels_of(" day , hour,, ", is_time=True) == ["day", "hour"]


def test_what_is_made_of_what_is_asked_for(still: af.Workspace) -> None:
    form = filled(still)
    form.add("dimensions", name="date", made_of="time", levels="month, day")
    form.add("measures", name="mean", made_of="ratio", numerator="price:SUM", denominator="price:AVG")
    spec = form.spec()
    assert spec.dimensions[1].is_time
    assert spec.ratios["mean"].numerator == "price:SUM"
    assert "path" not in shown(form, "dimensions[1]")
    assert {"numerator", "denominator"} <= shown(form, "measures[2]")
    assert "calculations" not in shown(form, "measures[2]")


def shown(form: CubeForm, row: str) -> set[str]:
    """The entries of a row that are asked."""
    of = form.entry(row.partition("[")[0]).of
    return {entry.name for entry in of if entry.shows(f"{row}.{entry.name}")}


def test_what_can_be_chosen_comes_from_the_source_and_the_draft(still: af.Workspace) -> None:
    form = filled(still)
    assert offered(form, "measures[1].field") == ["at", "region", "size", "price", "payload"]
    assert "AVG" in offered(form, "measures[1].calculations")
    form.set("measures[1].field", "region")
    assert "AVG" not in offered(form, "measures[1].calculations")
    form.add("measures", name="r", made_of="ratio")
    assert offered(form, "measures[2].numerator") == ["events:COUNT", "price:SUM", "price:AVG"]
    form.set("kept", "own")
    form.add("aggregates", name="hourly")
    assert offered(form, "aggregates[0].dimensions") == ["region"]
    assert offered(form, "aggregates[0].measures") == ["events", "price", "r"]


@pytest.mark.parametrize(
    ("path", "value", "at", "message"),
    [
        ("dimensions[0].name", "regoin", "dimensions[0].name", "there is no column 'regoin'"),
        ("dimensions[0].name", "a.b", "dimensions[0].name", "has a dot"),
        ("measures[1].field", "region", "measures[1].field", "need numbers"),
        ("measures[1].name", "region", "measures[1].name", "is what answers call a dimension"),
        ("measures[1].name", "events", "measures", "stands here 2 times"),
        ("measures[1].calculations", [], "measures[1].calculations", "at least one calculation"),
        ("where", "@.size >", "where", "ends too early"),
        ("time_zone", "Berlin", "time_zone", "time zone"),
    ],
)
def test_mistakes_stand_beside_their_entries(
    still: af.Workspace, path: str, value: Any, at: str, message: str
) -> None:
    form = filled(still)
    form.set(path, value)
    assert message in "; ".join(problem.message for problem in form.problems_at(at))
    with pytest.raises(SpecError):
        form.save()


def test_a_ratio_without_its_sides_is_no_count(still: af.Workspace) -> None:
    form = filled(still)
    form.add("measures", name="mean", made_of="ratio")
    assert form.problems_at("measures[2].numerator")
    assert form.problems_at("measures[2].denominator")
    form.set("measures[2].numerator", "price:MEDIAN")
    form.set("measures[2].denominator", "price:SUM")
    assert "does not keep 'MEDIAN'" in form.problems_at("measures[2].numerator")[0].message


def test_levels_of_columns_that_are_not_there(still: af.Workspace) -> None:
    form = filled(still)
    form.add("dimensions", name="place", made_of="levels", levels="region, town")
    assert "no column 'town'" in form.problems_at("dimensions[1].levels")[0].message
    form.set("dimensions[1].levels", "region, day")
    assert "not both" in form.problems_at("dimensions[1].levels")[0].message


def test_a_source_that_is_gone_is_said_beside_it(ws: af.Workspace, tmp_path: Path) -> None:
    (tmp_path / "gone.csv").write_text("at,n\n2024-01-01,1\n")
    ws.add_source("gone", str(tmp_path / "gone.csv"), time="at")
    ws.add_cube("c", source="gone", dimensions=["n"])
    (tmp_path / "gone.csv").unlink()
    form = CubeForm(ws, "c")
    assert form.problems_at("source")
    assert form.get("dimensions")[0]["name"] == "n"


def test_what_saving_would_do(ws: af.Workspace) -> None:
    form = filled(ws)
    assert [change.text for change in form.changes()] == [
        "adds cube 'sales'",
        "aggregate 'sales/all': is to be built",
    ]
    form.save()
    form.drop("dimensions", 0)
    told = {change.text: change.level for change in form.changes()}
    assert told['dimensions: without "region"'] == "note"
    assert told["aggregate 'sales/all': is to be built anew: what it is made of changes"] == "warning"
    form.set("kept", "own")
    form.add("aggregates", name="daily", interval="1d")
    assert "aggregate 'sales/all': is dropped with what is built of it" in [
        one.text for one in form.changes()
    ]


def test_the_second_save_is_told_what_changed(ws: af.Workspace) -> None:
    filled(ws).save()
    one, other = CubeForm(ws, "sales"), CubeForm(ws, "sales")
    one.add("measures", name="sizes", field="size", calculations=["SUM"])
    one.save()
    other.set("description", "mine")
    with pytest.raises(ConflictError, match='measures: with "sizes" too'):
        other.save()
    other.reset()
    assert len(other.get("measures")) == 3


def test_the_texts_say_the_same(still: af.Workspace, ws: af.Workspace) -> None:
    form = CubeForm(still, "whole")
    assert from_yaml(form.as_yaml()).cubes == (WHOLE,)
    exec(form.as_python(), {"ws": ws, "af": af})  # noqa: S102 - what is copied has to run
    assert ws.cubes["whole"].spec == WHOLE
    words = shlex.split(form.as_curl().replace("\\\n", ""))
    cube = still.cubes["whole"]
    assert words[words.index("-X") + 1 :][:2] == [
        "PUT",
        f"$AGGFLOW_URL/api/v1/projects/{cube.project_id}/cubes/whole",
    ]
    assert json.loads(words[words.index("-d") + 1])["time_zone"] == "Europe/Berlin"
    new = filled(still)
    assert "-X POST" in new.as_curl()


def test_what_has_only_a_name_is_written_as_its_name() -> None:
    text = python_call("add_cube", Cube("c", "s", ["a", Dimension("d", levels=["x", Level("y", "@.z")])]))
    assert 'dimensions=["a", ' in " ".join(text.split()).replace("[ ", "[")
    assert 'levels=["x", af.Level("y", path="@.z")]' in text


def test_a_preview_of_the_measure_and_the_dimension_that_are_asked(still: af.Workspace) -> None:
    form = filled(still)
    spec = form.sketch()
    assert spec is not None
    assert form.asked(spec) == ("events:COUNT", ("region",))
    form.set("shown", "price:AVG")
    form.add("dimensions", name="date", made_of="time", levels="month")
    form.set("by", "date")
    spec = form.spec()
    assert form.asked(spec) == ("price:AVG", ("date",))
    work = form.preview()
    assert work is not None
    shown = work(Wish(exact=True))
    assert shown.exact
    assert "sales, price:AVG" in json.dumps(shown.chart.to_dict()["title"])


def test_the_largest_groups_are_tried(still: af.Workspace) -> None:
    trial = still.try_cube(filled(still).spec(), ["price:SUM"], ["region"], Wish(exact=True))
    assert trial.answer.rows == sorted(trial.answer.rows, key=lambda row: -row["fields"]["price:SUM"])
    assert len(trial.answer) == 3
    assert trial.rows == 20_000


def test_a_cube_is_filled_in_by_its_widgets(ws: af.Workspace, pace: Any) -> None:
    builder = CubeBuilder(ws)
    builder.previewer.close()
    builder.previewer = pace.previewer(builder._show)
    builder.fields["name"].control.widget.value = "sales"
    builder.fields["dimensions"].control.adder.click()
    row = builder.fields["dimensions"].control.rows[0]
    row.fields["name"].control.widget.value = "region"
    pace.wait(DEBOUNCE)
    pace.do()
    assert pace.shown[-1].chart is not None
    builder.save.click()
    assert "build_cube" in builder.reason.value
    assert [dimension.name for dimension in ws.cubes["sales"].spec.dimensions] == ["region"]
    builder.close()
