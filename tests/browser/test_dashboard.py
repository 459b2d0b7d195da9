"""The dashboard as Voila shows it: to people who read, in words and charts and without code."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon import free_port
from flights import NOTEBOOKS
from lab import PATIENCE_MS, Looked, alone, server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("voila")
    shutil.copy(NOTEBOOKS / "dashboard.ipynb", folder)
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        *(sys.executable, "-m", "voila", "dashboard.ipynb", "--no-browser", "--Voila.ip=127.0.0.1"),
        *(f"--port={url.rpartition(':')[2]}", "--VoilaConfiguration.allow_theme_override=YES"),
        # It wants a file browser, which a page of Voila has not.
        "--VoilaConfiguration.extension_denylist=@jupyterhub/jupyter-server-proxy",
    ]
    with server(command, f"{url}/voila/static/voila.js", folder, alone(folder)):
        yield url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_read_without_code(voila: str, chromium: Any, theme: str) -> None:
    context = chromium.new_context(viewport={"width": 1100, "height": 2300}, color_scheme=theme)
    context.set_default_timeout(PATIENCE_MS)
    looked = Looked(context.new_page(), voila)
    page = looked.page
    page.goto(f"{voila}/?theme={theme}")
    page.locator(".vega-embed:has(canvas, svg.marks)").nth(2).wait_for()
    text = page.inner_text("body")
    assert "336,776 flights" in text
    assert "The worst day was 8 March" in text
    assert "1 January 2014 is counted; nothing is missing" in text
    for code in ("import ", "ws.query", "Traceback", "Error"):
        assert code not in text
    assert page.locator(".vega-embed").count() == 3
    looked.shot(f"dashboard-{theme}")
    context.close()
    assert looked.complaints == []
    assert looked.elsewhere == []
