from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from measured import arrow, asked, built, duckdb_table, merged, one, pa, sqlite_table

from aggflow.measures.distinct import SLOTS, Distinct, estimates, hashed_states
from aggflow.measures.kind import TEXT
from aggflow.measures.state import Groups, Sketch
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept

DISTINCT = Calculation.APPROX_COUNT_DISTINCT


def sketches(sizes: list[int], rng: np.random.Generator) -> Sketch:
    """Sketches of sets of such sizes; random 64 bits never meet twice."""
    hashes = rng.integers(-(2**63), 2**63, sum(sizes), dtype=np.int64)
    return hashed_states(np.repeat(np.arange(len(sizes)), sizes), hashes, len(sizes))


def same(left: Sketch, right: Sketch) -> bool:
    return all(np.array_equal(getattr(left, n), getattr(right, n)) for n in ("offsets", "keys", "counts"))


@pytest.mark.parametrize(("size", "sets"), [(2_000, 300), (10_000, 200), (30_000, 100), (100_000, 40)])
def test_the_standard_error_is_what_is_promised(size: int, sets: int, rng: np.random.Generator) -> None:
    errors = estimates(sketches([size] * sets, rng)) / size - 1
    # The rms of so many sets is itself off by 1 / sqrt(2 sets): four times that is allowed.
    assert np.sqrt(np.mean(errors**2)) < 0.0163 * (1 + 4 / np.sqrt(2 * sets))
    assert abs(errors.mean()) < 5 * 0.0163 / np.sqrt(sets)


def test_small_sets_are_nearly_exact(rng: np.random.Generator) -> None:
    sizes = np.repeat([0, 1, 2, 3, 5, 10, 30, 100], 50)
    found = estimates(sketches(sizes.tolist(), rng))
    assert found[sizes == 0].tolist() == [0] * 50
    assert found[sizes == 1].tolist() == [1] * 50
    # Each two hashes that share a slot cost one; five such pairs among 30 come once in ten million.
    assert np.all(np.abs(found - sizes) <= np.maximum(4, 0.1 * sizes))
    assert np.abs(found - sizes).mean() < 0.5


def test_merging_is_idempotent_and_equals_the_union(rng: np.random.Generator) -> None:
    hashes = rng.integers(-(2**63), 2**63, 5000, dtype=np.int64)
    zeros = np.zeros(5000, dtype=np.int64)
    whole = hashed_states(zeros, hashes, 1)
    twice = Distinct().joined(Sketch.concat([whole, whole]), Groups(np.zeros(2, np.int64), 1))
    assert same(twice, whole)
    again = np.concatenate((zeros, np.ones(100, dtype=np.int64)))
    overlapping = hashed_states(again, np.concatenate((hashes, hashes[:100])), 2)
    assert same(Distinct().joined(overlapping, Groups(np.zeros(2, np.int64), 1)), whole)


@pytest.mark.parametrize("most", [0, 10])
def test_few_groups_and_many_merge_alike(most: int, rng: np.random.Generator) -> None:
    # 3000 groups are sorted, each alone is a table.
    sketch = sketches(rng.integers(0, most + 1, 6000).tolist(), rng)
    codes = rng.permutation(np.arange(6000) % 3000)
    ours = Distinct().joined(sketch, Groups(codes, 3000))
    for group in range(0, 3000, 271):
        cells = np.flatnonzero(codes == group)
        alone = Distinct().joined(sketch.take(cells), Groups(np.zeros(len(cells), dtype=np.int64), 1))
        assert same(alone, ours.slice(group, group + 1))


def test_ranks_of_every_lowest_bit() -> None:
    bits = np.array([1 << k for k in range(53)])
    assert Distinct().counts(bits).tolist() == list(range(1, 54))
    # All 52 bits above the slot are zero: the highest rank there is.
    sketch = hashed_states(np.zeros(2, np.int64), np.array([5, -1], dtype=np.int64), 1)
    assert sketch.keys.tolist() == [5, 4095]
    assert sketch.counts.tolist() == [53, 1]


