"""Laws of states: merging is associative, commutative and has a neutral element; parts make the whole.

For every measure and kind of field, on states made by hand, and on states that DuckDB and SQLite
built, with values computed in Fractions as the oracle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured import (
    ANY,
    INT64,
    MOMENTS,
    NUMERIC,
    OVERFLOW,
    Built,
    agree,
    arrow,
    built,
    by_hand,
    exact,
    finish,
    joined,
    merged,
    same,
    sqlite_table,
    taken,
)

from aggflow.measures.kind import BOOLEAN, FLOAT, INTEGER, TEXT, Kind
from aggflow.measures.registry import MEASURES, measure_of
from aggflow.measures.state import State
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept

DECIMAL = Kind("decimal", 2)
_EDGES = [0, 1, -1, 2**32, -(2**32), 2**32 - 1, 2**31, *INT64]

integers = st.one_of(st.integers(-5, 5), st.sampled_from(_EDGES), st.integers(*INT64))
cents = st.one_of(st.integers(-300, 300), st.integers(-(10**17) + 1, 10**17 - 1))
decimals = cents.map(lambda n: Decimal(n).scaleb(-2))
finite = st.floats(allow_nan=False, allow_infinity=False)
floats = st.one_of(
    finite, st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, 1.7976931348623157e308])
)
# Squares of these are no more than a float can be, and no less than a normal one.
mild = st.one_of(
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.floats(1e9, 1e9 + 10),
    st.sampled_from([0.0, 1e100, -1e100]),
).map(lambda x: 0.0 if abs(x) < 1e-100 else x)
texts = st.one_of(st.sampled_from(["", "a", "b", "ä", "😀", "null"]), st.text("abc é√", max_size=4))

POOLS: dict[tuple[str, Kind], st.SearchStrategy[Any]] = {
    **{(m, INTEGER): integers for m in ("total", "extremes", "moments", "quantile")},
    **{(m, DECIMAL): decimals for m in ("total", "extremes", "moments", "quantile")},
    **{(m, FLOAT): mild for m in ("total", "moments")},
    **{(m, FLOAT): floats for m in ("extremes", "quantile")},
    **{
        (m, kind): pool
        for m in ("count", "first", "last", "distinct")
        for kind, pool in (
            (INTEGER, integers),
            (DECIMAL, decimals),
            (FLOAT, floats),
            (TEXT, texts),
            (BOOLEAN, st.booleans()),
        )
    },
}
CASES = [pytest.param(m, kind, id=f"{m} of {kind}") for m, kind in POOLS]
# Floats are not associative in their last digits: their values are compared, not their states.
ROUNDED = {("total", FLOAT), ("moments", INTEGER), ("moments", DECIMAL), ("moments", FLOAT)}
PERCENTILES = ["0", "0.07", "0.5", "0.95", "0.999", "1"]


def test_every_measure_is_tried() -> None:
    assert {measure for measure, _ in POOLS} == set(MEASURES)


def row_lists(pool: st.SearchStrategy[Any]) -> st.SearchStrategy[list[list[tuple[int, Any]]]]:
    row = st.tuples(st.integers(0, 3), st.one_of(st.none(), pool))
    return st.lists(st.lists(row, max_size=5), min_size=1, max_size=6)


def percentiles_of(calculation: Calculation) -> Sequence[str | None]:
    return PERCENTILES if calculation is Calculation.PERCENTILES else [None]


@pytest.mark.parametrize(("measure", "kind"), CASES)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_parts_make_the_whole_in_any_order_and_nesting(measure: str, kind: Kind, data: st.DataObject) -> None:
    parts = data.draw(row_lists(POOLS[measure, kind]))
    state = joined([by_hand(measure, kind, rows) for rows in parts])
    together = [0] * len(parts)

    whole = merged(measure, kind, state, together)
    everything = [row for rows in parts for row in rows]
    if (measure, kind) not in ROUNDED:
        assert same(whole, merged(measure, kind, by_hand(measure, kind, everything), [0]))

    shuffled = data.draw(st.permutations(range(len(parts))))
    again = merged(measure, kind, taken(state, shuffled), together)
    split = data.draw(st.lists(st.integers(0, 2), min_size=len(parts), max_size=len(parts)))
    numbers = {code: i for i, code in enumerate(sorted(set(split)))}
    nested = merged(measure, kind, state, [numbers[code] for code in split])
    nested = merged(measure, kind, nested, [0] * len(numbers))
    for other in (again, nested):
        assert_alike(measure, kind, other, whole, [everything])


def assert_alike(
    measure: str, kind: Kind, ours: State, other: State, rows: Sequence[Sequence[tuple[int, Any]]]
) -> None:
    """Assert that two states are equal, and that ours is finished as what is exact of each cell's rows."""
    assert (measure, kind) in ROUNDED or same(ours, other)
    for calculation in MEASURES[measure].calculations:
        if calculation in (Calculation.COUNT, Calculation.APPROX_COUNT_DISTINCT):
            continue  # by hand they count values and random hashes
        for percentile in percentiles_of(calculation):
            for value, mine in zip(finish(ours, calculation, kind, percentile), rows, strict=True):
                true = exact(calculation, kind, mine, percentile)
                assert agree(calculation, kind, value, true, mine), (calculation, percentile, value, true)


