from __future__ import annotations

import pytest

from aggflow.demo import TOLERANCES, WORST
from aggflow.demo.comparison import _difference
from aggflow.errors import AggflowError


@pytest.mark.parametrize(
    ("name", "ours", "exact"),
    [
        ("flights", 1000, 1001),
        ("average", 1.0, 1.00000001),
        ("p95", 100.6, 100.0),
        ("p95", None, 1.0),
        ("aircraft", 1050, 1000),
    ],
)
def test_a_disagreement_is_an_error(name: str, ours: float | None, exact: float) -> None:
    with pytest.raises(AggflowError, match=f"worst: {name} is {ours} in the rollup, {exact} in the source"):
        _difference(WORST, name, ours, exact)


@pytest.mark.parametrize(
    ("name", "ours", "exact", "difference"),
    [
        ("flights", 1000, 1000, 0),
        ("average", 1.0, 1.0 + 1e-12, 1e-12),
        ("p95", 0.995, 1.0, 0.005),
        ("p95", None, None, 0),
        ("aircraft", 2, 1, 1),
        ("aircraft", 1040, 1000, 0.04),
    ],
)
def test_what_is_allowed_is_no_disagreement(
    name: str, ours: float | None, exact: float | None, difference: float
) -> None:
    assert _difference(WORST, name, ours, exact) == pytest.approx(difference, rel=1e-3)
    assert name in TOLERANCES
