"""The launcher's tiles: the service's page and Prefect's, behind JupyterLab's own address."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from lab import TOKEN, Lab, Looked
from patience import awaited

pytestmark = pytest.mark.slow


def opened(looked: Looked, title: str) -> Any:
    """The frame that a click on a tile opens."""
    page = looked.page
    # A launcher of its own: JupyterLab opens one by itself when it finds nothing to restore.
    launcher = page.evaluate(
        "async () => { await window.jupyterapp.restored;"
        " return (await window.jupyterapp.commands.execute('launcher:create')).id; }"
    )
    tile = page.locator(f"#{launcher} .jp-LauncherCard[title='{title}']")
    tile.locator("svg, img").wait_for()  # it has a picture, and only one
    tile.click()
    return page.frame_locator(f"iframe[src*='/{title.lower()}/']")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tile_of_the_service_opens_its_page(lab: Lab, theme: str) -> None:
    with lab.page(theme) as looked:
        frame = opened(looked, "aggflow")
        frame.locator("#rollups h3:text-is('delays')").wait_for()
        frame.locator("#rollups", has_text="built until").wait_for()
        card = frame.locator("article.card", has=frame.locator("h3:text-is('daily')"))
        card.scroll_into_view_if_needed()
        # It is drawn when it comes into view; the page may put another in its place meanwhile.
        picture = card.locator("img")
        awaited("its picture", lambda: picture.evaluate("it => it.complete && it.naturalWidth > 200"))
        looked.shot(f"tile-service-{theme}")
        assert frame.locator("link[rel=stylesheet]").evaluate("link => link.sheet.cssRules.length") > 20


def test_the_docs_of_the_service_open_behind_the_tile(lab: Lab) -> None:
    with lab.page() as looked:
        frame = opened(looked, "aggflow")
        frame.locator("nav >> text=API").click()
        frame.locator("#operations-tag-management").wait_for()


def test_the_service_behind_the_tile_is_for_who_may_use_jupyter(lab: Lab) -> None:
    inside = httpx.get(f"{lab.url}/aggflow/readyz", params={"token": TOKEN}, timeout=120)
    assert inside.status_code == 200
    outside = httpx.get(f"{lab.url}/aggflow/readyz", timeout=120)
    assert outside.status_code in (302, 403)


def test_the_tile_of_prefect_opens_its_ui_with_the_deployments(lab: Lab) -> None:
    with lab.page() as looked:
        frame = opened(looked, "Prefect")
        frame.locator("a:has-text('Deployments')").first.click(timeout=240_000)
        frame.locator("text=run-tasks").first.wait_for(timeout=240_000)
        looked.shot("tile-prefect")
