from __future__ import annotations

import decimal
from decimal import Decimal

import numpy as np
import pytest
from measured import INT64, OVERFLOW, arrow, by_hand, duckdb_table, joined, merged, one, pa, sqlite_table

from aggflow.errors import TotalOverflowError
from aggflow.measures.additive import Total, finite, scaled
from aggflow.measures.kind import FLOAT, INTEGER, Kind
from aggflow.spec.calculation import Calculation

SUM, AVG, COUNT = Calculation.SUM, Calculation.AVG, Calculation.COUNT
BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
TYPES = [*BITS, *(f"u{name}" for name in BITS)]


@pytest.mark.parametrize("type_", TYPES)
def test_sums_of_every_integer_type_are_exact(type_: str) -> None:
    bits = BITS[type_.removeprefix("u")]
    most = 2**bits - 1 if type_.startswith("u") else 2 ** (bits - 1) - 1
    least = 0 if type_.startswith("u") else -most - 1
    most = min(most, INT64[1])
    values = [most, least, 1, 0] if bits < 64 else [most, least, 0]
    listed = ", ".join(f"(cast({value} as {type_}))" for value in values)
    table = duckdb_table(f"select timestamp '1970-01-01' t, x from (values {listed}, (null)) v(x)")
    assert one(table, "x", SUM) == sum(values)
    assert one(table, "x", AVG) == pytest.approx(sum(values) / len(values), rel=1e-15)


def test_many_narrow_integers_do_not_wrap() -> None:
    table = duckdb_table("select timestamp '1970-01-01' t, 2147483647::integer x from range(10)")
    assert one(table, "x", SUM) == 10 * (2**31 - 1)


def test_partial_sums_may_leave_64_bits_as_long_as_the_whole_fits() -> None:
    parts = [[(0, INT64[1])] * 3, [(0, INT64[0])] * 3, [(0, 5)]]
    state = joined([by_hand("total", INTEGER, rows) for rows in parts])
    state = merged("total", INTEGER, merged("total", INTEGER, state, [0, 1, 1]), [0, 0])
    assert Total().finish(state, SUM, INTEGER, None).to_list() == [2]


@pytest.mark.parametrize("edge", INT64)
def test_the_last_number_of_64_bits_fits_and_the_next_is_an_error(edge: int) -> None:
    step = 1 if edge > 0 else -1
    fits = joined([by_hand("total", INTEGER, [(0, edge - step)]), by_hand("total", INTEGER, [(0, step)])])
    assert Total().finish(merged("total", INTEGER, fits, [0, 0]), SUM, INTEGER, None).to_list() == [edge]
    over = joined([by_hand("total", INTEGER, [(0, edge)]), by_hand("total", INTEGER, [(0, step)])])
    with pytest.raises(TotalOverflowError, match="64-bit"):
        Total().finish(merged("total", INTEGER, over, [0, 0]), SUM, INTEGER, None)


def test_low_limbs_carry_into_the_high_ones() -> None:
    cells = 1000
    state = joined([by_hand("total", INTEGER, [(0, 2**32 - 1), (0, -1)])] * cells)
    merged_state = merged("total", INTEGER, state, [0] * cells)
    assert Total().finish(merged_state, SUM, INTEGER, None).to_list() == [cells * (2**32 - 2)]
    assert merged_state["low"][0] < 2**32  # type: ignore[index] - no sketch


def test_averages_never_overflow() -> None:
    table = duckdb_table(f"select timestamp '1970-01-01' t, {INT64[1]}::bigint x from range(100)")
    assert one(table, "x", AVG) == float(INT64[1])


def test_decimals_finish_as_decimals_beyond_64_bits_too() -> None:
    kind = Kind("decimal", 2)
    values = [Decimal("92233720368547758.07")] * 3
    state = by_hand("total", kind, [(0, value) for value in values])
    with decimal.localcontext(prec=3):  # what a program rounds to is no matter
        (total,) = Total().finish(state, SUM, kind, None).to_list()
    assert str(total) == "276701161105643274.21"


@pytest.mark.parametrize(
    "type_", ["decimal(4,2)", "decimal(9,4)", "decimal(18,2)", "decimal(18,3)", "decimal(38,10)"]
)
def test_decimals_of_every_width_are_exact(type_: str) -> None:
    width, scale = (int(part) for part in type_[8:-1].split(","))
    most = Decimal(10 ** min(width, 18) - 1).scaleb(-scale)
    table = duckdb_table(
        f"select timestamp '1970-01-01' t, x from (values (cast({most} as {type_})), (cast({-most} as {type_})), (0.01), (null)) v(x)"
    )
    assert one(table, "x", SUM) == Decimal("0.01")
    assert one(table, "x", Calculation.MAX) == most
    assert one(table, "x", Calculation.MIN) == -most


def test_floats_are_added_and_leave_nulls_and_what_is_no_number_out() -> None:
    table = arrow(
        {
            "t": (pa.timestamp("us"), [0] * 6),
            "x": (pa.float64(), [0.1, 0.2, None, float("nan"), float("inf"), 3e-320]),
        }
    )
    assert one(table, "x", SUM) == pytest.approx(0.3, rel=1e-15)
    assert one(table, "x", AVG) == pytest.approx(0.1, rel=1e-15)
    assert one(table, "x", COUNT) == 6


def test_no_number_has_no_sum_and_is_counted_as_zero() -> None:
    state = by_hand("total", FLOAT, [(0, None)])
    assert Total().finish(state, SUM, FLOAT, None).to_list() == [None]
    assert Total().finish(state, AVG, FLOAT, None).to_list() == [None]


def test_float_sums_beyond_the_range_are_an_error() -> None:
    for values in ([1e308, 1e308], [1e308, 1e308, -1e308, -1e308]):
        rows = ", ".join(f"({value!r}::double)" for value in values)
        table = duckdb_table(f"select timestamp '1970-01-01' t, x from (values {rows}) v(x)")
        assert one(table, "x", SUM) == OVERFLOW
    with pytest.raises(TotalOverflowError, match="floating-point"):
        finite(np.array([0.0, np.nan]), "sum")


def test_sqlite_adds_integers_by_limbs() -> None:
    rows = [("1970-01-01 00:00:00", value) for value in (INT64[1], INT64[0], INT64[1], -2, None)]
    assert one(sqlite_table(("t timestamp", "x bigint"), rows), "x", SUM) == INT64[1] - 3


def test_scaled_keeps_every_digit() -> None:
    assert scaled(np.array(INT64), Kind("decimal", 5)).tolist() == [Decimal(v).scaleb(-5) for v in INT64]
    assert scaled(np.zeros(0, dtype=np.int64), Kind("decimal", 2)).dtype == object
