from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from aggflow.backends.slice import Slice, slices_of, whole_buckets


@pytest.mark.parametrize("most", [1, 5, 50, 10**6])
def test_slices_are_all_buckets_in_order_and_no_longer_than_they_may_be(
    rng: np.random.Generator, most: int
) -> None:
    buckets = rng.permutation(np.unique(rng.integers(-1000, 1000, 300)))
    counts = rng.integers(1, 20, len(buckets))
    slices = list(slices_of(buckets, counts, most))
    found = [buckets[(buckets >= each.first) & (buckets <= each.last)] for each in slices]
    assert sorted(np.concatenate(found)) == sorted(buckets)
    assert all(one.last < two.first for one, two in pairwise(slices))
    of = dict(zip(buckets.tolist(), counts.tolist(), strict=True))
    for each, its in zip(slices, found, strict=True):
        assert each.rows == sum(of[bucket] for bucket in its.tolist())
        assert each.rows <= most or len(its) == 1
    # None could have had its neighbour's first bucket, too.
    assert all(one.rows + of[two.first] > most for one, two in pairwise(slices))


def test_no_bucket_is_no_slice() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert list(slices_of(none, none, 10)) == []
    assert list(slices_of(np.array([3]), np.array([100]), 10)) == [Slice(3, 3, 100)]


@pytest.mark.parametrize("most", [1, 7, 40, 10**6])
@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_batches_are_cut_between_buckets(rng: np.random.Generator, most: int, batch: int) -> None:
    rows = pa.table({"bucket": np.sort(rng.integers(0, 40, 200)), "n": np.arange(200)})
    tables = list(whole_buckets(rows.to_batches(batch), "bucket", most))
    assert pa.concat_tables(tables).combine_chunks().equals(rows.combine_chunks())
    sets = [set(table["bucket"].to_pylist()) for table in tables]
    assert sum(map(len, sets)) == len(set[int]().union(*sets))
    longest = max(np.unique(rows["bucket"].to_numpy(), return_counts=True)[1])
    assert all(table.num_rows < most + batch + longest for table in tables)


def test_no_batch_is_no_table() -> None:
    assert list(whole_buckets([], "bucket", 10)) == []
