from __future__ import annotations

import math

import numpy as np
import pytest
from measured import (
    MOMENTS,
    arrow,
    built,
    by_hand,
    duckdb_table,
    finish,
    joined,
    merged,
    one,
    pa,
    sqlite_table,
)

from aggflow.errors import TotalOverflowError
from aggflow.measures.kind import FLOAT, INTEGER
from aggflow.measures.moments import Moments, shift_of
from aggflow.spec.rollup import Kept

VAR, VAR_POP, STDDEV, STDDEV_POP = MOMENTS


@pytest.mark.parametrize("mean", [0.0, 1e9, -1e9])
def test_variance_one_around_a_large_mean_after_merging_a_thousand_parts(
    mean: float, rng: np.random.Generator
) -> None:
    values = mean + rng.standard_normal(100_000)
    table = arrow(
        {
            "t": (pa.timestamp("us"), np.zeros(len(values), dtype=np.int64)),
            "part": (pa.int64(), np.arange(len(values)) % 1000),
            "x": (pa.float64(), values),
        }
    )
    made = built(table, [Kept("x", "", VAR_POP)], ("part",))
    (state,) = made.grains[0].states.values()
    whole = merged("moments", FLOAT, state, [0] * 1000)
    apart = (values - mean).astype(np.longdouble)  # exact: half and twice the mean are far away
    true = float(((apart - apart.mean()) ** 2).mean())
    assert finish(whole, VAR_POP, FLOAT) == [pytest.approx(true, rel=1e-9)]
    assert finish(whole, STDDEV, FLOAT) == [pytest.approx(math.sqrt(true * 1e5 / (1e5 - 1)), rel=1e-9)]
    # At once, as a cell of its own.
    assert one(table, "x", VAR_POP) == pytest.approx(true, rel=1e-9)


def test_integers_beyond_the_digits_of_floats() -> None:
    table = duckdb_table("select timestamp '1970-01-01' t, 1700000000000000000 + i x from range(1000) r(i)")
    assert one(table, "x", VAR_POP) == pytest.approx((1000**2 - 1) / 12, rel=1e-9)


@pytest.mark.parametrize("constant", [0.1, 1e9 + 0.1, -3.0, 1e300, 5e-324])
def test_a_constant_does_not_vary(constant: float) -> None:
    table = duckdb_table(
        f"select timestamp '1970-01-01' t, {constant!r}::double x, i % 7 part from range(100) r(i)"
    )
    assert one(table, "x", STDDEV) == 0
    made = built(table, [Kept("x", "", VAR)], ("part",))
    (state,) = made.grains[0].states.values()
    assert finish(merged("moments", FLOAT, state, [0] * 7), VAR, FLOAT) == [0]


def test_too_few_numbers_have_no_variance() -> None:
    none, single = by_hand("moments", FLOAT, []), by_hand("moments", FLOAT, [(0, 3.0)])
    assert [finish(none, c, FLOAT) for c in MOMENTS] == [[None]] * 4
    assert finish(single, VAR, FLOAT) == finish(single, STDDEV, FLOAT) == [None]
    assert finish(single, VAR_POP, FLOAT) == finish(single, STDDEV_POP, FLOAT) == [0.0]
    two = merged("moments", FLOAT, joined([single, none, by_hand("moments", FLOAT, [(0, 5.0)])]), [0, 0, 0])
    assert [finish(two, c, FLOAT)[0] for c in (VAR, VAR_POP)] == [2.0, 1.0]
    assert finish(two, STDDEV, FLOAT) == [pytest.approx(math.sqrt(2))]


def test_means_far_apart_do_not_swallow_one_another() -> None:
    small = [(0, 1e-3), (0, 2e-3)]
    state = joined([by_hand("moments", FLOAT, small), by_hand("moments", FLOAT, [(0, 1e300)])])
    apart = merged("moments", FLOAT, state, [0, 1])
    assert finish(apart, VAR_POP, FLOAT)[0] == pytest.approx(2.5e-7, rel=1e-12)


def test_squares_beyond_the_range_are_an_error() -> None:
    state = joined([by_hand("moments", FLOAT, [(0, 1e308)]), by_hand("moments", FLOAT, [(0, -1e308)])])
    state = merged("moments", FLOAT, state, [0, 0])
    with pytest.raises(TotalOverflowError):
        Moments().finish(state, VAR, FLOAT, None)


def test_decimals_vary_in_their_own_unit() -> None:
    table = duckdb_table(
        "select timestamp '1970-01-01' t, x from (values (1.10::decimal(9,2)), (1.30), (null)) v(x)"
    )
    assert one(table, "x", VAR_POP) == pytest.approx(0.01, rel=1e-12)


def test_on_sqlite() -> None:
    rows = [("1970-01-01 00:00:00", 1e9 + i % 3) for i in range(300)]
    table = sqlite_table(("t timestamp", "x real"), rows)
    assert one(table, "x", VAR_POP) == pytest.approx(2 / 3, rel=1e-9)


def test_merged_parts_of_integers_equal_the_whole(rng: np.random.Generator) -> None:
    values = rng.integers(-(2**31), 2**31, 500).tolist()
    parts = joined([by_hand("moments", INTEGER, [(0, v) for v in values[i::9]]) for i in range(9)])
    whole = merged("moments", INTEGER, parts, [0] * 9)
    assert finish(whole, VAR, INTEGER) == [pytest.approx(np.var(values, ddof=1), rel=1e-12)]


def test_a_shift_is_only_taken_where_it_loses_nothing() -> None:
    for least, most in ((1.0, 2.0), (-2.0, -1.0), (7, 7)):
        assert shift_of(least, most) == least
    for least, most in (
        (0.0, 1.0),
        (-1.0, 1.0),
        (1.0, 2.1),
        (-2.1, -1.0),
        (-1e308, 1e308),
        (-(2**63), 2**63 - 1),
    ):
        assert shift_of(least, most) == 0
