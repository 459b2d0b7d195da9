from __future__ import annotations

import pytest
from measured import INT64, by_hand, duckdb_table, finish, joined, merged, one, sqlite_table

from aggflow.measures.kind import FLOAT, INTEGER, Kind
from aggflow.spec.calculation import Calculation

MIN, MAX = Calculation.MIN, Calculation.MAX


@pytest.mark.parametrize("values", [INT64, (INT64[1],), (INT64[0],), (0,)])
def test_the_ends_of_64_bits_are_values_like_others(values: tuple[int, ...]) -> None:
    state = joined(
        [by_hand("extremes", INTEGER, []), *(by_hand("extremes", INTEGER, [(0, v)]) for v in values)]
    )
    state = merged("extremes", INTEGER, state, [0] * (len(values) + 1))
    assert finish(state, MIN, INTEGER) == [min(values)]
    assert finish(state, MAX, INTEGER) == [max(values)]


def test_a_group_without_a_number_has_none() -> None:
    for kind in (INTEGER, FLOAT, Kind("decimal", 3)):
        state = merged("extremes", kind, joined([by_hand("extremes", kind, [])] * 2), [0, 0])
        assert finish(state, MIN, kind) == finish(state, MAX, kind) == [None]


def test_floats_keep_every_bit() -> None:
    table = duckdb_table(
        "select timestamp '1970-01-01' t, x from (values (5e-324::double), (1.7976931348623157e308::double), (0.1::double), ('nan'::double), ('-inf'::double), (null)) v(x)"
    )
    assert one(table, "x", MIN) == 5e-324
    assert one(table, "x", MAX) == 1.7976931348623157e308


def test_decimals_come_back_as_decimals() -> None:
    table = duckdb_table(
        "select timestamp '1970-01-01' t, x from (values (-1.50::decimal(5,2)), (0.29)) v(x)"
    )
    assert [str(one(table, "x", c)) for c in (MIN, MAX)] == ["-1.50", "0.29"]


def test_an_unsigned_integer_that_does_not_fit_is_no_silent_number() -> None:
    table = duckdb_table("select timestamp '1970-01-01' t, 18446744073709551615::ubigint x")
    with pytest.raises(Exception, match="out of range"):
        one(table, "x", MAX)


def test_on_sqlite() -> None:
    rows = [
        ("1970-01-01 00:00:00", value, f) for value, f in ((INT64[0], -0.5), (INT64[1], 9e999), (None, None))
    ]
    table = sqlite_table(("t timestamp", "x bigint", "f real"), rows)
    assert [one(table, "x", c) for c in (MIN, MAX)] == list(INT64)
    assert [one(table, "f", c) for c in (MIN, MAX)] == [-0.5, -0.5]
