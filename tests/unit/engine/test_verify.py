from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from shop import NOON, Aggregation, Event, Shop


def test_states_that_are_kept_by_fewer_groupings_only_are_counted_there(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.source()
    only = Aggregation("v", "value", ["PERCENTILES"], sketch_groupings=["player"])
    shop.filter(groupings=["player", "team"], aggregations=[only])
    shop.add(*[Event(NOON - timedelta(hours=h), "a", "x", 1.0, 1, NOON) for h in range(2, 5)])
    shop.build()
    report = shop.ws.verify("f")
    assert report.agrees, report.differences
    assert report.buckets == 3
    shop.sql("DELETE FROM events WHERE time < '2025-01-01 09:00:00'")
    assert not shop.ws.verify("f").agrees
