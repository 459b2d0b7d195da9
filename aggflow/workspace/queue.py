"""The queue of a workspace: builds that were asked for, carried out one after another by whoever has time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aggflow.catalog import Build, BuildStatus, Process
from aggflow.engine.build_record import BuildRecord
from aggflow.engine.progress import Report
from aggflow.errors import AggflowError, BuildError, NotFoundError
from aggflow.timeline import Window, format_instant, parse_instant
from aggflow.workspace.builds import BuildsPart
from aggflow.workspace.foundation import Instant

# In the record of a build: that it was queued, with what it was asked to do.
_ASKED = "asked"


class QueuePart(BuildsPart):
    """The part of a workspace that notes what is to be built, and remembers what was."""

    def queue_build(
        self,
        name: str,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        full: bool = False,
    ) -> BuildRecord:
        """Ask for a build, which :meth:`run_queued` carries out, in this process or another one.

        Parameters
        ----------
        name
            A filter, or the reference of any rollup: ``filter delays``, ``task by client``,
            ``cube flights/hourly``.
        since, until
            From when on, and up to when; by default all that is wanted, until the build begins.
        full
            Build everything anew.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        QueryError
            A time cannot be read, or the end is not after the start.
        """
        target = self._targets.get(name)
        since_us = None if since is None else parse_instant(since)
        until_us = None if until is None else parse_instant(until)
        if since_us is not None and until_us is not None:
            Window.between(since_us, until_us, "the build")
        build = self._catalog.start_build(
            self._id,
            "full" if full else "incremental",
            self._clock(),
            rollup_id=target.rollup_id,
            owner_id=target.owner_id,
            status="pending",
            detail={
                _ASKED: {
                    "name": target.name,
                    "since": None if since_us is None else format_instant(since_us),
                    "until": None if until_us is None else format_instant(until_us),
                    "full": full,
                }
            },
        )
        return BuildRecord.of(build, target.name)

    def queued(self) -> list[BuildRecord]:
        """The builds that :meth:`run_queued` would carry out, in the order in which they were asked for."""
        return list(self._recorded(self._queued()))

    def run_queued(
        self, build_id: str | None = None, *, progress: bool | Report = False
    ) -> BuildRecord | None:
        """Carry out the build that was asked for first and waits still; each is carried out once, whoever asks.

        Parameters
        ----------
        build_id
            Only that one.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of every batch.

        Returns
        -------
        BuildRecord or None
            How it ended, good or bad; None where nothing waits.
        """
        build = self._claimed(build_id)
        if build is None:
            return None
        try:
            self._carry_out(build, progress)
        except AggflowError as error:
            # What stopped it is in its record: who asked reads it there.
            self._catalog.finish_build(build.id, "error", self._clock(), error=error)
        except BaseException as error:
            self._catalog.finish_build(build.id, "error", self._clock(), error=error)
            raise
        return self.build_record(build.id)

    def _queued(self) -> list[Build]:
        waiting = reversed(self._catalog.builds(self._id, status="pending"))
        return [build for build in waiting if _ASKED in build.detail]

    def _claimed(self, build_id: str | None) -> Build | None:
        for waiting in self._queued():
            if build_id in (None, waiting.id):
                build = self._catalog.claim_build(waiting.id, self._clock())
                if build is not None:
                    return build
        return None

    def _carry_out(self, build: Build, progress: bool | Report) -> None:  # noqa: FBT001 - as of build
        asked = build.detail[_ASKED]
        self.build(
            asked["name"],
            since=asked["since"],
            until=asked["until"],
            full=asked["full"],
            progress=progress,
            build_id=build.id,
        )

    # -- records

    def build_record(self, build_id: str) -> BuildRecord:
        """The record of a build, however old; of one whose process died, that it did.

        Raises
        ------
        NotFoundError
            There is none.
        """
        build = self._catalog.build(build_id)
        if build is None or build.workspace_id != self._id:
            raise NotFoundError("build", build_id)
        return next(self._recorded([build]))

    def build_records(
        self, *, status: BuildStatus | None = None, limit: int | None = None, offset: int = 0
    ) -> list[BuildRecord]:
        """The records of builds, batches and what they are of, newest first.

        Parameters
        ----------
        status
            Only those.
        limit, offset
            How many at most, and how many to leave out before them.
        """
        return list(self._recorded(self._catalog.builds(self._id, status=status, limit=limit, offset=offset)))

    def _recorded(self, builds: Iterable[Build]) -> Iterator[BuildRecord]:
        names = {target.rollup_id: target.name for target in self._targets.all().values()}
        for build in builds:
            now = self._closed_if_dead(build)
            if now.is_batch:
                done = self._catalog.count_builds(self._id, batch_id=now.id, status="done")
                yield BuildRecord.of(now, f"cube {now.detail.get('cube', '')}", done)
            else:
                known = names.get(now.rollup_id or "")
                yield BuildRecord.of(now, known or now.detail.get(_ASKED, {}).get("name", ""))

    def _closed_if_dead(self, build: Build) -> Build:
        """A build that runs, closed where its process can be seen to be dead; batches are closed by others."""
        if build.status != "running" or build.is_batch:
            return build
        if build.host is None or build.pid is None or build.pid_started is None:
            return build
        if not Process(build.host, build.pid, build.pid_started).is_dead():
            return build
        return self._catalog.finish_build(
            build.id, "error", self._clock(), error=BuildError("its process died")
        )
