"""Outstanding: what a build has to make: windows that are missing, and those that are stale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from aggflow.backends.rollup_sql import layout_of, touched_since
from aggflow.backends.source_rows import SourceRows
from aggflow.catalog import Catalog
from aggflow.engine.plan import missing
from aggflow.engine.reader import checked_layout
from aggflow.engine.target import Target
from aggflow.engine.version import Version
from aggflow.errors import ConflictError
from aggflow.measures.cells import Layout
from aggflow.timeline import BEGINNING, Duration, Micros, Window, WindowSet

SEEN: Final = "ingested_us"
"""In the record of a build: when the newest row had arrived as it began."""
_MOST_BUILDS: Final = 100


class Outstanding:
    """What is outstanding of one rollup.

    Parameters
    ----------
    catalog, target
        What is built, and of what.
    clock
        Microseconds since the epoch, now.
    """

    def __init__(self, catalog: Catalog, target: Target, clock: Callable[[], Micros]) -> None:
        self._catalog = catalog
        self._target = target
        self._clock = clock

    def versions(self, rows: SourceRows, *, full: bool) -> list[Version]:
        """The rollup's versions, each with its layout, which the first build decides.

        Raises
        ------
        ConflictError
            The rollup was changed meanwhile.
        """
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

    def stale(
        self, rows: SourceRows, versions: Sequence[Version], anew: WindowSet, since_us: Micros | None
    ) -> list[WindowSet]:
        """For each version, what is to be made again where it is built.

        Parameters
        ----------
        rows, versions
            The open source, and what is built of it.
        anew
            What is to be made again in any case.
        since_us
            So is what got rows since then; None where nothing is known of when rows arrive.
        """
        late = self._late(versions) | anew
        return [
            late | touched_since(rows, version.rollup, since_us) if since_us is not None else late
            for version in versions
        ]

    def seen_until(self) -> Micros | None:
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

    def missing(
        self, versions: Sequence[Version], window: Window | None, stale: Sequence[WindowSet]
    ) -> list[tuple[Version, WindowSet]]:
        """What is to be built of each version, as of now: what is not covered, and what is stale.

        Parameters
        ----------
        versions, stale
            What is built, and what of each is to be made again.
        window
            What this build is to look at; None is nothing.
        """
        if window is None:
            return []
        coverage = self._catalog.coverage(self._target.rollup_id)
        found = [
            (
                version,
                missing(version, coverage.windows(version.number), _wanted(version, window), again),
            )
            for version, again in zip(versions, stale, strict=True)
        ]
        return [(version, windows) for version, windows in found if windows]


def _wanted(version: Version, window: Window) -> Window:
    """What is to be covered: the bucket in which it begins is built whole."""
    return Window(version.rollup.width.floor(window.start, version.rollup.zone), window.end)


def hull(versions: Sequence[Version], wanted: Sequence[WindowSet], stale: Sequence[WindowSet]) -> Window:
    """The shortest window of whole buckets with all that a build replaces, whatever is built meanwhile.

    Parameters
    ----------
    versions
        What is built.
    wanted, stale
        What is missing of each, and what is to be made again.
    """
    spans = [windows.span for windows in (*wanted, *stale) if windows.span]
    ends = [
        version.rollup.width.ceil(span.end, version.rollup.zone) for version in versions for span in spans
    ]
    starts = [
        version.rollup.width.floor(span.start, version.rollup.zone) for version in versions for span in spans
    ]
    return Window(min(starts), max(ends))


def _is_outdated(version: Version, rows: SourceRows) -> bool:
    """Whether the stored states were made of other columns than the source has today."""
    return (
        version.layout is not None and layout_of(version.rollup, rows).to_text() != version.layout.to_text()
    )
