"""What the README says is true: its code runs, its commands work, its tables are complete."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("calculation", Calculation)
def test_every_calculation_is_in_the_readme(calculation: Calculation) -> None:
    assert f"`{calculation.value}`" in README


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?://)([^)#]+)\)", README))
def test_every_link_leads_somewhere(target: str) -> None:
    assert (ROOT / target).exists()
