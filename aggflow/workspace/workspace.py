"""A workspace: the one object that every surface holds; definitions, builds, questions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from aggflow.catalog import Catalog
from aggflow.errors import NotFoundError
from aggflow.figure import counted
from aggflow.settings import Settings, read_settings
from aggflow.store import SegmentStore
from aggflow.workspace.advice import AdvicePart
from aggflow.workspace.cube_questions import CubeQuestionsPart
from aggflow.workspace.drafts import DraftsPart
from aggflow.workspace.endpoints import EndpointsPart
from aggflow.workspace.events import EventsPart
from aggflow.workspace.operation import OperationPart
from aggflow.workspace.outlooks import OutlooksPart
from aggflow.workspace.questions import QuestionsPart
from aggflow.workspace.queue import QueuePart
from aggflow.workspace.schedules import SchedulesPart
from aggflow.workspace.site import Site
from aggflow.workspace.tasks import TasksPart
from aggflow.workspace.tokens import TokensPart
from aggflow.workspace.trials import TrialsPart
from aggflow.workspace.widgets import WidgetsPart


def open_workspace(
    home: str | Path | None = None, workspace: str | None = None, *, make: bool = True
) -> Workspace:
    """Open a workspace, made on first use.

    Parameters
    ----------
    home
        A folder, or the URL of a catalog (``postgresql://...``; segments then go where
        ``AGGFLOW_STORE`` says).  By default ``$AGGFLOW_HOME``, else ``.aggflow``.
    workspace
        Its name in the home, lower-case letters and digits; by default ``$AGGFLOW_WORKSPACE``, else ``self``.
    make
        Whether a workspace that the home has not is made; without it, a name that is mistyped is told.

    Raises
    ------
    NotFoundError
        There is no such workspace, and none is to be made.
    SettingsError, CatalogError, StoreError
        It cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> open_workspace(tempfile.mkdtemp())
    Workspace 'self': 0 sources, 0 filters, 0 endpoints
    """
    catalog, store, settings, place = open_parts(home)
    name = workspace or settings.workspace
    if not make:
        known = [one.name for one in catalog.workspaces()]
        if name not in known:
            catalog.close()
            raise NotFoundError("workspace", name, known)
    return Workspace(catalog, store, settings, name, place)


def open_parts(home: str | Path | None = None) -> tuple[Catalog, SegmentStore, Settings, str]:
    """What the workspaces of a home stand on: its catalog, its store, the settings, where it is.

    Parameters
    ----------
    home
        As :func:`open_workspace` takes it.

    Raises
    ------
    SettingsError, CatalogError, StoreError
        It cannot be opened.
    """
    settings = read_settings()
    place = str(home if home is not None else settings.home)
    site = Site.of(place, settings.store, settings.events)
    return Catalog.open(site.catalog), SegmentStore(site.store), settings, place


class Workspace(
    AdvicePart,
    OutlooksPart,
    DraftsPart,
    EndpointsPart,
    SchedulesPart,
    CubeQuestionsPart,
    TasksPart,
    QuestionsPart,
    WidgetsPart,
    OperationPart,
    TokensPart,
    QueuePart,
    EventsPart,
    TrialsPart,
):
    """Definitions, builds, questions and answers of one tenant.

    Made by :func:`aggflow.open`.  Safe for threads; several processes may open one home at once.
    """

    def close(self) -> None:
        """Write down what was asked, and close the catalog; batches that were not ended are left for dead."""
        self._batches.close()
        self._serving.close()
        self._questions.close()
        self._catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = {"source": self.sources, "filter": self.filters, "endpoint": self.endpoints}
        return f"Workspace {self.name!r}: " + ", ".join(
            counted(len(there), noun) for noun, there in counts.items()
        )

    def _repr_html_(self) -> str:
        parts = {"Sources": self.sources, "Filters": self.filters, "Endpoints": self.endpoints}
        later = {"Tasks": self.tasks, "Cubes": self.cubes, "Schedules": self.schedules}
        parts |= {title: part for title, part in later.items() if part}
        return "".join(f"<h4>{title}</h4>{part._repr_html_()}" for title, part in parts.items())
