"""A slice: neighbouring buckets of a window whose states are read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aggflow.measures.state import Int64s


@dataclass(frozen=True)
class Slice:
    """Neighbouring buckets.

    Attributes
    ----------
    first, last
        The numbers by which its first and last bucket are grouped, see
        :class:`~aggflow.backends.bucket.BucketExpression`.
    rows
        How many rows they have.
    """

    first: int
    last: int
    rows: int


def slices_of(buckets: Int64s, counts: Int64s, most: int) -> Iterator[Slice]:
    """Buckets cut into slices.

    Parameters
    ----------
    buckets
        Their numbers, in any order.
    counts
        How many rows each has.
    most
        How many rows a slice should have at most; a single bucket may have more.

    Yields
    ------
    Slice
        In the order of their buckets, together all of them.

    Examples
    --------
    >>> list(slices_of(np.array([20, 10, 30]), np.array([5, 2, 9]), 7))
    [Slice(first=10, last=20, rows=7), Slice(first=30, last=30, rows=9)]
    """
    order = np.argsort(buckets)
    buckets, passed = buckets[order], np.concatenate(([0], np.cumsum(counts[order])))
    start = 0
    while start < len(buckets):
        stop = max(start + 1, int(np.searchsorted(passed, passed[start] + most, side="right")) - 1)
        yield Slice(int(buckets[start]), int(buckets[stop - 1]), int(passed[stop] - passed[start]))
        start = stop


def whole_buckets(batches: Iterable[pa.RecordBatch], bucket: str, most: int) -> Iterator[pa.Table]:
    """Rows in the order of their buckets, cut between two buckets.

    Parameters
    ----------
    batches
        The rows.
    bucket
        The column by which they are in order.
    most
        At about how many rows a table is given.

    Yields
    ------
    pyarrow.Table
        All rows of each of its buckets.
    """
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count < most:
            continue
        # The last bucket may go on in the next batch.
        table = pa.Table.from_batches(held)
        numbers = table[bucket].to_numpy()
        edge = int(np.searchsorted(numbers, numbers[-1]))
        if edge:
            yield table.slice(0, edge)
            rest = table.slice(edge)
            # A copy: what looks into the rows before it would keep them.
            held, count = rest.take(pa.array(np.arange(len(rest)))).to_batches(), len(rest)
    if count:
        yield pa.Table.from_batches(held)
