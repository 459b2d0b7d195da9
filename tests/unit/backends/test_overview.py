"""The README's table of backends is that of the capability table."""

from __future__ import annotations

import re
from pathlib import Path

import aggflow
from aggflow.backends.capabilities import CAPABILITIES
from aggflow.backends.overview import overview

README = Path(aggflow.__file__).parents[1] / "README.md"
_MARKED = re.compile(r"<!-- backends -->\n(.*?)\n<!-- /backends -->", re.DOTALL)


def test_every_backend_has_a_row_and_every_row_all_columns() -> None:
    head, _, *rows = overview().splitlines()
    assert len(rows) == len(CAPABILITIES)
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}
    for can, row in zip(CAPABILITIES.values(), rows, strict=True):
        assert row.startswith(f"| {can.title} | `{can.schemes[0]}://")
        assert ("compiled, not run" in row) == (not can.tried)


def test_the_table_in_the_readme_is_the_generated_one() -> None:
    found = _MARKED.search(README.read_text(encoding="utf-8"))
    assert found, "the README has a place for the table"
    assert found[1].strip() == overview()
