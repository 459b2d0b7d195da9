"""Builds of a remote workspace: asked for, waited for, listed and cancelled."""

from __future__ import annotations

import time

from aggflow.collection import Collection
from aggflow.engine.build_report import BuildReport
from aggflow.engine.progress import Report
from aggflow.errors import Problem, SpecError
from aggflow.progress_bar import reporting
from aggflow.remote.build import RemoteBuild
from aggflow.remote.column import columns_of
from aggflow.remote.link import Instant, Link, written

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0


class BuildsPart(Link):
    """The part of a remote workspace that builds."""

    @property
    def builds(self) -> Collection[RemoteBuild]:
        """The last hundred builds, by id, newest first."""
        return Collection(
            "build",
            lambda: {one["id"]: RemoteBuild.of(one) for one in self._connection.get("builds", limit=100)},
            columns_of(("started", "name", "kind", "status", "rows_read", "states_written", "error")),
        )

    def build(
        self,
        name: str,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        full: bool = False,
        progress: bool | Report = True,
    ) -> BuildReport:
        """Have the service build what is missing of a rollup, and wait for it.

        Whoever stops waiting does not stop the build; :meth:`cancel` does.

        Parameters
        ----------
        name
            A filter, or the reference of any rollup: ``filter delays``, ``task by client``,
            ``cube flights/hourly``.
        since, until
            From when on, and up to when; by default all that is wanted, until now.
        full
            Build everything anew.
        progress
            Whether to show a progress bar (in a terminal), or a function to tell of how far it is.

        Raises
        ------
        NotFoundError
            There is no such rollup.
        AggflowError
            The build stopped; what was committed stays, and the next build goes on from there.
        """
        if name.startswith("cube ") and "/" not in name:
            problem = Problem("name", "a whole cube is built by the next run", "request_build() asks for it")
            raise SpecError("the build", [problem])
        times = {"since": written(since), "until": written(until)}
        body = {"name": name, "full": full} | {k: v for k, v in times.items() if v is not None}
        asked = RemoteBuild.of(self._connection.post("builds", body=body))
        with reporting(progress) as report:
            return self._ended(asked, report).report()

    def _ended(self, build: RemoteBuild, report: Report) -> RemoteBuild:
        started, wait = time.monotonic(), _FIRST_WAIT
        while not build.has_ended:
            time.sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)
            build = RemoteBuild.of(self._connection.get("builds", build.id))
            if build.windows_total:
                report(build.so_far(time.monotonic() - started))
        return build

    def request_build(self, cube: str, *, full: bool = False) -> RemoteBuild:
        """Ask for a batch of a cube, which the next run begins; it joins one that waits already.

        Parameters
        ----------
        cube
            Its name, or its id.
        full
            Build everything anew.
        """
        return RemoteBuild.of(self._connection.post("builds", body={"name": f"cube {cube}", "full": full}))

    def cancel(self, build_id: str) -> None:
        """Ask a build to stop after the window that it is at.

        Raises
        ------
        ConflictError
            It has ended already.
        """
        self._connection.delete("builds", build_id)
