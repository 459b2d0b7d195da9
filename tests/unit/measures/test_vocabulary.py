from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from aggflow.errors import SourceTypeError
from aggflow.measures.vocabulary import GroupingValue, Vocabulary, canonical


def test_codes_stand_for_values_and_stay_valid() -> None:
    vocabulary = Vocabulary()
    first = vocabulary.encode(pa.array(["JFK", "LGA", "JFK"]))
    second = vocabulary.encode(pa.chunked_array([["EWR"], ["JFK"], []], type=pa.string()))
    assert vocabulary.decode(first) == ["JFK", "LGA", "JFK"]
    assert vocabulary.decode(second) == ["EWR", "JFK"]
    assert first[0] == second[1]
    assert len(vocabulary) == 3
    assert vocabulary.code_of("LGA") == first[1]


def test_true_and_one_are_two_values() -> None:
    vocabulary = Vocabulary()
    codes = [vocabulary.code_of(value) for value in (True, 1, 1.0, "1", Decimal(1), False, 0, None)]
    assert len(set(codes)) == len(codes)
    assert [type(value) for value in vocabulary.decode(np.array(codes, dtype=np.int32))][:4] == [
        bool,
        int,
        float,
        str,
    ]


@pytest.mark.parametrize("indices", [pa.int8(), pa.uint8(), pa.int16(), pa.int64()])
@pytest.mark.parametrize("size", [3, 127, 128])
def test_dictionaries_as_large_as_their_indices_allow(indices: pa.DataType, size: int) -> None:
    places = pa.array([0, None, size - 1], type=indices)
    column = pa.DictionaryArray.from_arrays(places, pa.array([f"v{i}" for i in range(size)]))
    vocabulary = Vocabulary()
    assert vocabulary.decode(vocabulary.encode(column)) == ["v0", None, f"v{size - 1}"]


def test_missing_values_wherever_arrow_keeps_them() -> None:
    vocabulary = Vocabulary()
    inside = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int32()), pa.array(["a", None]))
    assert vocabulary.decode(vocabulary.encode(inside)) == ["a", None, None]
    assert vocabulary.decode(vocabulary.encode(pa.array([None, "a"]))) == [None, "a"]
    assert vocabulary.decode(vocabulary.encode(pa.array([float("nan"), 1.5, float("inf")]))) == [
        None,
        1.5,
        None,
    ]
    assert vocabulary.decode(vocabulary.encode(pa.nulls(2))) == [None, None]
    assert len(vocabulary.encode(pa.array([], pa.string()))) == 0


def test_no_missing_value_is_made_up() -> None:
    vocabulary = Vocabulary()
    vocabulary.encode(pa.array(["a"]))
    assert vocabulary.values == ["a"]


def test_unicode_is_kept_code_point_by_code_point() -> None:
    texts = ["é", "e\u0301", "😀", "", " ", "\x00", "ß", "SS", "ﷺ"]
    vocabulary = Vocabulary()
    assert vocabulary.decode(vocabulary.encode(pa.array(texts))) == texts
    assert len(vocabulary) == len(texts)


def test_times_and_dates_are_texts() -> None:
    vocabulary = Vocabulary()
    times = pa.array([datetime(2024, 2, 29, 12, 0, 0, 5)], type=pa.timestamp("us"))  # noqa: DTZ001 - a time without a zone is UTC
    assert vocabulary.decode(vocabulary.encode(times)) == ["2024-02-29T12:00:00.000005Z"]
    assert vocabulary.decode(vocabulary.encode(pa.array([date(2024, 2, 29)]))) == ["2024-02-29"]


COLUMNS = [
    ["a", None, "ä"],
    [1, -5, None, 2**63 - 1],
    [1.5, None, -0.25],
    [True, None, False],
    [Decimal("1.50"), None, Decimal("100.25")],
    [None, None],
    [],
]


@pytest.mark.parametrize("values", COLUMNS, ids=str)
def test_a_column_survives_arrow(values: list[GroupingValue]) -> None:
    vocabulary = Vocabulary()
    codes = np.array([vocabulary.code_of(value) for value in values], dtype=np.int32)
    assert vocabulary.decode(Vocabulary.encode(vocabulary, vocabulary.to_arrow(codes))) == values
    other = Vocabulary()
    assert other.decode(other.encode(vocabulary.to_arrow(codes))) == values


@pytest.mark.parametrize("values", [v for v in COLUMNS if any(v)], ids=str)
def test_columns_of_parts_can_be_joined(values: list[GroupingValue]) -> None:
    vocabulary = Vocabulary()
    parts = [vocabulary.to_arrow(np.array([vocabulary.code_of(value)], dtype=np.int32)) for value in values]
    tables = [pa.table({"by x": part}) for part in parts]
    for order in (tables, tables[::-1]):
        whole = pa.concat_tables(order, promote_options="permissive")["by x"]
        expected = values if order is tables else values[::-1]
        assert vocabulary.decode(vocabulary.encode(whole)) == expected


