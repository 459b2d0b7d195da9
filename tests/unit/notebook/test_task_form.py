"""The draft of a task and its widgets: live errors with their place, completion, what saving does, the texts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aggflow as af
from aggflow.engine.wish import Wish
from aggflow.errors import ConflictError, NotFoundError, SpecError
from aggflow.notebook.linq_draft import LinqDraft
from aggflow.notebook.task_builder import TaskBuilder
from aggflow.notebook.task_form import TaskForm, with_units
from aggflow.spec.definitions import from_yaml

LINQ = "linq"
QUERY = "from orders where size > 2 group every 1h by region select avg(price) as price"


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Iterator[af.Workspace]:
    """A workspace that no test changes."""
    with af.open(tmp_path_factory.mktemp("still")) as opened:
        opened.add_source("orders", str(orders), time="at")
        yield opened


def filled(ws: af.Workspace, **values: Any) -> TaskForm:
    form = TaskForm(ws)
    for path, value in {"name": "by region", LINQ: QUERY, **values}.items():
        form.set(path, value)
    return form


def suggested(builder: TaskBuilder) -> list[str]:
    return [button.description for button in builder.suggestions.children]


def test_a_workspace_without_a_source_says_what_to_do_first(empty: af.Workspace) -> None:
    form = TaskForm(empty)
    assert "ws.add_source" in form.first()
    assert form.reason


def test_a_new_draft_begins_with_a_query_that_can_be_read(still: af.Workspace) -> None:
    form = TaskForm(still)
    assert form.get(LINQ) == "from orders group every 1h"
    assert [problem.path for problem in form.problems] == ["name"]


@pytest.mark.parametrize(
    ("linq", "message", "caret"),
    [
        ("from ordres group", "there is no table 'ordres'", "ordres"),
        ("from orders where regoin = 'north' group", "there is no column 'regoin'", "regoin"),
        ("from orders group by region select avrg(price)", "there is no function 'avrg'", "avrg"),
        ("from orders group by region select avg(price) limit 5", "limit is not accepted", "limit"),
        ("from orders where size == 1 group", "cannot be read from here on", "= 1"),
        ("from orders", "the query is not grouped", ""),
        ("", "is required", ""),
        ("from orders group select sum(region)", "need numbers", "sum"),
    ],
)
def test_errors_stand_beside_the_query_with_their_place(
    still: af.Workspace, linq: str, message: str, caret: str
) -> None:
    form = filled(still, linq=linq)
    (problem,) = form.problems_at(LINQ)
    assert message in problem.message
    if caret:
        drawn, mark = problem.message.split("\n")[1:3]
        assert drawn[mark.index("^") :].startswith(caret)
    with pytest.raises(SpecError):
        form.save()


def test_the_nearest_name_is_suggested(still: af.Workspace) -> None:
    assert (
        "did you mean 'region'?"
        in filled(still, linq="from orders group by regoin").problems_at(LINQ)[0].message
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("delay", "-1", "whole number"),
        ("from_date", "yesterday", "yesterday"),
        ("time_zone", "Europe/Berlim", "time zone"),
        ("min_grain", "7m", "does not divide"),
    ],
)
def test_other_mistakes_stand_beside_their_entries(
    still: af.Workspace, path: str, value: str, message: str
) -> None:
    (problem,) = filled(still, **{path: value}).problems_at(path)
    assert message in problem.message


def test_a_source_that_is_gone_is_said_beside_the_query(ws: af.Workspace, tmp_path: Path) -> None:
    (tmp_path / "gone.csv").write_text("at,n\n2024-01-01,1\n")
    ws.add_source("gone", str(tmp_path / "gone.csv"), time="at")
    ws.add_task("t", linq="from gone group every 1h", from_date=0)
    (tmp_path / "gone.csv").unlink()
    form = TaskForm(ws, "t")
    (problem,) = form.problems_at(LINQ)
    assert "source 'gone'" in problem.message
    assert form.completion().words


# -- completion


def test_the_cursor_is_behind_what_was_changed() -> None:
    draft = LinqDraft().typed("from orders group by re")
    assert draft.cursor == len(draft.text)
    assert draft.typed("from orders where pri group by re").cursor == len("from orders where pri")
    assert draft.typed("from orders w group by re").cursor == len("from orders w")
    assert draft.typed("from orders group").cursor == len("from orders group")
    assert draft.typed(draft.text) is draft


def test_what_could_stand_there_follows_the_typing(still: af.Workspace) -> None:
    form = filled(still, linq="from orders group by re")
    assert [word.text for word in form.completion().words][:1] == ["region"]
    form.set(LINQ, "from orders gr")
    assert [word.text for word in form.completion().words] == ["group"]


def test_a_word_is_put_in_where_one_types(still: af.Workspace) -> None:
    form = filled(still, linq="from orders group by region")
    form.set(LINQ, "from orders where pri group by region")
    found = form.completion()
    form.complete(found, next(word for word in found.words if word.text == "price"))
    assert form.get(LINQ) == "from orders where price group by region"
    assert form.draft.cursor == len("from orders where price")


def test_suggestions_are_buttons_that_put_them_in(still: af.Workspace) -> None:
    builder = TaskBuilder(still)
    builder.fields["name"].control.widget.value = "by region"
    query = builder.fields[LINQ].control.widget
    query.value = "from orders group by regi"
    assert suggested(builder) == ["▤ region"]
    assert "column: string" in builder.suggestions.children[0].tooltip
    builder.suggestions.children[0].click()
    assert query.value == "from orders group by region"
    query.value = "from orders group by regoin"
    assert "Nearest" in builder.suggested.value
    assert "there is no column" in builder.fields[LINQ].message.value
    assert builder.save.disabled
    builder.close()


# -- saving


def test_saving_and_opening_again(ws: af.Workspace) -> None:
    form = filled(
        ws, from_date="2024-02-01", delay="60", min_grain="15m", description="d", owner_email="a@b.c"
    )
    form.save()
    assert form.get(LINQ) == QUERY, "what was typed stays as it was typed"
    assert not form.is_dirty
    again = TaskForm(ws, "by region")
    assert again.spec() == form.spec() == ws.tasks["by region"].spec
    assert (
        again.get(LINQ) == "from orders where gt(size, 2) group every 1h by region select avg(price) as price"
    )
    assert again.get("from_date") == "2024-02-01T00:00:00Z"
    assert not again.is_dirty
    with pytest.raises(NotFoundError):
        TaskForm(ws, "nothing")


def test_periods_are_shown_in_units_and_texts_are_left_alone() -> None:
    assert (
        with_units("from t group every 86400000 by a every 172800000")
        == "from t group every 1d by a every 2d"
    )
    assert with_units('from t where eq(a, "every 1000") group every 1500') == (
        'from t where eq(a, "every 1000") group every 1500'
    )


def test_what_saving_would_do(ws: af.Workspace) -> None:
    form = filled(ws)
    texts = [change.text for change in form.changes()]
    assert texts[0] == "adds task 'by region'"
    assert "next run of tasks" in texts[1]
    form.save()
    ws.run_tasks()
    form = TaskForm(ws, "by region")
    form.set("min_grain", "15m")
    changes = form.changes()
    assert changes[0].text == 'min_grain: nothing → "15m"'
    assert ("built anew" in changes[1].text, changes[1].level) == (True, "warning")
    form.set("min_grain", "")
    form.set("description", "more")
    assert [change.level for change in form.changes()] == ["note", "note"]


def test_a_task_that_takes_no_change_now_cannot_be_saved(ws: af.Workspace) -> None:
    filled(ws).save()
    ws.run_tasks()
    form = TaskForm(ws, "by region")
    ws.stop_task("by region")
    form.set("delay", "60")
    assert "PENDING_STOP" in form.reason


def test_the_second_save_is_told_what_changed(ws: af.Workspace) -> None:
    filled(ws).save()
    ws.run_tasks()
    one, other = TaskForm(ws, "by region"), TaskForm(ws, "by region")
    one.set("delay", "60")
    one.save()
    other.set("description", "mine")
    with pytest.raises(ConflictError, match="delay: 0 → 60"):
        other.save()
    other.save(over=True)
    assert (ws.tasks["by region"].spec.delay, ws.tasks["by region"].spec.description) == (0, "mine")


def test_the_texts_say_the_same(ws: af.Workspace) -> None:
    form = filled(ws, from_date="2024-02-01", delay="60")
    assert from_yaml(form.as_yaml()).tasks == (form.spec(),)
    python = form.as_python()
    assert 'from_date="2024-02-01T00:00:00Z"' in python
    assert f'linq="{form.get("linq")}"' in python, "as it was typed, not as it is kept"
    exec(python, {"ws": ws, "af": af})  # noqa: S102 - what is copied has to run
    assert ws.tasks["by region"].spec == form.spec()
    words = shlex.split(form.as_curl().replace("\\\n", ""))
    assert words[words.index("-X") + 1] == "PUT"
    body = json.loads(words[words.index("-d") + 1])
    assert body == {
        "name": "by region",
        "query": {"linq": form.get("linq"), "timeZone": "UTC", "locale": "en"},
        "fromDate": "2024-02-01T00:00:00Z",
        "delay": 60,
    }


def test_a_query_of_several_lines_is_copied_as_one(ws: af.Workspace) -> None:
    form = filled(ws, linq="from orders\n where size > 1\ngroup every 1h by region\nselect avg(price)")
    python = form.as_python()
    assert 'linq="from orders where gt(size, 1) group every 1h by region select avg(price)"' in python
    exec(python, {"ws": ws, "af": af})  # noqa: S102 - what is copied has to run
    assert ws.tasks["by region"].spec == form.spec()


# -- the preview


def test_a_preview_needs_no_name_and_is_exact_on_demand(still: af.Workspace) -> None:
    form = TaskForm(still)
    form.set(LINQ, QUERY)
    work = form.preview()
    assert work is not None
    shown = work(Wish())
    assert "new task" in json.dumps(shown.chart.to_dict()["title"])
    exact = work(Wish(exact=True))
    assert exact.exact
    assert "events" in json.dumps(exact.chart.to_dict()["title"])


def test_what_cannot_be_read_has_no_preview_and_names_change_none(still: af.Workspace) -> None:
    form = filled(still)
    seen = form.seen()
    form.set("name", "other")
    assert form.seen() == seen
    form.set(LINQ, QUERY.replace("avg", "max"))
    assert form.seen() != seen
    form.set(LINQ, "from orders group by regoin")
    assert form.seen() is None


def test_the_newest_buckets_are_tried(still: af.Workspace) -> None:
    form = filled(still)
    trial = still.try_task(form.spec(), Wish(exact=True))
    buckets = sorted(set(trial.answer.buckets or ()))
    assert 60 <= len(buckets) <= 90
    query = form.spec().linq
    start = buckets[0] * 1000
    whole = still.linq(query, start=start)
    assert trial.answer.rows == whole.rows
