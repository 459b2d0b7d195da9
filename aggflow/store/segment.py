"""Segment: an immutable Parquet file with the states of one rollup version for one window.

Its first column, ``bucket`` (int64, seconds since the epoch), is sorted; the others are
opaque here.  Every byte is under a digest: the footer holds one of each row group, and the checksum
that the catalog keeps is the footer's.  So a range of buckets is read from the row groups
that hold it, without the rest of the file, and a flipped byte is an error and never a wrong
number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aggflow.errors import SegmentDamagedError, StoreError
from aggflow.timeline.instant import SECOND_US
from aggflow.timeline.window import Window

BUCKET = "bucket"

DIGESTS = "aggflow.row_groups"
_ROW_GROUP_BYTES = 4_000_000  # of uncompressed columns
_ROW_GROUP_ROWS = 131_072
_TAIL_BYTES = 65_536  # a footer is seldom longer
_MAGIC = b"PAR1"
_END_BYTES = 8  # of a Parquet file: the length of its footer, then the magic word
_HASH_BYTES = 16

Buckets: TypeAlias = tuple[int, int]
"""A half-open range of bucket starts, in seconds since the epoch."""

ReadRange: TypeAlias = Callable[[int, int], bytes]
"""Gives the bytes of a file from an offset up to, without, another."""


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment that was written.

    Attributes
    ----------
    file
        Its name in the store.
    rows, bytes
        How much it holds.
    checksum
        Of the file's footer, which holds those of the rest; 32 hexadecimal digits.
    """

    file: str
    rows: int
    bytes: int
    checksum: str


