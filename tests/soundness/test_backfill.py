"""Filling what is missing in any order, stopped anywhere: the next goes on, and the numbers are one build's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Shop, at

import aggflow as af


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, at("2025-01-09 12:30"), batch_rows=10)
    made.source()
    made.add(
        *(Event(at("00:10") + timedelta(minutes=37 * i), "ab"[i % 2], "x", i / 4, i) for i in range(300))
    )
    made.filter("1h", groupings=["team"], aggregations=[Aggregation("value", "value", ["COUNT", "SUM"])])
    fields: Any = [af.Field("n", "value", "COUNT"), af.Field("sum", "value", "SUM")]  # type: ignore[arg-type] - texts are read
    made.ws.add_endpoint(
        "all", filter="f", timing=af.TimeSeries("30d", "1h", include_incomplete=True), fields=fields
    )
    yield made
    made.close()


def windows(shop: Shop) -> list[tuple[int, int]]:
    return [(row.window.start, row.window.end) for row in shop.catalog.coverage(shop.rollup_id()).rows]


@pytest.mark.parametrize("newest_first", [False, True])
def test_batches_are_committed_in_the_order_that_is_asked_for(shop: Shop, newest_first: bool) -> None:
    seen: list[list[tuple[int, int]]] = []
    shop.ws.build("f", newest_first=newest_first, progress=lambda now: seen.append(windows(shop)))
    firsts = [found[0][0] for found in seen if found]
    lasts = [found[-1][1] for found in seen if found]
    moving, standing = (firsts, lasts) if newest_first else (lasts, firsts)
    assert len(set(standing)) == 1
    assert len(set(moving)) == len(moving) > 5
    assert moving == sorted(moving, reverse=newest_first)
    (build,) = shop.ws.builds.values()
    assert build.window
    assert (build.window.start, build.window.end) == (windows(shop)[0][0], windows(shop)[-1][1])
    shop.check("all")


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_backfill_that_was_cut_off_goes_on_where_it_was(shop: Shop, newest_first: bool) -> None:
    def interrupt(now: Any) -> None:
        if now.windows_done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.ws.build("f", newest_first=newest_first, progress=interrupt)
    shop.check("all")
    report = shop.ws.build("f", newest_first=newest_first, progress=False)
    assert 0 < report.rows_read < 300
    shop.check("all")
    whole = shop.ws.build("f", full=True, progress=False)
    assert whole.rows_read > report.rows_read
    shop.check("all")


def test_only_the_window_that_is_asked_for_is_filled(shop: Shop) -> None:
    since, until = at("2025-01-03 10:20"), at("2025-01-05 00:00")
    report = shop.ws.build("filter f", since=since, until=until, newest_first=True, progress=False)
    # Buckets are built whole.
    assert report.rows_read == len([e for e in shop.events if at("2025-01-03 10:00") <= e.time < until])
    shop.check("all")
    assert shop.ws.due() == ["filter f"]
    shop.build()
    shop.check("all")
    assert shop.ws.due() == []
