"""Events of a shop, as many as wanted: the data that benchmarks measure on.

    python tests/benchmarks/generated_events.py DIR --rows 20000000 --days 30

One Parquet file a day, ordered by time.  The same rows, days and seed give the same events, and a
day's events depend on its number alone, not on how many days there are.  Some ten events make a
session, which lasts minutes and has one country; countries and products are few that are frequent
and many that are rare (Zipf), amounts are lognormal, nights are quieter than days.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST_DAY = date(2026, 1, 1)
COUNTRIES = [f"{a}{b}" for a in "ABCDEF" for b in "KLMNOPQRST"]
TYPES = [
    "view",
    "search",
    "cart",
    "wish",
    "compare",
    "review",
    "share",
    "login",
    "checkout",
    "pay",
    "refund",
    "support",
]
PRODUCTS = 20_000
EVENTS_A_SESSION = 10
ROW_GROUP = 122_880  # what DuckDB reads as one piece of work

_DAY_US = 86_400_000_000
_LONGEST_SESSION_US = 1_800_000_000

SCHEMA = pa.schema(
    [
        ("ts", pa.timestamp("us")),
        ("session_id", pa.string()),
        ("country", pa.string()),
        ("type", pa.string()),
        ("product_id", pa.int32()),
        ("amount", pa.float64()),
        ("quantity", pa.int32()),
        ("duration_ms", pa.int64()),
    ]
)


def default_folder(rows: int, days: int, seed: int) -> Path:
    """Where events are kept between runs, when no folder is named."""
    return Path(tempfile.gettempdir()) / "aggflow-benchmarks" / f"events-{rows}-{days}-{seed}"


def generate(folder: Path, *, rows: int, days: int, seed: int = 1) -> list[Path]:
    """Make the files of all days, or find them made; oldest first."""
    made = {"rows": rows, "days": days, "seed": seed, "format": 1}
    mark = folder / "made.json"
    files = [folder / f"events-{FIRST_DAY + timedelta(days=day)}.parquet" for day in range(days)]
    if mark.exists() and json.loads(mark.read_text()) == made and all(file.exists() for file in files):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    for old in folder.glob("events-*.parquet"):
        old.unlink()
    for day, file in enumerate(files):
        count = rows * (day + 1) // days - rows * day // days
        pq.write_table(events_of_day(day, count, seed), file, compression="zstd", row_group_size=ROW_GROUP)
    mark.write_text(json.dumps(made))
    return files


def events_of_day(day: int, count: int, seed: int) -> pa.Table:
    """The events of one day, ordered by time."""
    rng = np.random.default_rng([seed, day])
    sessions = max(1, count // EVENTS_A_SESSION)

    length = np.minimum(rng.exponential(600e6, sessions), _LONGEST_SESSION_US)
    # Evenly drawn moments, moved towards the middle of the day.
    moment = rng.random(sessions)
    moment -= 0.12 * np.sin(2 * np.pi * moment)
    start = moment * (_DAY_US - length)
    country = zipf(rng, len(COUNTRIES), sessions, 1.1)
    names = rng.integers(0, 1 << 63, sessions, dtype=np.uint64)

    session = rng.integers(0, sessions, count)
    within_day = (start[session] + rng.random(count) * length[session]).astype(np.int64)
    order = np.argsort(within_day, kind="stable")
    session = session[order]
    midnight = (FIRST_DAY - date(1970, 1, 1)).days * _DAY_US + day * _DAY_US

    columns = {
        "ts": pa.array(midnight + within_day[order]).cast(pa.timestamp("us")),
        "session_id": texts([f"{name:016x}" for name in names.tolist()], session),
        "country": texts(COUNTRIES, country[session]),
        "type": texts(TYPES, zipf(rng, len(TYPES), count, 0.9)),
        "product_id": pa.array((zipf(rng, PRODUCTS, count, 1.05) + 1).astype(np.int32)),
        "amount": pa.array(rng.lognormal(3.0, 1.2, count)),
        "quantity": pa.array(rng.geometric(0.6, count).astype(np.int32)),
        "duration_ms": pa.array(rng.lognormal(6.0, 1.5, count).astype(np.int64)),
    }
    return pa.table(columns, schema=SCHEMA)


def zipf(rng: np.random.Generator, kinds: int, count: int, exponent: float) -> np.ndarray:
    """Numbers 0 to ``kinds - 1``, the k-th as frequent as (k + 1) ** -exponent."""
    weights = np.arange(1, kinds + 1) ** -exponent
    edges = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(edges, rng.random(count), side="right"), kinds - 1)


def texts(names: list[str], place: np.ndarray) -> pa.Array:
    """``names[place]``."""
    return pa.array(names).take(pa.array(place))


def main() -> None:
    parser = argparse.ArgumentParser(description="Generate events, one Parquet file a day.")
    parser.add_argument(
        "folder", type=Path, nargs="?", help="default: a folder in the system's temporary one"
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = given.folder or default_folder(given.rows, given.days, given.seed)
    began = time.perf_counter()
    files = generate(folder, rows=given.rows, days=given.days, seed=given.seed)
    size = sum(file.stat().st_size for file in files) / 1e6
    print(f"{folder}: {len(files)} files, {size:.0f} MB, {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
