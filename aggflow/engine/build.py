"""A build: one run that replaces windows of one rollup by states made of source rows.

Missing windows are cut into batches; each batch is read, checked, written and committed on its own.
Killed at any moment, a build leaves old states or new states, and the next one goes on where it stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from aggflow.backends.rollup_sql import (
    DAY_US,
    Extent,
    Read,
    extent,
    layout_of,
    newest_arrival,
    null_times,
    read_states,
    touched_since,
)
from aggflow.backends.source_rows import SourceRows
from aggflow.brief import brief
from aggflow.catalog import Build, Catalog, Lease, NewSegment
from aggflow.engine.coarsen import Coarsening, Share
from aggflow.engine.patience import Patience
from aggflow.engine.plan import missing
from aggflow.engine.progress import Progress, Report, silent
from aggflow.engine.reader import checked_layout
from aggflow.engine.target import Target
from aggflow.engine.version import Version
from aggflow.errors import (
    AggflowError,
    BuildError,
    CancelledError,
    CatalogBusyError,
    ConflictError,
    LeaseLostError,
)
from aggflow.markup import facts
from aggflow.measures.cells import Cells, Layout, to_segment
from aggflow.settings import Settings
from aggflow.store import SegmentStore, Vocabularies
from aggflow.timeline import BEGINNING, Duration, Window, WindowSet

Clock = Callable[[], int]
_POLL_SECONDS = 0.2
#: In the record of a build: when the newest row had arrived as it began.
SEEN = "ingested_us"
#: Likewise: how many cells of finer rollups were read instead of source rows.
STATES_READ = "states_read"
_MOST_BUILDS = 100


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes
    ----------
    windows
        How many windows were replaced; 0 where nothing was missing.
    rows_read
        Source rows that were read.
    states_written
        Cells that were written.
    seconds
        How long it took.
    null_times
        Source rows without a time, which belong to no window; counted by builds from the beginning.
    bytes_written
        Size of the segments.
    build_id
        Under which the catalog remembers it.
    states_read
        Cells of finer rollups that were read instead of source rows.
    """

    windows: int
    rows_read: int
    states_written: int
    seconds: float
    null_times: int = 0
    bytes_written: int = 0
    build_id: str = ""
    states_read: int = 0

    @property
    def told(self) -> Mapping[str, str]:
        """What it did, in words; empty texts for what it did not do."""
        return {
            "windows": f"{self.windows:,}" if self.windows else "none was missing",
            "rows read": f"{self.rows_read:,}",
            "cells read": f"{self.states_read:,}" if self.states_read else "",
            "cells written": f"{self.states_written:,}",
            "bytes written": f"{self.bytes_written:,}",
            "rows without a time": f"{self.null_times:,}" if self.null_times else "",
            "took": f"{self.seconds:.2f} s",
        }

    def __repr__(self) -> str:
        return brief("built" if self.windows else "nothing to build", self.told)

    def _repr_html_(self) -> str:
        return facts("Built" if self.windows else "Nothing to build", self.told)


@dataclass(frozen=True)
class Batch:
    """A window that is read, written and committed at once.

    Attributes
    ----------
    version
        Whose window.
    window
        What is replaced.
    read
        What of it may have rows; None where it has none.
    rows
        About how many rows.
    share
        The finer rollup whose states it is made of, instead of source rows.
    """

    version: Version
    window: Window
    read: Window | None
    rows: int
    share: Share | None = None


