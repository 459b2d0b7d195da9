from __future__ import annotations

import subprocess
import sys

import pytest

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


@pytest.mark.parametrize(
    ("missing", "code", "said"),
    [
        ("ipywidgets", "aggflow.EndpointBuilder", "af.EndpointBuilder needs ipywidgets, which is not installed"),
        ("fastapi", "__import__('aggflow.cli.serve').cli.serve.serve()", "the service needs fastapi, which is not"),
    ],
)  # fmt: skip
def test_what_needs_an_extra_names_it(missing: str, code: str, said: str) -> None:
    program = f"import sys, aggflow; sys.modules[{missing!r}] = None; {code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"AggflowError: {said}" in done.stderr
    assert "(pip install 'aggflow[" in done.stderr
