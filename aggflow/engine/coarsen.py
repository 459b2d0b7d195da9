"""Coarsening: cells of a coarser rollup, made of a finer one's states instead of source rows.

Merge is associative, so states that sum up an hour's rows serve a day as the rows would.  A finer
rollup may stand for the source where it has all that the coarser one keeps, and is as fresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aggflow.catalog import Coverage
from aggflow.engine.reader import cut
from aggflow.engine.reduction import joined, merged
from aggflow.engine.version import Version
from aggflow.measures.cells import Cells, Layout, empty_cells, from_segment
from aggflow.measures.registry import StateKey
from aggflow.measures.vocabulary import Vocabulary
from aggflow.spec.rollup import Rollup
from aggflow.store import SegmentStore
from aggflow.timeline import BEGINNING, Micros, Window, WindowSet

_SECOND_US = 1_000_000
_FAR_US = 4_102_444_800 * _SECOND_US  # the year 2100


@dataclass(frozen=True)
class Finer:
    """A rollup whose states may stand for source rows.

    Attributes
    ----------
    name
        Its reference.
    version
        Its only version.
    coverage
        What is built of it, all of it as fresh as a build of this moment would make it.
    seen_us
        When the newest row had arrived as it was built; None where the source does not say.
    """

    name: str
    version: Version
    coverage: Coverage
    seen_us: Micros | None = None

    @property
    def covered(self) -> WindowSet:
        """What is built of it."""
        return self.coverage.windows(self.version.number)

    @property
    def rows(self) -> int:
        """How many cells it stores."""
        return sum(row.rows for row in self.coverage.of(self.version.number))


@dataclass(frozen=True)
class Share:
    """A window of a coarser rollup that one finer rollup makes."""

    finer: Finer
    window: Window


class Coarsening:
    """Makes windows of one rollup of the states of finer ones.

    Parameters
    ----------
    finer
        The rollups that may stand for the source.
    store
        Where their segments are.
    cells
        Of about how many cells a window is made at once.
    """

    def __init__(self, finer: Iterable[Finer], store: SegmentStore, cells: int) -> None:
        self._finer = sorted(finer, key=lambda one: one.rows)
        self._store = store
        self._cells = cells

    def seen(self, newest_us: Micros) -> Micros:
        """When the newest row had arrived that is surely in what is made of states."""
        known = (BEGINNING if finer.seen_us is None else finer.seen_us for finer in self._finer)
        return min([newest_us, *known])

    def shares(self, version: Version, wanted: WindowSet) -> list[Share]:
        """Those parts of windows that finer rollups can make, each by the one with the fewest cells.

        Parameters
        ----------
        version
            What is to be made; its layout is known.
        wanted
            Whole buckets of it, but for ends that are cut.
        """
        found: list[Share] = []
        for finer in self._finer:
            if self._fits(finer, version):
                whole = list(_whole(finer, version, wanted))
                found += [Share(finer, part) for w in whole for part in self._cut(finer, version, w)]
                wanted = wanted - WindowSet(whole)
        return sorted(found, key=lambda share: share.window)

    def read(
        self, version: Version, share: Share, vocabularies: Mapping[str, Vocabulary]
    ) -> tuple[tuple[Cells, ...], int]:
        """The cells of every grain of a share's window, and how many finer ones they sum up.

        Parameters
        ----------
        version
            What is to be made.
        share
            The window, and what it is made of.
        vocabularies
            By grouping path; new values are added.
        """
        layout = _layout(version)
        parts: list[list[Cells]] = [[] for _ in layout.grains]
        count = 0
        for grains in self._loaded(share, vocabularies):
            count += sum(map(len, grains))
            for number in range(len(parts)):
                parts[number] += _coarse(grains, share.finer.version, version, number)
        return tuple(_whole_grain(version, i, made) for i, made in enumerate(parts)), count

    def _loaded(self, share: Share, vocabularies: Mapping[str, Vocabulary]) -> Iterator[list[Cells]]:
        """The cells of the segments in a share's window, one segment after the other."""
        version = share.finer.version
        for row in share.finer.coverage.of(version.number):
            part = row.window & share.window
            if part is None or row.file is None:
                continue
            table = self._store.read(row.file, row.checksum)
            found = from_segment(_layout(version), table, vocabularies, row.file)
            yield [cut(cells, part) for cells in found]

    def _fits(self, finer: Finer, version: Version) -> bool:
        coarse, fine = version.rollup, finer.version.rollup
        if (
            finer.version.rollup_id == version.rollup_id
            or (coarse.source, coarse.where) != (fine.source, fine.where)
            or not set(coarse.groupings) <= set(fine.groupings)
            or not _keeps_all(finer.version, version)
        ):
            return False
        window = None if coarse.zone.is_fixed else self._old(finer)
        return fine.width.divides(coarse.width, fine.zone, coarse.zone, window=window)

    def _old(self, finer: Finer) -> Window | None:
        """The time of a rollup's cells where some are before 1970, when clocks were others than today's."""
        starts = [
            row.window.start // _SECOND_US if row.window.start > BEGINNING else self._store.span(row.file)[0]
            for row in finer.coverage.of(finer.version.number)
            if row.file is not None and row.window.start < 0
        ]
        first = min(starts, default=0)
        return Window(first * _SECOND_US, _FAR_US) if first < 0 else None

    def _cut(self, finer: Finer, version: Version, window: Window) -> Iterator[Window]:
        """A window cut into parts that are made of about so many cells."""
        start, passed = window.start, 0
        for row in finer.coverage.of(finer.version.number):
            if not row.window & window:
                continue
            edge = version.rollup.width.floor(row.window.start, version.rollup.zone)
            if passed and passed + row.rows > self._cells and edge > start:
                yield Window(start, edge)
                start, passed = edge, 0
            passed += row.rows
        yield Window(start, window.end)


