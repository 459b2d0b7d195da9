from __future__ import annotations

from typing import Any

import pytest
from measured import INT64, by_hand, duckdb_table, finish, joined, merged, one, sqlite_table

from aggflow.measures.kind import BOOLEAN, FLOAT, INTEGER, TEXT, Kind
from aggflow.spec.calculation import Calculation

FIRST, LAST = Calculation.FIRST, Calculation.LAST


def both(kind: Kind, *rows: tuple[int, Any]) -> list[Any]:
    """First and last of rows that are a cell each."""
    found: list[Any] = []
    for calculation in (FIRST, LAST):
        measure = calculation.value.lower()
        state = joined([by_hand(measure, kind, [row]) for row in rows])
        found += finish(merged(measure, kind, state, [0] * len(rows)), calculation, kind)
    return found


def test_time_decides() -> None:
    assert both(INTEGER, (2, 1), (1, 9), (3, 5)) == [9, 5]
    assert both(FLOAT, (-5, 0.5), (-7, 0.25)) == [0.25, 0.5]


def test_rows_of_one_time_are_told_apart_by_value() -> None:
    assert both(INTEGER, (1, 3), (1, 2), (1, 4)) == [2, 4]
    assert both(INTEGER, (1, INT64[1]), (1, INT64[0]), (1, 0)) == list(INT64)
    assert both(TEXT, (1, "b"), (1, "Z"), (1, "ä")) == ["Z", "ä"]
    assert both(BOOLEAN, (1, True), (1, False)) == [False, True]
    assert both(FLOAT, (1, 1e308), (1, -1e308)) == [-1e308, 1e308]


def test_nulls_are_skipped() -> None:
    assert both(INTEGER, (0, None), (1, 7), (2, None)) == [7, 7]
    assert both(TEXT, (0, None), (1, "x"), (2, None)) == ["x", "x"]
    assert both(TEXT, (0, None), (1, None)) == [None, None]


SELECT = """
select '1970-01-01 00:00:00'::timestamp + to_seconds(s) t, i, f, w, b, d from (values
    (5, null, null, null, null, null),
    (1, -9223372036854775808, -0.5, 'b', true, -1.25::decimal(5,2)),
    (1, 9223372036854775807, 0.5, 'a', false, 1.25),
    (0, null, 'nan'::double, null, null, null)) v(s, i, f, w, b, d)
"""


@pytest.mark.parametrize(
    ("field", "first", "last"), [("i", *INT64), ("f", -0.5, 0.5), ("w", "a", "b"), ("b", False, True)]
)
def test_on_duckdb_ties_and_nulls(field: str, first: Any, last: Any) -> None:
    table = duckdb_table(SELECT)
    assert [one(table, field, c) for c in (FIRST, LAST)] == [first, last]


def test_on_duckdb_decimals_and_times() -> None:
    table = duckdb_table(SELECT)
    assert [str(one(table, "d", c)) for c in (FIRST, LAST)] == ["-1.25", "1.25"]
    # A time is told in epoch milliseconds, as the least and the greatest are.
    assert one(table, "t", LAST) == 5000


def test_on_sqlite() -> None:
    rows = [
        ("1970-01-01 00:00:01", 1, "b"),
        ("1970-01-01 00:00:01", 2, "ä"),
        ("1970-01-01 00:00:09", None, None),
    ]
    table = sqlite_table(("t timestamp", "i integer", "w text"), rows)
    assert [one(table, "i", c) for c in (FIRST, LAST)] == [1, 2]
    assert [one(table, "w", c) for c in (FIRST, LAST)] == ["b", "ä"]
