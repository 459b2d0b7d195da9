"""A place: where a flow finds its workspace: what it is told of it, and how it opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING

from aggflow.errors import OrchestrationError, without_password

if TYPE_CHECKING:
    from aggflow.workspace import Workspace


def told(home: str) -> str | None:
    """What a flow is told of a home: its folder or URL, which anyone may read who sees the run.

    None stands for the ``AGGFLOW_HOME`` of whoever runs the flow, where the URL holds a password or a key.

    Examples
    --------
    >>> told("/data/shop"), told("postgresql://db/shop"), told("postgresql://me:secret@db/shop")
    ('/data/shop', 'postgresql://db/shop', None)
    """
    if "://" not in home:
        return str(Path(home).absolute())
    return home if without_password(home) == home else None


@contextmanager
def opened(home: str | None, workspace: str | None) -> Iterator[Workspace]:
    """Open the workspace of a flow, which is there: a run makes none.

    Parameters
    ----------
    home
        A folder or a catalog's URL; ``AGGFLOW_HOME`` where None.
    workspace
        Its name in the home.

    Raises
    ------
    OrchestrationError
        The home is not on this machine.
    """
    from aggflow.settings import read_settings
    from aggflow.workspace import open_workspace

    place = home if home is not None else str(read_settings().home)
    if "://" not in place and not (Path(place) / "catalog.db").is_file():
        raise OrchestrationError(
            f"there is no home in {Path(place).absolute()} on {gethostname()}, where this run is",
            hint="share the folder, or keep the catalog in a database and set AGGFLOW_HOME to its URL",
        )
    with open_workspace(place, workspace) as ws:
        yield ws


def state_folder(home: str, home_id: str) -> Path:
    """Where the orchestration of a home keeps what is its own: logs, locks, the embedded Prefect's data."""
    if "://" in home:
        return Path.home() / ".aggflow" / home_id
    return Path(home).absolute() / "orchestration"