def _whole(finer: Finer, version: Version, wanted: WindowSet) -> Iterator[Window]:
    """The buckets of windows that a finer rollup holds whole, or exactly as far as a window goes."""
    width, zone = version.rollup.width, version.rollup.zone
    covered = finer.covered
    ends = {window.end for window in covered}
    for window in wanted:
        for both in covered & WindowSet.of(window):
            start, end = width.ceil(both.start, zone), both.end
            fine = finer.version.rollup
            # A finer bucket that is built further than the window goes holds rows of after its end.
            exact = end in ends or fine.width.floor(end, fine.zone) == end
            if end < window.end or not exact:
                end = width.floor(end, zone)
            if start < end:
                yield Window(start, end)


def _keeps_all(fine: Version, coarse: Version) -> bool:
    """Whether every state of a version can be made of another's."""
    there, wanted = fine.layout, _layout(coarse)
    if there is None or (wanted.hash and wanted.hash != there.hash):
        return False
    pairs = ((fine.find(key, frozenset(key.groupings)), kind) for key, kind in wanted.kinds.items())
    return all(own is not None and there.kinds[own] == kind for own, kind in pairs)


def _coarse(grains: Sequence[Cells], fine: Version, coarse: Version, number: int) -> Iterator[Cells]:
    """The cells of one coarse grain: a part for each fine grain that has states for it."""
    layout = _layout(coarse)
    by, keys = layout.grains[number], layout.keys[number]
    if not keys and (number or any(layout.keys)):
        return
    own: dict[int, dict[StateKey, StateKey]] = {}
    for key in keys:
        found = fine.find(key, frozenset(key.groupings))
        assert found is not None  # noqa: S101 - the rollup fits
        own.setdefault(_layout(fine).grain_of(found), {})[key] = found
    series = (coarse.rollup.width, coarse.rollup.zone)
    for i, (grain, states) in enumerate((own or {0: {}}).items()):
        cells = grains[grain]
        # Every grain counts all rows: they are counted once.
        rows = np.zeros_like(cells.rows) if i else cells.rows
        codes = {path: cells.codes[path] for path in by}
        named = {key: cells.states[found] for key, found in states.items()}
        yield merged(Cells(cells.buckets, codes, rows, named), by, series, layout.kinds)


def _whole_grain(version: Version, number: int, parts: Sequence[Cells]) -> Cells:
    layout = _layout(version)
    series = (version.rollup.width, version.rollup.zone)
    found = joined(parts, layout.grains[number], series, layout.kinds)
    return empty_cells(layout, number) if found is None else found.cells


def _layout(version: Version) -> Layout:
    assert version.layout is not None  # noqa: S101 - what has segments was built, what is built was looked at
    return version.layout


def build_order(rollups: Mapping[str, Rollup]) -> list[str]:
    """Names of rollups, those that others can be made of first.

    Examples
    --------
    >>> from dataclasses import replace
    >>> day = Rollup("flights", "", "1d", "UTC", ("origin",), ())
    >>> build_order({"day": day, "hour": replace(day, interval="1h"), "all": replace(day, groupings=())})
    ['hour', 'day', 'all']
    """

    def coarseness(name: str) -> tuple[int, int, int, str]:
        rollup = rollups[name]
        return -len(rollup.groupings), rollup.width.seconds_at_most, -len(rollup.kept), name

    return sorted(rollups, key=coarseness)
