from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from measured import Built, built, duckdb_table, same

from aggflow.errors import SegmentDamagedError
from aggflow.measures.cells import BUCKET, GRAIN, Cells, Layout, empty_cells, from_segment, to_segment
from aggflow.measures.kind import INTEGER
from aggflow.measures.registry import StateKey, state_keys
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept, Rollup

SELECT = """
select '1970-01-01'::timestamp + to_seconds(i % 50) t,
    case i % 5 when 0 then null else ['a', 'ä', '', 'b'][i % 5] end g,
    case i % 7 when 0 then null else i % 7 end k,
    case when i % 3 = 0 then null else i * 1000000007 end n,
    (i * 0.25)::decimal(9,2) d, sin(i) * 1e9 f, 'w' || i % 11 w, i % 2 = 0 b
from range(400) r(i)
"""
FIELDS = {"n": "numbers", "d": "numbers", "f": "numbers", "w": "any", "b": "any"}
ANY = (Calculation.FIRST, Calculation.LAST, Calculation.APPROX_COUNT_DISTINCT)
KEPT = [
    Kept(field, "", calculation, groupings)
    for field, sort in FIELDS.items()
    for calculation in Calculation
    if calculation is not Calculation.COUNT and (sort == "numbers" or calculation in ANY)
    for groupings in ((None, ("g",), ()) if calculation.is_sketch else (None,))
] + [Kept(None, "", Calculation.COUNT), Kept(None, "@.n > 5", Calculation.COUNT)]


@pytest.fixture(scope="module")
def made() -> Built:
    return built(duckdb_table(SELECT), KEPT, ("g", "k"))


def stored(table: pa.Table) -> pa.Table:
    """As Parquet gives it back."""
    file = io.BytesIO()
    pq.write_table(table, file)
    return pq.read_table(file)


def equal(left: Cells, right: Cells, names: Sequence[Vocabulary], others: Sequence[Vocabulary]) -> bool:
    return (
        np.array_equal(left.buckets, right.buckets)
        and np.array_equal(left.rows, right.rows)
        and all(
            mine.decode(left.codes[path]) == other.decode(right.codes[path])
            for path, mine, other in zip(left.codes, names, others, strict=True)
        )
        and left.states.keys() == right.states.keys()
        and all(same(left.states[key], right.states[key]) for key in left.states)
    )


def test_cells_of_several_grains_survive_a_segment(made: Built) -> None:
    table = stored(to_segment(made.layout, made.grains, made.vocabularies))
    assert set(table[GRAIN].to_pylist()) == {0, 1, 2}
    buckets = table[BUCKET].to_pylist()
    assert buckets == sorted(buckets)
    fresh = {path: Vocabulary() for path in made.vocabularies}
    back = from_segment(made.layout, table, fresh, "s")
    for grain, cells in enumerate(back):
        paths = made.layout.grains[grain]
        before, after = [made.vocabularies[p] for p in paths], [fresh[p] for p in paths]
        assert equal(made.grains[grain], cells, before, after)
    assert sum(len(cells) for cells in back) == table.num_rows
    # And once more: what was read writes the same rows.
    assert to_segment(made.layout, back, fresh).to_pylist() == table.to_pylist()


def test_one_grain_has_no_column_of_grains() -> None:
    one = built(duckdb_table(SELECT), [Kept("n", "", Calculation.SUM)], ("g",))
    table = to_segment(one.layout, one.grains, one.vocabularies)
    assert GRAIN not in table.column_names
    (back,) = from_segment(one.layout, stored(table), one.vocabularies, "s")
    assert equal(one.grains[0], back, list(one.vocabularies.values()), list(one.vocabularies.values()))


def test_a_window_of_a_segment_is_the_cells_of_that_window() -> None:
    kept = [Kept("n", "", c) for c in (Calculation.PERCENTILES, Calculation.APPROX_COUNT_DISTINCT)]
    one = built(duckdb_table(SELECT), kept, ("k",))
    table = to_segment(one.layout, one.grains, one.vocabularies).slice(2, 3)
    (back,) = from_segment(one.layout, table, one.vocabularies, "s")
    names = list(one.vocabularies.values())
    assert equal(one.grains[0].slice(2, 5), back, names, names)


def test_no_cells_survive_a_segment(made: Built) -> None:
    none = [empty_cells(made.layout, grain) for grain in range(len(made.layout.grains))]
    table = stored(to_segment(made.layout, none, made.vocabularies))
    for grain, cells in enumerate(from_segment(made.layout, table, made.vocabularies, "s")):
        assert len(cells) == 0
        assert cells.states.keys() == none[grain].states.keys()
        for key, state in cells.states.items():
            assert same(state, none[grain].states[key])
        joined = Cells.concat([cells, made.grains[grain]])
        assert len(joined) == len(made.grains[grain])