def buckets_of(window: Window) -> Buckets:
    """The bucket starts that lie in a window.

    Examples
    --------
    >>> buckets_of(Window(1_500_000, 3_000_000))
    (2, 3)
    """
    return -(-window.start // SECOND_US), -(-window.end // SECOND_US)


def decode(
    file: str, size: int, read: ReadRange, *, checksum: str | None = None, buckets: Buckets | None = None
) -> pa.Table:
    """The states of a segment.

    Parameters
    ----------
    file, size
        Its name, for messages, and its length in bytes.
    read
        Gives its bytes.
    checksum
        What its footer must have; without one only the rest is verified.
    buckets
        Only the rows with these; None gives all.

    Raises
    ------
    SegmentDamagedError
        The bytes are not those that were written.
    """
    # All is read at once, or the end, and then the row groups that hold the range.
    first = 0 if buckets is None else max(0, size - _TAIL_BYTES)
    tail = read(first, size)
    footer_start = _footer_start(tail, size)
    if len(tail) != size - first or footer_start < len(_MAGIC):
        raise _damaged(file, "it is cut short, or no Parquet file")
    if footer_start < first:
        first = footer_start
        tail = read(first, size)
    footer = tail[footer_start - first :]
    if checksum is not None and _digest(footer) != checksum:
        raise _damaged(file, "its footer does not match its checksum")
    try:
        metadata = pq.read_metadata(pa.BufferReader(footer))
        digests: list[tuple[int, int, str]] = json.loads((metadata.metadata or {})[DIGESTS.encode()])
        groups = [i for i in range(metadata.num_row_groups) if _holds(metadata.row_group(i), buckets)]
        wanted = [digests[i] for i in groups]
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:
        raise _damaged(file, "its footer cannot be read") from error
    data = _sparse(file, size, read, first, tail, wanted)
    try:
        # Without Arrow's own threads: one that lets go of Python's bytes while the interpreter ends
        # aborts the process. Whoever reads several segments reads them in threads.
        table = pq.ParquetFile(pa.BufferReader(data)).read_row_groups(groups, use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(file, "its row groups cannot be read") from error
    kept = {key: value for key, value in (table.schema.metadata or {}).items() if key != DIGESTS.encode()}
    return cut(table.replace_schema_metadata(kept or None), buckets)


def span(file: str, opened: BinaryIO) -> Buckets:
    """The first and the last bucket of an open segment, from its footer alone.

    Raises
    ------
    SegmentDamagedError
        The footer cannot be read.
    """
    try:
        metadata = pq.read_metadata(opened)
        ends = [metadata.row_group(i).column(0).statistics for i in (0, metadata.num_row_groups - 1)]
        return int(ends[0].min), int(ends[1].max)
    except (pa.ArrowException, RuntimeError, IndexError, AttributeError) as error:
        raise _damaged(file, "its footer cannot be read") from error


def cut(table: pa.Table, buckets: Buckets | None) -> pa.Table:
    """The rows of some buckets, without copying them.

    Parameters
    ----------
    table
        With a first column ``bucket``, sorted.
    buckets
        Which; None is all.
    """
    if buckets is None:
        return table
    starts = table.column(0).to_numpy()
    low, high = np.searchsorted(starts, np.asarray(buckets, dtype=np.int64), side="left")
    return table.slice(low, high - low)


def _sparse(
    file: str, size: int, read: ReadRange, first: int, tail: bytes, wanted: Sequence[tuple[int, int, str]]
) -> pa.Buffer:
    """The bytes of a file as far as they are wanted, each verified; the others are zero and never looked at."""
    if first > 0 and wanted:
        start, end = wanted[0][0], wanted[-1][1]
        content = np.zeros(size, dtype=np.uint8)
        content[first:] = np.frombuffer(tail, dtype=np.uint8)
        piece = read(start, end)
        if len(piece) != end - start:
            raise _damaged(file, "it is cut short")
        content[start:end] = np.frombuffer(piece, dtype=np.uint8)
        data = pa.py_buffer(content)
    else:
        data = pa.py_buffer(tail)  # the whole file, or its footer for no row at all
    view = memoryview(data)
    for start, end, digest in wanted:
        if _digest(view[start:end]) != digest:
            raise _damaged(file, f"its bytes {start} to {end} do not match their checksum")
    return data


def check(table: pa.Table, window: Window) -> None:
    """Make sure that rows are some of a window's segment.

    Raises
    ------
    StoreError
        They are not.
    """
    if not table.column_names or table.column_names[0] != BUCKET or table.schema.field(0).type != pa.int64():
        raise StoreError(
            f"the first column of a segment is {BUCKET!r}, int64; this table has {table.schema.names}"
        )
    column = table.column(0)
    if column.null_count:
        raise StoreError("a segment has a bucket that is null")
    starts = column.to_numpy()
    low, high = buckets_of(window)
    if len(starts) and (np.any(starts[1:] < starts[:-1]) or starts[0] < low or starts[-1] >= high):
        raise StoreError(f"the buckets of a segment are not sorted, or lie outside of its window {window}")


def rows_a_group(table: pa.Table) -> int:
    """How many rows make a row group that is neither long nor large."""
    by_size = table.num_rows * _ROW_GROUP_BYTES // max(1, table.nbytes)
    return min(_ROW_GROUP_ROWS, max(1024, by_size))


def _holds(group: pq.RowGroupMetaData, buckets: Buckets | None) -> bool:
    """Whether a row group may hold some of the buckets."""
    statistics = group.column(0).statistics
    if buckets is None or statistics is None or not statistics.has_min_max:
        return True
    return statistics.min < buckets[1] and statistics.max >= buckets[0]


def _footer_start(tail: bytes, size: int) -> int:
    """Where the footer of a file of some size begins; -1 if this is not the end of a Parquet file."""
    if len(tail) < _END_BYTES or tail[-len(_MAGIC) :] != _MAGIC:
        return -1
    return size - _END_BYTES - int.from_bytes(tail[-_END_BYTES : -len(_MAGIC)], "little")


def digest_of(data: bytes | memoryview = b"") -> hashlib.blake2b:
    """The digest of bytes; more can be added to it."""
    return hashlib.blake2b(data, digest_size=_HASH_BYTES)


def _digest(data: bytes | memoryview) -> str:
    return digest_of(data).hexdigest()


def _damaged(file: str, why: str) -> SegmentDamagedError:
    return SegmentDamagedError(
        f"the segment {file} is damaged: {why}",
        hint="`aggflow doctor --fix` makes its window missing, and a build makes it again",
    )