@pytest.mark.parametrize(("measure", "kind"), CASES)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_the_neutral_state_changes_nothing(measure: str, kind: Kind, data: st.DataObject) -> None:
    parts = data.draw(row_lists(POOLS[measure, kind]))
    neutral = by_hand(measure, kind, [])
    state = joined([by_hand(measure, kind, rows) for rows in parts])
    place = data.draw(st.integers(0, len(parts)))
    order = [*range(place), len(parts), *range(place, len(parts))]
    with_neutral = taken(joined([state, neutral]), order)
    without = merged(measure, kind, state, [0] * len(parts))
    with_neutral = merged(measure, kind, with_neutral, [0] * len(order))
    assert_alike(measure, kind, with_neutral, without, [[row for rows in parts for row in rows]])
    # And alone it finishes as nothing.
    for calculation in MEASURES[measure].calculations:
        counts = calculation in (Calculation.COUNT, Calculation.APPROX_COUNT_DISTINCT)
        nothing = merged(measure, kind, joined([neutral, neutral]), [0, 0])
        assert finish(nothing, calculation, kind, "0.5") == [0 if counts else None]


@pytest.mark.parametrize(("measure", "kind"), CASES)
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_groups_do_not_touch_one_another(measure: str, kind: Kind, data: st.DataObject) -> None:
    parts = data.draw(row_lists(POOLS[measure, kind]))
    split = data.draw(st.lists(st.integers(0, 3), min_size=len(parts), max_size=len(parts)))
    numbers = {code: i for i, code in enumerate(sorted(set(split)))}
    state = joined([by_hand(measure, kind, rows) for rows in parts])
    ours = merged(measure, kind, state, [numbers[code] for code in split])
    members = [[i for i, one in enumerate(split) if one == code] for code in numbers]
    alone = [merged(measure, kind, taken(state, cells), [0] * len(cells)) for cells in members]
    rows = [[row for i in cells for row in parts[i]] for cells in members]
    assert_alike(measure, kind, ours, joined(alone), rows)


# Built by backends: many cases by one read


def whole_number(rng: np.random.Generator) -> int:
    kinds = (int(rng.integers(-5, 6)), int(rng.choice(_EDGES)), int(rng.integers(*INT64)))
    return kinds[rng.integers(3)]


def money(rng: np.random.Generator) -> Decimal:
    # Below 2**53 cents, so that SQLite, which keeps floats, holds them.
    return Decimal(
        int(rng.integers(-300, 301) if rng.random() < 0.6 else rng.integers(-(10**15), 10**15))
    ).scaleb(-2)


def wild_float(rng: np.random.Generator) -> float:
    edges = [0.0, -0.0, 5e-324, -5e-324, 2.5e-320, 1e308, -1e308, 1.7976931348623157e308]
    kinds = (
        float(rng.choice(edges)),
        float(rng.normal()),
        float(rng.choice([-1, 1]) * 10 ** rng.uniform(-300, 300)),
    )
    return kinds[rng.integers(3)]


def mild_float(rng: np.random.Generator) -> float:
    return float((rng.normal(), 1e9 + rng.normal(), rng.uniform(-1e9, 1e9), 1e100)[rng.integers(4)])


FIELDS: dict[str, tuple[Kind, tuple[Calculation, ...], pa.DataType, Callable[[np.random.Generator], Any]]] = {
    "whole": (INTEGER, NUMERIC + ANY, pa.int64(), whole_number),
    "small": (INTEGER, NUMERIC + ANY, pa.int8(), lambda rng: int(rng.integers(-128, 128))),
    "money": (DECIMAL, NUMERIC + ANY, pa.decimal128(18, 2), money),
    "wild": (FLOAT, tuple(c for c in NUMERIC + ANY if c not in MOMENTS), pa.float64(), wild_float),
    "mild": (FLOAT, NUMERIC + ANY, pa.float64(), mild_float),
    "word": (TEXT, ANY, pa.string(), lambda rng: str(rng.choice(["", "a", "b", "ä", "😀", "null", "Z"]))),
    "flag": (BOOLEAN, ANY, pa.bool_(), lambda rng: bool(rng.integers(2))),
}
FINE, COARSE = ("case", "part"), ("case",)
KEPT = [
    Kept(field, "", calculation, groupings)
    for field, (_, calculations, _, _) in FIELDS.items()
    for calculation in calculations
    for groupings in (None, COARSE)
]


