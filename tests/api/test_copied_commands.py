"""What builders give to copy as curl is taken by the service, and saves what they would."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import Served

import aggflow as af
from aggflow.notebook.cube_form import CubeForm
from aggflow.notebook.schedule_form import ScheduleForm
from aggflow.notebook.task_form import TaskForm

EVENTS = "at,kind,n\n2024-01-01T00:00:00,a,1\n2024-01-01T01:00:00,b,2\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.home.close()


@pytest.fixture
def ws(served: Served, tmp_path: Path) -> af.Workspace:
    (tmp_path / "events.csv").write_text(EVENTS)
    ws = served.home.workspace("self")
    ws.add_source("events", str(tmp_path / "events.csv"), time="at")
    return ws


def run(served: Served, text: str) -> list[httpx.Response]:
    """What the service answers to commands, one after another."""
    found: list[httpx.Response] = []
    for command in text.replace("\\\n", "").split("curl ")[1:]:
        words = shlex.split(command)
        headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
        secret = served.token("admin")
        headers = {name: value.replace("$AGGFLOW_TOKEN", secret) for name, value in headers.items()}
        url = next(word for word in words if word.startswith("$AGGFLOW_URL"))
        body: Any = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        method = words[words.index("-X") + 1]
        found.append(served.ask(method, url.removeprefix("$AGGFLOW_URL"), json=body, headers=headers))
    assert all(answer.is_success for answer in found), [answer.text for answer in found]
    return found


def test_a_task(served: Served, ws: af.Workspace) -> None:
    form = TaskForm(ws)
    form.set("name", "by kind")
    form.set("linq", 'from events where kind /= "it\'s" group every 1h by kind select sum(n)')
    form.set("from_date", "2024-01-01")
    form.set("delay", "60")
    run(served, form.as_curl())
    assert ws.tasks["by kind"].spec.linq == form.spec().linq
    assert (ws.tasks["by kind"].spec.delay, ws.tasks["by kind"].spec.from_date) == (60, form.spec().from_date)
    ws.run_tasks()
    form.set("description", "more")
    run(served, form.as_curl())
    assert ws.tasks["by kind"].spec.description == "more"


def test_a_cube(served: Served, ws: af.Workspace) -> None:
    form = CubeForm(ws)
    form.set("name", "events")
    form.add("dimensions", name="kind")
    run(served, form.as_curl())
    assert ws.cubes["events"].spec == form.spec()
    form.add("measures", name="n", field="n", calculations=["SUM"])
    run(served, form.as_curl())
    assert ws.cubes["events"].spec == form.spec()


def test_a_schedule(served: Served, ws: af.Workspace) -> None:
    ws.add_cube("events", source="events", dimensions=["kind"])
    form = ScheduleForm(ws)
    form.set("time_expression", "0 25 06 ? * *")
    form.set("timezone", "Europe/Berlin")
    run(served, form.as_curl())
    (stored,) = ws.schedules.values()
    assert stored.time_expression == "0 25 06 ? * *"
    assert stored.timezone == "Europe/Berlin"
    changed = ScheduleForm(ws, stored.job_id)
    changed.set("hour", "07")
    assert len(run(served, changed.as_curl())) == 2
    assert [one.time_expression for one in ws.schedules.values()] == ["0 25 07 ? * *"]
