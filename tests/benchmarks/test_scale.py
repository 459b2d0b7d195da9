from __future__ import annotations

import json
from pathlib import Path

import pytest
import scale


@pytest.mark.slow
def test_every_experiment_measures_what_it_says(tmp_path: Path) -> None:
    """With the least that there can be; how long it takes is of no interest here."""
    for name, (make, sizes) in scale.EXPERIMENTS.items():
        assert list(sizes) == sorted(set(sizes))
        if name in ("events", "groups"):
            continue
        work = make(tmp_path / name, sizes[0])
        assert work
        for do in work.values():
            do()


def test_runs_are_put_together(tmp_path: Path) -> None:
    about: dict[str, object] = {"rounds": 1}
    scale.write(tmp_path, {"tasks": {"pass": {10: 0.001, 100: 0.01, 1000: 0.1}}}, about)
    scale.write(tmp_path, {"events": {"build": {10: 2.0, 1000: 2.0}}}, about)
    found = json.loads((tmp_path / "scale.json").read_text())
    assert set(found["seconds"]) == {"tasks", "events"}
    lines = (tmp_path / "scale.md").read_text().splitlines()
    assert "| events | build | 10: 2.00 s · 1,000: 2.00 s | size^0.0 |" in lines
    assert "| tasks | pass | 10: 1.00 ms · 100: 10.00 ms · 1,000: 100.00 ms | size^1.0 |" in lines


def test_the_law_is_the_exponent() -> None:
    sizes = [10, 100, 1000]
    assert scale.exponent(sizes, [size**0.5 for size in sizes]) == pytest.approx(0.5)
    assert scale.exponent(sizes, [size**2 for size in sizes]) == pytest.approx(2)
