"""Of a log, people see what runs and passes say; tracebacks stay in the file."""

from __future__ import annotations

from pathlib import Path

from aggflow.orchestration.tail import Tail

LOG = """12:00:01.001 | INFO    | prefect.runner.state_proposer - Aborted submission
All connection attempts failed12:00:02 | aggflow | a run of tasks is submitted
12:00:03.100 | INFO    | Flow run 'self · run tasks' - Beginning flow run 'self · run tasks' for flow 'run-tasks'
12:00:03.101 | INFO    | Flow run 'self · run tasks' - View at http://127.0.0.1:4200/runs/flow-run/1
12:00:04.000 | ERROR   | Task run 'filter all' - Finished in state Failed('no')
12:00:04.100 | ERROR   | Flow run 'self · run tasks' - Encountered exception during execution: no
Traceback (most recent call last):
  File "x.py", line 1
12:00:05.000 | WARNING | prefect.events - cannot connect
"""


def test_only_what_is_for_people_is_shown_and_once(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "log")
    assert list(tail.lines()) == []
    (tmp_path / "log").write_text(LOG, encoding="utf-8")
    assert [line[:8] + line.split(" | ")[-1][:16] for line in tail.lines()] == [
        "12:00:02a run of tasks i",
        "12:00:03Flow run 'self ·",
        "12:00:04Task run 'filter",
    ]
    assert list(tail.lines()) == []


def test_a_line_is_shown_when_it_is_whole(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "log")
    text = "12:00:02 | aggflow | über\n".encode()
    found: list[str] = []
    for i in range(len(text)):
        with (tmp_path / "log").open("ab") as log:
            log.write(text[i : i + 1])
        found += tail.lines()
    assert found == ["12:00:02 | aggflow | über"]
