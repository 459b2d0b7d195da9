"""A cell index: finds the cell of a row, the place of its bucket and groupings among a grain's cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from aggflow.backends.agreement import agree
from aggflow.measures.state import Array, Int64s
from aggflow.measures.vocabulary import Vocabulary

# Composite numbers of (bucket, groupings) up to which a table finds a cell faster than a search.
_TABLE: Final = 1 << 24


class CellIndex:
    """Finds a row's cell: the place of its bucket and groupings among a grain's cells."""

    def __init__(
        self, table: pa.Table, by: list[str], paths: tuple[str, ...], vocabularies: Mapping[str, Vocabulary]
    ) -> None:
        self.table = table
        self._by = by
        self._paths = paths
        self._vocabularies = vocabularies
        self.count = table.num_rows
        buckets, codes = self._decoded(table)
        self._known = np.unique(buckets)
        self._sizes = [len(vocabularies[path]) for path in paths]
        composite = self._composite(buckets, codes)
        self.order = np.argsort(composite, kind="stable")
        self._sorted = composite[self.order]
        self.buckets = buckets[self.order]
        self.codes = {path: code[self.order] for path, code in zip(paths, codes, strict=True)}
        self._places = self._table_of_places()

    def cells_of(self, table: pa.Table) -> Int64s:
        """The cell of each row of another table that is grouped in the same way."""
        buckets, codes = self._decoded(table)
        if any(int(code.max(initial=-1)) >= size for size, code in zip(self._sizes, codes, strict=True)):
            agree(0, 1, "cells that were not there before")
        composite = self._composite(buckets, codes)
        if len(composite) and int(composite.max()) > self._sorted[-1]:
            agree(0, 1, "cells that were not there before")
        cells = np.searchsorted(self._sorted, composite) if self._places is None else self._places[composite]
        if not bool(np.array_equal(self._sorted[cells], composite)):
            agree(0, 1, "cells that were not there before")
        return cells

    def _decoded(self, table: pa.Table) -> tuple[Int64s, list[Array]]:
        codes = [
            self._vocabularies[path].encode(table[column])
            for path, column in zip(self._paths, self._by[1:], strict=True)
        ]
        return table[self._by[0]].to_numpy(), codes

    def _composite(self, buckets: Int64s, codes: list[Array]) -> Int64s:
        composite = np.searchsorted(self._known, buckets).astype(np.int64)
        for size, code in zip(self._sizes, codes, strict=True):
            composite = composite * size + code
        return composite

    def _table_of_places(self) -> Array | None:
        most = len(self._known) * int(np.prod(self._sizes, dtype=np.float64))
        if most > _TABLE:
            return None
        places = np.zeros(most, dtype=np.int64)
        places[self._sorted] = np.arange(self.count)
        return places
