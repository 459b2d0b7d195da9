"""How cost grows: builds, refreshes, answers and passes of the scheduler, as one thing after another grows.

    python tests/benchmarks/scale.py                                        # all, up to 20 million events
    python tests/benchmarks/scale.py --only tasks,rollups --rounds 3        # some
    python tests/benchmarks/scale.py --only events --sizes 200000000        # one size, beside those that are there

Each case lets one thing grow by tens and holds all others; each cost is the processor time of all threads, in the
cheapest of some rounds: who shares the machine hardly changes it, and a machine of one's own answers sooner.  The
law is the exponent of size that fits the costs best (least squares of logarithms: 0 is constant, 1 is in proportion),
and what one more costs from the smallest to the largest.  Writes ``scale.json`` (every figure, with when it was
measured and how busy the machine was; what was not measured this time stays as it was) and ``scale.md`` beside this
file, or where ``--results`` says.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from scale_cases import CASES

QUICK = 0.5
_GROWS = 0.05
"""Of a cost with a lower exponent it is not told what one more costs: that would be noise."""
Costs: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""By case, by what is done and by size: ``{"seconds", "at", "load"}``."""


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of size that fits the costs best.

    Examples
    --------
    >>> exponent([1, 10, 100], [3, 30, 300]), exponent([1, 10, 100], [5, 5, 5])
    (1.0, 0.0)
    """
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return round(
        sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs), 2
    )


def one_more(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Seconds that one more costs, from the smallest size to the largest.

    Examples
    --------
    >>> one_more([10, 1010], [0.5, 2.5])
    0.002
    """
    return (costs[-1] - costs[0]) / (sizes[-1] - sizes[0])


@contextmanager
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aggflow-scale-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def cheapest(do: Callable[[], object], rounds: int) -> float:
    """Processor seconds of the cheapest round; what is quick has more rounds."""
    taken: list[float] = []
    while len(taken) < rounds or (sum(taken) < QUICK and len(taken) < 10 * rounds):
        began = time.process_time()
        do()
        taken.append(time.process_time() - began)
    return min(taken)


def measured(name: str, size: int, rounds: int) -> Iterator[tuple[str, float]]:
    """What is done in a case, and the processor seconds that it takes at a size."""
    make, _ = CASES[name]
    with scratch() as folder, ExitStack() as held:
        for what, do in make(held, folder, size).items():
            do()
            yield what, cheapest(do, rounds)


def table(costs: Costs) -> str:
    """Costs and their laws, as Markdown."""
    lines = ["| grows | cost | at each size | law | one more | load |", "|---|---|---|---|---|---|"]
    for name, by_what in costs.items():
        for what, by_size in by_what.items():
            sizes, seconds = [int(size) for size in by_size], [one["seconds"] for one in by_size.values()]
            shown = " · ".join(f"{size:,}: {_time(cost)}" for size, cost in zip(sizes, seconds, strict=True))
            power = exponent(sizes, seconds) if len(sizes) > 1 else 0.0
            law = f"size^{power}" if len(sizes) > 1 else ""
            more = _one(one_more(sizes, seconds)) if power >= _GROWS else ""
            loads = [one["load"] for one in by_size.values()]
            busy = f"{min(loads)} to {max(loads)}" if min(loads) < max(loads) else f"{loads[0]}"
            lines.append(f"| {name} | {what} | {shown} | {law} | {more} | {busy} |")
    return "\n".join(lines) + "\n"


def _one(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def merged(old: Costs, new: Costs) -> Costs:
    """Costs with others in their place or beside them: cases in their order, sizes by size."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name in CASES:
        for costs in (old.get(name, {}), new.get(name, {})):
            for what, by_size in costs.items():
                both = {**found.setdefault(name, {}).get(what, {}), **by_size}
                found[name][what] = dict(sorted(both.items(), key=lambda one: int(one[0])))
    return found


def write(folder: Path, costs: Costs, about: Mapping[str, object]) -> None:
    """Add costs to those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scale.json"
    kept = json.loads(file.read_text(encoding="utf-8"))["costs"] if file.exists() else {}
    both = merged(kept, costs)
    file.write_text(json.dumps({"measured": about, "costs": both}, indent=1) + "\n", encoding="utf-8")
    heading = ", ".join(f"{name} {value}" for name, value in about.items())
    (folder / "scale.md").write_text(f"{heading}\n\n{table(both)}", encoding="utf-8")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure how cost grows.")
    parser.add_argument("--only", default=",".join(CASES), help="cases, with commas between them")
    parser.add_argument("--most", type=int, default=20_000_000, help="the largest size that is measured")
    parser.add_argument("--sizes", default="", help="only these sizes, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent, help="folder of the results")
    given = parser.parse_args(words)
    # What was answered before would be answered from memory: that is not what is measured.
    os.environ |= {"AGGFLOW_ANSWER_BYTES": "0", "AGGFLOW_REDUCED_BYTES": "0"}
    about = {
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
    }
    for name in given.only.split(","):
        sizes = [int(size) for size in given.sizes.split(",") if size] or CASES[name][1]
        for size in sizes:
            if size > given.most and not given.sizes:
                continue
            for what, seconds in measured(name, size, given.rounds):
                at, load = datetime.now(UTC).isoformat(timespec="seconds"), round(os.getloadavg()[0], 1)
                found = {"seconds": seconds, "at": at, "load": load, "rounds": given.rounds}
                write(given.results, {name: {what: {str(size): found}}}, about)
                print(f"{name} {size:,}: {what}: {seconds * 1000:.2f} ms at a load of {load}", flush=True)


if __name__ == "__main__":
    main()
