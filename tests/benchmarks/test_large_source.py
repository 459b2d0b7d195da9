"""The benchmark of a large source says what was built, and under which settings."""

from __future__ import annotations

import json
from pathlib import Path

import large_source
import pytest


@pytest.mark.slow
def test_a_line_tells_the_groups_and_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_source, "RESULTS", tmp_path / "results.jsonl")
    monkeypatch.setenv("AGGFLOW_BATCH_ROWS", "1000")
    large_source.main(3000, 2)
    (line,) = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert told["settings"] == {"AGGFLOW_BATCH_ROWS": "1000"}
    assert (told["rows"], told["countries"]) == (3000, 2)
    assert told["states"] > 720, "of every hour"
