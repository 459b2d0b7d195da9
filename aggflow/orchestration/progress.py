"""A progress artifact: shows in Prefect's UI how far a build is, by the one callback that builds know."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from aggflow.errors import CancelledError
from aggflow.figure import counted

if TYPE_CHECKING:
    from threading import Event
    from uuid import UUID

    from aggflow.engine.progress import Progress

_SECONDS: Final = 1.0


class ProgressArtifact:
    """A bar in the UI; its call is what a build reports to.

    Parameters
    ----------
    reference
        What is built.
    stopped
        Set where the run was stopped: then the build ends as well.
    patience
        Seconds for which nothing is shown: a build that is through by then needs no bar.
    """

    def __init__(self, reference: str, stopped: Event | None = None, *, patience: float = 0.0) -> None:
        self._reference = reference
        self._stopped = stopped
        self._patience = patience
        self._id: UUID | None = None
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        """Tell the UI, at most once a second; a UI that is away keeps no build from going on.

        Raises
        ------
        CancelledError
            The run was stopped.
        """
        if self._stopped is not None and self._stopped.is_set():
            raise CancelledError(f"the run that built {self._reference} was stopped")
        import httpx
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        now, whole = time.monotonic(), progress.windows_done == progress.windows_total
        if self._id is None and progress.seconds < self._patience:
            return
        if self._id is not None and not whole and now - self._told < _SECONDS:
            return
        self._told = now
        done = 100.0 * _share(progress)
        what = f"{self._reference}: {counted(progress.rows_done, 'row')} of about {progress.rows_total:,}"
        try:
            if self._id is None:
                key = artifact_key("progress", self._reference)
                self._id = create_progress_artifact(done, key=key, description=what)  # pyright: ignore[reportAttributeAccessIssue] - sync here
            else:
                update_progress_artifact(self._id, progress=done, description=what)
        except httpx.HTTPError as error:
            from prefect import get_run_logger

            get_run_logger().warning("The progress of %s could not be shown: %s", self._reference, error)


def _share(progress: Progress) -> float:
    """How much of a build is done, 0 to 1: by rows where they are known, else by windows."""
    if progress.windows_done == progress.windows_total:
        return 1.0
    if progress.rows_total:
        return min(1.0, progress.rows_done / progress.rows_total)
    return progress.windows_done / progress.windows_total


def artifact_key(*names: str) -> str:
    """A key as Prefect takes it: lower-case letters, digits and dashes.

    Examples
    --------
    >>> artifact_key("windows", "cube Flüge/by Hour")
    'windows-cube-fl-ge-by-hour'
    """
    return re.sub(r"[^a-z0-9]+", "-", " ".join(names).lower()).strip("-")
