"""Served: a rollup's versions and coverage, which belong together, as of a generation of it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from aggflow.catalog import Catalog, Coverage
from aggflow.catalog.rollup_version import RollupVersion
from aggflow.engine.at_hand import NotAtHandError
from aggflow.engine.plan import Piece, pieces
from aggflow.engine.version import Version
from aggflow.timeline import Window

_MOST_KEPT: Final = 1024


@dataclass(frozen=True)
class Served:
    """What answering from one rollup needs, as of a generation.

    Attributes
    ----------
    generation
        Of the rollup.
    versions
        By validity.
    coverage
        What is built of them.
    """

    generation: int
    versions: tuple[Version, ...]
    coverage: Coverage
    _pieces: dict[Window, tuple[Piece, ...]] = field(
        default_factory=dict[Window, tuple[Piece, ...]], init=False, repr=False, compare=False
    )

    _names: dict[Window, Hashable | None] = field(
        default_factory=dict[Window, Hashable | None], init=False, repr=False, compare=False
    )

    def pieces(self, window: Window) -> tuple[Piece, ...]:
        """Where the buckets that start in a window are read from; the same window is often asked again."""
        found = self._pieces.get(window)
        if found is None:
            found = pieces(self.versions, self.coverage, window)
            if len(self._pieces) >= _MOST_KEPT:
                self._pieces.clear()
            self._pieces[window] = found
        return found

    def name(self, window: Window) -> Hashable | None:
        """Names the states of the buckets that start in a window, for good; None where some are read from the source.

        A build of other buckets leaves it as it is.
        """
        try:
            return self._names[window]
        except KeyError:
            if len(self._names) >= _MOST_KEPT:
                self._names.clear()
            found = self._names[window] = states_of(self.pieces(window))
            return found


def states_of(of: tuple[Piece, ...]) -> Hashable | None:
    """Names the states that pieces hold, for good; None where some are read from the source."""
    stored = [
        (piece.version.data_hash, piece.version.number, piece.window.start, piece.window.end, piece.row.file)
        for piece in of
        if piece.row is not None
    ]
    return tuple(stored) if len(stored) == len(of) else None


class ServedRollups:
    """The rollups that a process answers from: read anew only when their generation changed.

    Parameters
    ----------
    catalog
        Where they are kept.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._served: dict[str, Served] = {}
        self._stored: dict[str, tuple[RollupVersion, ...]] = {}
        self._reading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def at(self, rollup_id: str, generation: int) -> Served | None:
        """What is known of a rollup, if it is of a generation."""
        known = self._served.get(rollup_id)
        return known if known is not None and known.generation == generation else None

    def get(self, rollup_id: str, *, wait: bool = True) -> Served:
        """Versions and coverage of a rollup, as of now.

        Raises
        ------
        NotAtHandError
            They had to be read, and that was not to be waited for.
        """
        known = self._served.get(rollup_id)
        if known is not None and known.generation == self._catalog.generation(rollup_id):
            return known
        if not wait:
            raise NotAtHandError
        # After a build all that ask want the same: one reads it.
        with self._reading[rollup_id]:
            known = self._served.get(rollup_id)
            if known is not None and known.generation == self._catalog.generation(rollup_id):
                return known
            served = self._served[rollup_id] = self._read(rollup_id)
            return served

    def _read(self, rollup_id: str) -> Served:
        # Versions and coverage are two statements: they belong together if nothing changed between.
        while True:
            coverage = self._catalog.coverage(rollup_id)
            stored = self._catalog.versions(rollup_id)
            if self._catalog.generation(rollup_id) == coverage.generation:
                return Served(coverage.generation, self._versions(rollup_id, stored), coverage)

    def _versions(self, rollup_id: str, stored: tuple[RollupVersion, ...]) -> tuple[Version, ...]:
        """The versions as they are stored; those of before where a build only changed what is covered."""
        known = self._served.get(rollup_id)
        if known is not None and self._stored.get(rollup_id) == stored:
            return known.versions
        self._stored[rollup_id] = stored
        return tuple(map(Version.of, stored))
