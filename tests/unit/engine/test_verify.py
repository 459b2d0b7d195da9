from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from shop import NOON, Aggregation, Event, Shop

from aggflow.timeline import WindowSet


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


def test_what_is_fixed_is_missing_until_it_is_built(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.source()
    shop.filter(groupings=["player"], aggregations=[Aggregation("n")])
    shop.add(*[Event(NOON - timedelta(hours=h), "a", "x", 1.0, 1, NOON) for h in range(2, 5)])
    shop.build()
    covered = shop.ws.status()[0].covered
    shop.sql("DELETE FROM events WHERE time < '2025-01-01 09:00:00'")
    found = shop.ws.verify("f")
    assert found.differences
    assert not found.fixed
    assert shop.ws.status()[0].covered == covered, "without fix nothing is changed"
    fixed = shop.ws.verify("f", fix=True)
    assert fixed.fixed
    assert "made missing: a build makes them anew" in repr(fixed)
    missing = covered - shop.ws.status()[0].covered
    assert missing == WindowSet(one.window for one in found.differences)
    shop.build()
    assert shop.ws.status()[0].covered == covered
    again = shop.ws.verify("f", fix=True)
    assert again.agrees
    assert not again.fixed
