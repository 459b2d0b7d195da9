"""The load benchmark: it runs, its answers are checked, its table has every case; times are not looked at."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import load
import pytest
from load_home import present
from load_service import SCRIPT
from load_watch import Watch, questions

CASES = (
    "constant",
    "uncached 24-hour total",
    "uncached 7-day hourly series",
    "24-hour total of other carriers each time",
    "7-day series of other carriers each time",
    "24-hour total, end = now",
    "kept 24-hour total",
    "kept 7-day hourly series",
    "not modified (304)",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> load.Bench:
    return load.Bench.make(tmp_path_factory.mktemp("load"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_small_load(bench: load.Bench, tmp_path: Path) -> None:
    assert SCRIPT.exists()
    held = load.Load(connections=[2], rounds=1, seconds=1)
    held.put(bench, workers=1)
    load.write(tmp_path, held.results, {"rounds": 1})
    found = json.loads((tmp_path / "load.json").read_text())["rounds"]["1"]
    assert set(found) == set(CASES)
    for rounds in found.values():
        (counted,) = rounds["2"]
        assert counted["requests"] > 0
        assert counted["failed"] == 0
        assert 0 < counted["p50"] <= counted["p99"] <= counted["longest"]
    lines = (tmp_path / "load.md").read_text().splitlines()
    assert len(lines) == 2 + 2 + len(CASES)
    assert any(line.startswith("| 1 | constant | 2 | ") and "| 1.00 |" in line for line in lines)


def test_answers_of_neither_state_are_found(bench: load.Bench) -> None:
    since = present()
    watch = Watch(["http://127.0.0.1:9"], bench.token, bench.home, bench.expected, bench.ids)
    for asked in questions(bench.home):
        hour = None if asked.end else since.replace(minute=0, second=0, microsecond=0)
        a, b = (bench.expected.rows[asked.name, state, hour] for state in ("a", "b"))
        assert bench.expected.state(asked, a, since, since) == "a"
        assert bench.expected.state(asked, b, since, since) == "b"
        # Half of one and half of the other, as an answer would be that reads while a build commits.
        mixed = [
            {**row, "fields": {**row["fields"], "average": other["fields"]["average"]}}
            for row, other in zip(a, b, strict=True)
        ]
        assert bench.expected.state(asked, mixed, since, since) is None
    with pytest.raises(AssertionError, match="never seen: 24-hour total in state a"):
        watch.check()
    watch.wrong.append("24-hour total: 200 []")
    with pytest.raises(AssertionError, match="1 answers are of neither state"):
        watch.check()


def test_states_that_cannot_be_told_apart_are_refused(bench: load.Bench) -> None:
    expected = dataclasses.replace(bench.expected)
    expected.check()
    name, _, hour = next(iter(expected.rows))
    same = dict(expected.rows)
    same[name, "b", hour] = same[name, "a", hour]
    with pytest.raises(AssertionError, match="both states give the same"):
        dataclasses.replace(expected, rows=same).check()
