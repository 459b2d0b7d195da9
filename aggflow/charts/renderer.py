"""The renderer: shows charts in JupyterLab without a network.

Altair writes Vega-Lite 6 and its own renderer loads it from the network; JupyterLab brings
Vega-Lite 5.  The charts made here need nothing that came after 5.6, and so are sent as what they are.
"""

from __future__ import annotations

from typing import Any

from aggflow.charts.library import altair

NAME = "aggflow"
MIME = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def bundle(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """What a notebook keeps of a chart: its specification, and a text for who cannot draw it."""
    return {MIME: {**spec, "$schema": SCHEMA}, "text/plain": f"<chart: {_title(spec)}>"}


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def bring() -> None:
    """Register the renderer, once; enable it unless another than Altair's default was chosen."""
    renderers = altair().renderers
    if NAME in renderers.names():
        return
    renderers.register(NAME, bundle)
    if renderers.active == "default" and not renderers.options:
        renderers.enable(NAME)