class Builder:
    """Builds rollups of one workspace.

    Parameters
    ----------
    catalog, store
        Where coverage and segments go.
    settings
        Sizes of batches, leases, retries.
    clock
        Microseconds since the epoch, now.
    sleep
        Waits some seconds.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._settings = settings
        self._clock = clock
        self._sleep = sleep

    def build(
        self,
        target: Target,
        *,
        since_us: int = BEGINNING,
        until_us: int | None = None,
        full: bool = False,
        newest_first: bool = False,
        kind: str = "",
        report: Report = silent,
        build: Build | None = None,
        batch_id: str | None = None,
        finer: Coarsening | None = None,
    ) -> BuildReport:
        """Build what is missing of a rollup.

        Parameters
        ----------
        target
            What to build.
        since_us
            From when on; what is wanted begins where the target says, or later.
        until_us
            Up to when; now where None, and never later than now - delay.
        full
            Build everything anew.
        newest_first
            Begin with the newest batch, not with the oldest.
        kind
            What the catalog calls this build; by default ``full`` or ``incremental``.
        report
            Told of every batch.
        build
            A build that the catalog has begun to record; by default a new one.
        batch_id
            The batch that it is a part of.
        finer
            Rollups whose states may stand for source rows.

        Raises
        ------
        AggflowError
            The build stopped; what was committed stays.
        """
        started = time.perf_counter()
        build = build or self._catalog.start_build(
            target.workspace_id,
            kind or ("full" if full else "incremental"),
            self._clock(),
            rollup_id=target.rollup_id,
            owner_id=target.owner_id,
            batch_id=batch_id,
        )
        run = _Run(self, target, build, report, started, finer)
        try:
            done = run.go(since_us, until_us, full=full, newest_first=newest_first)
        except BaseException as error:
            status = "cancelled" if isinstance(error, CancelledError | KeyboardInterrupt) else "error"
            try:
                self._catalog.finish_build(build.id, status, self._clock(), error=error)
            except AggflowError as second:
                # The first error is the one that matters; that it could not be noted goes with it.
                error.add_note(f"and the build's end could not be noted: {second}")
            raise
        run.patience.ask(lambda: self._catalog.finish_build(build.id, "done", self._clock()))
        return done


class _Run:
    """One build under way: its totals, its lease, its record."""

    def __init__(
        self,
        builder: Builder,
        target: Target,
        build: Build,
        report: Report,
        started: float,
        finer: Coarsening | None,
    ) -> None:
        self._catalog = builder._catalog  # noqa: SLF001 - a part of the builder
        self._store = builder._store  # noqa: SLF001
        self._settings = builder._settings  # noqa: SLF001
        self._clock = builder._clock  # noqa: SLF001
        self._sleep = builder._sleep  # noqa: SLF001
        self._target = target
        self._build = build
        self._report = report
        self._started = started
        self._finer = finer
        # Longer than that its lease would not live.
        self.patience = Patience(self._settings.lease_ttl, self._sleep)
        self._vocabularies = Vocabularies()
        self._since = target.from_us
        self._done = 0
        self._rows = 0
        self._states = 0
        self._states_read = 0
        self._detail = dict(build.detail)
        self._bytes = 0
        self._null_times = 0
        self._stopped = threading.Event()
        self._lost: AggflowError | None = None

    def go(
        self, since_us: int, until_us: int | None, *, full: bool, newest_first: bool = False
    ) -> BuildReport:
        now_us = self._clock()
        until_us = min(now_us if until_us is None else until_us, self._target.delay.before(now_us))
        self._since = max(self._target.from_us, since_us)
        with self._target.open_rows() as rows:
            versions = self._versions(rows, full=full)
            stale = self._stale(rows, versions, until_us, full=full)
            wanted = self._missing(versions, until_us, stale)
            if wanted:
                self._build_windows(rows, versions, wanted, until_us, stale, newest_first=newest_first)
        return BuildReport(
            windows=self._done,
            rows_read=self._rows,
            states_written=self._states,
            seconds=time.perf_counter() - self._started,
            null_times=self._null_times,
            bytes_written=self._bytes,
            build_id=self._build.id,
            states_read=self._states_read,
        )

    def _versions(self, rows: SourceRows, *, full: bool) -> list[Version]:
        """The rollup's versions, each with its layout, which the first build decides."""
        catalog, rollup_id = self._catalog, self._target.rollup_id
        versions = [Version.of(stored) for stored in catalog.versions(rollup_id)]
        if versions[-1].data_hash != self._target.data_hash:
            raise ConflictError(
                f"{self._target.name} or its source was changed as this build began", hint="build it again"
            )
        if full and _is_outdated(versions[-1], rows):
            last = catalog.versions(rollup_id)[-1]
            catalog.reset_versions(rollup_id, last.spec, last.data_hash, self._clock())
            versions = [Version.of(stored) for stored in catalog.versions(rollup_id)]
        return [self._with_layout(version, rows) for version in versions]

    def _with_layout(self, version: Version, rows: SourceRows) -> Version:
        layout = checked_layout(version, rows)
        if version.layout is not None:
            return version
        noted = self._catalog.set_layout(version.rollup_id, version.number, layout.to_text())
        return version.with_layout(Layout.from_text(version.rollup, noted))

    def _stale(
        self, rows: SourceRows, versions: Sequence[Version], until_us: int, *, full: bool
    ) -> list[WindowSet]:
        """For each version, what is to be made again where it is built."""
        newest = newest_arrival(rows)
        since = self._seen_until() if newest is not None else None
        if newest is not None:
            newest = newest if self._finer is None else self._finer.seen(newest)
            # Noted before anything is read: what this build commits holds all rows up to then, even
            # if it does not live to commit the rest.
            self._detail[SEEN] = newest
            self._catalog.progress_build(self._build.id, detail=self._detail)
        late = self._late(versions)
        if full:
            late |= WindowSet.of(Window(self._since, until_us))
        return [
            late | touched_since(rows, version.rollup, since) if since is not None else late
            for version in versions
        ]

    def _seen_until(self) -> int | None:
        """Up to when all rows that had arrived are in what is built; None where nothing was built.

        The last build that was done had looked at everything; builds after it that were not done
        may have committed some windows, with what had arrived when they began.
        """
        seen: list[int] = []
        builds = self._catalog.builds(
            self._target.workspace_id, rollup_id=self._target.rollup_id, limit=_MOST_BUILDS
        )
        for build in builds:
            if SEEN in build.detail:
                seen.append(int(build.detail[SEEN]))
            elif build.status == "done" or build.windows_done:
                # Of a time when the source did not say when rows arrive.
                seen.append(BEGINNING)
            if build.status == "done":
                return min(seen)
        return BEGINNING if len(builds) == _MOST_BUILDS else min(seen, default=None)

    def _late(self, versions: Sequence[Version]) -> WindowSet:
        """The last ``lateness`` of what is covered."""
        coverage = self._catalog.coverage(self._target.rollup_id)
        end = max((row.window.end for row in coverage.rows), default=BEGINNING)
        since = Duration.of(self._target.source.lateness).before(end, versions[-1].rollup.zone)
        return WindowSet.of(Window(since, end)) if since < end else WindowSet()

    def _missing(
        self, versions: Sequence[Version], until_us: int, stale: Sequence[WindowSet]
    ) -> list[tuple[Version, WindowSet]]:
        if self._since >= until_us:
            return []
        coverage = self._catalog.coverage(self._target.rollup_id)
        found = [
            (
                version,
                missing(version, coverage.windows(version.number), self._wanted(version, until_us), again),
            )
            for version, again in zip(versions, stale, strict=True)
        ]
        return [(version, windows) for version, windows in found if windows]

    def _wanted(self, version: Version, until_us: int) -> Window:
        """What is to be covered: the bucket in which it begins is built whole."""
        return Window(version.rollup.width.floor(self._since, version.rollup.zone), until_us)

    def _build_windows(
        self,
        rows: SourceRows,
        versions: Sequence[Version],
        wanted: list[tuple[Version, WindowSet]],
        until_us: int,
        stale: Sequence[WindowSet],
        *,
        newest_first: bool,
    ) -> None:
        with self._leased(_hull(versions, [windows for _, windows in wanted], stale)) as lease:
            # What was missing may have been built by another while this one waited.
            wanted = self._missing(versions, until_us, stale)
            batches = [
                batch for version, windows in wanted for batch in self._batches(rows, version, windows)
            ]
            if any(batch.window.start == BEGINNING and batch.share is None for batch in batches):
                self._null_times = null_times(rows, versions[-1].rollup)
            if not batches:
                return
            self._note(batches)
            for batch in reversed(batches) if newest_first else batches:
                self._check()
                self._commit(batch, self._read(rows, batch), lease)
                self._note(batches)

    def _batches(self, rows: SourceRows, version: Version, windows: WindowSet) -> list[Batch]:
        shares = [] if self._finer is None else self._finer.shares(version, windows)
        rest = windows - WindowSet(share.window for share in shares)
        batches = [Batch(version, share.window, share.window, 0, share) for share in shares]
        return sorted([*batches, *self._source_batches(rows, version, rest)], key=lambda b: b.window)

    def _source_batches(self, rows: SourceRows, version: Version, windows: WindowSet) -> Iterator[Batch]:
        span = windows.span
        if span is None:
            return
        found = extent(rows, version.rollup, span)
        for window in windows:
            yield from batches_of(version, window, found, self._settings.batch_rows)

    def _read(self, rows: SourceRows, batch: Batch) -> NewSegment:
        if batch.read is None:
            return NewSegment(batch.window, None)
        layout = batch.version.layout
        assert layout is not None  # noqa: S101 - given by _versions
        grains = self._grains(rows, batch, layout, batch.read)
        if not any(map(len, grains)):
            return NewSegment(batch.window, None)
        table = to_segment(layout, grains, self._vocabularies)
        self._states += table.num_rows
        # One that was written, and whose answer was lost, is a file that nobody names: garbage.
        written = self.patience.ask(
            lambda: self._store.write(
                table, rollup_id=self._target.rollup_id, version=batch.version.number, window=batch.window
            )
        )
        self._bytes += written.bytes
        return NewSegment(batch.window, written.file, written.rows, written.bytes, written.checksum)

    def _grains(self, rows: SourceRows, batch: Batch, layout: Layout, window: Window) -> tuple[Cells, ...]:
        """The cells of a batch, of source rows or of a finer rollup's states."""
        if self._finer is not None and batch.share is not None:
            made, count = self._finer.read(batch.version, batch.share, self._vocabularies)
            self._states_read += count
            self._detail[STATES_READ] = self._states_read
            return made
        read = self._retried(
            lambda: read_states(rows, batch.version.rollup, layout, window, self._vocabularies)
        )
        self._rows += read.rows
        return read.grains

    def _commit(self, batch: Batch, segment: NewSegment, lease: Lease) -> None:
        def commit() -> None:
            self._catalog.replace_window(
                self._target.rollup_id,
                batch.version.number,
                batch.window,
                [segment],
                lease,
                self._clock(),
                build_id=self._build.id,
            )

        def commit_again() -> None:
            # The connection may have been lost after the transaction was: then the file is named already.
            named = self._catalog.coverage(self._target.rollup_id).rows
            if segment.file is None or all(row.file != segment.file for row in named):
                commit()

        self.patience.ask(commit, commit_again)
        self._done += 1

    def _note(self, batches: Sequence[Batch]) -> None:
        build = self.patience.ask(
            lambda: self._catalog.progress_build(
                self._build.id,
                window=Window(batches[0].window.start, batches[-1].window.end),
                windows_done=self._done,
                windows_total=len(batches),
                rows_read=self._rows,
                null_times=self._null_times,
                states_written=self._states,
                bytes_written=self._bytes,
                detail=self._detail or None,
            )
        )
        if build.status == "cancelled":
            raise CancelledError(f"the build of {self._target.name} was cancelled")
        self._report(
            Progress(
                rollup=self._target.name,
                windows_done=self._done,
                windows_total=len(batches),
                rows_done=self._rows,
                rows_total=sum(batch.rows for batch in batches),
                seconds=time.perf_counter() - self._started,
            )
        )

    def _retried(self, read: Callable[[], Read]) -> Read:
        """Read, again after a while where that can help."""
        wait = self._settings.retry_wait
        for _ in range(self._settings.source_retries):
            try:
                return read()
            except AggflowError as error:
                if not error.retryable:
                    raise
            self._sleep(wait)
            wait *= 2
        return read()

    @contextmanager
    def _leased(self, window: Window) -> Iterator[Lease]:
        """Hold the right to build a window, with signs of life from a thread of its own."""
        lease = self._acquired(window)
        beating = threading.Thread(target=self._beat, args=(lease,), daemon=True, name="aggflow-heartbeat")
        beating.start()
        try:
            yield lease
        finally:
            self._stopped.set()
            beating.join()
            self.patience.ask(lambda: self._catalog.release_lease(lease))

    def _acquired(self, window: Window) -> Lease:
        deadline = time.monotonic() + self._settings.lease_wait
        holder = _holder(self._build.id)
        while True:
            lease = self.patience.ask(
                lambda: self._catalog.acquire_lease(
                    self._target.rollup_id, window, holder, self._clock(), self._settings.lease_ttl
                )
            )
            if lease is not None:
                self._close_dead()
                return lease
            if time.monotonic() >= deadline:
                raise CatalogBusyError(
                    f"another build of {self._target.name} is at work on {window}",
                    hint="wait for it, or cancel it",
                )
            self._sleep(_POLL_SECONDS)

    def _close_dead(self) -> None:
        """Close the records of builds whose process died: they hold no lease, and wait for none any more."""
        now_us = self._clock()
        alive = {
            lease.holder for lease in self._catalog.leases(self._target.rollup_id) if lease.is_live(now_us)
        }
        longest_us = round((self._settings.lease_wait + self._settings.lease_ttl) * 1_000_000)
        for build in self._catalog.builds(
            self._target.workspace_id, rollup_id=self._target.rollup_id, status="running"
        ):
            old = (build.started_us or 0) < now_us - longest_us
            if build.id != self._build.id and old and _holder(build.id) not in alive:
                self._catalog.finish_build(build.id, "error", now_us, error=BuildError("its process died"))

    def _beat(self, lease: Lease) -> None:
        while not self._stopped.wait(self._settings.lease_heartbeat):
            try:
                lease = self._catalog.renew_lease(lease, self._clock(), self._settings.lease_ttl)
            except LeaseLostError as error:
                self._lost = error
                return
            except AggflowError:
                # A catalog that is busy for a moment: the next sign of life may get through, and
                # the commit checks the lease in any case.
                continue

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost


