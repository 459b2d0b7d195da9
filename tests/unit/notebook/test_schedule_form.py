"""The draft of a schedule and its widgets: an expression as text and field by field, the next times, saving."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aggflow as af
from aggflow.errors import ConflictError, NotFoundError, SpecError
from aggflow.notebook.cron_fields import COMMON, CRON_FIELDS, fields_of
from aggflow.notebook.schedule_builder import ScheduleBuilder
from aggflow.notebook.schedule_form import ScheduleForm
from aggflow.spec.definitions import from_yaml
from aggflow.timeline import parse_instant

TEXT = "time_expression"
DAILY = "0 25 06 ? * *"


@pytest.fixture
def ws(ws: af.Workspace) -> af.Workspace:
    ws.add_cube("orders", source="orders", dimensions=["region"])
    return ws


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, orders: Path) -> Iterator[af.Workspace]:
    """A workspace that no test changes."""
    with af.open(tmp_path_factory.mktemp("still")) as opened:
        opened.add_source("orders", str(orders), time="at", json="payload")
        opened.add_cube("orders", source="orders", dimensions=["region"])
        yield opened


def fields(form: ScheduleForm) -> list[str]:
    return [form.get(field.name) for field in CRON_FIELDS]


def wrong(form: ScheduleForm) -> list[str]:
    return [problem.path for problem in form.problems]


def test_a_workspace_without_a_cube_says_what_to_do_first(empty: af.Workspace) -> None:
    builder = ScheduleBuilder(empty)
    assert "CubeBuilder" in builder.notice_text.value
    assert builder.body.layout.display == "none"
    assert builder.save.disabled


def test_a_new_schedule_can_be_saved_as_it_is(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    assert (form.get("cube"), form.reason) == ("orders", "")
    assert form.when == "every day at 06:00:00 UTC"


@pytest.mark.parametrize("option", COMMON)
def test_what_is_offered_can_be_read_and_says_so(still: af.Workspace, option: Any) -> None:
    form = ScheduleForm(still)
    form.set(TEXT, option.value)
    assert form.problems == ()
    assert form.when == option.help


@pytest.mark.parametrize("field", CRON_FIELDS)
def test_every_offered_value_of_a_field_can_be_read(still: af.Workspace, field: Any) -> None:
    for option in field.options:
        form = ScheduleForm(still)
        form.set("day_of_month", "?")
        form.set(field.name, option.value)
        assert form.problems_at(field.name) == (), option


def test_the_fields_follow_the_text_and_the_text_follows_the_fields(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    form.set(TEXT, " 0  0/15 8-18 ? * MON-FRI ")
    assert fields(form) == ["0", "0/15", "8-18", "?", "*", "MON-FRI"]
    form.set("hour", "9")
    assert form.get(TEXT) == "0 0/15 9 ? * MON-FRI"
    assert form.problems == ()


def test_each_field_says_what_is_wrong_with_it_and_the_text_where(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    form.set("minute", "75")
    form.set("month", "FOO")
    assert wrong(form) == [TEXT, "minute", "month"]
    (of_text,) = form.problems_at(TEXT)
    assert "\n    0 75 6 ? FOO *\n      ^" in of_text.message
    assert "0 to 59, not 75" in form.problems_at("minute")[0].message
    assert "JAN to DEC" in form.problems_at("month")[0].hint
    assert form.problems_at("hour") == ()
    assert form.is_touched("hour"), "what one form of it says is beside the other, too"


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("25 06 * * *", "5 fields, not six", ["day_of_week"]),
        ("", "is required", [field.name for field in CRON_FIELDS]),
        ("0 0 0 * * ? 2025", "a year cannot be given", []),
        ("0 0 0 15W * ?", "W, the nearest working day", ["day_of_month"]),
        ("0 0 0 30 2 ?", "can never fire", []),
        ("0 0 0 ? * MON#9", "1 to 5, not '9'", ["day_of_week"]),
        ("0 0 0 1 * 5#2", "need ? for the day of the month", []),
        ("@daily", "words such as @daily", ["second", *[field.name for field in CRON_FIELDS[1:]]]),
    ],
)
def test_expressions_that_cannot_be(still: af.Workspace, text: str, message: str, at: list[str]) -> None:
    form = ScheduleForm(still)
    form.set(TEXT, text)
    assert message in form.problems_at(TEXT)[0].message
    assert [path for path in wrong(form) if path != TEXT] == at
    assert form.fires() == ()
    assert form.when == ""


def test_five_fields_say_what_to_write(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    form.set(TEXT, "25 06 * * *")
    assert "seconds stand first: 0 25 06 * * *" in form.problems_at(TEXT)[0].message


def test_an_offset_is_no_zone_of_a_schedule(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    for zone, message in (("GMT+01:00", "offset"), ("Europe/Berlim", "no time zone")):
        form.set("timezone", zone)
        assert message in form.problems_at("timezone")[0].message
    form.set("timezone", "Europe/Berlin")
    assert form.problems == ()


def test_the_next_times_rise_and_are_ten(still: af.Workspace) -> None:
    form = ScheduleForm(still)
    instants = [fire.at_us for fire in form.fires()]
    assert instants == sorted(set(instants))
    assert len(instants) == 10
    assert instants[0] > still.now_us()


def test_saving_and_opening_again(ws: af.Workspace) -> None:
    form = ScheduleForm(ws)
    form.set(TEXT, DAILY)
    form.set("full_build", False)
    form.set("timezone", "Europe/Berlin")
    stored = form.save()
    (job_id,) = ws.schedules
    assert stored.id == job_id
    again = ScheduleForm(ws, job_id)
    assert again.spec() == form.spec()
    assert fields(again) == DAILY.split()
    assert not again.is_dirty
    assert [change.text for change in again.changes()] == ["there is a schedule just like this"]
    with pytest.raises(NotFoundError):
        ScheduleForm(ws, "nothing")


def test_a_changed_schedule_takes_the_place_of_the_old_one(ws: af.Workspace) -> None:
    old = ws.add_schedule("orders", DAILY, created_by="a@b.c")
    form = ScheduleForm(ws, old.job_id)
    form.set("hour", "07")
    assert "another job id" in "; ".join(change.text for change in form.changes())
    assert f'ws.remove("schedule", "{old.job_id}")' in form.as_python()
    form.save()
    (new,) = ws.schedules.values()
    assert new.job_id != old.job_id
    assert (new.time_expression, new.created_by) == ("0 25 07 ? * *", "a@b.c")


def test_a_second_save_is_told_what_became_of_the_schedule(ws: af.Workspace) -> None:
    old = ws.add_schedule("orders", DAILY)
    first, second = ScheduleForm(ws, old.job_id), ScheduleForm(ws, old.job_id)
    first.set("hour", "07")
    first.save()
    second.set("hour", "08")
    with pytest.raises(
        ConflictError, match="it was removed; the cube is built every day at 07:25:00 UTC now"
    ):
        second.save()
    second.save(over=True)
    assert sorted(one.time_expression for one in ws.schedules.values()) == ["0 25 07 ? * *", "0 25 08 ? * *"]


def test_a_schedule_that_is_there_already_is_not_added_twice(ws: af.Workspace) -> None:
    ws.add_schedule("orders", DAILY)
    form = ScheduleForm(ws)
    form.set(TEXT, DAILY)
    with pytest.raises(ConflictError, match="just like it already"):
        form.save()
    assert len(ws.schedules) == 1


def test_a_cube_that_is_gone_is_said_beside_it(ws: af.Workspace) -> None:
    stored = ws.add_schedule("orders", DAILY)
    ws.add_cube("other", source="orders")
    ws._declarations.remove("cube", "orders")
    form = ScheduleForm(ws, stored.job_id)
    assert "no cube 'orders'" in form.problems_at("cube")[0].message
    with pytest.raises(SpecError, match="no cube 'orders'"):
        form.save()
    form.set("cube", "other")
    form.save()
    assert [one.cube for one in ws.schedules.values()] == ["other"]


def test_the_texts_say_the_same(ws: af.Workspace, tmp_path: Any) -> None:
    form = ScheduleForm(ws)
    form.set(TEXT, DAILY)
    form.set("full_build", False)
    form.set("timezone", "Asia/Tokyo")
    assert from_yaml(form.as_yaml()).schedules == (form.spec(),)
    exec(form.as_python(), {"ws": ws, "af": af})  # noqa: S102 - what is copied has to run
    (stored,) = ws.schedules.values()
    assert stored.spec == form.spec()
    words = shlex.split(form.as_curl().replace("\\\n", ""))
    cube = ws.cubes["orders"]
    assert words[words.index("POST") + 1].endswith(
        f"/org/self/project/{cube.project_id}/cube/{cube.id}/aggregates-creation/scheduler"
    )
    body = json.loads(words[words.index("-d") + 1])
    assert body == {
        "time_expression": DAILY,
        "path": "aggregate/create",
        "timezone": "Asia/Tokyo",
        "full_build": False,
    }


def test_missing_fields_are_empty_and_too_many_are_left_to_the_text() -> None:
    assert list(fields_of("1 2").values()) == ["1", "2", "", "", "", ""]
    assert list(fields_of("1 2 3 4 5 6 7").values()) == ["1", "2", "3", "4", "5", "6"]


# -- the widgets


def test_the_next_times_are_shown_and_follow(still: af.Workspace) -> None:
    builder = ScheduleBuilder(still)
    assert "every day at 06:00:00 UTC" in builder.when.value
    assert builder.runs.value.count("<tr>") == 10
    assert builder.runs_chart.outputs
    builder.fields["hour"].control.widget.value = "7"
    assert builder.fields[TEXT].control.widget.value == "0 0 7 ? * *"
    assert "every day at 07:00:00 UTC" in builder.when.value
    builder.fields[TEXT].control.widget.value = "0 0 25 ? * *"
    assert builder.fields["hour"].control.widget.value == "25"
    assert "0 to 23" in builder.fields["hour"].message.value
    assert builder.runs_chart.outputs == ()
    assert builder.save.disabled
    builder.close()


def test_daylight_saving_is_said_beside_the_time(ws: af.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws, "_clock", lambda: parse_instant("2026-03-27T12:00:00Z"))
    builder = ScheduleBuilder(ws)
    builder.form.set("timezone", "Europe/Berlin")
    builder.form.set(TEXT, "0 30 2 ? * *")
    assert "Sun 29 Mar 2026 03:00:00 +02:00" in builder.runs.value
    assert "leaves its time out" in builder.runs.value
    assert "clocks go forward 1 h" in json.dumps(builder.runs_chart.outputs)
    builder.close()


def test_save_by_its_button(ws: af.Workspace) -> None:
    builder = ScheduleBuilder(ws)
    builder.save.click()
    (job_id,) = ws.schedules
    assert job_id in builder.reason.value
    builder.close()
