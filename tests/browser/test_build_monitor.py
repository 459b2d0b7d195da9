"""The build monitor as somebody with a mouse meets it, while the kernel itself is at work."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from lab import Lab

pytestmark = pytest.mark.slow

FIRST = """import os
import threading

os.environ["AGGFLOW_BATCH_ROWS"] = "500"  # so many batches that a build is met while it runs
import aggflow as af

ws = af.open("monitored")
ws.add_source("flights", ".aggflow/data/flights.parquet", time="departure")
ws.add_filter("slow", source="flights", interval="1h", groupings=["carrier", "origin"])"""
MONITOR = "af.BuildMonitor(ws)"
BUILD = "ws.build('slow', until='2014-01-01', progress=False)"
BESIDE = "threading.Thread(target=ws.build, args=['slow'], kwargs={'until': '2014-01-01', 'progress': False}).start()"
CANCEL = ".agf-build button:text-is('Cancel')"
DEAF = "hears no button while a cell runs"
CANCELLED = ".agf-ended td.cancelled"


def a_notebook(lab: Lab, name: str, last: str) -> str:
    cells = (FIRST.replace("monitored", name), MONITOR, last)
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
    )
    nbformat.write(made, lab.root / f"{name}.ipynb")
    return f"{name}.ipynb"


def begin(page: Any) -> None:
    """Run every cell, and do not wait for the last to end."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def test_a_build_by_a_cell_says_what_stops_it_and_that_does(lab: Lab) -> None:
    with lab.notebook(a_notebook(lab, "busy", BUILD)) as looked:
        page = looked.page
        begin(page)
        page.locator(".agf-build", has_text=f"{DEAF}: interrupt the kernel").wait_for()
        page.locator(f"{CANCEL}:disabled").wait_for()
        looked.shot("monitor-busy")
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
        looked.see(CANCELLED)


def test_a_build_beside_the_cells_is_cancelled_by_its_button(lab: Lab) -> None:
    with lab.notebook(a_notebook(lab, "beside", BESIDE)) as looked:
        page = looked.page
        begin(page)
        button = looked.see(f"{CANCEL}:enabled")
        page.locator(".agf-build", has_not_text=DEAF).wait_for()
        button.click()
        looked.see(CANCELLED)
