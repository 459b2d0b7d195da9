"""Load: requests a second and their times, of a service whose states are replaced once a second.

    python tests/benchmarks/load.py --connections 1 16 64 --rounds 3 --seconds 5 --workers 1 2

Two services answer from one home, over the demo's rollup: one as it comes, one that keeps no answers
(``AGGFLOW_ANSWER_BYTES=0``).  Beside them a builder replaces the states of the last days once a second, and
a client asks both all the time and holds every answer against the two states that there are.  Writes
``load.json`` (every round) and ``load.md`` (medians) beside this file, or where ``--results`` says.  A
ratio is to the constant route of the first in the same round; that of the other is the same.  Where other work has the machine's
processors, what a request takes of a processor says more than how many there were in a second; what the
builder's changes and the asking client cost the service is in it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from load_home import LoadHome, present
from load_service import Asking, Service, running, serving
from load_watch import Expected, Watch

Counted = dict[str, Any]
Results = dict[int, dict[str, dict[int, list[Counted]]]]
"""By workers, what was asked, and connections: what wrk counted in each round."""
CONSTANT: Final = "constant"
# fmt: off
CARRIERS: Final = ("9E", "AA", "AS", "B6", "DL", "EV", "F9", "FL", "HA", "MQ", "OO", "UA", "US", "VX", "WN", "YV")
# fmt: on
_DAYS: Final = 350
_PATIENCE_SECONDS: Final = 120
_COMBINATIONS: Final = 40_000


@dataclass(frozen=True)
class Bench:
    """What the load is held on.

    Attributes
    ----------
    home
        The home.
    token
        What opens it.
    ids
        Of the endpoints, by name.
    expected
        What may be answered.
    """

    home: LoadHome
    token: str
    ids: Mapping[str, str]
    expected: Expected

    @classmethod
    def make(cls, folder: Path) -> Bench:
        """Build everything, in both states once."""
        home = LoadHome.make(folder, present())
        with home.opened() as ws:
            expected = Expected.of(home, ws)
            expected.check()
            token = ws.create_token("load", owner="load@aggflow.example", permissions=["data:read"])
            ids = {name: endpoint.id for name, endpoint in ws.endpoints.items()}
        return cls(home, token, ids, expected)

    def bodies(self, name: str, lines: Iterator[Mapping[str, Any]]) -> Path:
        """A file of them."""
        file = self.home.folder / f"{name}.txt"
        file.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
        return file

    def path(self, endpoint: str) -> str:
        """That of an endpoint."""
        return f"/api/v1/data/{self.ids[endpoint]}"

    def uncached(self) -> list[Asking]:
        """What is asked of the service that keeps no answers: each request ends at another hour of the year."""
        ends = self.bodies("ends", ({"end": _text(at)} for at in _hours(self.home.hour)))
        return [
            Asking("uncached 24-hour total", "POST", self.path("total"), ends),
            Asking("uncached 7-day hourly series", "POST", self.path("series"), ends),
        ]

    def usual(self, service: Service) -> list[Asking]:
        """What is asked of the service as it comes."""
        end = _text(self.home.hour)
        same = self.bodies("same", iter([{"end": end}]))
        chosen = self.bodies("chosen", _choices(self.home.hour))
        # Of days that nobody builds anew: else the tag is another after each build.
        past = f"{self.path('total')}?end={_text(self.home.hour - timedelta(days=30))}"
        got = httpx.get(f"{service.url}{past}", headers={"Authorization": f"Bearer {service.token}"})
        return [
            Asking("24-hour total of other carriers each time", "POST", self.path("chosen total"), chosen),
            Asking("7-day series of other carriers each time", "POST", self.path("chosen series"), chosen),
            Asking("24-hour total, end = now", "POST", self.path("total")),
            Asking("kept 24-hour total", "POST", self.path("total"), same),
            Asking("kept 7-day hourly series", "POST", self.path("series"), same),
            Asking("not modified (304)", "GET", past, None, ("If-None-Match", got.headers["ETag"])),
        ]


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _hours(last: datetime) -> Iterator[datetime]:
    """Each hour of the year once, far from the one before it."""
    hours = [last - timedelta(hours=back) for back in range(24 * _DAYS)]
    random.Random(1).shuffle(hours)
    return iter(hours)


def _choices(last: datetime) -> Iterator[dict[str, Any]]:
    """Twelve of sixteen carriers and an end of the last week: no two alike."""
    of = list(itertools.product(itertools.combinations(CARRIERS, 12), range(24 * 7)))
    for carriers, back in random.Random(2).sample(of, _COMBINATIONS):
        yield {"end": _text(last - timedelta(hours=back)), "groupingFilters": {"carrier": list(carriers)}}


@dataclass
class Load:
    """How much load there is, and where what was counted is put.

    Attributes
    ----------
    connections, rounds, seconds
        Of each measurement.
    results
        What was counted.
    """

    connections: Sequence[int]
    rounds: int
    seconds: float
    results: Results = field(default_factory=Results)

    def put(self, bench: Bench, workers: int) -> None:
        """Measure with so many processes, all rounds interleaved; every answer of the watch has to be right."""
        with _services(bench, workers) as (usual, bare):
            cases = [(usual, Asking(CONSTANT, "GET", "/healthz")), *((usual, a) for a in bench.usual(usual))]
            cases += [(bare, asking) for asking in bench.uncached()]
            for service, asking in cases:
                service.warm(asking)
            urls = (usual.url, bare.url)
            with _built(bench), Watch(urls, bench.token, bench.home, bench.expected, bench.ids) as watch:
                for connections in self.connections:
                    for number in range(self.rounds):
                        for service, asking in cases:
                            self._measure(service, asking, workers, connections, number)
                # A short load may end before the builder has built often enough.
                watch.see_all(_PATIENCE_SECONDS)
            watch.check()
            print(f"{sum(watch.seen.values()):,} answers were checked, {workers=}", flush=True)

    def _measure(self, service: Service, asking: Asking, workers: int, connections: int, number: int) -> None:
        counted = service.wrk(asking, connections, self.seconds, number * 7919)
        by_name = self.results.setdefault(workers, {}).setdefault(asking.name, {})
        by_name.setdefault(connections, []).append(counted)


@contextmanager
def _services(bench: Bench, workers: int) -> Iterator[tuple[Service, Service]]:
    folder, home = bench.home.folder, bench.home.folder / "home"
    with ExitStack() as stack:
        yield tuple[Service, Service](
            stack.enter_context(
                serving(home, bench.token, workers=workers, log=folder / f"{name}.log", **settings)
            )
            for name, settings in (("usual", {}), ("bare", {"AGGFLOW_ANSWER_BYTES": "0"}))
        )


@contextmanager
def _built(bench: Bench) -> Iterator[None]:
    """A builder that builds all the time, and has not failed when it is ended."""
    script = Path(__file__).with_name("load_builder.py")
    home, log = bench.home, bench.home.folder / "builder.log"
    command = [sys.executable, str(script), str(home.folder), home.hour.isoformat()]
    with log.open("wb") as errors, running(command, errors) as process:
        yield
        if process.poll() is not None:
            raise SystemExit(f"the builder ended:\n{log.read_text()}")


def rates(results: Mapping[str, Mapping[int, list[Counted]]], name: str, connections: int) -> list[float]:
    """Requests a second of every round."""
    return [one["requests"] / one["seconds"] for one in results[name][connections]]


def table(results: Results) -> str:
    """Medians as Markdown."""
    lines = ["| workers | | connections | requests/s | of the constant's | p50 | p99 | processor a request |"]
    lines.append("|---:|---|---:|---:|---:|---:|---:|---:|")
    for workers, by_name in results.items():
        for name, by_connections in by_name.items():
            for connections, rounds in by_connections.items():
                own, constant = (rates(by_name, one, connections) for one in (name, CONSTANT))
                ratio = statistics.median(a / b for a, b in zip(own, constant, strict=True))
                p50, p99 = (statistics.median(one[p] for one in rounds) * 1000 for p in ("p50", "p99"))
                used = statistics.median(one["processor"] / one["requests"] for one in rounds) * 1000
                figures = f"{statistics.median(own):,.0f} | {ratio:.2f} | {p50:.2f} ms | {p99:.2f} ms | {used:.3f} ms"
                lines.append(f"| {workers} | {name} | {connections} | {figures} |")
    return "\n".join(lines) + "\n"


def write(folder: Path, results: Results, about: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"measured": about, "rounds": results}, indent=1)
    (folder / "load.json").write_text(f"{text}\n", encoding="utf-8")
    heading = ", ".join(f"{name} {value}" for name, value in about.items())
    (folder / "load.md").write_text(f"{heading}\n\n{table(results)}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Put a service under load.")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="aggflow-load-"))
    others = os.getloadavg()[0]
    load = Load(given.connections, given.rounds, given.seconds)
    try:
        bench = Bench.make(folder)
        for workers in given.workers:
            load.put(bench, workers)
    finally:
        shutil.rmtree(folder)
    about = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": given.seconds,
        "rounds": given.rounds,
        "processors": os.cpu_count(),
        "load average before": f"{others:.1f}",
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
    }
    write(given.results, load.results, about)
    print(table(load.results))


if __name__ == "__main__":
    main()
