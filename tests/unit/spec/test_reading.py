"""A reading: what a query needs to be kept, and how its outputs are made of that."""

from __future__ import annotations

import pytest

from aggflow.errors import SpecError
from aggflow.language import Call, Choose, Path, parse_linq
from aggflow.spec.calculation import Calculation
from aggflow.spec.reading import Reading, reading_of
from aggflow.spec.rollup import Kept
from aggflow.timeline import UTC, Interval


def read(text: str) -> Reading:
    return reading_of(parse_linq(text))


@pytest.mark.parametrize(
    ("aggregate", "kept", "percentile"),
    [
        ("count()", Kept(None, "", Calculation.COUNT), None),
        ("count(a)", Kept(None, "@.a", Calculation.COUNT), None),
        ("count(lower(a))", Kept(None, "=isnotnull(lower(a))", Calculation.COUNT), None),
        ("sum(a)", Kept("a", "", Calculation.SUM), None),
        ("avg(a.b)", Kept("@.a.b", "", Calculation.AVG), None),
        ("min(eventdate)", Kept("eventdate", "", Calculation.MIN), None),
        ("max(a - b)", Kept("=a - b", "", Calculation.MAX), None),
        ("stddev(a)", Kept("a", "", Calculation.STDDEV), None),
        ("var(a)", Kept("a", "", Calculation.VAR), None),
        ("median(a)", Kept("a", "", Calculation.PERCENTILES), "0.5"),
        ("percentile95(a)", Kept("a", "", Calculation.PERCENTILES), "0.95"),
        ("percentile(a, 99.9)", Kept("a", "", Calculation.PERCENTILES), "0.999"),
        ("percentile(a, 100)", Kept("a", "", Calculation.PERCENTILES), "1"),
        ("nnfirst(a)", Kept("a", "", Calculation.FIRST), None),
        ("nnlast(a)", Kept("a", "", Calculation.LAST), None),
        ("hllpp(a)", Kept("a", "", Calculation.APPROX_COUNT_DISTINCT), None),
    ],
)
def test_each_aggregate_is_kept_as_one_calculation(
    aggregate: str, kept: Kept, percentile: str | None
) -> None:
    (measured,) = read(f"from t group select {aggregate}").measured
    assert (measured.kept, measured.percentile) == (kept, percentile)


@pytest.mark.parametrize("function", ["first", "last"])
def test_the_first_event_may_have_no_value_which_a_mark_beside_it_says(function: str) -> None:
    reading = read(f"from t group select {function}(a)")
    assert [one.name for one in reading.measured] == [f"{function}(a)", f"{function}(a) is there"]
    assert isinstance(reading.outputs[0].operand, Choose)


def test_a_distinct_count_may_be_a_float() -> None:
    reading = read("from t group select hllppcount(a) as n")
    assert reading.outputs[0].operand == Call("float", (Path(("hllppcount(a)",)),))


def test_names_given_before_the_group_are_said_in_columns() -> None:
    reading = read('from t where a = "x" select b * 2 as c, lower(d) as e group by e, a select sum(c)')
    assert reading.groupings == {"e": "=lower(d)", "a": "a"}
    assert reading.measured[0].kept.field == "=b * 2"


def test_what_is_needed_twice_is_kept_once() -> None:
    reading = read("from t group select sum(a), sum(a) / count() as mean, count()")
    assert [one.name for one in reading.measured] == ["sum(a)", "count()"]


def test_its_rollup_holds_all_of_it_and_nothing_else() -> None:
    rollup = read('from t where a -> "x" group every 1h by b, c select sum(d)').rollup(
        Interval.of("15m"), UTC
    )
    assert (rollup.source, rollup.where, rollup.interval) == ("t", '=has(a, "x")', "15m")
    assert rollup.groupings == ("b", "c")
    assert rollup.kept == (Kept("d", "", Calculation.SUM),)


def test_the_client_s_period_is_what_is_answered() -> None:
    assert read("from t group every 1m by a every 1h").period == Interval.of("1h")
    assert read("from t group every 1m by a").period == Interval.of("1m")
    assert read("from t group by a").period is None


def test_what_is_the_same_for_every_row_is_not_aggregated() -> None:
    with pytest.raises(SpecError, match="the same for every row"):
        read("from t group select sum(1)")
