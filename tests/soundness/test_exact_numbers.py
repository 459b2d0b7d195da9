"""No wrong number without an error: what a state could round, wrap or truncate in silence."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from measured import INT64, OVERFLOW, duckdb_table, one, sqlite_table

import aggflow as af
from aggflow.errors import SourceTypeError
from aggflow.spec.calculation import Calculation

Aggregation: Any = af.Aggregation
SUM, AVG, LAST, MAX = Calculation.SUM, Calculation.AVG, Calculation.LAST, Calculation.MAX


def test_decimals_that_are_kept_as_floats_lose_no_cent() -> None:
    # 0.29 * 100 is 28.999999999999996: cut to a whole number, it would be 28 cents.
    cents = range(-300, 300)
    rows = [("1970-01-01 00:00:00", n / 100) for n in cents]
    table = sqlite_table(("t timestamp", "x decimal(10, 2)"), [*rows, ("1970-01-01 00:00:00", 0.29)])
    assert one(table, "x", SUM) == Decimal(sum(cents) + 29).scaleb(-2)
    assert one(sqlite_table(("t timestamp", "x decimal(10, 2)"), rows[329:330]), "x", MAX) == Decimal("0.29")


@pytest.mark.parametrize("n", [2**53 + 1, -(2**53) - 1, *INT64])
def test_integers_pass_through_no_float(n: int) -> None:
    # A double has no digit for the last one of 2**53 + 1.
    for table in (
        duckdb_table(f"select timestamp '1970-01-01' t, cast({n} as bigint) x"),
        sqlite_table(("t timestamp", "x bigint"), [("1970-01-01 00:00:00", n)]),
    ):
        for calculation in (SUM, Calculation.MIN, MAX, Calculation.FIRST, LAST):
            assert one(table, "x", calculation) == n


def test_sums_do_not_wrap_around() -> None:
    # numpy adds int64 modulo 2**64 without a word: 2 * (2**63 - 1) would be -2.
    table = duckdb_table(f"select timestamp '1970-01-01' t, {INT64[1]} x from range(2)")
    assert one(table, "x", SUM) == OVERFLOW
    assert one(table, "x", AVG) == float(INT64[1])


def test_what_does_not_fit_is_an_error() -> None:
    # An unsigned or 128-bit number that is no int64 must not become one.
    for value in (f"{2**64 - 1}::ubigint", f"{2**100}::hugeint", "12345678901234567890.12::decimal(38,2)"):
        table = duckdb_table(f"select timestamp '1970-01-01' t, {value} x")
        with pytest.raises(SourceTypeError):
            one(table, "x", MAX)


def test_unsigned_numbers_are_groupings_up_to_the_largest(tmp_path: Path) -> None:
    # Some hours have large ones, and some none: their states stand in one segment.
    hours, most = range(48), 2**64 - 1
    value = {hour: most - hour % 2 if hour % 3 == 0 else hour % 5 for hour in hours}
    with duckdb.connect(str(tmp_path / "e.ddb")) as con:
        con.execute("CREATE TABLE e (t TIMESTAMP, g UBIGINT)")
        for hour in hours:
            con.execute(
                f"INSERT INTO e VALUES (TIMESTAMP '2024-01-01' + INTERVAL {hour} HOUR, {value[hour]})"
            )
    ws = af.open(tmp_path / "home")
    ws.settings = ws.settings.model_copy(update={"slice_rows": 2, "batch_rows": 30})
    ws.add_source("e", f"duckdb://{tmp_path / 'e.ddb'}", table="e", time="t")
    ws.add_filter("f", source="e", interval="1h", groupings=["g"], aggregations=[Aggregation("n")])
    days, fields = af.Lookback("90d"), [af.Field("n", "n", Calculation.COUNT)]
    ws.add_endpoint("by g", filter="f", timing=days, groupings={"g": af.All()}, fields=fields)
    expected = Counter(value.values())
    for live in (True, False):
        answer = ws.query("by g", end="2024-01-10", live=live)
        assert {row["groupings"]["g"]: row["fields"]["n"] for row in answer.rows} == expected
        assert dict(zip(*answer.to_arrow().to_pydict().values(), strict=True)) == expected
        asked = ws.linq(
            f"from e where g >= {most - 1} group by g select count() as n",
            start="2024-01-01",
            end="2024-01-10",
            live=live,
        )
        assert sorted(row["fields"]["n"] for row in asked.rows) == [expected[most], expected[most - 1]]
        ws.build("f", progress=False)
        ws.maintain()
    ws.close()


def test_the_last_of_equal_times_is_the_largest_even_at_the_least_integer() -> None:
    # To sort downwards by negating fails for the one integer that is its own negative.
    table = duckdb_table(
        f"select timestamp '1970-01-01' t, x from (values (cast({INT64[0]} as bigint)), (5)) v(x)"
    )
    assert one(table, "x", LAST) == 5


def test_a_percentile_counts_in_whole_numbers() -> None:
    # ceil(0.07 * 100) is 8 with floats, and the 7th of 100 the right one.
    table = duckdb_table(
        "select timestamp '1970-01-01' t, 10 ** (i // 10) * (1 + i % 10) x from range(100) r(i)"
    )
    assert one(table, "x", Calculation.PERCENTILES, "0.07") == pytest.approx(7, rel=0.005)


def test_numbers_that_are_none_are_left_out_on_every_backend() -> None:
    # One infinity would make every later sum of its group infinite.
    rows = [("1970-01-01 00:00:00", value) for value in (1.5, 9e999, -9e999, None)]
    select = "select timestamp '1970-01-01' t, x from (values (1.5::double), ('inf'), ('-inf'), ('nan'), (null)) v(x)"
    for table in (sqlite_table(("t timestamp", "x real"), rows), duckdb_table(select)):
        assert one(table, "x", SUM) == one(table, "x", AVG) == one(table, "x", MAX) == 1.5
