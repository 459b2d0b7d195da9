"""The table of durations and offsets of the endpoints' documentation, end to end on real data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af

PRINTED = [1, 10, 2, 8, 1, 2, 100]
"""Events of 12:00 to 12:06, a minute apart, as the table has them."""

REPAIRED = [11, *PRINTED[1:]]
"""With 11 at 12:00, the only value there that gives the fourth and the fifth total."""

SCENARIOS = [
    (af.Lookback("4m"), None),
    (af.Lookback("3m", include_incomplete=False), None),
    (af.Lookback("6m"), None),
    (af.Lookback("6m", "1m", include_incomplete=False), None),
    (af.Lookback("6m", "1m", include_incomplete=False), "2025-01-01T12:04:00Z"),
]


@pytest.fixture(
    params=[(PRINTED, [103, 3, 113, 24, 11]), (REPAIRED, [103, 3, 113, 34, 21])], ids=["printed", "repaired"]
)
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Shop, list[int]]]:
    counts, totals = request.param
    shop = Shop(tmp_path, at("12:07"))
    shop.add(*(Event(at(f"12:0{i}"), points=points) for i, points in enumerate(counts)))
    shop.source()
    shop.filter("2m", aggregations=[Aggregation("points", "points", ["SUM"])])
    for i, (timing, _) in enumerate(SCENARIOS):
        shop.ws.add_endpoint(f"s{i}", filter="f", timing=timing, fields=[Field("total", "points", "SUM")])
    yield shop, totals
    shop.close()


@pytest.mark.parametrize("until", [None, "12:03", "12:05:30", "12:07"])
def test_the_five_totals(table: tuple[Shop, list[int]], until: str | None) -> None:
    """However much of it is built, and whether the open bucket is."""
    shop, totals = table
    if until:
        shop.build(until=at(until))
    found = [shop.ws.query(f"s{i}", end=end).rows for i, (_, end) in enumerate(SCENARIOS)]
    assert found == [[{"fields": {"total": total}}] for total in totals]
