"""An endpoint builder: a form for an endpoint in JupyterLab."""

from __future__ import annotations

from aggflow.notebook.builder import Builder
from aggflow.notebook.endpoint_form import EndpointForm
from aggflow.workspace import Workspace


class EndpointBuilder(Builder):
    """A form for an endpoint: what is asked of which filter, task or cube, over which time, told apart by what.

    Parameters
    ----------
    ws
        The workspace.
    name
        Of the endpoint that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """

    def __init__(self, ws: Workspace, name: str | None = None) -> None:
        super().__init__(EndpointForm(ws, name))
