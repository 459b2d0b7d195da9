"""A segment writer: writes the file of a segment, row group by row group, each with its digest."""

from __future__ import annotations

import json
from contextlib import suppress
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from aggflow.store.segment import BUCKET, DIGESTS, digest_of, rows_a_group

_COMPRESSION_LEVEL: Final = 3


class SegmentWriter:
    """Writes a segment's file.

    Parameters
    ----------
    path
        There is nothing yet.
    schema
        Of all rows.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self._file = path.open("xb")
        self._sink = _Sink(self._file)
        self._digests: list[tuple[int, int, str]] = []
        self._taken = 0
        self._writer = pq.ParquetWriter(
            self._sink,
            schema,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            use_compliant_nested_type=False,  # lists keep the name of their items: what is read is what was written
            write_statistics=[BUCKET],  # type: ignore[arg-type]  # or a list of columns
        )

    def write(self, table: pa.Table) -> None:
        """Write rows, which have all columns."""
        step = rows_a_group(table)
        for first in range(0, table.num_rows, step):
            self._writer.write_table(table.slice(first, step), row_group_size=step)
            end = self._sink.tell()
            self._digests.append((self._taken, end, self._sink.taken()))
            self._taken = end

    def close(self) -> str:
        """End the file, and give the checksum of its footer."""
        if not self._digests:
            # The word that a file begins with is under the digest of its first row group, or under none.
            self._sink.taken()
        self._writer.add_key_value_metadata({DIGESTS: json.dumps(self._digests)})
        self._writer.close()
        self._file.close()
        return self._sink.taken()

    def abandon(self) -> None:
        """Let go of a file that is not to be ended."""
        self._sink.deaf = True
        with suppress(pa.ArrowException, OSError):
            self._writer.close()
        self._writer.is_open = False
        with suppress(OSError):
            self._file.close()


class _Sink(RawIOBase):
    """A file that is written, with a digest of what was written since it was last taken."""

    def __init__(self, file: BinaryIO) -> None:
        self.deaf = False
        self._file = file
        self._end = 0
        self._digest = digest_of()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._end

    def write(self, data: Any, /) -> int:
        if not self.deaf:
            self._file.write(data)
        self._digest.update(data)
        self._end += len(data)
        return len(data)

    def taken(self) -> str:
        """The digest of what was written since the last one was taken."""
        found, self._digest = self._digest.hexdigest(), digest_of()
        return found
