"""How long `aggflow up` takes to begin: the first time in a home, and later.

    PYTHONPATH=tests/orchestration:tests/servers python tests/benchmarks/up_starts.py --rounds 3

Writes ``up_starts.json`` (every round) and ``up_starts.md`` (medians) beside this file, or where
``--results`` says.  It has begun when it says its addresses: Prefect's server, the service and the runs answer.
On a busy machine it takes longer by the clock; what its processes computed until then is noted beside that.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import psutil
from orchestrated import Up, make_home, started
from task_runs import about, table, write

FIRST, LATER = "the first time", "later"
COMPUTED = "{}, computed by all its processes"


def computed(up: Up) -> float:
    """Seconds that the processes of an `aggflow up` computed."""
    own = psutil.Process(up.process.pid)
    return sum(sum(one.cpu_times()[:2]) for one in (own, *own.children(recursive=True)))


def measured(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round, a home of its own each."""
    seconds: dict[str, list[float]] = {
        which: [] for name in (FIRST, LATER) for which in (name, COMPUTED.format(name))
    }
    for number in range(rounds):
        place = folder / str(number)
        make_home(place).close()
        for which in (FIRST, LATER):
            began = time.perf_counter()
            with started(place / "home", place / "up.log") as up:
                seconds[which].append(time.perf_counter() - began)
                seconds[COMPUTED.format(which)].append(computed(up))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long aggflow up takes to begin.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args()
    asked = about()
    folder = Path(tempfile.mkdtemp(prefix="aggflow-up-"))
    try:
        seconds = measured(folder, given.rounds)
    finally:
        shutil.rmtree(folder)
    write(given.results / "up_starts", seconds, asked)
    print(table(seconds))


if __name__ == "__main__":
    main()
