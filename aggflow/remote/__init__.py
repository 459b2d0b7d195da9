"""A remote workspace: the same questions over HTTP, so that a notebook need not care where a workspace lives."""

from __future__ import annotations

from aggflow.remote.remote import Remote, connect

__all__ = ["Remote", "connect"]
