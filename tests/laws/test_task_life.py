"""Law: whatever is asked of a task, and whatever fails or is cut off, its answers are those of its events.

Its status is always what a model of its life says, and a run leaves nothing pending and nothing due.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracle import Event
from shop import Shop, at

from aggflow.errors import ConflictError, QueryError

BEGAN = at("2025-01-02 09:40")
PERIODS = {"30m": 1800, "1h": 3600, "2h": 7200}
DELAYS = [0, 600, 5400]
UPDATABLE = ("RUNNING", "STOPPED", "ERROR")
RESTING = (*UPDATABLE, "PARTIAL_STOPPED")
ALIVE = (
    *(*RESTING, "PENDING_CREATE", "PENDING_START", "PENDING_STOP", "PENDING_RESUME", "PENDING_UPDATE"),
    *("PENDING_REBUILD", "PENDING_EXTEND"),
)


def linq(period: str, least: int) -> str:
    where = f"where points >= {least} " if least else ""
    return f"from events {where}group every {period} by team select count() as n, sum(points) as points"


class TaskLife(RuleBasedStateMachine):
    """One task, its events, and what is known of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.shop = Shop(Path(self.folder.name), BEGAN, batch_rows=8)
        self.shop.source()
        self.events: list[Event] = []
        self.period, self.least, self.delay = "1h", 0, 0
        self.begins: datetime | None = None
        # Up to when something may have been built: no rows come later for the time before it.
        self.reached = BEGAN - timedelta(days=9)

    @initialize(begins=st.sampled_from([None, at("2025-01-01 07:20"), at("2025-01-02 08:00")]))
    def begin(self, begins: datetime | None) -> None:
        old = [Event(BEGAN - timedelta(minutes=83 * i), "ab"[i % 2], points=i % 5) for i in range(1, 40)]
        self.shop.arrive(old)
        self.events += old
        self.begins = begins
        self.shop.ws.add_task("t", linq=linq(self.period, self.least), from_date=begins or 0)

    def teardown(self) -> None:
        self.shop.close()
        self.folder.cleanup()

    @property
    def status(self) -> str:
        return self.shop.ws.tasks["t"].status.value

    # -- what happens around it

    @rule(minutes=st.integers(1, 200))
    def pass_time(self, minutes: int) -> None:
        self.shop.now += timedelta(minutes=minutes)

    @rule(points=st.lists(st.integers(0, 4), min_size=1, max_size=4))
    def arrive(self, points: list[int]) -> None:
        """Rows come in time, or as late as the delay allows for."""
        late = [self.shop.now - timedelta(seconds=self.delay * i / len(points)) for i in range(len(points))]
        new = [
            Event(max(time, self.reached), "abc"[n % 3], points=n)
            for time, n in zip(late, points, strict=True)
        ]
        self.shop.arrive(new)
        self.events += new

    # -- runs

    def reach(self) -> None:
        self.reached = max(self.reached, self.shop.now - timedelta(seconds=self.delay))

    @rule()
    def run(self) -> None:
        self.reach()
        due = self.shop.ws.due()
        done = self.shop.ws.run_tasks()
        assert done.failed == ()
        assert self.status in RESTING
        if self.status == "RUNNING":
            assert self.shop.ws.due() == []
        assert bool(done.built or done.settled) or not due

    @rule(times=st.integers(1, 5))
    def runs_without_a_source(self, times: int) -> None:
        """Some runs, an hour and a bit apart, in which every build fails."""
        self.shop.sql("ALTER TABLE events RENAME TO gone")
        for _ in range(times):
            self.shop.now += timedelta(minutes=67)
            before = self.shop.ws.tasks["t"].failures
            done = self.shop.ws.run_tasks()
            stored = self.shop.ws.tasks["t"]
            note(f"{stored.status}, {stored.failures} failures")
            failed = [one for one in done.built if one.error is not None]
            built = [one for one in done.built if one.report is not None]
            assert not built, "nothing can be built of a source that is not there"
            if stored.status in ("RUNNING", "ERROR"):
                assert stored.failures == before + len(failed)
            assert (stored.status == "ERROR") == (stored.failures >= 3)
        self.shop.sql("ALTER TABLE gone RENAME TO events")

    @rule(after=st.integers(0, 3))
    def run_that_is_cut_off(self, after: int) -> None:
        def interrupt(now: Any) -> None:
            if now.windows_done >= after:
                raise KeyboardInterrupt

        self.reach()
        try:
            self.shop.ws.run_tasks(progress=interrupt)
        except KeyboardInterrupt:
            note("cut off")

    @rule(after=st.integers(0, 2))
    def run_that_is_stopped(self, after: int) -> None:
        asked: list[str] = []

        def stop(now: Any) -> None:
            if now.windows_done >= after and not asked and self.status in ("RUNNING", "ERROR"):
                asked.append(self.shop.ws.stop_task("t").status)

        self.reach()
        self.shop.ws.run_tasks(progress=stop)
        if asked:
            assert self.status == "PENDING_STOP"

    # -- what is asked

    def ask(self, run: bool, allowed: tuple[str, ...], ask: Any) -> bool:
        """Ask for something, after a run or not; whether it was taken, as the table of its life says."""
        if run:
            self.run()
        before = self.status
        if before in allowed:
            ask()
            return True
        with pytest.raises(ConflictError, match=f"a task that is {before} takes no"):
            ask()
        assert self.status == before
        return False

    @rule(run=st.booleans())
    def stop(self, run: bool) -> None:
        self.ask(run, ("RUNNING", "ERROR", "PENDING_CREATE"), lambda: self.shop.ws.stop_task("t"))

    @rule(run=st.booleans())
    def resume(self, run: bool) -> None:
        self.ask(run, ("STOPPED", "PARTIAL_STOPPED"), lambda: self.shop.ws.resume_task("t"))

    @rule(run=st.booleans(), hours=st.integers(0, 60))
    def start(self, run: bool, hours: int) -> None:
        begins = BEGAN - timedelta(hours=hours, minutes=7)
        if self.ask(run, ALIVE, lambda: self.shop.ws.start_task("t", begins)):
            self.begins = begins

    @rule(run=st.booleans(), period=st.sampled_from([*PERIODS]), least=st.integers(0, 2))
    def change_what_is_stored(self, run: bool, period: str, least: int) -> None:
        text = linq(period, least)
        if self.ask(run, UPDATABLE, lambda: self.shop.ws.update_task("t", linq=text)):
            self.period, self.least = period, least

    @rule(delay=st.sampled_from(DELAYS))
    def change_the_delay(self, delay: int) -> None:
        if self.ask(False, UPDATABLE, lambda: self.shop.ws.update_task("t", delay=delay)):
            self.delay = delay

    @rule(run=st.booleans(), hours=st.integers(-5, 60))
    def change_the_beginning(self, run: bool, hours: int) -> None:
        begins = BEGAN - timedelta(hours=hours)
        if self.ask(run, UPDATABLE, lambda: self.shop.ws.update_task("t", from_date=begins)):
            self.begins = begins

    # -- what must hold

    def answered(self, **options: Any) -> list[dict[str, Any]]:
        try:
            return self.shop.ws.ask_task("t", **options).rows
        except QueryError as error:
            if "aggregates nothing of that time" in str(error):
                return []
            raise

    def expected(self) -> list[dict[str, Any]]:
        width = PERIODS[self.period]
        groups: dict[tuple[int, str | None], list[int]] = defaultdict(list)
        until = self.shop.now - timedelta(seconds=self.delay)
        first = None if self.begins is None else int(self.begins.timestamp()) // width * width
        for event in self.events:
            bucket = int(event.time.timestamp()) // width * width
            if event.time < until and (first is None or bucket >= first):
                assert event.points is not None
                if event.points >= self.least:
                    groups[bucket, event.team].append(event.points)
        return [
            {
                "dt": f"{datetime.fromtimestamp(bucket, self.shop.now.tzinfo):%Y-%m-%dT%H:%M:%SZ}",
                "groupings": {"team": team},
                "fields": {"n": len(some), "points": sum(some)},
            }
            for (bucket, team), some in sorted(groups.items())
        ]

    @invariant()
    @precondition(lambda self: self.events)
    def answers_are_those_of_the_events(self) -> None:
        assert self.answered() == self.expected()

    @invariant()
    @precondition(lambda self: self.events)
    def what_is_due_is_what_is_missing(self) -> None:
        status = self.status
        if status in ("STOPPED", "PARTIAL_STOPPED"):
            assert self.shop.ws.due() == []
        elif status.startswith("PENDING_"):
            assert self.shop.ws.due() == ["task t"]
        elif status == "RUNNING" and not self.shop.ws.due():
            width = PERIODS[self.period]
            until = int((self.shop.now - timedelta(seconds=self.delay)).timestamp()) // width * width
            end = datetime.fromtimestamp(until, self.shop.now.tzinfo)
            rows = [row for row in self.expected() if row["dt"] < f"{end:%Y-%m-%dT%H:%M:%SZ}"]
            assert self.answered(end=end, live=False) == rows


TestTaskLife = TaskLife.TestCase
TestTaskLife.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
