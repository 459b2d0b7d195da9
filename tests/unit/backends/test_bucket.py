"""The bucket of a time, against the interval's own floor: on each backend, for any zone and width."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pytest

from aggflow.backends.bucket import bucket_of
from aggflow.backends.capabilities import capability
from aggflow.backends.fetch import fetch
from aggflow.timeline import Interval, Window, Zone, parse_instant

WIDTHS = ["30s", "13m", "1h", "1d", "7d", "1w", "1mo", "5mo", "1q", "1y", "100y"]
ZONES = ["UTC", "GMT+05:30", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "America/Havana"]


def times(zone: Zone, window: Window) -> list[int]:
    """Around every change of a zone's clocks and every new year, a microsecond to each side."""
    edges = [at for at, _ in zone.shifts(window)][1:][-14:]
    edges += [parse_instant(f"{year}-01-01") for year in (1969, 1970, 1971, 2000, 2025)]
    return sorted(
        {us + by for us in edges for by in (-86_400_000_000, -1, 0, 1, 3_600_000_000) if us + by in window}
    )


def loaded(backend: str, micros: list[int]) -> Any:
    con: Any = getattr(ibis, backend).connect()
    con.raw_sql("CREATE TABLE t (us bigint)")
    con.raw_sql(f"INSERT INTO t VALUES {', '.join(f'({us})' for us in micros)}")
    return con


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_bucket_is_where_the_interval_says(backend: str, width: str, zone: str) -> None:
    interval, where = Interval.of(width), Zone.of(zone)
    window = Window(parse_instant("1960-01-01"), parse_instant("2030-01-01"))
    if interval.unit == "month":
        window = Window(parse_instant("1969-01-01"), parse_instant("1972-01-01"))
    micros = times(where, window)
    con = loaded(backend, micros)
    table = con.table("t")
    bucket = bucket_of(table.us, interval, where, window, capability(backend))
    found = fetch(con, capability(backend), table.select("us", n=bucket.number.cast("int64")))
    con.disconnect()
    starts = bucket.starts(found["n"].to_numpy())
    expected = [interval.floor(us, where) // 1_000_000 for us in found["us"].to_pylist()]
    assert starts.tolist() == expected


@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
def test_buckets_are_exact_where_floats_are_not(backend: str) -> None:
    micros = [2**53 + 1, -(2**53) - 1, 2**58 + 7, -(2**58) - 7]
    con = loaded(backend, micros)
    table, interval, can = con.table("t"), Interval.of("30s"), capability(backend)
    bucket = bucket_of(table.us, interval, Zone.of("UTC"), Window(-(2**60), 2**60), can)
    found = fetch(con, can, table.select("us", n=bucket.number))
    con.disconnect()
    assert found["n"].to_pylist() == [us // 30_000_000 * 30_000_000 for us in found["us"].to_pylist()]


def test_starts_are_an_array_of_seconds() -> None:
    con = loaded("duckdb", [0])
    bucket = bucket_of(
        con.table("t").us, Interval.of("1w"), Zone.of("UTC"), Window(0, 10), capability("duckdb")
    )
    con.disconnect()
    starts = bucket.starts(np.array([4, 11, 4]) * 86_400_000_000)
    assert (starts.dtype, starts.tolist()) == (np.int64, [345_600, 950_400, 345_600])
