"""What the README says is true: its code runs, its commands work, its tables are complete."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from running import running

from aggflow.backends.capabilities import CAPABILITIES
from aggflow.backends.capability import Capability
from aggflow.demo import write_flights
from aggflow.settings import PREFIX, Settings
from aggflow.spec.calculation import Calculation

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the code of the tour was run, block by block, as one session."""
    folder = tmp_path_factory.mktemp("tour")
    write_flights(folder / ".aggflow" / "data" / "flights.parquet")
    session = "\n".join(text for language, text in BLOCKS if language == "python")
    done = subprocess.run(
        [sys.executable, "-c", session], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (folder / "output.txt").write_text(done.stdout, encoding="utf-8")
    return folder


def test_the_tour_says_what_the_readme_says(tour: Path) -> None:
    output = (tour / "output.txt").read_text(encoding="utf-8")
    assert "0 windows were missing the second time" in output
    assert re.search(r"^mixed$", output, re.MULTILINE)
    assert "{'groupings': {'carrier':" in output
    assert "300 rows from filter delays" in output
    assert re.search(r"^cube flights/monthly\ncube flights/daily$", output, re.MULTILINE)
    assert "cube flights: delay:AVG by origin every 1mo: 36 cells" in output
    assert output.count("\ncube flights/monthly\n") == 2


# These serve until they are ended, or need a Prefect server: tests/orchestration runs them.
SERVED = ("aggflow up", "aggflow deploy", "aggflow serve")
COMMANDS = [
    line
    for language, text in BLOCKS
    if language == "bash"
    for line in text.splitlines()
    if line.startswith("aggflow ") and not line.startswith(SERVED)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_tour_works(tour: Path, command: str) -> None:
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=tour, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_commands_to_test() -> None:
    assert len(COMMANDS) >= 4


def test_the_two_commands_are_those_that_the_check_runs() -> None:
    check = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -e '.[demo]'" in README
    assert "bash tests/run" in README
    assert "tests/run" in check


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    field = Settings.model_fields[name]
    (line,) = [line for line in README.splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")]
    assert field.description is not None
    assert field.description in line
    assert str(field.default) in line


@pytest.mark.parametrize("row", CAPABILITIES.values(), ids=lambda row: row.name)
def test_the_engines_that_are_not_sliced_are_told_where_slices_are(row: Capability) -> None:
    (told,) = re.findall(r"Other rollups are not sliced on (.*?), where nothing is staged", README, re.DOTALL)
    assert (row.title in told) == (row.snapshot == "none")


def test_what_builds_hold_and_take_is_what_was_measured() -> None:
    told = README.partition("The most that a process held")[2].partition("\n\n")[0]
    lines = (ROOT / "tests" / "benchmarks" / "large_source.jsonl").read_text(encoding="utf-8").splitlines()
    measured = [json.loads(line) for line in lines]
    held = [int(text.replace(",", "")) for text in re.findall(r"([0-9,]+)\s+MB", told)]
    assert len(held) == 6
    assert set(held) <= {line["most_memory_mb"] for line in measured}
    of_settings = re.findall(r"`(AGGFLOW_\w+)=(\d+)`.*?([0-9,]+) MB", told, re.DOTALL)
    assert of_settings
    for name, value, megabytes in of_settings:
        lines_of_it = [line for line in measured if line.get("settings") == {name: value}]
        assert int(megabytes) in {line["most_memory_mb"] for line in lines_of_it}


def test_engines_that_give_frames_are_told_to_give_results_whole() -> None:
    (told,) = re.findall(r"small there\. (.*?) give the result of a statement whole", README, re.DOTALL)
    assert {row.title for row in CAPABILITIES.values() if row.arrow == "frame"} <= set(told.split(" and "))


@pytest.mark.parametrize("calculation", Calculation)
def test_every_calculation_is_in_the_readme(calculation: Calculation) -> None:
    assert f"`{calculation.value}`" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!https?://)([^)#]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize(("name", "file"), re.findall(r"\[([Tt]est\w+)\]\((tests/[^)]+)\)", README))
def test_every_test_that_is_named_is_there(name: str, file: str) -> None:
    if name == Path(file).stem:
        assert (ROOT / file).exists()  # all of it
        return
    keyword = "class" if name.startswith("Test") else "def"
    assert re.search(rf"^{keyword} {name}\b", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


# -- over HTTP

OVER_HTTP = README.partition("\n## Over HTTP\n")[2].partition("\n## ")[0]
CURLS = re.findall(r"^```bash\n(.*?)^```", OVER_HTTP, re.MULTILINE | re.DOTALL)
EVERY_FAMILY = [
    "/aggregations/v2/aggrtasks/self",
    "/aggregates-creation/scheduler",
    "/aggregates-creation/execute",
    "/api/v1/data/",
    "/dashboards/aggregate",
    "/api/v1/sources/clicks/events",
    "/api/v1/filters",
]


@pytest.mark.slow
def test_the_tour_over_http_says_what_the_readme_says(tour: Path, tmp_path: Path) -> None:
    """Each block against a service that runs; what stands behind a # was answered."""
    with running(tour / "shop", tmp_path) as service:
        blocks = [text for text in CURLS if not text.startswith("aggflow serve")]
        script = "".join(blocks).replace("http://127.0.0.1:8787", service.url)
        # Any answer that is an error ends it.
        strict = 'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\n'
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", strict + script],
            cwd=tour,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PATH": path},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^# ([\[{].*)$", script, re.MULTILINE)
    assert len(told) >= 3
    for answer in told:
        assert answer.rstrip("…") in done.stdout


@pytest.mark.parametrize("path", EVERY_FAMILY)
def test_each_family_has_its_curl(path: str) -> None:
    assert any(path in text for text in CURLS)
