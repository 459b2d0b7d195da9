from __future__ import annotations

import subprocess
import sys

import aggflow


def test_the_public_names_are_these() -> None:
    # Constants stand first.
    assert aggflow.__all__ == sorted(aggflow.__all__, key=lambda name: (not name.isupper(), name))
    assert len(aggflow.__all__) <= 38  # 32 to declare, build and ask, and six builders
    for name in aggflow.__all__:
        assert getattr(aggflow, name).__doc__
    assert set(aggflow.__all__) <= set(dir(aggflow))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(aggflow, "nothing")


def test_importing_aggflow_is_light() -> None:
    heavy = [
        "ibis",
        "duckdb",
        "pandas",
        "pyarrow",
        "numpy",
        "sqlalchemy",
        "altair",
        "prefect",
        "fastapi",
        "ipywidgets",
    ]
    code = f"import sys, aggflow; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_opening_a_workspace_pulls_in_no_surface() -> None:
    heavy = ["altair", "prefect", "fastapi", "ipywidgets", "typer"]
    code = f"import sys, aggflow; aggflow.Workspace; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
