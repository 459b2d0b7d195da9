"""A draft: a segment that is being written, some rows at a time, and is no file of the store until it is kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from aggflow.errors import StoreError
from aggflow.store.errors import mapped
from aggflow.store.segment import BUCKET, check
from aggflow.store.segment_writer import SegmentWriter
from aggflow.timeline.window import Window


class Draft:
    """A segment under way, in a file of its own, which is gone after the ``with``.

    Parameters
    ----------
    file
        Its name in the store, once it is kept.
    path
        Where it is written; there is nothing yet.
    window
        What the segment covers.

    Attributes
    ----------
    rows
        How many were added.
    """

    def __init__(self, file: str, path: Path, window: Window) -> None:
        self.file = file
        self.path = path
        self.rows = 0
        self._window = window
        self._writer: SegmentWriter | None = None
        self._last: int | None = None
        self._checksum = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def add(self, table: pa.Table) -> None:
        """Write rows: of later buckets than those that were added before.

        Parameters
        ----------
        table
            First column ``bucket`` (int64 seconds, sorted, within the window), then any others.  A column
            that was null all over takes the type that it has here.

        Raises
        ------
        StoreFullError, StoreReadOnlyError
            The file cannot be written.
        StoreError
            The rows are none of such a segment.
        """
        with mapped(f"the segment {self.file}", writing=True):
            self._add(_with_plain_numbers(table))

    def _add(self, table: pa.Table) -> None:
        check(table, self._window)
        starts = table[BUCKET]
        if self._writer is None:
            self._writer = SegmentWriter(self.path, table.schema)
        elif len(starts) and self._last is not None and starts[0].as_py() <= self._last:
            raise StoreError("the buckets of a segment are not sorted")
        if not table.schema.equals(self._writer.schema):
            table = self._widened(self._writer, table)
        self._writer.write(table)
        self.rows += table.num_rows
        if len(starts):
            self._last = starts[-1].as_py()

    def end(self) -> str:
        """End the file; again, where it was ended already.

        Returns
        -------
        str
            The checksum of its footer.

        Raises
        ------
        StoreFullError, StoreReadOnlyError
            The file cannot be written.
        StoreError
            Nothing was added, not even columns.
        """
        if self._writer is None:
            raise StoreError("a segment has at least its columns")
        if not self._checksum:
            with mapped(f"the segment {self.file}", writing=True):
                self._checksum = self._writer.close()
        return self._checksum

    @property
    def size(self) -> int:
        """How many bytes were written.

        Raises
        ------
        StoreError
            They are not there any more.
        """
        try:
            return self.path.stat().st_size
        except FileNotFoundError as error:
            raise StoreError(
                f"what was written of the segment {self.file} is gone",
                hint="leave temporary files alone while they are written, and build again",
            ) from error

    def drop(self) -> None:
        """Delete the file, if it is there."""
        if self._writer is not None:
            self._writer.abandon()
        # What cannot be deleted now is garbage, and collected as such.
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _widened(self, writer: SegmentWriter, table: pa.Table) -> pa.Table:
        """Rows in the columns of the file, which is written anew where those of the rows are wider."""
        joined = _joined(writer.schema, table)
        if joined.schema.equals(writer.schema):
            return joined
        writer.close()
        before = self.path.with_name(f".narrow{self.path.name}")
        self.path.rename(before)
        try:
            anew = self._writer = SegmentWriter(self.path, joined.schema)
            with pq.ParquetFile(before) as file:
                for group in range(file.num_row_groups):
                    part: Any = file.read_row_group(group, use_threads=False)
                    anew.write(_joined(joined.schema, part))
        finally:
            before.unlink()
        return joined


def _joined(schema: pa.Schema, table: pa.Table) -> pa.Table:
    """Rows with the columns that they and others need."""
    try:
        schema, table = _with_same_numbers(schema, table)
        found = pa.concat_tables([schema.empty_table(), table], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StoreError(
            "the parts of a segment have different columns", hint="rebuild the rollup"
        ) from error
    return found.unify_dictionaries().replace_schema_metadata(schema.metadata)


def _with_plain_numbers(table: pa.Table) -> pa.Table:
    """Rows whose dictionaries are of texts alone: Parquet gives only these back as they were."""
    for place, field in enumerate(table.schema):
        type_: Any = field.type
        if pa.types.is_dictionary(type_) and not pa.types.is_string(type_.value_type):
            plain = table.column(place).cast(type_.value_type)
            table = table.set_column(place, field.with_type(type_.value_type), plain)
    return table


def _with_same_numbers(schema: pa.Schema, table: pa.Table) -> tuple[pa.Schema, pa.Table]:
    """Both with one type for the numbers of each column, which Arrow would not find."""
    for place, field in enumerate(schema):
        own = table.schema.get_field_index(field.name)
        type_ = None if own < 0 else _common(field.type, table.schema.field(own).type)
        if type_ is not None:
            wide = field.with_type(type_)
            schema = schema.set(place, wide)
            table = table.set_column(own, wide, table.column(own).cast(type_))
    return schema, table


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds the numbers of two; None where they are one, or Arrow finds it."""
    sides: Any = (one, other)
    if one != other and all(map(pa.types.is_decimal, sides)):
        # Arrow would take twice as many bits for a few more digits behind the point.
        return pa.decimal128(38, max(side.scale for side in sides))
    if one != other and all(map(pa.types.is_integer, sides)) and pa.uint64() in sides:
        return pa.uint64()
    return None
