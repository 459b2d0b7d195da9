"""A large source: events of many days in Parquet files, built through one DuckDB source.

    python tests/benchmarks/large_source.py 20000000
    python tests/benchmarks/large_source.py 20000000 --countries 700

Measures the whole build and the most memory that its process ever held, and adds a line to
``large_source.jsonl`` beside this file, with the settings of the environment.  There are twelve
times as many groups as countries.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

import aggflow as af
from aggflow.settings import PREFIX

RESULTS = Path(__file__).with_suffix(".jsonl")
DAYS = 30
Aggregation: Any = af.Aggregation


def write_events(folder: Path, rows: int, countries: int) -> None:
    """A file a day; times, kinds and amounts by the number of the row, so that it is always the same."""
    a_day = rows // DAYS
    with duckdb.connect() as con:
        for day in range(DAYS):
            con.execute(f"""
                COPY (
                    SELECT TIMESTAMP '2024-01-01' + INTERVAL ({day}) DAY + to_microseconds((i * 86400000000) // {a_day}) AS happened,
                           'kind ' || (hash(i) % 12) AS kind,
                           'country ' || (hash(i + 7) % {countries}) AS country,
                           (hash(i * 3) % 1000000) / 100.0 AS amount,
                           'user ' || (hash(i * 5) % 200000) AS visitor
                    FROM range({a_day}) t(i)
                ) TO '{folder / f"day-{day:02}.parquet"}'
            """)


def build(folder: Path, home: Path) -> dict[str, Any]:
    """Build a rollup of all events, in this process."""
    began = time.process_time()
    ws = af.open(str(home))
    ws.add_source("events", str(folder / "*.parquet"), time="happened")
    ws.add_filter(
        "f", source="events", interval="1h", groupings=["kind", "country"],
        aggregations=[
            Aggregation("amount", "amount", ["COUNT", "SUM", "MIN", "MAX", "STDDEV"]),
            Aggregation("spread", "amount", ["PERCENTILES"], sketch_groupings=["kind"]),
            Aggregation("visitors", "visitor", ["APPROX_COUNT_DISTINCT"], sketch_groupings=["kind"]),
        ],
    )  # fmt: skip
    started = time.perf_counter()
    report = ws.build("f", until="2024-02-01T00:00:00Z", progress=False)
    seconds = time.perf_counter() - started
    size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
    ws.close()
    return {
        "settings": {name: value for name, value in sorted(os.environ.items()) if name.startswith(PREFIX)},
        "rows": report.rows_read,
        "seconds": round(seconds, 1),
        "processor_seconds": round(time.process_time() - began, 1),
        "rows_a_second": round(report.rows_read / seconds),
        "most_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "states": report.states_written,
        "stored_mb": round(size / 1e6, 1),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def main(rows: int, countries: int) -> None:
    """Generate, and build in a process of its own, whose memory is that of the build alone."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, home = Path(temporary) / "events", Path(temporary) / "home"
        folder.mkdir()
        write_events(folder, rows, countries)
        done = subprocess.run(
            [sys.executable, __file__, "--build", str(folder), str(home)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    line = json.dumps({"countries": countries} | json.loads(done.stdout.strip().splitlines()[-1]))
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line)


if __name__ == "__main__":
    if sys.argv[1] == "--build":
        print(json.dumps(build(Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("rows", type=int)
        parser.add_argument("--countries", type=int, default=60)
        asked = parser.parse_args()
        main(asked.rows, asked.countries)
