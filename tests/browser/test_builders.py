"""JupyterLab as a data scientist meets it: a tutorial is run, a builder filled in, saved, and the endpoint asked."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from daemon import free_port
from flights import UNTIL
from lab import Lab, Looked, alone, server

import aggflow as af

pytestmark = pytest.mark.slow
CELLS = ('import aggflow as af\n\nws = af.open("{home}")', "af.EndpointBuilder(ws)")
# Of what is typed, not of what was before; the menu of a chart comes when it is drawn.
CHART = ".agf-preview:not(.agf-waiting) .vega-embed:has(details) canvas"


def a_notebook(lab: Lab, home: str) -> str:
    """A notebook with a builder, and a home of its own."""
    shutil.copytree(lab.root / ".aggflow", lab.root / home)
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        cells=[nbformat.v4.new_code_cell(cell.format(home=home)) for cell in CELLS],
    )
    nbformat.write(made, lab.root / f"{home}.ipynb")
    return f"{home}.ipynb"


def field(page: Any, label: str) -> Any:
    """What one types or chooses with, by the label that stands over it."""
    named = page.locator(f".widget-label:visible:text-is('{label}')").first
    return named.locator("xpath=..").locator("input, select, textarea").first


def typed(page: Any, label: str, text: str) -> None:
    """Type as a person does, and go on to the next."""
    field(page, label).click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    page.keyboard.press("Tab")


def says(looked: Looked, code: str) -> None:
    """Wait until the form says so as code: then all that was typed has reached it, and its preview is asked for."""
    looked.page.locator(".agf-text pre", has_text=code).first.wait_for()


def drawn(looked: Looked) -> str:
    """The picture in the preview."""
    chart = looked.page.locator(CHART)
    chart.wait_for()
    picture: str = chart.evaluate("canvas => canvas.toDataURL()")
    return picture


def test_a_tutorial_runs_whole(lab: Lab) -> None:
    with lab.notebook("01_first_rollup.ipynb") as looked:
        looked.run_all()
        looked.see(".jp-RenderedVegaLite canvas")
        looked.shot("tutorial")


def test_an_endpoint_is_built_by_hand_and_answers_over_http(lab: Lab, tmp_path: Path) -> None:
    with lab.notebook(a_notebook(lab, "shop")) as looked:
        page = looked.page
        looked.run_all()
        looked.see(".agf-builder .agf-head")
        page.locator(".agf-builder", has_text="Name: is required").wait_for()
        save = page.locator(".agf-builder button:text-is('Save')")
        cannot_save = page.locator(".agf-builder button:text-is('Save'):disabled")
        cannot_save.wait_for()
        first = drawn(looked)
        typed(page, "Name", "weekly")
        says(looked, '"weekly"')
        typed(page, "Of the last", "365")
        page.locator(".agf-message.error:visible").first.wait_for()
        cannot_save.wait_for()  # 365 of what?
        typed(page, "Of the last", "364d")
        typed(page, "A point each", "1w")
        says(looked, 'af.TimeSeries("364d", "1w")')
        total = drawn(looked)
        field(page, "origin").select_option(label="return all values")
        says(looked, 'groupings={"origin": af.All()}')
        by_origin = drawn(looked)
        assert len({first, total, by_origin}) == 3, "the chart follows what is chosen"
        page.locator(".agf-head").scroll_into_view_if_needed()
        looked.shot("builder-light")
        save.click()
        page.locator(".agf-message:has-text('Saved.')").wait_for()
        assert drawn(looked) == by_origin
        looked.shot("builder-saved")
    with af.open(lab.root / "shop") as ws:
        token = ws.create_token("me", owner="me@example.com", permissions=["data:read"])
        endpoint, daily = ws.endpoints["weekly"], ws.endpoints["daily"]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "aggflow",
        "serve",
        "--home",
        str(lab.root / "shop"),
        "--port",
        str(port),
    ]
    with server(command, f"{url}/healthz", tmp_path, alone(tmp_path)):
        weekly, whole = (counted(url, one.id, token) for one in (endpoint, daily))
    assert weekly.keys() == {"EWR", "JFK", "LGA"}
    # 52 weeks of the year that the other endpoint counts day by day.
    assert 0.97 * sum(whole.values()) < sum(weekly.values()) <= sum(whole.values())


def counted(url: str, endpoint: str, token: str) -> dict[str, int]:
    """Flights by origin, over HTTP."""
    headers = {"x-api-token": token}
    answer = httpx.post(f"{url}/api/v1/data/{endpoint}", headers=headers, json={"end": UNTIL}, timeout=60)
    found: dict[str, int] = {}
    for row in answer.raise_for_status().json():
        origin = row.get("groupings", {}).get("origin", "")
        count = next(value for value in row["fields"].values() if isinstance(value, int))
        found[origin] = found.get(origin, 0) + count
    return found


def test_a_builder_is_read_in_the_dark(lab: Lab) -> None:
    with lab.notebook(a_notebook(lab, "night"), "dark") as looked:
        looked.run_all()
        page = looked.page
        drawn(looked)
        page.locator(".agf-head").scroll_into_view_if_needed()
        ground = page.locator(".agf-card").first.evaluate("card => getComputedStyle(card).backgroundColor")
        assert max(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 80
        looked.shot("builder-dark")
