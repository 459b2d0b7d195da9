"""A damage: a live segment that is missing, or is not what the catalog says it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aggflow.catalog import Coverage
from aggflow.errors import SegmentDamagedError, SegmentMissingError
from aggflow.store import SegmentStore
from aggflow.timeline import Window


@dataclass(frozen=True)
class Damage:
    """A window whose states cannot be read.

    Attributes
    ----------
    rollup
        Whose, for people.
    version
        Number of the rollup's version.
    window
        What the segment stands for.
    what
        What is wrong with it.
    """

    rollup: str
    version: int
    window: Window
    what: str

    def __str__(self) -> str:
        return f"{self.rollup} {self.window}: {self.what}"


def damages(rollup: str, coverage: Coverage, store: SegmentStore) -> Iterator[Damage]:
    """Read every live segment of a rollup whole; yield those that cannot be used.

    Raises
    ------
    StoreError
        The store itself cannot be read: that is no damage of a segment.
    """
    known: dict[str, str] = {}
    for row in coverage.rows:
        if row.file is None:
            continue
        if row.file not in known:
            known[row.file] = _damage(row.file, row.checksum, store)
        if known[row.file]:
            yield Damage(rollup, row.version, row.window, known[row.file])


def _damage(file: str, checksum: str, store: SegmentStore) -> str:
    try:
        store.read(file, checksum)
    except (SegmentMissingError, SegmentDamagedError) as error:
        return error.message
    return ""
