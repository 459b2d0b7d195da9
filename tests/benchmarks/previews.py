"""How long a preview takes, from a change of a builder until its chart is handed to the browser.

    python tests/benchmarks/previews.py

Makes the demo's flights, types into builders as somebody would, and writes previews.md beside itself.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aggflow as af
from aggflow.demo import DELAYS, write_flights
from aggflow.notebook.builder import Builder
from aggflow.notebook.endpoint_form import EndpointForm
from aggflow.notebook.filter_form import FilterForm
from aggflow.notebook.previewer import DEBOUNCE, Previewer, Shown

REPEATS = 15
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "filter: another predicate": ("filter", "where", tuple(f"@.distance > {i}" for i in range(REPEATS + 1))),
    "filter: another interval": ("filter", "interval", ("1h", "30m", "15m", "2h", "3h")),
    "endpoint on what is built: another duration": (
        "endpoint",
        "timing.duration",
        tuple(f"{20 + i}d" for i in range(REPEATS + 1)),
    ),
    "endpoint on a sample: another duration": (
        "unbuilt",
        "timing.duration",
        tuple(f"{200 + i}d" for i in range(REPEATS + 1)),
    ),
}


class Watched(Builder):
    """A builder that says when a preview was handed over.

    Parameters
    ----------
    form
        What is built.
    """

    def __init__(self, form: Any) -> None:
        self.arrived = threading.Event()
        self.shown: Shown | None = None
        super().__init__(form, lambda show: Previewer(self._watched(show)))

    def _watched(self, show: Callable[[Shown], None]) -> Callable[[Shown], None]:
        def told(shown: Shown) -> None:
            show(shown)
            if shown.state in ("done", "failed"):
                self.shown = shown
                self.arrived.set()

        return told

    def await_preview(self) -> Shown:
        """The next preview."""
        if not self.arrived.wait(60) or self.shown is None or self.shown.state != "done":
            raise SystemExit(f"no preview: {self.shown}")
        return self.shown

    def typed(self, name: str, value: str) -> tuple[float, float]:
        """Milliseconds from a value that is typed until its preview is handed over: by the clock, and of CPU."""
        self.arrived.clear()
        started, worked = time.perf_counter(), time.process_time()
        self.fields[name].control.widget.value = value
        self.await_preview()
        return (time.perf_counter() - started) * 1000, (time.process_time() - worked) * 1000


@contextmanager
def builders() -> Iterator[dict[str, Callable[[], Watched]]]:
    """What makes the builders: of a filter, of an endpoint on a filter that is built, and on one that is not."""
    with tempfile.TemporaryDirectory() as folder, af.open(Path(folder) / "home") as ws:
        file = Path(folder) / "flights.parquet"
        write_flights(file)
        ws.add_source("flights", str(file), time="departure")
        options = {one: getattr(DELAYS, one) for one in ("groupings", "aggregations", "time_zone")}
        for name in ("delays", "unbuilt"):
            ws.add_filter(name, source="flights", interval="1h", **options)
        ws.build("delays", until="2014-01-01T05:00:00Z", progress=False)

        def endpoint(of: str) -> Watched:
            form = EndpointForm(ws)
            form.set("filter", of)
            form.set("timing.interval", "1d")
            form.set("fields[0].measure", "delay · PERCENTILES")
            return Watched(form)

        yield {
            "filter": lambda: Watched(FilterForm(ws, "delays")),
            "endpoint": lambda: endpoint("delays"),
            "unbuilt": lambda: endpoint("unbuilt"),
        }


def measured(
    make: Callable[[], Watched], name: str, values: tuple[str, ...]
) -> tuple[float, list[tuple[float, float]]]:
    """Milliseconds of the first preview of a builder, and of those that follow changes."""
    started = time.perf_counter()
    builder = make()
    builder.await_preview()
    first = (time.perf_counter() - started) * 1000
    taken = [builder.typed(name, values[i % len(values)]) for i in range(1, REPEATS + 1)]
    builder.close()
    return first, taken


def main() -> None:
    """Measure, and write it down."""
    lines = [
        "# Previews of builders on the demo's flights (336,776 events)",
        "",
        "Milliseconds from a change of a control until the chart is handed to the browser; of these,",
        f"{DEBOUNCE * 1000:.0f} go by waiting for a further key. {REPEATS} changes each, on {os.cpu_count()} cores.",
        f"Load of the machine before: {os.getloadavg()[0]:.1f}.",
        "",
        "| change | median | worst | CPU, median | opening the builder, its first preview |",
        "|---|---:|---:|---:|---:|",
    ]
    with builders() as made:
        made["filter"]().await_preview()  # libraries are loaded
        for case, (which, name, values) in CASES.items():
            first, taken = measured(made[which], name, values)
            clock, cpu = zip(*taken, strict=True)
            columns = (statistics.median(clock), max(clock), statistics.median(cpu), first)
            lines.append(f"| {case} | " + " | ".join(f"{one:.0f}" for one in columns) + " |")
    text = "\n".join(lines) + "\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
