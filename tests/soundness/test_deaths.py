"""Builds that die, and builds beside one another: old numbers or new ones, never none, never both."""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from mortal import building
from oracle import Event
from shop import Aggregation, Field, Shop, at, micros

import aggflow as af
from aggflow.errors import CatalogBusyError
from aggflow.timeline import Window

VALUE = Aggregation("value", "value", ["COUNT", "SUM", "MAX", "PERCENTILES"], sketch_groupings=["team"])
FIELDS = [
    Field("n", "value", "COUNT"),
    Field("sum", "value", "SUM"),
    Field("p", "value", "PERCENTILES", percentile=0.5),
]
SMALL = {"batch_rows": 12}


def grown(folder: Path, days: int = 6, name: str = "home") -> Shop:
    """A shop with ten events a day; nothing is built."""
    shop = Shop(folder, at("2025-01-01 00:00"), name, **SMALL)
    shop.source(ingestion_time="arrived")
    shop.filter("1h", groupings=["team", "player"], aggregations=[VALUE])
    teams = {"team": af.All()}
    shop.ws.add_endpoint("total", filter="f", timing=af.Lookback("90d"), fields=FIELDS)
    series = af.TimeSeries("90d", "1d", include_incomplete=True)
    shop.ws.add_endpoint("days", filter="f", timing=series, fields=FIELDS, groupings=teams)
    if name == "home":
        for _ in range(days):
            grow(shop)
    return shop


def grow(shop: Shop) -> None:
    """A day goes by."""
    start, shop.now = shop.now, shop.now + timedelta(days=1)
    shop.add(
        *(
            Event(
                start + timedelta(minutes=140 * i + 7),
                "ab"[i % 2],
                "xyz"[i % 3],
                i * 1.5 - 4,
                arrived=shop.now,
            )
            for i in range(10)
        )
    )


def check(shop: Shop) -> None:
    shop.check("total")
    shop.check("days")


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_a_build_that_is_killed_again_and_again(tmp_path: Path, kills: int, rng: np.random.Generator) -> None:
    """After each death every answer is right; finished, the states are those of a build that lived."""
    shop = grown(tmp_path)
    with building(shop, settings=SMALL) as child:
        child.wait_for(lambda done: done == 0)
        started = time.monotonic()
        child.wait_for(lambda done: done == -1)
        batches = shop.ws.status()[0].segments
        a_batch = (time.monotonic() - started) / batches
    check(shop)
    died = 0
    while died < kills:
        grow(shop)
        full = bool(rng.random() < 0.7)
        committed = int(rng.integers(0, batches)) if full else 0
        with building(shop, settings=SMALL, full=full) as child:
            child.wait_for(lambda done, least=committed: done >= least)
            time.sleep(rng.uniform(0, a_batch))
            child.kill()
            # It may have been faster.
            died += child.process.exitcode == -signal.SIGKILL
        check(shop)
    shop.build()
    check(shop)
    assert shop.ask("total", live=False) == shop.ask("total")
    assert shop.ws.verify("f", sample=30).agrees
    lived = grown(tmp_path, name="lived")
    lived.now = shop.now
    lived.build()
    assert shop.states() == lived.states()
    for one in (shop, lived):
        one.close()


def test_a_death_between_writing_and_committing_keeps_the_old_numbers(tmp_path: Path) -> None:
    shop = grown(tmp_path, 2)
    shop.build()
    before = shop.states()
    shop.add(Event(at("2025-01-01 03:00"), "a", "x", 100.0, arrived=shop.now))
    for full in (True, False):
        with building(shop, dies=True, full=full) as child:
            assert child.ended() == -signal.SIGKILL
        assert shop.states() == before
        assert shop.ask("total", live=False)[0]["fields"]["n"] == 20
    strays = [file for file in shop.store.files() if file.file not in shop.catalog.live_files()]
    assert len(strays) == 2
    shop.build()
    check(shop)
    assert shop.ask("total", live=False)[0]["fields"]["n"] == 21
    shop.close()


def test_a_build_that_died_is_gone_on_with_at_once(tmp_path: Path) -> None:
    """Its lease would run for half a minute; its process is seen to be dead."""
    shop = grown(tmp_path)
    with building(shop, settings=SMALL) as child:
        assert child.wait_for(lambda done: done >= 2) >= 2
        child.kill()
    (lease,) = shop.catalog.leases(shop.rollup_id())
    assert lease.pid == child.process.pid
    committed = shop.ws.status()[0]
    check(shop)
    patient = shop.ws.settings
    shop.ws.settings = patient.model_copy(update={"lease_wait": 0})
    report = shop.build()
    assert 0 < report.rows_read < 60
    assert committed.covered <= shop.ws.status()[0].covered
    check(shop)
    shop.close()


def test_a_build_waits_for_another_of_the_same_windows(tmp_path: Path) -> None:
    shop = grown(tmp_path, 2)
    shop.ws.settings = shop.ws.settings.model_copy(update={"lease_wait": 0})
    now_us = micros(shop.now)
    window = Window(micros(at("2024-12-31")), now_us)
    lease = shop.catalog.acquire_lease(shop.rollup_id(), window, "another", now_us, 30)
    assert lease
    with pytest.raises(CatalogBusyError, match="another build of filter f"):
        shop.build()
    assert not shop.states()
    check(shop)
    shop.catalog.release_lease(lease)
    shop.build()
    check(shop)
    shop.close()


@pytest.mark.parametrize("again", [[False], pytest.param([False, True, True], marks=pytest.mark.slow)])
def test_two_builders_at_once_count_everything_once(tmp_path: Path, again: list[bool]) -> None:
    shop = grown(tmp_path, 4)
    for full in again:
        grow(shop)
        with (
            building(shop, settings=SMALL, full=full) as one,
            building(shop, settings=SMALL, until=shop.now - timedelta(days=2, hours=1, minutes=30)) as other,
        ):
            for child in (one, other):
                assert child.wait_for(lambda done: done == -1) == -1
                assert child.ended() == 0
        check(shop)
        assert shop.ask("total", live=False) == shop.ask("total")
    assert shop.ws.verify("f", sample=30).agrees
    lived = grown(tmp_path, name="lived")
    lived.now = shop.now
    lived.build()
    assert shop.states() == lived.states()
    for one in (shop, lived):
        one.close()
