"""The extra ``demo``: what the demo needs beside the package itself."""

from __future__ import annotations

from importlib.util import find_spec

from aggflow.errors import AggflowError


def need(*modules: str) -> None:
    """Make sure of modules that the extra installs.

    Raises
    ------
    AggflowError
        Some of them are not there.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise AggflowError(f"the demo needs {', '.join(missing)}", hint="pip install 'aggflow[demo]'")
