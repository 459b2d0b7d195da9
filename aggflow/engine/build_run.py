"""A build's run: a build under way, its totals, its lease and its record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final, TypeVar

from aggflow.backends.extent import extent
from aggflow.backends.rollup_sql import newest_arrival, null_times, stream_states
from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Build, Catalog, Lease, NewSegment
from aggflow.engine.build_report import BuildReport
from aggflow.engine.coarsen import Coarsening, Share
from aggflow.engine.held_lease import HeldLease
from aggflow.engine.outstanding import SEEN, Outstanding, hull
from aggflow.engine.patience import Patience
from aggflow.engine.portion import Portion, portions_of
from aggflow.engine.progress import Progress, Report
from aggflow.engine.target import Target
from aggflow.engine.version import Version
from aggflow.errors import AggflowError, CancelledError
from aggflow.measures.cells import Layout, to_segment
from aggflow.scratch import sweep
from aggflow.settings import Settings
from aggflow.store import Draft, SegmentStore, Vocabularies
from aggflow.timeline import BEGINNING, Micros, Window, WindowSet

T = TypeVar("T")
STATES_READ: Final = "states_read"
"""In the record of a build: how many cells of finer rollups were read instead of source rows."""


class BuildRun:
    """One build under way.

    Parameters
    ----------
    catalog, store
        Where coverage and segments go.
    settings
        Sizes of portions and slices, leases, retries.
    clock
        Microseconds since the epoch, now.
    sleep
        Waits some seconds.
    target, build
        What is built, and its record.
    report
        Told of every portion.
    finer
        Rollups whose states may stand for source rows.

    Attributes
    ----------
    patience
        With a catalog or a store that is away.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: SegmentStore,
        settings: Settings,
        clock: Callable[[], Micros],
        sleep: Callable[[float], None],
        target: Target,
        build: Build,
        report: Report,
        finer: Coarsening | None,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._target = target
        self._build = build
        self._report = report
        self._finer = finer
        # Longer than that its lease would not live.
        self.patience = Patience(settings.lease_ttl, sleep)
        self._lease = HeldLease(catalog, target, build, settings, self.patience, clock, sleep)
        self._outstanding = Outstanding(catalog, target, clock)
        self._started = time.perf_counter()
        self._done = 0
        self._rows = 0
        self._states = 0
        self._states_read = 0
        self._detail = dict(build.detail)
        self._bytes = 0
        self._null_times = 0

    def go(
        self, since_us: int, until_us: int | None, *, full: bool, newest_first: bool = False
    ) -> BuildReport:
        """Build what is outstanding, see :meth:`~aggflow.engine.build.Builder.build`."""
        now_us = self._clock()
        until_us = min(now_us if until_us is None else until_us, self._target.delay.before(now_us))
        since_us = max(self._target.from_us, since_us)
        window = Window(since_us, until_us) if since_us < until_us else None
        with self._target.open_rows() as rows:
            versions = self._outstanding.versions(rows, full=full)
            anew = WindowSet.of(window) if full and window else WindowSet()
            stale = self._outstanding.stale(rows, versions, anew, self._since(rows))
            wanted = self._outstanding.missing(versions, window, stale)
            if wanted:
                self._build_windows(rows, versions, wanted, window, stale, newest_first=newest_first)
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

    def _since(self, rows: SourceRows) -> Micros | None:
        """From when on rows may have arrived that are in no states; None where the source does not say."""
        newest = newest_arrival(rows)
        if newest is None:
            return None
        since_us = self._outstanding.seen_until()
        # Noted before anything is read: what this build commits holds all rows up to then, even
        # if it does not live to commit the rest.
        self._detail[SEEN] = newest if self._finer is None else self._finer.seen(newest)
        self._catalog.progress_build(self._build.id, detail=self._detail)
        return since_us

    def _build_windows(
        self,
        rows: SourceRows,
        versions: Sequence[Version],
        wanted: list[tuple[Version, WindowSet]],
        window: Window | None,
        stale: Sequence[WindowSet],
        *,
        newest_first: bool,
    ) -> None:
        with self._lease.of(hull(versions, [windows for _, windows in wanted], stale)) as lease:
            # What was missing may have been built by another while this one waited.
            wanted = self._outstanding.missing(versions, window, stale)
            portions = [
                portion for version, windows in wanted for portion in self._portions(rows, version, windows)
            ]
            if any(portion.window.start == BEGINNING and portion.share is None for portion in portions):
                self._null_times = null_times(rows, versions[-1].rollup)
            if not portions:
                return
            # What builds write for a while may be large, and one that was killed left it.
            sweep()
            self._note(portions)
            for portion in reversed(portions) if newest_first else portions:
                self._lease.check()
                self._commit(portion, self._made(rows, portion), lease)
                self._note(portions)

    def _portions(self, rows: SourceRows, version: Version, windows: WindowSet) -> list[Portion]:
        shares = [] if self._finer is None else self._finer.shares(version, windows)
        rest = windows - WindowSet(share.window for share in shares)
        portions = [Portion(version, share.window, share.window, 0, share) for share in shares]
        return sorted([*portions, *self._of_source(rows, version, rest)], key=lambda each: each.window)

    def _of_source(self, rows: SourceRows, version: Version, windows: WindowSet) -> Iterator[Portion]:
        span = windows.span
        if span is None:
            return
        found = extent(rows, version.rollup, span)
        for window in windows:
            yield from portions_of(version, window, found, self._settings.batch_rows)

    def _made(self, rows: SourceRows, portion: Portion) -> NewSegment:
        """The segment of a portion: a file of the store, or none where it has no rows."""
        if portion.read is None:
            return NewSegment(portion.window, None)
        window, finer, share = portion.read, self._finer, portion.share
        if finer is not None and share is not None:
            draft, read = self._drafted(portion, lambda draft: self._of_finer(draft, finer, portion, share))
            self._states_read += read
            self._detail[STATES_READ] = self._states_read
        else:
            draft, read = self._retried(
                lambda: self._drafted(portion, lambda draft: self._of_rows(draft, rows, portion, window))
            )
            self._rows += read
        with draft:
            if not draft.rows:
                return NewSegment(portion.window, None)
            # One that was written, and whose answer was lost, is a file that nobody names: garbage.
            written = self.patience.ask(lambda: self._store.keep(draft))
        self._states += written.rows
        self._bytes += written.bytes
        return NewSegment(portion.window, written.file, written.rows, written.bytes, written.checksum)

    def _drafted(self, portion: Portion, write: Callable[[Draft], int]) -> tuple[Draft, int]:
        """A draft that was written, and of how much; none is left behind where that fails."""
        draft = self._store.draft(
            rollup_id=self._target.rollup_id, version=portion.version.number, window=portion.window
        )
        try:
            return draft, write(draft)
        except BaseException:
            draft.drop()
            raise

    def _of_rows(self, draft: Draft, rows: SourceRows, portion: Portion, window: Window) -> int:
        """Write the states of source rows, slice by slice as they come; how many rows they sum up."""
        rollup, layout = portion.version.rollup, _layout(portion)
        count, vocabularies = 0, Vocabularies()
        reads = stream_states(rows, rollup, layout, window, vocabularies, self._settings.slice_rows)
        with closing(reads):
            for read in reads:
                if read.rows:
                    draft.add(to_segment(layout, read.grains, vocabularies))
                count += read.rows
                # Values of the next slice are hardly the same where there are many.
                vocabularies.clear()
                del read
        return count

    def _of_finer(self, draft: Draft, finer: Coarsening, portion: Portion, share: Share) -> int:
        """Write the cells of a finer rollup, summed up; how many they were."""
        vocabularies = Vocabularies()
        grains, count = finer.read(portion.version, share, vocabularies)
        if any(map(len, grains)):
            draft.add(to_segment(_layout(portion), grains, vocabularies))
        return count

    def _commit(self, portion: Portion, segment: NewSegment, lease: Lease) -> None:
        def commit() -> None:
            self._catalog.replace_window(
                self._target.rollup_id,
                portion.version.number,
                portion.window,
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

    def _note(self, portions: Sequence[Portion]) -> None:
        build = self.patience.ask(
            lambda: self._catalog.progress_build(
                self._build.id,
                window=Window(portions[0].window.start, portions[-1].window.end),
                windows_done=self._done,
                windows_total=len(portions),
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
                windows_total=len(portions),
                rows_done=self._rows,
                rows_total=sum(portion.rows for portion in portions),
                seconds=time.perf_counter() - self._started,
            )
        )

    def _retried(self, read: Callable[[], T]) -> T:
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


def _layout(portion: Portion) -> Layout:
    layout = portion.version.layout
    assert layout is not None  # noqa: S101 - given by the versions that are outstanding
    return layout
