"""Builds of a workspace: what is missing is made, checked, mended, looked after."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from aggflow.catalog import Build
from aggflow.collection import Collection
from aggflow.engine.build_report import BuildReport
from aggflow.engine.damage import Damage, damages
from aggflow.engine.progress import Report
from aggflow.engine.status import RollupStatus, StatusList, events_of
from aggflow.engine.target import Target
from aggflow.engine.verify import VerifyReport, verify
from aggflow.errors import StoreError
from aggflow.progress_bar import reporting
from aggflow.scratch import sweep
from aggflow.store import CompactionReport, GarbageReport, collect_garbage, compact
from aggflow.timeline import BEGINNING, WindowSet, format_instant, parse_instant
from aggflow.workspace.definitions import DefinitionsPart
from aggflow.workspace.foundation import Instant


class BuildsPart(DefinitionsPart):
    """The part of a workspace that builds."""

    @property
    def builds(self) -> Collection[Build]:
        """The last hundred builds, by id, newest first."""
        names = {target.rollup_id: target.name for target in self._targets.all().values()}
        return Collection(
            "build",
            lambda: {build.id: build for build in self._catalog.builds(self._id, limit=100)},
            {
                "started": lambda b: "" if b.started_us is None else format_instant(b.started_us),
                "rollup": lambda b: names.get(b.rollup_id or "", ""),
                "kind": lambda b: b.kind,
                "status": lambda b: b.status,
                "windows": lambda b: b.windows_done,
                "rows": lambda b: f"{b.rows_read:,}",
                "states": lambda b: f"{b.states_written:,}",
                "error": lambda b: b.error["message"] if b.error else "",
            },
            ("windows", "rows", "states"),
        )

    def build(
        self,
        name: str,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        full: bool = False,
        newest_first: bool = False,
        progress: bool | Report = True,
        build_id: str | None = None,
    ) -> BuildReport:
        """Build what is missing of a rollup.

        Parameters
        ----------
        name
            A filter, or the reference of any rollup: ``filter delays``, ``task by client``,
            ``cube flights/hourly``.
        since
            From when on; by default all that is wanted.
        until
            Up to when; by default, and at most, now.
        full
            Build everything anew.
        newest_first
            Begin with the newest batch, not with the oldest.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every batch.
        build_id
            A build that was begun already, to be carried out; by default a new one.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        AggflowError
            The build stopped; what was committed stays, and the next build goes on from there.
        """
        begun = None if build_id is None else self._catalog.build(build_id)
        whole = since is None and until is None
        with reporting(progress) as shown, self._watched(name, shown, whole=whole) as (reference, report):
            target = self._targets.get(reference)
            done = self._builder.build(
                target,
                since_us=BEGINNING if since is None else parse_instant(since),
                until_us=None if until is None else parse_instant(until),
                full=full,
                newest_first=newest_first,
                report=report,
                build=begun,
            )
            self._compact(target)
        return done

    @contextmanager
    def _watched(self, reference: str, report: Report, *, whole: bool) -> Iterator[tuple[str, Report]]:  # noqa: ARG002 - for parts that note it
        """Around a build: the rollup that is meant, and what is told of every batch.

        Definitions with a life of their own note here how it went.

        Parameters
        ----------
        reference, report
            As they were asked for.
        whole
            Whether all that is wanted is built.
        """
        yield reference, report

    def _compact(self, target: Target) -> None:
        """Merge the small segments of a rollup, if there are many."""
        try:
            compact(
                self._catalog,
                self._store,
                target.rollup_id,
                least=self.settings.compact_segments,
                now_us=self._clock(),
            )
        except StoreError as error:
            # What was built is committed: a segment that cannot be read is for doctor, not for this build.
            warnings.warn(f"segments of {target.name} were not compacted: {error}", stacklevel=3)

    def cancel(self, build_id: str) -> None:
        """Ask a build to stop after the batch that it is at."""
        self._catalog.finish_build(build_id, "cancelled", self._clock())

    def verify(self, name: str, *, sample: int = 20, seed: int = 0, fix: bool = False) -> VerifyReport:
        """Compare the states of a rollup with its source, on a sample of what is built.

        It builds nothing, with ``fix`` neither: a look at a sample should not turn into a long build.  Buckets
        that differ are made missing then, so answers are right at once, read from the source there, and what
        builds the rollup next makes their states anew: :meth:`build`, a run of tasks, a build of the cube.

        Parameters
        ----------
        name
            A filter, or the reference of any rollup.
        sample
            How many buckets to compare.
        seed
            Chooses them.
        fix
            Make the buckets that differ missing.  Only they: others of the same rollup may differ, too, and
            ``build(name, full=True)`` makes all of it anew.
        """
        target = self._targets.get(name)
        serving = self._posing.rollups.get(target.rollup_id)
        with target.open_rows() as rows:
            found = verify(serving.versions, serving.coverage, rows, self._resident, sample=sample, seed=seed)
        if fix:
            for difference in found.differences:
                self._catalog.drop_window(
                    target.rollup_id, difference.version, difference.window, self._clock()
                )
        return replace(found, fixed=fix and bool(found.differences))

    def maintain(self) -> tuple[list[CompactionReport], GarbageReport]:
        """Merge small segments, and delete files that nothing names any more, temporary ones of the dead too."""
        sweep()
        reports = [
            compact(self._catalog, self._store, rollup.id, least=2, now_us=self._clock())
            for rollup in self._catalog.rollups(self._id)
        ]
        garbage = collect_garbage(
            self._catalog, self._store, grace=self.settings.garbage_grace, now_us=self._clock()
        )
        return reports, garbage

    def doctor(self, *, fix: bool = False) -> list[Damage]:
        """Read every segment that the catalog names; find those that are missing or damaged.

        Parameters
        ----------
        fix
            Make their windows missing, so that the next build makes them again.
        """
        found: list[Damage] = []
        for target in self._targets.all().values():
            coverage = self._catalog.coverage(target.rollup_id)
            for damage in damages(target.name, coverage, self._store):
                found.append(damage)
                if fix:
                    self._catalog.drop_window(target.rollup_id, damage.version, damage.window, self._clock())
        return found

    def status(self) -> StatusList:
        """What is built of every rollup."""
        last = self._catalog.last_builds(self._id)
        targets = self._targets.all().values()
        return StatusList(self._status_after(target, last.get(target.rollup_id)) for target in targets)

    def _status(self, target: Target) -> RollupStatus:
        last = self._catalog.builds(self._id, rollup_id=target.rollup_id, limit=1)
        return self._status_after(target, last[0] if last else None)

    def _status_after(self, target: Target, last: Build | None) -> RollupStatus:
        serving = self._posing.rollups.get(target.rollup_id)
        covered = WindowSet(row.window for row in serving.coverage.rows)
        data = WindowSet(row.window for row in serving.coverage.rows if row.file is not None)
        rollup = serving.versions[-1].rollup
        return RollupStatus(
            name=target.name.removeprefix("filter "),
            source=target.source.name,
            interval=target.rollup.interval,
            covered=covered,
            data=data,
            events=events_of(serving.coverage, self._store, rollup.width, rollup.zone),
            segments=len({row.file for row in serving.coverage.rows if row.file is not None}),
            cells=sum({row.file: row.rows for row in serving.coverage.rows}.values()),
            bytes=sum({row.file: row.bytes for row in serving.coverage.rows}.values()),
            versions=len(serving.versions),
            last_build=last,
        )
