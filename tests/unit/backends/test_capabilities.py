"""The capability table is the one place that knows backends by name."""

from __future__ import annotations

import re
from pathlib import Path

import ibis
import pytest

import aggflow
from aggflow.backends.capabilities import CAPABILITIES, capability
from aggflow.errors import UnsupportedError

PACKAGE = Path(aggflow.__file__).parent
# These open files and read what only a driver knows.
THAT_CONNECT = {"capabilities.py", "connect.py", "errors.py", "memory.py"}
# Its ledger is a file of the standard library's sqlite3, whatever the backend.
LEDGER = r"sqlite3\.|import sqlite3|sqlite_master"


@pytest.mark.parametrize("name", CAPABILITIES)
def test_every_row_is_of_a_backend_of_ibis(name: str) -> None:
    row = capability(name)
    assert row.name == name
    assert name in {entry.name for entry in ibis.util.backend_entry_points()} or not row.tried
    assert bool(row.micros_function) == (row.micros in ("function", "instant", "text", "seconds"))


def test_a_backend_without_a_row_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        UnsupportedError, match=r"sources on 'sqllite' are not supported.*did you mean 'sqlite'"
    ):
        capability("sqllite")


@pytest.mark.parametrize(
    "module",
    [
        module
        for folder in ("backends", "engine")
        for module in sorted((PACKAGE / folder).glob("*.py"))
        if module.name not in THAT_CONNECT
    ],
    ids=lambda path: path.name,
)
def test_no_other_module_asks_for_a_backend_by_name(module: Path) -> None:
    code = re.sub(rf'"""[\s\S]*?"""|#.*|{LEDGER}', "", module.read_text(encoding="utf-8"))
    assert not re.findall(r"\b(duckdb|sqlite|postgres|mysql|(?:can|con)\.name\s*==)", code)
