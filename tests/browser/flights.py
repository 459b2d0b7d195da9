"""A folder as a data scientist has it: a home with a year of flights, built, and the notebooks beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import aggflow as af
from aggflow.demo import DAILY, DELAYS, END_TEXT, WORST, write_flights
from aggflow.spec.definitions import Definitions
from aggflow.spec.source import Source

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
UNTIL = END_TEXT


def prepare(root: Path) -> None:
    """Make the folder."""
    home = root / ".aggflow"
    file = home / "data" / "flights.parquet"
    write_flights(file)
    with af.open(home) as ws:
        source = Source("flights", str(file), "departure")
        ws.apply_definitions(Definitions((source,), (DELAYS,), (WORST, DAILY)))
        ws.build("delays", until=UNTIL, progress=False)
    for notebook in NOTEBOOKS.glob("*"):
        if notebook.is_file():
            shutil.copy(notebook, root)