def _hull(versions: Sequence[Version], wanted: Sequence[WindowSet], stale: Sequence[WindowSet]) -> Window:
    """The shortest window of whole buckets with all that a build replaces, whatever is built meanwhile."""
    spans = [windows.span for windows in (*wanted, *stale) if windows.span]
    ends = [
        version.rollup.width.ceil(span.end, version.rollup.zone) for version in versions for span in spans
    ]
    starts = [
        version.rollup.width.floor(span.start, version.rollup.zone) for version in versions for span in spans
    ]
    return Window(min(starts), max(ends))


def _holder(build_id: str) -> str:
    """What a build's lease says of who holds it."""
    return f"build {build_id}"


def batches_of(version: Version, window: Window, found: Extent, batch_rows: int) -> Iterator[Batch]:
    """A missing window cut into batches of whole buckets, each of about so many rows.

    Parameters
    ----------
    version
        Whose window.
    window
        What is missing; may have no beginning.
    found
        Where its rows are.
    batch_rows
        How many rows a batch should have at most; a single bucket may have more.

    Yields
    ------
    Batch
        Together exactly the window, oldest first.
    """
    has_rows = found.window and found.window & window
    if has_rows is None:
        yield Batch(version, window, None, 0)
        return
    width, zone = version.rollup.width, version.rollup.zone
    # Calendars need a window with both ends to be read: that which has rows, in whole buckets.
    readable = Window(width.floor(has_rows.start, zone), width.ceil(has_rows.end, zone)) & window
    cuts = [width.floor(us, zone) for us in _cuts(found, has_rows, batch_rows)]
    edges = [window.start, *sorted({us for us in cuts if window.start < us < window.end}), window.end]
    for start, end in pairwise(edges):
        part = Window(start, end)
        yield Batch(version, part, readable and readable & part, found.rows_in(part))


def _cuts(found: Extent, window: Window, batch_rows: int) -> Iterator[int]:
    """Instants at which about so many rows have passed."""
    passed = 0
    for day, rows in zip(found.days.tolist(), found.rows.tolist(), strict=True):
        start = day * DAY_US
        if start + DAY_US <= window.start or start >= window.end:
            continue
        if passed and passed + rows > batch_rows:
            yield start
            passed = 0
        # A day with more rows than a batch is cut into equal parts.
        parts = -(-rows // batch_rows)
        yield from (start + DAY_US * part // parts for part in range(1, parts))
        passed += -(-rows // parts)


def _is_outdated(version: Version, rows: SourceRows) -> bool:
    """Whether the stored states were made of other columns than the source has today."""
    return (
        version.layout is not None and layout_of(version.rollup, rows).to_text() != version.layout.to_text()
    )
