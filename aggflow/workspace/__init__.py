"""A workspace: the one object that every surface holds; each file is a part of it."""

from __future__ import annotations

from aggflow.workspace.workspace import Workspace, open_workspace

__all__ = ["Workspace", "open_workspace"]
