from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from measured import arrow, asked, built, by_hand, duckdb_table, finish, joined, merged, one, pa, sqlite_table

from aggflow.measures.kind import FLOAT, INTEGER, Kind
from aggflow.measures.quantile import OFFSET, RELATIVE_ERROR, Quantile, values_of
from aggflow.measures.state import Groups, Sketch
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept

P = Calculation.PERCENTILES
ASKED = ["0", "0.001", "0.01", "0.07", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99", "0.999", "0.9999", "1"]
N = 20_000

DATA: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "lognormal": lambda rng: rng.lognormal(3, 2, N),
    "pareto": lambda rng: rng.pareto(0.3, N) + 1,
    "constant": lambda rng: np.full(N, 42.42),
    "negative": lambda rng: -rng.lognormal(0, 4, N),
    "around zero": lambda rng: rng.normal(0, 1, N),
    "mostly zero": lambda rng: np.where(rng.random(N) < 0.9, 0.0, rng.normal(0, 1e-5, N)),
    "subnormal": lambda rng: rng.integers(-50, 2000, N) * 5e-324,
    "huge": lambda rng: np.append(
        rng.uniform(1e307, 1.7e308, N), [1.7976931348623157e308, -1.7976931348623157e308]
    ),
    "all sizes": lambda rng: rng.choice([-1, 1], N) * 10 ** rng.uniform(-307, 307, N),
    "edges of bins": lambda rng: 1.01 ** rng.integers(-500, 500, N),
    "a single value": lambda rng: np.array([7.0]),
    "two values": lambda rng: np.array([1.0, 1e6]),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
def test_every_percentile_is_within_half_a_percent(name: str, backend: str, rng: np.random.Generator) -> None:
    values = DATA[name](rng)
    if backend == "sqlite":
        values = values[-2000:]
        table = sqlite_table(
            ("t timestamp", "x real"), [("1970-01-01", float(x)) for x in values] + [("1970-01-01", None)]
        )
    else:
        mask = rng.random(len(values)) < 0.2  # nulls among them, which do not count
        table = arrow(
            {
                "t": (pa.timestamp("us"), [0] * (2 * len(values))),
                "x": (
                    pa.float64(),
                    pa.array(
                        np.repeat(values, 2), mask=np.column_stack([np.zeros_like(mask), ~mask]).ravel()
                    ),
                ),
            }
        )
        values = np.concatenate([values, values[mask]])
    made = built(table, [Kept("x", "", P)])
    ordered = np.sort(values)
    for percentile in ASKED:
        true = float(ordered[max(1, math.ceil(len(values) * Fraction(percentile))) - 1])
        (ours,) = made.values(Kept("x", "", P), percentile).values()
        assert abs(ours - true) <= 0.005 * abs(true), (percentile, ours, true)


def test_ranks_are_those_of_quantile_disc(rng: np.random.Generator) -> None:
    table = duckdb_table("select timestamp '1970-01-01' t, (random() * 1000)::integer x from range(1009)")
    made = built(table, [Kept("x", "", P)])
    for percentile in ("0.01", "0.1", "0.5", "0.9", "0.99", "1"):
        true = asked(table, f"select quantile_disc(x, {percentile}::double) from rows").fetchone()[0]
        assert made.values(Kept("x", "", P), percentile)[()] == pytest.approx(true, rel=0.005)


@pytest.mark.parametrize(
    ("percentile", "n", "rank"),
    [
        ("0.07", 100, 7),  # as a float, 0.07 * 100 is 7.000000000000001
        ("0.29", 100, 29),
        ("0.5", 1, 1), ("0.5", 2, 1), ("0.5", 3, 2), ("0", 5, 1), ("1", 5, 5), ("0.999", 1000, 999), ("0.9991", 1000, 1000),
        ("0.1234567890123456789012345", 10, 2),
        ("0.00000000000000000000000001", 3, 1),
    ],
)  # fmt: skip
def test_the_rank_is_exact(percentile: str, n: int, rank: int) -> None:
    # A bin each, so that the value says the rank.
    sketch = Sketch(
        np.array([0, n, n]), (np.arange(n) * 70 + OFFSET).astype(np.int32), np.ones(n, dtype=np.int64)
    )
    value, nothing = Quantile().finish({"sketch": sketch}, P, FLOAT, percentile).to_list()
    assert value == values_of(np.array([(rank - 1) * 70 + OFFSET]), FLOAT)[0]
    assert nothing is None


def test_each_cell_has_ranks_of_its_own() -> None:
    parts = [[1.0, 2.0], [], [300.0, 400.0, 500.0], [7.0]]
    state = joined([by_hand("quantile", FLOAT, [(0, value) for value in part]) for part in parts])
    for percentile, expected in (("0", [1.0, None, 300.0, 7.0]), ("1", [2.0, None, 500.0, 7.0])):
        found = Quantile().finish(state, P, FLOAT, percentile).to_list()
        assert [None if v is None else pytest.approx(v, rel=0.005) for v in found] == expected


def test_ranks_of_counts_beyond_the_digits_of_floats() -> None:
    counts = np.array([2**61, 1, 2**61 - 1])
    sketch = Sketch(np.array([0, 3]), np.array([OFFSET, OFFSET + 500, OFFSET + 1000], dtype=np.int32), counts)
    low, high, top = (values_of(np.array([OFFSET + k]), FLOAT)[0] for k in (0, 500, 1000))
    assert Quantile().finish({"sketch": sketch}, P, FLOAT, "0.5").to_list() == [low]
    assert Quantile().finish({"sketch": sketch}, P, FLOAT, "0.5000000000000000001").to_list() == [high]
    assert Quantile().finish({"sketch": sketch}, P, FLOAT, "0.4999").to_list() == [low]
    assert Quantile().finish({"sketch": sketch}, P, FLOAT, "0.999").to_list() == [top]
    merged_state = merged("quantile", FLOAT, joined([{"sketch": sketch}] * 1), [0])
    assert merged_state["sketch"].counts.tolist() == counts.tolist()  # type: ignore[union-attr] - a sketch


def test_the_promise_leaves_room_for_rounding() -> None:
    assert RELATIVE_ERROR < 0.00498


@pytest.mark.parametrize("lowest", [-OFFSET - 900, OFFSET - 450, 1, -400])
@pytest.mark.parametrize("groups", [1, 3, 400])
def test_tables_and_sorting_merge_alike(
    lowest: int, groups: int, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr("aggflow.measures.quantile._PART", 500)  # so that there are several
    cells = 2000
    entries = [np.unique(rng.integers(lowest, lowest + 900, int(rng.integers(0, 9)))) for _ in range(cells)]
    offsets = np.concatenate(([0], np.cumsum([len(e) for e in entries])))
    keys = np.concatenate(entries).astype(np.int32)
    sketch = Sketch(offsets, keys, rng.integers(1, 100, len(keys)).astype(np.int32))
    codes = np.concatenate((np.arange(groups), rng.integers(0, groups, cells - groups)))
    ours = Quantile().joined(sketch, Groups(codes, groups))
    counted: dict[tuple[int, int], int] = {}
    for place, key, count in zip(
        np.repeat(codes, sketch.lengths).tolist(), keys.tolist(), sketch.counts.tolist(), strict=True
    ):
        counted[place, key] = counted.get((place, key), 0) + count
    expected = sorted(counted.items())
    assert list(
        zip(np.repeat(np.arange(groups), ours.lengths).tolist(), ours.keys.tolist(), strict=True)
    ) == [k for k, _ in expected]
    assert ours.counts.tolist() == [count for _, count in expected]


def test_sparse_groups_are_merged_by_sorting(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    keys = rng.integers(OFFSET, OFFSET + 20_000, 200).astype(np.int32)
    sketch = Sketch(np.arange(201), keys, np.ones(200, dtype=np.int32))
    groups = Groups(np.arange(200) // 2, 100)
    by_sorting = Quantile().joined(sketch, groups)
    monkeypatch.setattr("aggflow.measures.quantile._DENSE", 1 << 24)
    by_table = Quantile().joined(sketch, groups)
    for name in ("offsets", "keys", "counts"):
        assert np.array_equal(getattr(by_sorting, name), getattr(by_table, name))


def test_cells_without_a_number() -> None:
    state = joined(
        [
            by_hand("quantile", FLOAT, []),
            by_hand("quantile", FLOAT, [(0, 2.0)]),
            by_hand("quantile", FLOAT, []),
        ]
    )
    assert finish(merged("quantile", FLOAT, state, [0, 1, 0]), P, FLOAT, "0.5") == [
        None,
        pytest.approx(2.0, rel=0.005),
    ]
    assert (
        Quantile()
        .joined(
            Sketch(np.zeros(1, dtype=np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64)),
            Groups(np.zeros(0, np.int64), 0),
        )
        .cells
        == 0
    )


def test_decimals_and_the_ends_of_integers() -> None:
    table = duckdb_table(
        f"select timestamp '1970-01-01' t, cast({-(2**63)} as bigint) i, 12.34::decimal(9,2) d"
    )
    assert one(table, "i", P, "0.5") == pytest.approx(-(2.0**63), rel=0.005)
    assert one(table, "d", P, "0.5") == pytest.approx(12.34, rel=0.005)
    assert values_of(np.array([OFFSET]), Kind("decimal", 38))[0] == pytest.approx(1e-38, rel=0.005)
    assert finish(by_hand("quantile", INTEGER, [(0, 0)]), P, INTEGER, "0.5") == [0.0]
