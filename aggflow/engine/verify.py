"""Verification: states as they are stored, compared with states made of the source anew."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aggflow.backends.extent import extent
from aggflow.backends.rollup_sql import read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.brief import brief, lines
from aggflow.catalog import Coverage
from aggflow.engine.plan import Piece, pieces
from aggflow.engine.reader import checked_layout, cut
from aggflow.engine.reduction import merged
from aggflow.engine.version import Version
from aggflow.figure import counted
from aggflow.measures.cells import Cells
from aggflow.measures.state import Array, Sketch
from aggflow.store import Resident
from aggflow.timeline import ALWAYS, Window

# Sums and moments of floats depend on the order in which rows are added.
_RELATIVE = 1e-9


@dataclass(frozen=True)
class Difference:
    """A bucket whose states are not what its source rows give.

    Attributes
    ----------
    version
        Number of the rollup's version.
    window
        The bucket.
    what
        What differs, for people.
    """

    version: int
    window: Window
    what: str

    def __str__(self) -> str:
        return f"{self.window}: {self.what}"


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found.

    Attributes
    ----------
    buckets
        How many buckets were compared.
    rows_read
        Source rows that were read for it.
    differences
        The buckets that differ.
    fixed
        Whether those were made missing: they are read from the source until a build makes them anew.
    """

    buckets: int
    rows_read: int
    differences: tuple[Difference, ...]
    fixed: bool = False

    def __repr__(self) -> str:
        found = counted(len(self.differences), "difference") if self.differences else "all agree"
        what = f"{found}, made missing: a build makes them anew" if self.fixed else found
        facts = {"": what, "rows read": f"{self.rows_read:,}"}
        return lines(brief(f"{counted(self.buckets, 'bucket')} compared", facts), self.differences)

    @property
    def agrees(self) -> bool:
        """Whether no bucket differs."""
        return not self.differences


def verify(
    versions: Sequence[Version],
    coverage: Coverage,
    rows: SourceRows,
    resident: Resident,
    *,
    sample: int,
    seed: int,
) -> VerifyReport:
    """Compare what is built with the source: rows of every window, states of a sample of buckets.

    Parameters
    ----------
    versions, coverage
        The rollup.
    rows
        Its open source.
    resident
        Where segments are read.
    sample
        How many buckets.
    seed
        Chooses them.
    """
    choose = random.Random(seed)  # noqa: S311 - a sample, no secret
    differences = [
        difference
        for piece in pieces(versions, coverage, ALWAYS)
        if piece.row and (difference := _count(piece, rows, resident)) is not None
    ]
    stored = [piece for piece in pieces(versions, coverage, ALWAYS) if piece.row and piece.row.file]
    drawn = (
        _bucket(piece, resident, choose) for piece in (choose.choices(stored, k=sample) if stored else ())
    )
    chosen = {(piece.version.number, piece.window): piece for piece in drawn if piece is not None}
    read_rows = 0
    for (number, window), piece in sorted(chosen.items(), key=lambda item: item[0]):
        what, count = _compare(piece, rows, resident)
        read_rows += count
        if what:
            differences.append(Difference(number, window, what))
    return VerifyReport(len(chosen), read_rows, tuple(differences))


def _count(piece: Piece, rows: SourceRows, resident: Resident) -> Difference | None:
    """The difference in rows between a built window and the source: windows without a segment, too."""
    version, row = piece.version, piece.row
    kept = 0
    if row is not None and row.file is not None and version.layout is not None:
        kept = int(cut(_counted(resident.grains(version.layout, row)), piece.window).rows.sum())
    found = int(extent(rows, version.rollup, piece.window).rows.sum())
    if kept == found:
        return None
    return Difference(version.number, piece.window, _other_count(kept, found))


def _counted(grains: Sequence[Cells]) -> Cells:
    """A grain that has cells, if any has: each counts all rows, but one that keeps no states has none."""
    return next((cells for cells in grains if len(cells)), grains[0])


def _bucket(piece: Piece, resident: Resident, choose: random.Random) -> Piece | None:
    """One bucket of a piece that has cells."""
    assert piece.version.layout is not None and piece.row is not None  # noqa: S101, PT018 - it is stored
    grains = resident.grains(piece.version.layout, piece.row)
    buckets = np.unique(cut(_counted(grains), piece.window).buckets)
    if not len(buckets):
        return None
    rollup = piece.version.rollup
    start = int(choose.choice(buckets.tolist())) * 1_000_000
    return Piece(piece.version, Window(start, rollup.width.next(start, rollup.zone)), piece.row)


def _compare(piece: Piece, rows: SourceRows, resident: Resident) -> tuple[str, int]:
    version, row = piece.version, piece.row
    assert row is not None  # noqa: S101 - it is stored
    layout = checked_layout(version, rows)
    vocabularies = resident.vocabularies(version.rollup_id)
    fresh = read_states(rows, version.rollup, layout, piece.window, vocabularies)
    for old, new in zip(resident.grains(layout, row), fresh.grains, strict=True):
        what = _difference(_canonical(cut(old, piece.window), version), _canonical(new, version))
        if what:
            return what, fresh.rows
    return "", fresh.rows


def _canonical(cells: Cells, version: Version) -> Cells:
    """Cells in order, their states in the form that merging gives: one total has several."""
    assert version.layout is not None  # noqa: S101 - it is stored
    series = (version.rollup.width, version.rollup.zone)
    return merged(cells, tuple(cells.codes), series, version.layout.kinds)


def _other_count(kept: int, found: int) -> str:
    verb = "is" if kept == 1 else "are"
    return f"{counted(kept, 'row')} {verb} stored, the source has {found:,}"


def _difference(old: Cells, new: Cells) -> str:
    kept, found = int(old.rows.sum()), int(new.rows.sum())
    if kept != found:
        return _other_count(kept, found)
    for name, ours, theirs in _columns(old, new):
        if len(ours) != len(theirs) or not _equal(ours, theirs):
            return f"{name} differs"
    return ""


def _columns(old: Cells, new: Cells) -> Iterator[tuple[str, Array, Array]]:
    yield "rows", old.rows, new.rows
    for path in old.codes:
        yield f"grouping {path}", old.codes[path], new.codes[path]
    for key, state in old.states.items():
        for name, column in state.items():
            other = new.states[key][name]
            if isinstance(column, Sketch) and isinstance(other, Sketch):
                for part in ("offsets", "keys", "counts"):
                    yield key.text, getattr(column, part), getattr(other, part)
            elif not isinstance(column, Sketch) and not isinstance(other, Sketch):
                yield f"{key.text}.{name}", column, other


def _equal(ours: Array, theirs: Array) -> bool:
    if ours.dtype.kind == "f" and theirs.dtype.kind == "f":
        scale = np.nanmax(np.abs(theirs), initial=0)
        return bool(np.allclose(ours, theirs, rtol=_RELATIVE, atol=_RELATIVE * scale, equal_nan=True))
    return bool(np.array_equal(ours, theirs))
