"""Answers as charts: drawn with Altair, shown in JupyterLab without a network, saved without a browser."""

from __future__ import annotations

from aggflow.charts.chart import draw
from aggflow.charts.file import save
from aggflow.charts.thumbnail import kept, thumbnail

__all__ = ["draw", "kept", "save", "thumbnail"]
