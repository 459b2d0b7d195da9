"""A predicate on a time means the instant that the time is, in the source's zone."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import aggflow as af
from aggflow.spec.calculation import Calculation

WALLS = [
    "2025-01-01 00:30:00",
    "2025-01-01 04:30:00",
    "2025-01-01 05:30:00",
    "2025-07-01 03:59:00",
    "2025-07-01 04:01:00",
]


@pytest.mark.parametrize(
    ("zone", "where", "count"),
    [
        ("UTC", "@.moment >= '2025-01-01T05:00:00Z'", 3),
        ("America/New_York", "@.moment >= '2025-01-01T05:00:00Z'", 5),
        ("America/New_York", "@.moment >= '2025-01-01T05:00:00-05:00'", 3),
        ("America/New_York", "@.moment < '2025-07-01T08:00:00Z'", 4),
        ("Europe/Berlin", "@.moment < '2025-07-01T02:00:00Z'", 4),
        ("Europe/Berlin", "@.moment >= '2025-01-01T03:30:00Z'", 4),
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_of_its_source(
    tmp_path: Path, zone: str, where: str, count: int
) -> None:
    rows = ", ".join(f"(timestamp '{wall}')" for wall in WALLS)
    with duckdb.connect(tmp_path / "events.ddb") as con:
        con.execute(f"create table events as select * from (values {rows}) t(moment)")
    with af.open(tmp_path / "home") as ws:
        ws.add_source(
            "events", f"duckdb://{tmp_path}/events.ddb", table="events", time="moment", time_zone=zone
        )
        ws.add_filter("some", source="events", interval="1h", where=where)
        field = af.Field("n", "events", Calculation.COUNT)
        ws.add_endpoint("n", filter="some", timing=af.Lookback("2y"), fields=[field])
        assert ws.query("n", end="2026-01-01").rows == [{"fields": {"n": count}}]