def test_the_backend_and_this_program_make_the_same_of_the_same_hashes() -> None:
    table = duckdb_table("select timestamp '1970-01-01' t, i % 3 part, i * 7 x from range(20000) r(i)")
    made = built(table, [Kept("x", "", DISTINCT)], ("part",))
    (state,) = made.grains[0].states.values()
    found = asked(table, "select part, hash(x::bigint) h from rows").fetchnumpy()
    order = {name[0]: i for i, name in enumerate(made.names(made.grains[0], ("part",)))}
    cells = np.array([order[part] for part in found["part"].tolist()])
    assert same(state["sketch"], hashed_states(cells, found["h"].view(np.int64), 3))  # type: ignore[arg-type] - a sketch


def test_the_backend_ranks_rare_hashes_as_well() -> None:
    # A rank above 20 takes a million hashes to meet: made by hand here, one a slot.
    hashes = np.array(
        [(1 << (12 + zeros)) | zeros for zeros in range(52)] + [52, (0xF << 60) | 53], dtype=np.uint64
    )
    con = duckdb_table("select 1 x").get_backend()
    table: Any = con.create_table("hashes", pa.table({"h": pa.array(hashes)}))
    measure = Distinct()
    keyed = table.mutate(slot=measure.key(table.h, TEXT))
    found = keyed.group_by("slot").aggregate(bit=measure.weigh(keyed, keyed.h)).order_by("slot").to_pyarrow()
    expected = hashed_states(np.zeros(54, dtype=np.int64), hashes.view(np.int64), 1)
    assert found["slot"].to_pylist() == expected.keys.tolist() == list(range(54))
    ranks = measure.counts(found["bit"].to_numpy()).tolist()
    assert ranks == expected.counts.tolist() == [*range(1, 53), 53, 49]


def test_hash_bits_are_even_and_independent() -> None:
    # What the estimate rests on: each of the 64 bits set in half of the hashes, slots filled evenly.
    table = duckdb_table("select 1 x")
    for hashed in ("hash(i::bigint)", "hash(i::varchar)"):
        hashes = asked(table, f"select {hashed} h from range(200000) r(i)").fetchnumpy()["h"]
        ones = np.array([np.mean((hashes >> np.uint64(bit)) & np.uint64(1)) for bit in range(64)])
        assert np.all(np.abs(ones - 0.5) < 5 * 0.5 / np.sqrt(200_000))
        slots = np.bincount((hashes & np.uint64(SLOTS - 1)).astype(np.int64), minlength=SLOTS)
        mean = 200_000 / SLOTS
        assert abs(((slots - mean) ** 2 / mean).sum() - SLOTS) < 6 * np.sqrt(2 * SLOTS)


VALUES = {
    "integers": (pa.int32(), [1, 1, 2, None]),
    "texts": (pa.string(), ["a", "a", "ä", None]),
    "floats": (pa.float64(), [0.0, -0.0, 1.5, None]),
    "truths": (pa.bool_(), [True, True, False, None]),
}


@pytest.mark.parametrize("name", VALUES)
def test_equal_values_count_once_and_nulls_not_at_all(name: str) -> None:
    type_, values = VALUES[name]
    assert one(arrow({"t": (pa.timestamp("us"), [0] * 4), "x": (type_, values)}), "x", DISTINCT) == 2
    column = {"integers": "integer", "texts": "text", "floats": "real", "truths": "boolean"}[name]
    rows = [("1970-01-01", value) for value in values]
    assert one(sqlite_table(("t timestamp", f"x {column}"), rows), "x", DISTINCT) == 2


def test_all_nulls_count_zero() -> None:
    table = arrow({"t": (pa.timestamp("us"), [0, 0]), "x": (pa.string(), [None, None])})
    assert one(table, "x", DISTINCT) == 0


def test_many_cells_are_estimated_some_at_a_time(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    sketch = sketches(rng.integers(0, 300, 100).tolist(), rng)
    at_once = estimates(sketch)
    monkeypatch.setattr("aggflow.measures.distinct._CELLS_AT_ONCE", 7)
    assert estimates(sketch).tolist() == at_once.tolist()


def test_integers_of_two_widths_are_one_value() -> None:
    states = [
        built(
            duckdb_table(f"select timestamp '1970-01-01' t, i::{t} x from range(100) r(i)"),
            [Kept("x", "", DISTINCT)],
        )
        for t in ("tinyint", "bigint")
    ]
    left, right = (next(iter(made.grains[0].states.values())) for made in states)
    assert same(left["sketch"], right["sketch"])  # type: ignore[arg-type] - a sketch
    assert merged("distinct", TEXT, left, [0])["sketch"].cells == 1  # type: ignore[union-attr] - a sketch
