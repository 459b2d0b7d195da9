from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
import scale
import scale_cases
from catalog_copies import copy_task, copy_workspace

import aggflow as af
from aggflow.workspace.home import Home


@pytest.mark.slow
def test_every_case_measures_what_it_says(tmp_path: Path) -> None:
    """With the least that there can be; how long it takes is of no interest here."""
    for name, (make, sizes) in scale_cases.CASES.items():
        assert list(sizes) == sorted(set(sizes))
        if name in ("events", "groups"):
            continue
        with ExitStack() as held:
            work = make(held, tmp_path / name, sizes[0])
            assert work
            for do in work.values():
                do()


def test_a_copy_of_a_task_is_a_task_that_is_built(tmp_path: Path) -> None:
    with ExitStack() as held:
        ws = scale_cases.shop(held, tmp_path, rows=300)
        scale_cases.add_task(ws, "original", 987654, "1d")
        ws.run_tasks()
        copy_task(ws._catalog, "original", ({"original": f"copy {n}", "987654": str(n)} for n in range(2)))
    with af.open(tmp_path / "home") as ws:
        assert list(ws.tasks) == ["copy 0", "copy 1", "original"]
        assert len({task.task_id for task in ws.tasks.values()}) == 3
        assert "gt(v, 1)" in ws.task("copy 1").linq
        assert ws.due() == []
        assert ws.due("2100-01-01") == ["task copy 0", "task copy 1", "task original", "filter f"]
        assert ws.status()[1].cells == ws.status()[-1].cells


def test_a_copy_of_a_workspace_answers_as_it_does(tmp_path: Path) -> None:
    scale_cases.write_events(tmp_path / "events", 300)
    with Home.open(tmp_path / "home") as home:
        ws = home.workspace("original")
        scale_cases.furnish(ws, tmp_path)
        ws.build("f", progress=False)
        copy_workspace(home._catalog, "original", [{"original": "other"}])
        assert [one.name for one in home.workspaces()] == ["original", "other"]
        end = scale_cases.END
        expected = ws.query("week", end=end, live=False).rows
        assert expected
        assert home.workspace("other").query("week", end=end, live=False).rows == expected


def test_runs_are_put_together(tmp_path: Path) -> None:
    def found(seconds: float, load: float) -> dict[str, object]:
        return {"seconds": seconds, "load": load}

    about: dict[str, object] = {"processors": 2}
    scale.write(tmp_path, {"tasks": {"pass": {"1000": found(0.1, 2.0), "10": found(0.9, 1.0)}}}, about)
    scale.write(tmp_path, {"events": {"build": {"10": found(2.0, 1.5), "1000": found(2.0, 1.5)}}}, about)
    scale.write(tmp_path, {"tasks": {"pass": {"10": found(0.001, 7.5), "100": found(0.01, 3.0)}}}, about)
    costs = json.loads((tmp_path / "scale.json").read_text())["costs"]
    assert list(costs) == ["events", "tasks"]
    assert list(costs["tasks"]["pass"]) == ["10", "100", "1000"]
    lines = (tmp_path / "scale.md").read_text().splitlines()
    assert "| events | build | 10: 2.00 s · 1,000: 2.00 s | size^0.0 |  | 1.5 |" in lines
    row = "| tasks | pass | 10: 1.00 ms · 100: 10.00 ms · 1,000: 100.00 ms | size^1.0 | 100 µs | 2.0 to 7.5 |"
    assert row in lines


def test_the_law_is_the_exponent() -> None:
    sizes = [10, 100, 1000]
    assert scale.exponent(sizes, [size**0.5 for size in sizes]) == pytest.approx(0.5)
    assert scale.exponent(sizes, [size**2 for size in sizes]) == pytest.approx(2)


def test_the_price_of_one_more_is_that_from_end_to_end() -> None:
    assert scale.one_more([10, 100, 1010], [1.0, 7.0, 3.0]) == pytest.approx(0.002)
