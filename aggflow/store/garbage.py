"""Garbage: files that no coverage names any more, deleted when no reader can still want them."""

from __future__ import annotations

from dataclasses import dataclass

from aggflow.catalog import Catalog
from aggflow.store.store import SegmentStore
from aggflow.timeline.instant import FOREVER, SECOND_US, Micros


@dataclass(frozen=True, slots=True)
class GarbageReport:
    """What a collection deleted.

    Attributes
    ----------
    superseded
        Files that a build or a compaction replaced.
    strays
        Files that the catalog never came to know: their writer was stopped.
    bytes
        Of all of them.
    """

    superseded: int = 0
    strays: int = 0
    bytes: int = 0


def collect_garbage(catalog: Catalog, store: SegmentStore, *, grace: float, now_us: Micros) -> GarbageReport:
    """Delete what nobody needs any more.

    Parameters
    ----------
    catalog, store
        Where the segments are.
    grace
        Seconds for which a superseded file is kept for readers with an older snapshot, and
        a file that is not in the catalog for the build that may be about to enter it.
    now_us
        The present instant, in microseconds.

    Raises
    ------
    StoreReadOnlyError
        The folder cannot be written.
    StoreError, CatalogError
        The store or the catalog failed.
    """
    before_us = now_us - round(grace * SECOND_US)
    # The files first, the catalog after: a file that is entered in between is then seen as live.
    old = {stored.file: stored.bytes for stored in store.files() if stored.modified_us <= before_us}
    superseded = catalog.garbage(before_us)
    known = catalog.live_files() | set(catalog.garbage(FOREVER))
    strays = [file for file in old if file not in known]
    deleted = store.delete(superseded)
    catalog.forget_garbage(superseded)
    return GarbageReport(
        deleted, store.delete(strays), sum(old.get(file, 0) for file in (*superseded, *strays))
    )
