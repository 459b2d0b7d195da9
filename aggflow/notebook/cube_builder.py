"""A cube builder: a form for a cube in JupyterLab."""

from __future__ import annotations

from aggflow.notebook.builder import Builder
from aggflow.notebook.cube_form import CubeForm
from aggflow.workspace import Workspace


class CubeBuilder(Builder):
    """A form for a cube: its dimensions and measures, and the aggregates that speed it up.

    Parameters
    ----------
    ws
        The workspace.
    name
        Of the cube that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """

    def __init__(self, ws: Workspace, name: str | None = None) -> None:
        super().__init__(CubeForm(ws, name))
