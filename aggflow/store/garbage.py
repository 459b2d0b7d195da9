"""Garbage: files that no coverage names any more, deleted when no reader can still want them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aggflow.catalog import Catalog
from aggflow.store.store import SegmentStore
from aggflow.timeline.instant import FOREVER, SECOND_US, Micros

_NAME = re.compile(r"(?P<rollup>[^/]+)/[0-9]+/[^/]+-[0-9a-f]{32}\.parquet(\.tmp)?")


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

    What is being written is safe: strays of a rollup wait for the end of its builds, however long these take.

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
    # Only files of rollups that this catalog has: others may belong to other homes, or to nobody here.
    ours = {rollup.id for workspace in catalog.workspaces() for rollup in catalog.rollups(workspace.id)}
    strays = [file for file in old if file not in known and _rollup_of(file) in ours]
    # Leases after the files: who began later wrote none of those.
    built = {rollup for rollup in map(_rollup_of, strays) if rollup and _is_built(catalog, rollup, now_us)}
    strays = [file for file in strays if _rollup_of(file) not in built]
    deleted = store.delete(superseded)
    catalog.forget_garbage(superseded)
    return GarbageReport(
        deleted, store.delete(strays), sum(old.get(file, 0) for file in (*superseded, *strays))
    )


def _is_built(catalog: Catalog, rollup_id: str, now_us: Micros) -> bool:
    """Whether a build of a rollup is at work."""
    return any(lease.is_live(now_us) for lease in catalog.leases(rollup_id))


def _rollup_of(file: str) -> str | None:
    """The rollup that a file of the store's own naming belongs to; None for any other file."""
    match = _NAME.fullmatch(file)
    return match["rollup"] if match else None
