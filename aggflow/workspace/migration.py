"""A migration: a home is copied, whole, to another place: its catalog, its segments, the events of its sources.

Segments and events go first, the catalog last and in one transaction.  Cut off before that, the new home is
still empty, and the same migration goes on where it was; after it, all is there.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aggflow.backends.event_folder import EventFolder
from aggflow.catalog import Catalog
from aggflow.errors import ConflictError, Problem, SegmentMissingError, SpecError
from aggflow.store import SegmentStore
from aggflow.workspace.site import Site

_AT_ONCE: Final = 8
_MARK: Final = ".migration"
_STOP: Final = (
    "end what writes to it (services, flows, notebooks), then migrate again: it goes on where it was"
)
_MISSING: Final = "is it where --from-store says? Else `aggflow doctor --fix`, and build again"
_MISSING_IN_USE: Final = (
    "if it was superseded and deleted meanwhile, back up again, with a greater AGGFLOW_GARBAGE_GRACE where "
    "builds and maintenance run; else `aggflow doctor --fix`, and build again"
)

Tell = Callable[[int, int], None]
"""Told of how many segments are there, and of how many there will be."""


@dataclass(frozen=True)
class MigrationReport:
    """What a migration did.

    Attributes
    ----------
    workspaces, rows
        How many workspaces, and rows of the catalog, were copied.
    segments, bytes
        How many segments there are, and their size.
    found
        How many of them an earlier attempt had copied.
    event_folders
        How many embedded sources had events.
    seconds
        How long it took.
    """

    workspaces: int
    rows: int
    segments: int
    bytes: int
    found: int
    event_folders: int
    seconds: float


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def migrate_home(
    source: Site, target: Site, tell: Tell = _silent, *, at_rest: bool = True
) -> MigrationReport:
    """Copy a home to another place, where nothing is; the home itself stays as it is.

    Events of embedded sources are in files of their own, of which the catalog's snapshot says nothing: in a
    copy of a home that is written to they may be a moment younger than the rest.  Nothing is lost by that:
    the copy's next build takes them as events that came late.

    Parameters
    ----------
    source, target
        From where to where.
    tell
        Told of every segment.
    at_rest
        Whether the home may not be written to meanwhile, as is wanted where the copy takes its place.  Without
        it the copy is the home as it was when the copying began, which is what a backup is; segments that are
        superseded meanwhile are kept for ``AGGFLOW_GARBAGE_GRACE`` seconds, so long may the copying take.

    Raises
    ------
    ConflictError
        The target is not empty, or the two share a store; at rest, a build is at work, or the home was changed
        meanwhile.
    SpecError
        The source has events, and the target no folder for them.
    CatalogError, StoreError
        One of the two cannot be read or written.

    Examples
    --------
    >>> import aggflow, tempfile
    >>> old, new = tempfile.mkdtemp(), tempfile.mkdtemp()
    >>> aggflow.open(old).close()
    >>> migrate_home(Site.of(old), Site.of(new)).workspaces
    1
    """
    began = time.perf_counter()
    _check_apart(source, target)
    with Catalog.open(source.catalog, create=False) as old, Catalog.open(target.catalog) as new:
        _check_empty(old, new, target)
        if at_rest:
            _check_idle(old)
        files, there = SegmentStore(source.store), SegmentStore(target.store)
        with old.snapshot() as snapshot:
            figures = snapshot.figures()
            wanted = snapshot.files()
            found = _copy_segments(files, there, wanted, tell, _MISSING if at_rest else _MISSING_IN_USE)
            folders = _copy_events(source, target, old.home_id())

            def check() -> None:
                if at_rest and (changed := old.changed_since(figures)):
                    raise ConflictError(
                        f"{source.shown} was changed meanwhile: {', '.join(changed)}", hint=_STOP
                    )

            rows = new.take(snapshot, check)
        if target.events is not None:
            (target.events / _MARK).unlink(missing_ok=True)
        return MigrationReport(
            workspaces=len(new.workspaces()),
            rows=rows,
            segments=len(wanted),
            bytes=sum(wanted.values()),
            found=found,
            event_folders=folders,
            seconds=time.perf_counter() - began,
        )


def _check_apart(source: Site, target: Site) -> None:
    if source.catalog == target.catalog:
        raise ConflictError(f"{source.shown} is where the home is already")
    if source.store.rstrip("/") == target.store.rstrip("/"):
        raise ConflictError(
            f"both homes would have their segments in {target.store}: what one supersedes, it deletes",
            hint="name another folder or prefix for the new one",
        )
    if source.events is not None and source.events == target.events:
        raise ConflictError(
            f"both homes would have their events in {target.events}",
            hint="name another folder for the new one",
        )


def _check_empty(old: Catalog, new: Catalog, target: Site) -> None:
    if new.is_empty():
        return
    same = new.home_id() == old.home_id()
    raise ConflictError(
        f"{target.shown} is not empty" + (": this very home was copied there before" if same else ""),
        hint="name a folder or a database where nothing is",
    )


def _check_idle(old: Catalog) -> None:
    at_work = old.live_leases(time.time_ns() // 1000)
    if at_work:
        raise ConflictError(f"a build is at work: {at_work[0].holder} on {at_work[0].window}", hint=_STOP)


def _copy_segments(
    old: SegmentStore, new: SegmentStore, wanted: Mapping[str, int], tell: Tell, hint: str
) -> int:
    """Copy the segments that are not there yet; how many are.  The hint is for where one is missing."""
    there = {stored.file: stored.bytes for stored in new.files()}
    missing = [file for file, size in wanted.items() if there.get(file) != size]
    found = len(wanted) - len(missing)
    tell(found, len(wanted))

    def copy(file: str) -> None:
        try:
            data = old.raw(file)
        except SegmentMissingError as error:
            error.hint = hint
            raise
        new.put(file, data)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        try:
            for done, _ in enumerate(threads.map(copy, missing), found + 1):
                tell(done, len(wanted))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return found


def _copy_events(source: Site, target: Site, home_id: str) -> int:
    """Copy the events of all embedded sources, anew where an earlier attempt was cut off; of how many sources."""
    folders = [] if source.events is None else list(_event_folders(source.events))
    if folders and target.events is None:
        problem = Problem("events", "embedded sources keep their events in a folder", "--to-events names one")
        raise SpecError(f"home {target.shown}", [problem])
    if source.events is None or target.events is None:
        return 0
    mark = target.events / _MARK
    if target.events.exists() and any(target.events.iterdir()):
        if not (mark.exists() and mark.read_text(encoding="utf-8") == home_id):
            raise ConflictError(f"{target.events} is not empty", hint="name a folder where nothing is")
        for left in target.events.iterdir():
            if left != mark:
                shutil.rmtree(left)
    if folders:
        target.events.mkdir(parents=True, exist_ok=True)
        mark.write_text(home_id, encoding="utf-8")
    for folder in folders:
        EventFolder(folder).copy_to(target.events / folder.relative_to(source.events))
    return len(folders)


def _event_folders(events: Path) -> Iterator[Path]:
    """The folders of embedded sources, of all workspaces; what was removed begins with a dot."""
    for folder in sorted(events.glob("*/*")):
        if folder.is_dir() and not folder.name.startswith(".") and (folder / "ledger.db").exists():
            yield folder
