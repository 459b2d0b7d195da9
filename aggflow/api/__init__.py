"""The HTTP service of a home."""

from __future__ import annotations

from aggflow.api.app import create_app

__all__ = ["create_app"]
