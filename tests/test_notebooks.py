"""The tutorials: each runs, shows what it showed when it was written, and is fit to be given away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
TUTORIALS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
LARGEST = 300_000  # bytes
# Where a machine keeps what is its own: homes and temporary folders.
OF_A_MACHINE = re.compile(r"(?<![\w:/])/(?:tmp|root|home|Users|private|var/folders)/")

by_tutorial = pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)


def _cells(tutorial: Path) -> list[dict[str, Any]]:
    return json.loads(tutorial.read_text(encoding="utf-8"))["cells"]


def _clean_environment(folder: Path) -> dict[str, str]:
    """This environment without settings of aggflow, Prefect and IPython."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AGGFLOW_", "PREFECT_"))}
    return own | {"IPYTHONDIR": str(folder), "PYTHONHASHSEED": "random"}


@pytest.mark.slow
@by_tutorial
def test_a_tutorial_shows_what_it_showed(tutorial: Path, tmp_path: Path) -> None:
    # In a process of its own: warnings and doctests are this suite's matter, not a reader's.
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(FOLDER / "nbval.cfg")]
    quiet = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(FOLDER), "-q", "--color=no"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--nbval-cell-timeout=240", *quiet, str(tutorial)],
        cwd=FOLDER,
        env=_clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_there_are_tutorials() -> None:
    assert [path.stem[:2] for path in TUTORIALS] == [
        f"{number:02}" for number in range(1, len(TUTORIALS) + 1)
    ]
    assert len(TUTORIALS) >= 8


@by_tutorial
def test_a_tutorial_was_run_from_top_to_bottom(tutorial: Path) -> None:
    counts = [cell["execution_count"] for cell in _cells(tutorial) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not [
        o for cell in _cells(tutorial) for o in cell.get("outputs", []) if o["output_type"] == "error"
    ]


@by_tutorial
def test_a_tutorial_is_small_and_tells_nothing_of_a_machine(tutorial: Path) -> None:
    assert tutorial.stat().st_size < LARGEST
    outputs = json.dumps([cell.get("outputs", []) for cell in _cells(tutorial)])
    assert OF_A_MACHINE.findall(outputs) == []


@by_tutorial
def test_the_links_of_a_tutorial_lead_somewhere(tutorial: Path) -> None:
    text = "\n".join("".join(cell["source"]) for cell in _cells(tutorial) if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", text):
        assert (FOLDER / target).exists(), target


@by_tutorial
def test_a_tutorial_ends_with_an_exercise(tutorial: Path) -> None:
    texts = ["".join(cell["source"]) for cell in _cells(tutorial) if cell["cell_type"] == "markdown"]
    assert texts[0].startswith(f"# {int(tutorial.stem[:2])} · ")
    assert "## Exercise" in texts[-1]