def test_taking_slicing_and_joining_cells(made: Built) -> None:
    (cells, *_), names = made.grains, list(made.vocabularies.values())
    half = len(cells) // 2
    parts = [cells.slice(0, half), cells.slice(half, len(cells))]
    assert equal(Cells.concat(parts), cells, names, names)
    order = np.random.default_rng(3).permutation(len(cells))
    assert equal(cells.take(order).take(np.argsort(order)), cells, names, names)
    mask = np.zeros(len(cells), dtype=bool)
    mask[5:9] = True
    mask[20] = True
    assert equal(cells.take(mask), cells.take(np.flatnonzero(mask)), names, names)
    assert len(cells.take(np.zeros(len(cells), dtype=bool))) == 0
    assert cells.bytes > 0
    key = next(iter(cells.states))
    assert list(cells.only([key]).states) == [key]


def test_a_layout_is_what_its_text_says(made: Built) -> None:
    assert Layout.from_text(made.rollup, made.layout.to_text()) == made.layout
    assert made.layout.hash


def test_a_layout_with_fewer_states_keeps_its_grains(made: Built) -> None:
    key = made.layout.keys[1][0]
    fewer = made.layout.only([key])
    assert fewer.grains == made.layout.grains
    assert fewer.keys == ((), (key,), ())
    assert fewer.grain_of(key) == 1


def _changed(text: str, change: str) -> str:
    said = json.loads(text)
    name = min(said["kinds"])
    if change == "unknown kind":
        said["kinds"][name] = "number"
    elif change == "kind of another type":
        said["kinds"][name] = 7
    elif change == "missing state":
        del said["kinds"][name]
    elif change == "more states":
        said["kinds"]["0 total(other)"] = "integer"
    elif change == "no hash":
        del said["hash"]
    elif change == "list":
        return "[]"
    return json.dumps(said, sort_keys=True)


@pytest.mark.parametrize(
    "change", ["unknown kind", "kind of another type", "missing state", "more states", "no hash", "list"]
)
def test_a_changed_layout_text_is_damage(made: Built, change: str) -> None:
    with pytest.raises(SegmentDamagedError):
        Layout.from_text(made.rollup, _changed(made.layout.to_text(), change))


@pytest.mark.parametrize(
    "text", ["", "{", "null", "3", '{"kinds": []}', '{"kinds": null, "hash": ""}', "\ufffd"]
)
def test_a_text_that_is_none_is_damage(made: Built, text: str) -> None:
    with pytest.raises(SegmentDamagedError):
        Layout.from_text(made.rollup, text)


@pytest.mark.parametrize("said", [None, b"", b"\xff\xfe", b"{}"])
def test_a_segment_that_says_something_else_is_damage(made: Built, said: bytes | None) -> None:
    table = to_segment(made.layout, made.grains, made.vocabularies)
    table = table.replace_schema_metadata(None if said is None else {b"aggflow": said})
    with pytest.raises(SegmentDamagedError, match="segment s holds other states"):
        from_segment(made.layout, table, made.vocabularies, "s")


def test_states_of_another_hash_are_not_read(made: Built) -> None:
    other = Layout(made.layout.grains, made.layout.keys, made.layout.kinds, "another hash 1")
    table = to_segment(other, made.grains, made.vocabularies)
    with pytest.raises(SegmentDamagedError):
        from_segment(made.layout, table, made.vocabularies, "s")


def test_large_counts_stay_whole() -> None:
    rollup = Rollup("rows", "", "1h", "UTC", (), (Kept("x", "", Calculation.PERCENTILES),))
    layout = Layout.of(rollup, dict.fromkeys(state_keys(rollup), INTEGER))
    (key,) = state_keys(rollup)
    made = built(duckdb_table("select timestamp '1970-01-01' t, 1 x"), rollup.kept)
    (cells,) = made.grains
    sketch = cells.states[key]["sketch"]
    object.__setattr__(sketch, "counts", np.array([2**40]))
    (back,) = from_segment(layout, stored(to_segment(layout, [cells], {})), {}, "s")
    assert back.states[key]["sketch"].counts.tolist() == [2**40]  # type: ignore[union-attr] - a sketch


def test_state_names_tell_states_apart() -> None:
    keys = [
        StateKey("total", "x", "", ()),
        StateKey("total", "x", "@.y == 1", ()),
        StateKey("count", "", "", ()),
        StateKey("moments", "x", "", ()),
    ]
    assert len({key.text for key in keys}) == len(keys)
