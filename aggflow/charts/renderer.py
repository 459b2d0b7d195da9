"""The renderer: shows charts in JupyterLab without a network.

Altair writes Vega-Lite 6 and its own renderer loads it from the network; JupyterLab brings
Vega-Lite 5.  The charts made here need nothing that came after 5.6, and so are sent as what they are.
"""

from __future__ import annotations

import os
from base64 import b64encode
from functools import partial
from typing import Any

from aggflow.charts.file import to_png
from aggflow.charts.library import altair
from aggflow.charts.theme import THEME_NAMES, Theme, ThemeName

NAME = "aggflow"
MIME = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"


def bundle(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """What a notebook keeps of a chart: its specification, and a text for who cannot draw it.

    JupyterLab adds a picture of what it drew.  On a page of Voila that is tried and fails, and the page
    shows the failure, unless the picture is there already.
    """
    drawn = {MIME: {**spec, "$schema": SCHEMA}, "text/plain": f"<chart: {_title(spec)}>"}
    if os.environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
        drawn["image/png"] = b64encode(to_png(spec)).decode()
    return drawn


def enabled_theme() -> ThemeName:
    """The theme that ``altair.theme.enable("aggflow_dark")`` chose for all charts; light where none did."""
    active = str(altair().theme.active)
    for name in THEME_NAMES:
        if active == f"{NAME}_{name}":
            return name
    return "light"


def _own(theme: Theme) -> dict[str, Any]:
    """A theme as Altair has them: charts of one's own look like those of answers."""
    return {"config": theme.config()}


def _title(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def bring() -> None:
    """Register the renderer and the themes, once; enable the renderer unless one was chosen before."""
    renderers = altair().renderers
    if NAME in renderers.names():
        return
    for name in THEME_NAMES:
        altair().theme.register(f"{NAME}_{name}", enable=False)(partial(_own, Theme.of(name)))
    renderers.register(NAME, bundle)
    if renderers.active == "default" and not renderers.options:
        renderers.enable(NAME)
