"""A filter builder: a form for a filter in JupyterLab."""

from __future__ import annotations

from aggflow.notebook.builder import Builder
from aggflow.notebook.filter_form import FilterForm
from aggflow.workspace import Workspace


class FilterBuilder(Builder):
    """A form for a filter: which events, how fine, by what, and what is computed of them.

    Parameters
    ----------
    ws
        The workspace.
    name
        Of the filter that is opened; None for a new one.

    Raises
    ------
    NotFoundError
        There is none of that name.
    """

    def __init__(self, ws: Workspace, name: str | None = None) -> None:
        super().__init__(FilterForm(ws, name))
