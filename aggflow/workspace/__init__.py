"""A workspace: the one object that every surface holds; each file is a part of it."""

from __future__ import annotations

from aggflow.workspace.home import Access, Home
from aggflow.workspace.workspace import Workspace, open_workspace

__all__ = ["Access", "Home", "Workspace", "open_workspace"]
