"""Every fire of a schedule is one run: where clocks are set, and after nobody was there to run it.

Prefect's own schedule gives the times at which it would run; passes make them ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from simulated_prefect import DEPLOYMENT, Run, SimulatedPrefect

from aggflow.catalog import Catalog
from aggflow.orchestration import fire
from aggflow.settings import Settings
from aggflow.store import SegmentStore
from aggflow.timeline import format_instant, from_datetime
from aggflow.workspace import Workspace

STEP = timedelta(minutes=5)


class World:
    """A workspace with a schedule, a Prefect, and one clock for both."""

    def __init__(self, folder: Path, text: str, zone: str, start: str) -> None:
        self.now = datetime.fromisoformat(start).replace(tzinfo=UTC)
        file = folder / "events.parquet"
        with duckdb.connect() as con:
            con.execute(f"copy (select timestamp '2025-01-01' as at) to '{file}'")
        catalog, store = Catalog.open(folder / "catalog.db"), SegmentStore(str(folder / "segments"))
        self.ws = Workspace(
            catalog, store, Settings(), "self", str(folder), clock=lambda: from_datetime(self.now)
        )
        self.ws.add_source("events", str(file), time="at")
        self.ws.add_cube("events", source="events")
        self.schedule = self.ws.add_schedule("events", text, timezone=zone)
        self.job_id = self.schedule.job_id
        self.prefect = SimulatedPrefect(self.schedule.spec.cron.prefect_text, zone, self.job_id)
        self.begun: list[str] = []

    def run_until(self, end: datetime) -> None:
        """Let time go by, with Prefect, its runner and passes at work."""
        while self.now < end:
            if self.now.minute < STEP / timedelta(minutes=1):
                self.prefect.schedule_runs(self.now, self.now + timedelta(hours=2))
            self.now += STEP
            self.begin()
            self.reconcile()

    def begin(self) -> None:
        for run in self.prefect.begin_due(self.now):
            self._begin(run)

    def _begin(self, run: Run) -> None:
        batch = self.ws.begin_batch("events", full=True, job_id=run.parameters["job_id"])
        assert batch is not None
        self.ws.finish_batch(batch)
        self.begun.append(format_instant(from_datetime(run.expected_start_time)))

    def reconcile(self) -> None:
        client: object = self.prefect
        fire.skip_late(client, [DEPLOYMENT], self.now)  # type: ignore[arg-type] - stands in for a client
        specs = {self.prefect.schedule_id: self.schedule.spec}
        fire.skip_wrong(client, DEPLOYMENT, specs, self.now)  # type: ignore[arg-type] - stands in for a client
        fire.catch_up(self.ws, client, DEPLOYMENT, dict(self.ws.schedules.items()))  # type: ignore[arg-type] - stands in for a client

    def fires(self, start: datetime) -> list[str]:
        """What our cron says."""
        found: list[str] = []
        at = from_datetime(start)
        while (at := self.schedule.next_fires(at, 1)[0]) <= from_datetime(self.now):
            found.append(format_instant(at))
        return found


Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    worlds: list[World] = []

    def made(text: str, zone: str, start: str) -> World:
        worlds.append(World(tmp_path, text, zone, start))
        return worlds[-1]

    yield made
    for world in worlds:
        world.ws.close()


@pytest.mark.parametrize(
    ("text", "zone", "start", "there"),
    [
        # A daily one, in the hour that is left out: Prefect goes an hour on, we go on where the clock does.
        ("0 30 2 * * *", "Europe/Berlin", "2025-03-29T12:02", "2025-03-30T01:00:00Z"),
        # In the hour that comes twice: once.
        ("0 30 2 * * *", "Europe/Berlin", "2025-10-25T12:02", "2025-10-26T00:30:00Z"),
        # An hourly one: every real hour, of which Prefect leaves one out.
        ("0 30 * * * *", "Europe/Berlin", "2025-10-25T20:02", "2025-10-26T01:30:00Z"),
        ("0 30 * * * *", "Europe/Berlin", "2025-03-29T20:02", "2025-03-30T01:30:00Z"),
        ("0 30 2,14 * * *", "Europe/Berlin", "2025-03-29T12:02", "2025-03-30T12:30:00Z"),
        ("0 0/15 * * * *", "America/New_York", "2025-11-02T02:02", "2025-11-02T06:45:00Z"),
        ("0 15 2 * * *", "Australia/Lord_Howe", "2025-10-04T06:02", "2025-10-04T15:30:00Z"),
        ("0 25 06 ? * *", "UTC", "2025-03-29T12:02", "2025-03-30T06:25:00Z"),
    ],
)
def test_where_clocks_are_set_every_fire_is_one_run(
    make: Make, text: str, zone: str, start: str, there: str
) -> None:
    world = make(text, zone, start)
    began = world.now
    world.run_until(began + timedelta(hours=26))
    assert sorted(world.begun) == world.fires(began)
    assert there in world.begun


@pytest.mark.parametrize("hours", [1, 5, 60])
def test_after_nobody_was_there_one_run_makes_up_for_all(make: Make, hours: int) -> None:
    world = make("0 0/15 * * * *", "UTC", "2025-05-01T00:02")
    world.run_until(world.now + timedelta(hours=1))
    assert world.begun == world.fires(world.now - timedelta(hours=1))
    world.begun.clear()
    world.prefect.schedule_runs(world.now, world.now + timedelta(hours=2))
    world.now += timedelta(hours=hours)
    # As `aggflow up` does: a pass before anything is run.
    world.reconcile()
    world.begin()
    assert len(world.begun) == 1
    world.begun.clear()
    began = world.now
    world.run_until(world.now + timedelta(hours=1))
    assert world.begun == world.fires(began)


def test_a_prefect_that_lost_everything_makes_up_once(make: Make) -> None:
    world = make("0 0 6 * * *", "UTC", "2025-05-01T00:02")
    world.now += timedelta(days=3)
    world.reconcile()
    world.begin()
    assert world.begun == ["2025-05-03T06:00:00Z"]
    world.prefect.runs.clear()
    world.reconcile()
    world.begin()
    assert len(world.begun) == 1


def test_what_would_have_fired_in_a_pause_is_not_made_up_for(make: Make) -> None:
    world = make("0 0 6 * * *", "UTC", "2025-05-01T00:02")
    world.ws.note_schedule(world.job_id, paused=True)
    world.now += timedelta(days=3)
    world.reconcile()
    world.ws.note_schedule(world.job_id, paused=False)
    world.now += timedelta(minutes=5)
    world.reconcile()
    world.begin()
    assert world.begun == []


def test_times_before_a_schedule_was_made_are_none_of_its(make: Make) -> None:
    world = make("0 0 6 * * *", "UTC", "2025-05-01T06:10")
    world.reconcile()
    world.begin()
    assert world.begun == []


def test_a_run_that_is_skipped_says_why(make: Make) -> None:
    world = make("0 30 2 * * *", "Europe/Berlin", "2025-03-29T12:02")
    world.run_until(world.now + timedelta(hours=26))
    (skipped,) = [run for run in world.prefect.runs if run.state_name == "Skipped"]
    # Which time Prefect makes of one that is left out is its releases' affair.
    assert re.fullmatch(
        r"Skipped: every day at 02:30:00 Europe/Berlin is not at 2025-03-30T0[01]:30:00Z: the clock is set there\.",
        skipped.message,
    )