def rows_of_cases(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows of (case, part, second, a value of each field), nulls among them; the first case has only nulls."""
    rows: list[tuple[Any, ...]] = []
    for case in range(40):
        sparse = 1.0 if case == 0 else rng.choice([0.1, 0.5, 0.9])
        for _ in range(int(rng.integers(1, 15))):
            values = [None if rng.random() < sparse else draw(rng) for *_, draw in FIELDS.values()]
            rows.append((case, int(rng.integers(3)), int(rng.integers(4)), *values))
    return rows


def test_on_duckdb_parts_make_the_whole(rng: np.random.Generator) -> None:
    rows = rows_of_cases(rng)
    columns = list(zip(*rows, strict=True))
    table = arrow(
        {
            "case": (pa.int64(), columns[0]),
            "part": (pa.int64(), columns[1]),
            "t": (pa.timestamp("us"), [second * 1_000_000 for second in columns[2]]),
            **{
                name: (type_, column)
                for (name, (_, _, type_, _)), column in zip(FIELDS.items(), columns[3:], strict=True)
            },
        }
    )
    _check(built(table, KEPT, FINE), rows, rng)


def test_on_sqlite_parts_make_the_whole(rng: np.random.Generator) -> None:
    rows = rows_of_cases(rng)
    stored = [
        (
            case,
            part,
            f"1970-01-01 00:00:{second:02d}",
            *(float(v) if isinstance(v, Decimal) else v for v in values),
        )
        for case, part, second, *values in rows
    ]
    columns = (
        "part integer",
        "t timestamp",
        "whole bigint",
        "small tinyint",
        "money decimal(18, 2)",
        "wild double",
        "mild double",
        "word text",
        "flag boolean",
    )
    _check(built(sqlite_table(('"case" integer', *columns), stored), KEPT, FINE), rows, rng)


def _check(made: Built, rows: list[tuple[Any, ...]], rng: np.random.Generator) -> None:
    by_case: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_case[row[0]].append(row)
    fine = made.grains[0]
    names = made.names(fine, FINE)
    order = rng.permutation(len(fine))
    cases = sorted(by_case)
    codes = [cases.index(names[i][0]) for i in order]
    assert int(fine.rows.sum()) == len(rows)
    for place, (field, (kind, calculations, *_)) in enumerate(FIELDS.items()):
        assert made.layout.kinds[made.key(Kept(field, "", calculations[0]))] == kind
        for calculation in calculations:
            measure = measure_of(calculation).name
            parts = taken(fine.states[made.key(Kept(field, "", calculation))], order)
            state = merged(measure, kind, parts, codes)
            for percentile in percentiles_of(calculation):
                ours = finish(state, calculation, kind, percentile)
                whole = made.values(Kept(field, "", calculation, COARSE), percentile)
                for case, value in zip(cases, ours, strict=True):
                    mine = [(row[2], row[3 + place]) for row in by_case[case]]
                    if _leaves_floats(calculation, kind, mine):
                        continue
                    true = exact(calculation, kind, mine, percentile)
                    note = (field, calculation, percentile, value, true, mine)
                    assert agree(calculation, kind, value, true, mine), note
                    # The whole, built at once.
                    assert agree(calculation, kind, whole[case,], true, mine), note
                    if measure not in ("total", "moments"):
                        assert value == whole[case,], note


def _leaves_floats(calculation: Calculation, kind: Kind, rows: Sequence[tuple[int, Any]]) -> bool:
    summed = calculation in (Calculation.SUM, Calculation.AVG)
    return summed and kind == FLOAT and sum(abs(v) / 4 for _, v in rows if v is not None) >= 1e307


def test_overflow_is_an_error_only_of_the_sum() -> None:
    state = joined([by_hand("total", INTEGER, [(0, INT64[1])]), by_hand("total", INTEGER, [(0, 1)])])
    state = merged("total", INTEGER, state, [0, 0])
    assert finish(state, Calculation.SUM, INTEGER) == [OVERFLOW]
    assert finish(state, Calculation.AVG, INTEGER) == [2.0**62]