def test_ranks_ascend_by_value_with_missing_ones_last() -> None:
    vocabulary = Vocabulary()
    values: list[GroupingValue] = ["b", None, "a", "ä", 10, 9, 2.5, Decimal("9.5"), True, False]
    codes = np.array([vocabulary.code_of(value) for value in values], dtype=np.int32)
    ordered = sorted(values, key=lambda value: vocabulary.ranks()[vocabulary.code_of(value)])
    assert ordered == [False, True, 2.5, 9, Decimal("9.5"), 10, "a", "b", "ä", None]
    vocabulary.code_of("aa")
    assert len(vocabulary.ranks()) == len(codes) + 1


def test_matching_compares_canonical_texts() -> None:
    vocabulary = Vocabulary()
    for value in ("1", 1, 1.0, True, "true", None, Decimal("1.00"), Decimal(100)):
        vocabulary.code_of(value)
    assert vocabulary.matching(["1"]).tolist() == [True, True, True, False, False, False, True, False]
    assert vocabulary.matching([True]).tolist() == [False, False, False, True, True, False, False, False]
    assert vocabulary.matching([None]).tolist() == [False] * 5 + [True, False, False]
    assert vocabulary.matching([100]).tolist() == [False] * 7 + [True]
    assert canonical(Decimal("0.10")) == "0.1"


def test_threads_that_grow_it_agree() -> None:
    vocabulary = Vocabulary()
    found: list[dict[str, int]] = [{} for _ in range(8)]
    problems: list[str] = []

    def work(mine: dict[str, int], seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(60):
            values = [f"v{i}" for i in rng.integers(0, 2000, 50)]
            codes = vocabulary.encode(pa.array(values))
            mine.update(zip(values, codes.tolist(), strict=True))
            if vocabulary.decode(codes) != values or len(vocabulary.ranks()) <= codes.max():
                problems.append("a code without its value or rank")

    threads = [threading.Thread(target=work, args=(mine, i)) for i, mine in enumerate(found)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    together: dict[str, int] = {}
    for mine in found:
        assert all(together.setdefault(value, code) == code for value, code in mine.items())
    assert len(set(together.values())) == len(together) == len(vocabulary)


def test_ranks_as_texts_go_by_texts_whatever_the_type() -> None:
    vocabulary = Vocabulary()
    values: list[GroupingValue] = [10, None, 9, "unknown", True, 2.5]
    codes = [vocabulary.code_of(value) for value in values]
    by_value, by_text = vocabulary.ranks()[codes], vocabulary.ranks(as_text=True)[codes]
    assert [values[i] for i in np.argsort(by_value)] == [True, 2.5, 9, 10, "unknown", None]
    assert [values[i] for i in np.argsort(by_text)] == [10, 2.5, 9, True, "unknown", None]


@pytest.mark.parametrize("as_text", [False, True])
def test_ranks_grow_with_the_values(as_text: bool) -> None:
    dice = np.random.default_rng(7)
    vocabulary = Vocabulary()
    for size in (1, 300, 3, 1, 20, 400, 1, 1):
        for value in dice.integers(0, 10_000, size).tolist():
            vocabulary.code_of(value if value % 3 else str(value) if value % 2 else None)
        ranks = vocabulary.ranks(as_text=as_text)
        other = Vocabulary()
        for value in vocabulary.values:
            other.code_of(value)
        # Equal texts of two types (9 and "9") may stand either way.
        texts = [vocabulary.values[code] for code in np.argsort(ranks)]
        again = [other.values[code] for code in np.argsort(other.ranks(as_text=as_text))]
        assert sorted(ranks.tolist()) == list(range(len(vocabulary)))
        assert [canonical(value) for value in texts] == [canonical(value) for value in again]
        assert None not in texts[:-1]
    assert vocabulary.values[vocabulary.missing_code] is None
    assert Vocabulary().missing_code == -1


def test_whole_numbers_of_all_64_bits_come_back_as_they_were() -> None:
    vocabulary = Vocabulary()
    values = [7, 2**64 - 1, None, 2**63, 7]
    column = vocabulary.to_arrow(vocabulary.encode(pa.array(values, pa.uint64())))
    assert column.to_pylist() == values
    small = vocabulary.to_arrow(vocabulary.encode(pa.array([7, None])))
    assert small.type.value_type == pa.int64(), "only where they are needed"
    assert vocabulary.code_of(7) == vocabulary.encode(column)[0]


@pytest.mark.parametrize("values", [[-1, 2**63], [2**64], [1, "a"], ["a", 1], [True, 1]])
def test_values_without_a_common_type_are_refused_in_words(values: list[GroupingValue]) -> None:
    vocabulary = Vocabulary()
    codes = np.array([vocabulary.code_of(value) for value in values], dtype=np.int32)
    with pytest.raises(SourceTypeError, match="no type in common") as caught:
        vocabulary.to_arrow(codes)
    assert "text" in caught.value.hint
