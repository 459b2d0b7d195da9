"""Resident segments: the states that a process keeps in memory, within a budget in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping

from aggflow.catalog.coverage_row import CoverageRow
from aggflow.measures.cells import Cells, Layout, from_segment
from aggflow.measures.vocabulary import Vocabulary
from aggflow.store.store import SegmentStore

Grains = tuple[Cells, ...]


class Vocabularies(defaultdict[str, Vocabulary]):
    """The vocabularies of one rollup's groupings, by path; made on first use."""

    def __init__(self) -> None:
        super().__init__(Vocabulary)


class Resident:
    """Segments as arrays, the least recently used of them given up when the budget is full.

    Parameters
    ----------
    store
        Where segments are read from.
    budget
        Bytes of states to keep at most; a segment that is larger is read anew each time.
    """

    def __init__(self, store: SegmentStore, budget: int) -> None:
        self._store = store
        self._budget = budget
        self._kept: OrderedDict[str, Grains] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._loading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._vocabularies: defaultdict[str, Vocabularies] = defaultdict(Vocabularies)

    @property
    def store(self) -> SegmentStore:
        """Where segments come from."""
        return self._store

    @property
    def bytes(self) -> int:
        """Bytes of states that are kept now."""
        return self._bytes

    def vocabularies(self, rollup_id: str) -> Vocabularies:
        """The vocabularies of a rollup; codes in its cells are theirs."""
        with self._lock:
            return self._vocabularies[rollup_id]

    def grains(self, layout: Layout, row: CoverageRow) -> Grains:
        """The cells of a live segment, every grain; of the whole file, not only its live part.

        Raises
        ------
        SegmentMissingError, SegmentDamagedError
            The file is not there, or is not what the catalog says.
        """
        assert row.file is not None  # noqa: S101 - rows without a file hold no cells
        kept = self.at_hand(row.file)
        if kept is not None:
            return kept
        with self._lock:
            loading = self._loading[row.file]
        with loading:
            kept = self.at_hand(row.file)
            if kept is None:
                kept = self._load(layout, row, row.file)
                self._keep(row.file, kept)
        return kept

    def _load(self, layout: Layout, row: CoverageRow, file: str) -> Grains:
        vocabularies: Mapping[str, Vocabulary] = self.vocabularies(row.rollup_id)
        table = self._store.read(file, row.checksum)
        return tuple(from_segment(layout, table, vocabularies, file))

    def at_hand(self, file: str) -> Grains | None:
        """The cells of a segment where they are in memory; None where it had to be read."""
        with self._lock:
            kept = self._kept.get(file)
            if kept is not None:
                self._kept.move_to_end(file)
            return kept

    def _keep(self, file: str, grains: Grains) -> None:
        size = _bytes(grains)
        with self._lock:
            self._loading.pop(file, None)
            if size > self._budget:
                return
            if file in self._kept:
                return
            self._kept[file] = grains
            self._bytes += size
            while self._bytes > self._budget:
                _, old = self._kept.popitem(last=False)
                self._bytes -= _bytes(old)


def _bytes(grains: Grains) -> int:
    return sum(cells.bytes for cells in grains)
