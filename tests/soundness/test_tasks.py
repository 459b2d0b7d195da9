"""The life of a task, on real rows and a clock that is set: whatever happens to it, its numbers are those of its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from oracle import EPOCH, Event
from shop import Shop, at, micros

import aggflow as af
from aggflow.engine.build import Builder
from aggflow.errors import (
    AggflowError,
    CancelledError,
    ConflictError,
    NotFoundError,
    ParseError,
    QueryError,
    SourceMissingError,
    SpecError,
)
from aggflow.timeline import ALWAYS, Window, WindowSet

HOURLY = "from events where value > 0 group every 1h by team select count() as n, sum(points) as points"
DAILY = "from events group every 1d select count() as n, sum(points) as points"
Bucket = Callable[[datetime], datetime]


def hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)


def day_of(zone: str) -> Bucket:
    def day(time: datetime) -> datetime:
        local = time.astimezone(ZoneInfo(zone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    return day


def brute(
    events: list[Event],
    bucket: Bucket | None = hour,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    by_team: bool = True,
    positive: bool = True,
) -> list[dict[str, Any]]:
    """What a query gives, by brute force."""
    groups: dict[Any, list[Event]] = defaultdict(list)
    for event in events:
        if positive and not (event.value is not None and event.value > 0):
            continue
        if (start and event.time < start) or (end and event.time >= end):
            continue
        groups[bucket and bucket(event.time), event.team if by_team else ""].append(event)
    rows: list[dict[str, Any]] = []
    for (time, team), some in sorted(groups.items()):
        row: dict[str, Any] = {} if time is None else {"dt": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
        if by_team:
            row["groupings"] = {"team": team}
        points = [event.points for event in some if event.points is not None]
        row["fields"] = {"n": len(some), "points": sum(points) if points else None}
        rows.append(row)
    return rows


def some_events(first: datetime, count: int = 60, step: int = 17) -> list[Event]:
    """Events of two teams, some of which do not count."""
    return [
        Event(first + timedelta(minutes=step * i), "ab"[i % 2], "xyz"[i % 3], (i * 37 % 50) / 4 - 3, i % 7)
        for i in range(count)
    ]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    made.source()
    made.add(*some_events(at("00:10")))
    made.now = at("12:30")
    yield made
    made.close()


def add(shop: Shop, linq: str = HOURLY, from_date: Any = 0, name: str = "t", **options: Any) -> Any:
    return shop.ws.add_task(name, linq=linq, from_date=from_date, **options)


def run(shop: Shop) -> Any:
    """One run, in which nothing may fail."""
    done = shop.ws.run_tasks()
    assert [str(one.error) for one in done.failed] == []
    return done


def rows_read(done: Any) -> int:
    return sum(one.report.rows_read for one in done.built if one.report)


def status(shop: Shop, name: str = "t") -> str:
    return shop.ws.tasks[name].status.value


def covered(shop: Shop, name: str = "t") -> WindowSet:
    rollup = shop.catalog.rollup_of(shop.ws.tasks[name].id)
    assert rollup
    return WindowSet(row.window for row in shop.catalog.coverage(rollup.id).rows)


def arrived(shop: Shop) -> list[Event]:
    return [event for event in shop.events if event.time < shop.now]


def trouble(shop: Shop) -> Any:
    """What is said of a task in error."""
    data = shop.ws.tasks["t"].status_data
    assert data is not None
    return data


@contextmanager
def broken(shop: Shop) -> Iterator[None]:
    """The source's table is not there."""
    shop.sql("ALTER TABLE events RENAME TO gone")
    yield
    shop.sql("ALTER TABLE gone RENAME TO events")


# -- building continually


def test_a_new_task_waits_for_a_run_and_is_built_by_it(shop: Shop) -> None:
    made = add(shop)
    assert made.task_id.startswith("cc_self:")
    assert len(made.task_id) == len("cc_self:") + 8
    assert status(shop) == "PENDING_CREATE"
    assert shop.ws.due() == ["task t"]
    done = run(shop)
    assert [(one.task, one.before, one.after) for one in done.settled] == [("t", "PENDING_CREATE", "RUNNING")]
    assert rows_read(done) > 0
    assert shop.ws.due() == []
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    assert rows_read(run(shop)) == 0


def test_every_bucket_that_closes_is_built_once(shop: Shop) -> None:
    add(shop)
    built = run(shop).built
    for hours in range(1, 9):
        shop.now = at("12:30") + timedelta(hours=hours)
        assert shop.ws.due() == ["task t"]
        done = run(shop)
        assert len(done.built) == 1
        built += done.built
        assert shop.ws.due() == []
        assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    shop.now += timedelta(minutes=20)
    assert shop.ws.due() == [], "the bucket that is open closes at the hour"
    end = hour(shop.now)
    answer = shop.ws.ask_task("t", end=end, live=False)
    assert answer.rows == brute(shop.events, end=end)
    assert answer.explain().plan == "rollup"


def test_ten_missed_runs_are_one_build(shop: Shop) -> None:
    add(shop)
    run(shop)
    shop.now += timedelta(hours=10)
    assert len(run(shop).built) == 1
    assert shop.ws.ask_task("t", end=hour(shop.now), live=False).rows == brute(
        shop.events, end=hour(shop.now)
    )


def test_a_task_without_a_period_is_stored_by_the_half_hour(shop: Shop) -> None:
    add(shop, "from events where value > 0 group by team select count() as n, sum(points) as points")
    run(shop)
    assert str(shop.ws.tasks["t"].grain) == "30m"
    answer = shop.ws.ask_task("t", end=at("12:00"), live=False)
    assert answer.rows == brute(shop.events, None, end=at("12:00"))
    assert shop.ws.ask_task("t").rows == brute(arrived(shop), None)


def test_a_query_without_a_select_counts(shop: Shop) -> None:
    add(shop, "from events where value > 0 group every 1h by team")
    run(shop)
    expected = [row["fields"]["n"] for row in brute(arrived(shop))]
    assert [row["fields"] for row in shop.ws.ask_task("t").rows] == [{"count": n} for n in expected]


def test_a_finer_grain_answers_finer_questions_from_what_is_built(shop: Shop) -> None:
    add(shop, min_grain="10m")
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    finer = HOURLY.replace("every 1h", "every 10m")
    answer = shop.ws.linq(finer, end=at("12:00"), live=False)
    assert answer.explain().plan == "rollup"

    def ten(time: datetime) -> datetime:
        return time.replace(minute=time.minute // 10 * 10, second=0)

    assert answer.rows == brute(shop.events, ten, end=at("12:00"))


# -- beginning and delay


def test_zero_begins_with_the_data_before_1970_too(shop: Shop) -> None:
    shop.add(Event(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "a", "x", 1.0, 5))
    add(shop, from_date=0)
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    assert shop.ws.ask_task("t").rows[0]["dt"] == "1969-12-31T23:00:00Z"


def test_nothing_is_built_of_the_time_before_the_beginning(shop: Shop) -> None:
    made = add(shop, from_date="2025-01-01T06:40:00Z")
    assert made.to_contract()["fromDate"] == micros(at("06:40")) // 1000
    done = run(shop)
    span = covered(shop).span
    assert span
    assert span.start == micros(at("06:00")), "buckets are built whole"
    assert rows_read(done) < len(arrived(shop))
    assert shop.ws.ask_task("t").rows == brute(arrived(shop), start=at("06:00"))


def test_a_beginning_that_is_still_to_come_waits(shop: Shop) -> None:
    add(shop, from_date="2025-01-01T14:00:00Z")
    assert run(shop).built == ()
    with pytest.raises(QueryError, match="task 't' aggregates nothing of that time"):
        shop.ws.ask_task("t")
    shop.now = at("14:30")
    assert shop.ws.due() == []
    shop.now = at("15:00")
    assert shop.ws.due() == ["task t"]
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(shop.events, start=at("14:00"), end=at("15:00"))


def test_nothing_younger_than_the_delay_is_aggregated_built_or_live(shop: Shop) -> None:
    add(shop, delay=3600)
    expected = brute(shop.events, end=at("11:30"))
    assert shop.ws.ask_task("t").rows == expected, "live, of a task of which nothing is built"
    run(shop)
    span = covered(shop).span
    assert span
    assert span.end == micros(at("11:30"))
    answer = shop.ws.ask_task("t")
    assert answer.rows == expected
    assert answer.explain().plan == "mixed"
    assert answer.rows != brute(arrived(shop))
    assert shop.ws.ask_task("t", end=at("12:20")).rows == expected
    shop.now = at("12:55")
    assert shop.ws.due() == [], "the bucket of 11 o'clock closes an hour late"
    shop.now = at("13:00")
    assert shop.ws.due() == ["task t"]
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(shop.events, end=at("12:00"))


def test_a_delay_hides_nothing_from_questions_to_the_source(shop: Shop) -> None:
    add(shop, delay=3600)
    run(shop)
    answer = shop.ws.linq(HOURLY)
    assert answer.rows == brute(arrived(shop))
    assert answer.explain().plan == "mixed", "what the task has built, and the rest live"


def test_rows_that_come_within_the_delay_are_there_when_their_bucket_is_built(shop: Shop) -> None:
    add(shop, delay=3600)
    run(shop)
    shop.now = at("13:05")
    shop.add(Event(at("11:45"), "a", "x", 2.0, 3))  # an hour late
    run(shop)
    answer = shop.ws.ask_task("t", end=at("12:00"), live=False)
    assert answer.rows == brute(shop.events, end=at("12:00"))


@pytest.mark.parametrize("delay", [0, 1, 59, 3601, 86_400])
def test_any_delay_hides_exactly_what_is_younger(shop: Shop, delay: int) -> None:
    shop.add(*some_events(at("12:29:30") - timedelta(days=1), 40, 1))
    shop.add(Event(at("12:29:59"), "a", "x", 1.0, 1), Event(at("12:29"), "a", "x", 1.0, 1))
    add(shop, delay=delay)
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(shop.events, end=shop.now - timedelta(seconds=delay))


# -- zones


@pytest.mark.parametrize(
    ("time_zone", "iana"),
    [
        ("UTC", "UTC"),
        ("GMT+01:00", "Etc/GMT-1"),
        ("-05:00", "Etc/GMT+5"),
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        ("Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_days_are_those_of_the_zone_also_where_clocks_change(shop: Shop, time_zone: str, iana: str) -> None:
    shop.now = datetime(2025, 4, 2, 12, 30, tzinfo=UTC)
    shop.add(*some_events(datetime(2025, 3, 28, 0, 5, tzinfo=UTC), 400, 17))  # clocks are set on 30 March
    add(shop, DAILY, time_zone=time_zone)
    run(shop)
    expected = brute(arrived(shop), day_of(iana), by_team=False, positive=False)
    assert shop.ws.ask_task("t").rows == expected
    end = day_of(iana)(shop.now)
    answer = shop.ws.ask_task("t", end=end, live=False)
    assert answer.rows == brute(shop.events, day_of(iana), end=end, by_team=False, positive=False)
    assert answer.explain().plan == "rollup"


def test_a_day_closes_at_the_midnight_of_the_zone(shop: Shop) -> None:
    add(shop, DAILY, time_zone="GMT+01:00")
    run(shop)
    shop.now = at("22:59")
    assert shop.ws.due() == []
    shop.now = at("23:00")
    assert shop.ws.due() == ["task t"]


def test_hours_are_not_moved_by_a_zone(shop: Shop) -> None:
    add(shop, time_zone="Asia/Kathmandu")
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    assert shop.ws.update_task("t", time_zone="UTC").status == "RUNNING", "nothing that is stored changes"


def test_days_are_made_of_stored_hours_where_those_fit(shop: Shop) -> None:
    shop.now = at("2025-01-05 12:30")
    shop.add(*some_events(at("2025-01-02 00:07"), 200, 23))
    add(shop, DAILY, time_zone="Europe/Berlin", min_grain="1h")
    run(shop)
    expected = brute(arrived(shop), day_of("Europe/Berlin"), by_team=False, positive=False)
    assert shop.ws.ask_task("t").rows == expected


# -- stop, resume, start


def test_a_stopped_task_is_not_built_and_resuming_fills_the_gap(shop: Shop) -> None:
    add(shop)
    run(shop)
    assert shop.ws.stop_task("t").status == "PENDING_STOP"
    run(shop)
    assert status(shop) == "STOPPED"
    before = covered(shop)
    for hours in (1, 2, 3):
        shop.now = at("12:30") + timedelta(hours=hours)
        shop.add(Event(shop.now - timedelta(minutes=5), "b", "z", 4.0, 2))
        assert shop.ws.due() == []
        assert run(shop).built == ()
    assert covered(shop) == before
    assert shop.ws.ask_task("t").rows == brute(arrived(shop)), "what is not built is live"
    assert shop.ws.resume_task("t").status == "PENDING_RESUME"
    assert shop.ws.due() == ["task t"]
    done = run(shop)
    assert status(shop) == "RUNNING"
    gap = [event for event in shop.events if at("12:00") <= event.time < shop.now]
    assert 0 < rows_read(done) <= len(gap), "only the gap is read"
    end = hour(shop.now)
    answer = shop.ws.ask_task("t", end=end, live=False)
    assert answer.rows == brute(shop.events, end=end)
    assert answer.explain().plan == "rollup"


def test_a_task_is_stopped_before_it_ever_ran(shop: Shop) -> None:
    add(shop)
    shop.ws.stop_task("t")
    assert run(shop).built == ()
    assert status(shop) == "STOPPED"
    shop.ws.resume_task("t")
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))


def stopping_at(shop: Shop, windows: int, ask: Callable[[], object]) -> Callable[[Any], None]:
    def report(now: Any) -> None:
        if now.windows_done == windows:
            ask()

    return report


def slow(tmp_path: Path) -> Shop:
    """A shop whose builds take many batches: a day each."""
    made = Shop(tmp_path, at("2025-01-09 12:30"), batch_rows=10)
    made.source()
    made.add(*some_events(at("00:10"), 300, 37))
    return made


def test_a_task_stopped_in_the_middle_of_a_backfill_is_stopped_in_part(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    done = shop.ws.run_tasks(progress=stopping_at(shop, 3, lambda: shop.ws.stop_task("t")))
    assert isinstance(done.built[0].error, CancelledError)
    span = covered(shop).span
    assert span
    assert span.end < micros(shop.now)
    run(shop)
    assert status(shop) == "PARTIAL_STOPPED"
    assert shop.ws.tasks["t"].failures == 0
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))
    shop.ws.resume_task("t")
    shop.now += timedelta(hours=2)
    run(shop)
    assert status(shop) == "RUNNING"
    answer = shop.ws.ask_task("t", end=hour(shop.now), live=False)
    assert answer.rows == brute(shop.events, end=hour(shop.now))
    shop.ws.stop_task("t")
    run(shop)
    assert status(shop) == "STOPPED", "nothing of a backfill is left"
    shop.close()


def test_what_only_time_brought_is_no_backfill(shop: Shop) -> None:
    add(shop)
    run(shop)
    shop.now += timedelta(days=3)
    shop.ws.stop_task("t")
    run(shop)
    assert status(shop) == "STOPPED"


def test_starting_from_a_date_aggregates_again_from_there_on(shop: Shop) -> None:
    add(shop)
    run(shop)
    wrong = brute(shop.events, end=at("06:00"))
    shop.sql("UPDATE events SET points = points + 100")
    right = [Event(e.time, e.team, e.player, e.value, (e.points or 0) + 100) for e in shop.events]
    assert shop.ws.start_task("t", "2025-01-01T06:20:00Z").status == "PENDING_START"
    done = run(shop)
    assert status(shop) == "RUNNING"
    assert 0 < rows_read(done) < len(arrived(shop))
    assert shop.ws.tasks["t"].to_contract()["fromDate"] == micros(at("06:20")) // 1000
    answer = shop.ws.linq(HOURLY, end=at("12:00"), live=False)
    assert answer.rows == wrong + brute(right, start=at("06:00"), end=at("12:00"))
    assert shop.ws.ask_task("t", end=at("12:00")).rows == brute(right, start=at("06:00"), end=at("12:00"))


def test_starting_from_an_earlier_date_builds_that_as_well(shop: Shop) -> None:
    add(shop, from_date="2025-01-01T09:00:00Z")
    run(shop)
    shop.ws.start_task("t", 0)
    run(shop)
    assert shop.ws.ask_task("t", end=at("12:00"), live=False).rows == brute(shop.events, end=at("12:00"))


@pytest.mark.parametrize("state", ["STOPPED", "ERROR", "PENDING_CREATE", "PENDING_STOP", "PENDING_UPDATE"])
def test_a_task_is_started_from_anything_that_lives(shop: Shop, state: str) -> None:
    add(shop)
    if state != "PENDING_CREATE":
        run(shop)
    if state == "ERROR":
        fail(shop, 3)
    elif state == "PENDING_UPDATE":
        shop.ws.update_task("t", min_grain="30m")
    elif state.endswith("STOP") or state == "STOPPED":
        shop.ws.stop_task("t")
        if state == "STOPPED":
            run(shop)
    assert status(shop) == state
    shop.ws.start_task("t", "2025-01-01T03:00:00Z")
    run(shop)
    assert status(shop) == "RUNNING"
    end = hour(shop.now)
    assert shop.ws.ask_task("t", end=end, live=False).rows == brute(shop.events, start=at("03:00"), end=end)
    assert shop.ws.tasks["t"].status_data is None


def test_a_start_ends_a_build_that_reads_what_is_to_be_read_again(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    done = shop.ws.run_tasks(progress=stopping_at(shop, 2, lambda: shop.ws.start_task("t", "2025-01-01")))
    assert isinstance(done.built[0].error, CancelledError)
    assert rows_read(run(shop)) == len([e for e in arrived(shop) if e.value and e.value > 0])
    shop.close()


def test_a_start_waits_for_a_build_of_another_process(shop: Shop) -> None:
    add(shop)
    run(shop)
    rollup = shop.catalog.rollup_of(shop.ws.tasks["t"].id)
    span = covered(shop).span
    assert rollup
    assert span
    lease = shop.catalog.acquire_lease(rollup.id, span, "another", micros(shop.now), 30)
    assert lease
    shop.ws.start_task("t", 0)
    assert run(shop).built[0].report is None
    assert status(shop) == "PENDING_START"
    assert covered(shop).span == span
    shop.catalog.release_lease(lease)
    run(shop)
    assert status(shop) == "RUNNING"


# -- changes


@pytest.mark.parametrize(
    "change",
    [
        {"description": "new"},
        {"locale": "es"},
        {"owner_email": "a@b.c"},
        {"delay": 60},
        {"time_zone": "Europe/Berlin"},
        {"from_date": "2025-01-01T03:00:00Z"},
        {
            "linq": HOURLY.replace(
                "sum(points) as points", "sum(points) as points, sum(points) / count() as mean"
            )
        },
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_stored_changes_at_once(shop: Shop, change: dict[str, Any]) -> None:
    add(shop)
    run(shop)
    before = covered(shop)
    shop.now = at("12:40")
    changed = shop.ws.update_task("t", **change)
    assert changed.status == "RUNNING"
    assert changed.to_contract()["updateDate"] == micros(at("12:40")) // 1000
    assert changed.to_contract()["creationDate"] == micros(at("12:30")) // 1000
    assert rows_read(run(shop)) == 0
    assert covered(shop) == before
    end = at("12:00")
    start = at("03:00") if "from_date" in change else None
    expected = brute(shop.events, start=start, end=end)
    rows = shop.ws.ask_task("t", end=end, live=False).rows
    if "linq" in change:
        for row in rows:
            assert row["fields"].pop("mean") == pytest.approx(row["fields"]["points"] / row["fields"]["n"])
    assert rows == expected


def test_a_delay_that_changes_holds_in_the_next_build_and_answer(shop: Shop) -> None:
    add(shop)
    run(shop)
    shop.ws.update_task("t", delay=7200)
    assert shop.ws.ask_task("t").rows == brute(shop.events, end=at("10:30"))
    shop.now = at("14:10")
    assert shop.ws.due() == []
    shop.ws.update_task("t", delay=600)
    assert shop.ws.due() == ["task t"]
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(shop.events, end=at("14:00"))


@pytest.mark.parametrize(
    "change",
    [
        {"linq": HOURLY.replace("value > 0", "value > 3")},
        {"linq": HOURLY.replace("by team", "by player")},
        {"linq": HOURLY.replace("sum(points)", "max(points)")},
        {"linq": HOURLY.replace("1h", "2h")},
        {"min_grain": "20m"},
    ],
    ids=["where", "keys", "aggregates", "period", "grain"],
)
def test_what_is_stored_is_built_anew_when_it_changes(shop: Shop, change: dict[str, Any]) -> None:
    add(shop)
    run(shop)
    assert shop.ws.update_task("t", **change).status == "PENDING_UPDATE"
    assert shop.ws.due() == ["task t"]
    (settled,) = shop.ws.settle_tasks()
    assert (settled.before, settled.after) == ("PENDING_UPDATE", "PENDING_REBUILD")
    assert shop.ws.due() == ["task t"]
    assert covered(shop).span is None
    assert rows_read(run(shop)) > 0
    assert status(shop) == "RUNNING"
    other = add(shop, change.get("linq", HOURLY), name="fresh", min_grain=change.get("min_grain"))
    run(shop)
    assert other.spec.rollup == shop.ws.tasks["t"].rollup
    fresh = shop.ws.ask_task("fresh")
    assert shop.ws.ask_task("t").rows == fresh.rows
    assert len(fresh) > 0


def test_a_zone_of_days_builds_anew(shop: Shop) -> None:
    add(shop, DAILY)
    run(shop)
    assert shop.ws.update_task("t", time_zone="Europe/Berlin").status == "PENDING_UPDATE"
    run(shop)
    expected = brute(arrived(shop), day_of("Europe/Berlin"), by_team=False, positive=False)
    assert shop.ws.ask_task("t").rows == expected


def test_an_earlier_beginning_builds_only_what_is_missing(shop: Shop) -> None:
    add(shop, from_date="2025-01-01T06:00:00Z")
    run(shop)
    assert shop.ws.update_task("t", from_date="2025-01-01T02:00:00Z").status == "PENDING_EXTEND"
    assert shop.ws.due() == ["task t"]
    done = run(shop)
    assert status(shop) == "RUNNING"
    older = [e for e in shop.events if at("02:00") <= e.time < at("06:00") and e.value and e.value > 0]
    open_hour = [e for e in shop.events if at("12:00") <= e.time < shop.now]
    assert len(older) <= rows_read(done) <= len(older) + len(open_hour)
    answer = shop.ws.ask_task("t", end=at("12:00"), live=False)
    assert answer.rows == brute(shop.events, start=at("02:00"), end=at("12:00"))


@pytest.mark.parametrize(
    ("change", "pending"), [({"min_grain": "20m"}, "PENDING_UPDATE"), ({"from_date": 0}, "PENDING_EXTEND")]
)
def test_a_stopped_task_that_is_changed_ends_stopped(
    shop: Shop, change: dict[str, Any], pending: str
) -> None:
    add(shop, from_date="2025-01-01T06:00:00Z")
    run(shop)
    shop.ws.stop_task("t")
    run(shop)
    assert shop.ws.update_task("t", **change).status == pending
    done = run(shop)
    assert rows_read(done) > 0
    assert status(shop) == "STOPPED"
    start = None if "from_date" in change else at("06:00")
    answer = shop.ws.ask_task("t", end=at("12:00"), live=False)
    assert answer.rows == brute(shop.events, start=start, end=at("12:00"))
    shop.now += timedelta(days=1)
    assert shop.ws.due() == []


def test_an_update_ends_a_build_of_the_old_form(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    narrower = HOURLY.replace("value > 0", "value > 3")
    done = shop.ws.run_tasks(progress=stopping_at(shop, 2, lambda: shop.ws.update_task("t", linq=narrower)))
    assert isinstance(done.built[0].error, CancelledError)
    assert status(shop) == "PENDING_UPDATE"
    run(shop)
    assert status(shop) == "RUNNING"
    assert (
        shop.ws.ask_task("t", end=hour(shop.now), live=False).rows
        == shop.ws.linq(narrower, end=hour(shop.now)).rows
    )
    shop.close()


def test_an_update_without_data_does_not_end_a_build(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    done = shop.ws.run_tasks(progress=stopping_at(shop, 2, lambda: shop.ws.update_task("t", description="x")))
    assert done.failed == ()
    assert covered(shop).span
    assert shop.ws.due() == []
    shop.close()


def test_a_rebuild_that_was_cut_off_goes_on_in_the_next_run(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    run(shop)
    shop.ws.update_task("t", min_grain="30m")

    def interrupt(now: Any) -> None:
        if now.windows_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.ws.run_tasks(progress=interrupt)
    assert status(shop) == "PENDING_REBUILD"
    part = covered(shop).span
    assert part
    done = run(shop)
    assert rows_read(done) < len(arrived(shop)), "it goes on where it was"
    assert status(shop) == "RUNNING"
    assert shop.ws.ask_task("t", end=hour(shop.now), live=False).rows == brute(
        shop.events, end=hour(shop.now)
    )
    shop.close()


def test_a_new_name_keeps_what_is_built(shop: Shop) -> None:
    made = add(shop)
    run(shop)
    before = covered(shop)
    renamed = shop.ws.update_task("t", name="teams")
    assert (renamed.task_id, renamed.name, renamed.status) == (made.task_id, "teams", "RUNNING")
    assert list(shop.ws.tasks) == ["teams"]
    assert covered(shop, "teams") == before
    assert rows_read(run(shop)) == 0
    shop.now = at("13:10")
    assert shop.ws.due() == ["task teams"]
    run(shop)
    assert shop.ws.ask_task("teams").rows == brute(arrived(shop))
    with pytest.raises(NotFoundError, match=r"there is no task 't' \(known: teams\)"):
        shop.ws.ask_task("t")
    add(shop, name="t")
    run(shop)
    with pytest.raises(ConflictError, match="there is a task 't' already"):
        shop.ws.update_task("teams", name="t")
    assert set(shop.ws.tasks) == {"t", "teams"}


def test_a_source_with_other_rows_makes_its_tasks_due(shop: Shop) -> None:
    add(shop)
    run(shop)
    shop.sql("CREATE TABLE others AS SELECT * FROM events WHERE team = 'a'")
    shop.ws.add_source("events", f"duckdb://{shop.file}", table="others", time="time")
    assert shop.ws.due() == ["task t"]
    run(shop)
    shop.events = [event for event in shop.events if event.team == "a"]
    assert shop.ws.ask_task("t", end=at("12:00"), live=False).rows == brute(shop.events, end=at("12:00"))


def test_adding_again_changes_as_little_as_it_can(shop: Shop) -> None:
    made = add(shop)
    again = add(shop)
    assert again.task_id == made.task_id
    run(shop)
    assert add(shop).status == "RUNNING"
    assert add(shop, description="d").status == "RUNNING"
    assert add(shop, min_grain="30m").status == "PENDING_UPDATE"
    with pytest.raises(ConflictError, match="a task that is PENDING_REBUILD takes no update"):
        add(shop, min_grain="10m")
    with pytest.raises(ConflictError, match="there is a task 't' already"):
        add(shop, replaces=False)
    run(shop)
    shop.ws.delete_task("t")
    new = add(shop)
    assert new.task_id != made.task_id
    assert new.status == "PENDING_CREATE"
    run(shop)
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))


# -- failures


def fail(shop: Shop, times: int) -> list[Any]:
    """So many runs, an hour apart, while the source is broken."""
    runs: list[Any] = []
    with broken(shop):
        for _ in range(times):
            shop.now += timedelta(hours=1)
            runs.append(shop.ws.run_tasks())
    return runs


def test_the_third_failure_in_a_row_is_an_error_and_a_good_build_ends_it(shop: Shop) -> None:
    add(shop)
    run(shop)
    for failures in (1, 2):
        fail(shop, 1)
        assert (status(shop), shop.ws.tasks["t"].failures) == ("RUNNING", failures)
        assert shop.ws.tasks["t"].status_data is None
    (done,) = fail(shop, 1)
    assert isinstance(done.failed[0].error, SourceMissingError)
    assert status(shop) == "ERROR"
    data = trouble(shop)
    since = micros(shop.now) // 1000
    assert list(data) == ["class", "message", "since", "retryAt"]
    assert data["class"] == "SourceMissingError"
    assert (data["since"], data["retryAt"]) == (since, since + 60_000)
    assert "events" in data["message"]
    assert "\n" not in data["message"]
    assert shop.ws.due() == []
    shop.now += timedelta(seconds=59)
    assert shop.ws.due() == []
    assert run(shop).built == ()
    shop.now += timedelta(seconds=1)
    assert shop.ws.due() == ["task t"]
    run(shop)
    assert status(shop) == "RUNNING"
    assert (shop.ws.tasks["t"].status_data, shop.ws.tasks["t"].failures) == (None, 0)
    end = hour(shop.now)
    assert shop.ws.ask_task("t", end=end, live=False).rows == brute(shop.events, end=end)


def test_two_failures_are_forgotten_by_a_good_build(shop: Shop) -> None:
    add(shop)
    for _ in range(2):
        run(shop)
        fail(shop, 2)
        assert status(shop) == "RUNNING"
        shop.now += timedelta(hours=1)


def test_a_task_in_error_waits_longer_each_time(shop: Shop) -> None:
    add(shop)
    run(shop)
    fail(shop, 3)
    first = trouble(shop)
    waits: list[float] = []
    with broken(shop):
        for _ in range(8):
            shop.now = EPOCH + timedelta(milliseconds=trouble(shop)["retryAt"])
            assert len(shop.ws.run_tasks().failed) == 1
            assert status(shop) == "ERROR"
            waits.append(trouble(shop)["retryAt"] / 1000 - micros(shop.now) / 1_000_000)
    assert waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert trouble(shop)["since"] == first["since"]


def test_a_good_build_by_hand_ends_an_error(shop: Shop) -> None:
    add(shop)
    run(shop)
    fail(shop, 3)
    shop.ws.build("task t", until=at("12:00"), progress=False)
    assert status(shop) == "ERROR", "a part of what is wanted does not"
    shop.ws.build("task t", progress=False)
    assert status(shop) == "RUNNING"


@pytest.mark.parametrize("ended", ["STOPPED", "RUNNING"])
def test_a_rebuild_in_error_leads_back_to_where_the_update_began(shop: Shop, ended: str) -> None:
    add(shop)
    run(shop)
    if ended == "STOPPED":
        shop.ws.stop_task("t")
        run(shop)
    shop.ws.update_task("t", min_grain="30m")
    shop.ws.settle_tasks()
    with broken(shop):
        statuses: list[str] = []
        for _ in range(3):
            shop.ws.run_tasks()
            statuses.append(status(shop))
    assert statuses == ["PENDING_REBUILD", "PENDING_REBUILD", "ERROR"]
    shop.now += timedelta(minutes=1)
    run(shop)
    assert status(shop) == ended
    assert shop.ws.ask_task("t", end=at("12:00"), live=False).rows == brute(shop.events, end=at("12:00"))


def test_one_that_fails_stops_none_of_the_others(shop: Shop) -> None:
    shop.sql("CREATE TABLE others AS SELECT * FROM events")
    shop.ws.add_source("others", f"duckdb://{shop.file}", table="others", time="time")
    shop.filter("1h")
    add(shop, name="a")
    add(shop, HOURLY.replace("from events", "from others"), name="b")
    add(shop, name="c")
    shop.sql("DROP TABLE others")
    done = shop.ws.run_tasks()
    assert [(one.reference, one.error is None) for one in done.built] == [
        ("task a", True),
        ("task b", False),
        ("task c", True),
        ("filter f", True),
    ]
    assert "failed: " in done.built[1].outcome
    assert done.failed == (done.built[1],)
    assert "task b: failed" in done._repr_html_()
    assert [shop.ws.tasks[name].failures for name in "abc"] == [0, 1, 0]
    assert shop.ws.ask_task("c").rows == brute(arrived(shop))


def test_a_mistake_of_the_program_stops_none_of_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shop, name="a")
    add(shop, name="b")
    build = Builder.build

    def building(builder: Builder, target: Any, **options: Any) -> Any:
        if target.name == "task a":
            raise ZeroDivisionError("division by zero")
        return build(builder, target, **options)

    monkeypatch.setattr(Builder, "build", building)
    done = shop.ws.run_tasks()
    assert [type(one.error) for one in done.built] == [ZeroDivisionError, type(None)]
    assert shop.ws.tasks["a"].failures == 1


def test_that_another_builds_is_no_failure(tmp_path: Path) -> None:
    shop = Shop(tmp_path, lease_wait=0)
    shop.source()
    shop.add(*some_events(at("00:10")))
    add(shop)
    shop.ws.settle_tasks()
    rollup = shop.catalog.rollup_of(shop.ws.tasks["t"].id)
    assert rollup
    for _ in range(4):
        lease = shop.catalog.acquire_lease(rollup.id, ALWAYS, "another", micros(shop.now), 30)
        assert lease
        done = shop.ws.run_tasks()
        assert "another build" in str(done.failed[0].error)
        shop.catalog.release_lease(lease)
    assert (status(shop), shop.ws.tasks["t"].failures) == ("RUNNING", 0)
    shop.close()


def test_an_update_that_cannot_be_settled_is_told_and_tried_again(shop: Shop) -> None:
    shop.sql("CREATE TABLE others AS SELECT * FROM events")
    shop.ws.add_source("others", f"duckdb://{shop.file}", table="others", time="time")
    add(shop)
    run(shop)
    shop.ws.update_task("t", linq=HOURLY.replace("from events", "from others"))
    shop.ws.remove("source", "others")
    done = shop.ws.run_tasks()
    assert [str(one.error) for one in done.failed] == ["there is no source 'others' (known: events)"]
    assert status(shop) == "PENDING_UPDATE"
    assert trouble(shop)["message"] == "there is no source 'others'"
    shop.ws.add_source("others", f"duckdb://{shop.file}", table="others", time="time")
    run(shop)
    assert status(shop) == "RUNNING"
    assert shop.ws.tasks["t"].status_data is None
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))


# -- the end


def test_a_deleted_task_is_listed_for_thirty_days(shop: Shop) -> None:
    made = add(shop)
    run(shop)
    rollup = shop.catalog.rollup_of(shop.ws.tasks["t"].id)
    assert rollup
    assert shop.ws.delete_task(made.task_id).status == "PENDING_DELETE"
    assert list(shop.ws.tasks) == ["t"]
    run(shop)
    assert list(shop.ws.tasks) == []
    assert shop.catalog.rollups("ws_self") == ()
    assert shop.ws.list_tasks() == []
    (deleted,) = shop.ws.list_tasks(statuses=["DELETED"])
    assert (deleted.task_id, deleted.status) == (made.task_id, "DELETED")
    assert deleted.to_contract()["query"]["linq"] == made.linq
    assert shop.ws.task(made.task_id).status == "DELETED"
    with pytest.raises(NotFoundError, match="there is no task 't'"):
        shop.ws.task("t")
    for ask in (shop.ws.stop_task, shop.ws.resume_task, shop.ws.delete_task):
        with pytest.raises(ConflictError, match="a task that is DELETED takes no"):
            ask(made.task_id)
    shop.now += timedelta(days=30)
    run(shop)
    assert len(shop.ws.list_tasks(statuses=["DELETED"])) == 1
    shop.now += timedelta(seconds=1)
    run(shop)
    assert shop.ws.list_tasks(statuses=["DELETED"]) == []


def test_removing_is_deleting_at_once(shop: Shop) -> None:
    made = add(shop)
    run(shop)
    with pytest.raises(ConflictError, match="task 't' needs source 'events'"):
        shop.ws.remove("source", "events")
    shop.ws.remove("task", "t")
    assert list(shop.ws.tasks) == []
    assert shop.catalog.rollups("ws_self") == ()
    assert shop.ws.task(made.task_id).status == "DELETED"
    shop.ws.remove("source", "events")


def test_deleting_ends_a_build(tmp_path: Path) -> None:
    shop = slow(tmp_path)
    add(shop)
    done = shop.ws.run_tasks(progress=stopping_at(shop, 2, lambda: shop.ws.delete_task("t")))
    assert isinstance(done.built[0].error, CancelledError)
    run(shop)
    assert shop.catalog.rollups("ws_self") == ()
    shop.close()


# -- bad input


@pytest.mark.parametrize(
    ("linq", "message"),
    [
        ("from event group every 1h", "there is no table 'event', at line 1, column 6"),
        ("from events group by (from events group by team)", "subquer"),
        ("from events where value in (from events) group", "subquer"),
        ("from events group by tem", "there is no column 'tem', at line 1, column 22"),
        ("from events where valu > 1 group", "there is no column 'valu', at line 1, column 19"),
        ("from events group select sum(pionts)", "there is no column 'pionts'"),
        ("from events group by lowr(team)", "there is no function 'lowr', at line 1, column 22"),
        ("from events group select total(points)", r"total\(\) is not accepted"),
        ("from events group by team group by player", "a second group is not accepted, at line 1, column 27"),
        ("from events where team = 'a'", "the query is not grouped"),
        ("from events group limit 3", "limit is not accepted"),
        ("from events group select sum(team + 1) as", "end"),
    ],
)
@pytest.mark.parametrize("changing", [False, True], ids=["create", "update"])
def test_a_query_that_is_wrong_is_refused_with_its_place(
    shop: Shop, linq: str, message: str, changing: bool
) -> None:
    if changing:
        add(shop)
    with pytest.raises(ParseError, match=message) as raised:
        shop.ws.update_task("t", linq=linq) if changing else add(shop, linq)
    lines = str(raised.value).splitlines()
    assert lines[1] == f"    {linq}"
    assert lines[2].strip() == "^"
    assert set(shop.ws.tasks) == ({"t"} if changing else set())
    if changing:
        assert shop.ws.tasks["t"].linq == shop.ws.tasks["t"].spec.linq
        assert status(shop) == "PENDING_CREATE"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_grain": "25m"}, "25m does not divide the query's period, 1h"),
        ({"delay": -5}, "-5 is no whole number of seconds"),
        ({"from_date": "soon"}, "'soon' is not a time"),
        ({"time_zone": "Mars"}, "there is no time zone 'Mars'"),
        ({"nam": "x"}, "unknown key 'nam'"),
    ],
)
def test_attributes_that_are_wrong_are_refused_and_nothing_changes(
    shop: Shop, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        add(shop, **options)
    assert len(shop.ws.tasks) == 0
    add(shop)
    run(shop)
    before = shop.ws.tasks["t"]
    with pytest.raises(SpecError, match=message):
        shop.ws.update_task("t", **options)
    assert shop.ws.tasks["t"] == before


def test_operations_that_do_not_fit_name_the_present_status(shop: Shop) -> None:
    add(shop)
    with pytest.raises(ConflictError, match="a task that is PENDING_CREATE takes no resume") as raised:
        shop.ws.resume_task("t")
    assert "it is taken from STOPPED, PARTIAL_STOPPED" in str(raised.value)
    with pytest.raises(ConflictError, match="a task that is PENDING_CREATE takes no update"):
        shop.ws.update_task("t", delay=5)
    run(shop)
    shop.ws.stop_task("t")
    with pytest.raises(ConflictError, match="a task that is PENDING_STOP takes no stop"):
        shop.ws.stop_task("t")
    with pytest.raises(NotFoundError, match="did you mean 't'") as missing:
        shop.ws.stop_task("T")
    assert missing.value.kind == "task"


def test_a_task_of_another_workspace_is_not_there(shop: Shop) -> None:
    made = add(shop)
    other = af.open(shop.folder / "home", workspace="other")
    with pytest.raises(NotFoundError):
        other.task(made.task_id)
    assert other.list_tasks(ids=[made.task_id]) == []
    assert len(other.tasks) == 0
    other.close()


# -- deaths and other processes


def test_a_task_whose_making_was_cut_off_is_made_by_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._declarations, "put_owner", dies)
        with pytest.raises(KeyboardInterrupt):
            add(shop)
    assert shop.catalog.rollups("ws_self") == ()
    run(shop)
    assert status(shop) == "RUNNING"
    assert shop.ws.ask_task("t").rows == brute(arrived(shop))


def test_a_task_that_could_not_be_made_leaves_its_name_free(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> Any:
        raise AggflowError("no")

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._declarations, "put_owner", refuses)
        with pytest.raises(AggflowError, match="no"):
            add(shop)
    assert len(shop.ws.tasks) == 0
    add(shop)
    run(shop)


def test_a_change_that_was_cut_off_before_the_rollup_followed_is_made_up_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(shop)
    run(shop)

    def dies(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shop.ws._declarations, "put_owner", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.ws.update_task("t", delay=3600, name="late")
    shop.now = at("15:10")
    assert shop.ws.due() == ["task late"]
    run(shop)
    span = covered(shop, "late").span
    assert span
    assert span.end == micros(at("14:10"))
    assert shop.ws.ask_task("late").rows == brute(shop.events, end=at("14:10"))


def test_two_processes_do_not_undo_one_another(shop: Shop) -> None:
    other = Shop(shop.folder, shop.now)
    add(shop)
    pending = next(other.ws._tasks.pending())
    run(shop)
    assert other.ws._tasks.settle(pending).status == "RUNNING"
    shop.ws.stop_task("t")
    with pytest.raises(ConflictError, match="PENDING_STOP takes no stop"):
        other.ws.stop_task("t")
    run(other)
    assert status(shop) == "STOPPED"
    other.close()


def test_a_run_that_has_nothing_to_do_writes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shop)
    add(shop, name="gone")
    run(shop)
    shop.ws.delete_task("gone")
    run(shop)

    def writes(*_: Any) -> Any:
        raise AssertionError("the catalog was written")

    monkeypatch.setattr(shop.catalog, "_write", writes)
    run(shop)


# -- what is due is cheap to tell


def test_telling_what_is_due_reads_the_catalog_twice_and_opens_no_source(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(30):
        add(shop, name=f"t{i:02}", delay=0 if i < 10 else 1800)
    run(shop)
    shop.filter("1d")
    shop.build()
    shop.now = at("13:00")
    reads: list[Any] = []
    read = shop.catalog._read

    def counted(statement: Any, **values: Any) -> Any:
        reads.append(statement)
        return read(statement, **values)

    def opened(*_: Any) -> Any:
        raise AssertionError("a source was opened")

    monkeypatch.setattr(shop.catalog, "_read", counted)
    monkeypatch.setattr(shop.ws._declarations, "open", opened)
    assert shop.ws.due() == [f"task t{i:02}" for i in range(10)]
    assert len(reads) == 2


def test_filters_are_due_when_a_bucket_has_closed(shop: Shop) -> None:
    shop.filter("1h")
    assert shop.ws.due() == ["filter f"]
    run(shop)
    assert shop.ws.due() == []
    assert shop.ws.due("2025-01-01T12:59:59Z") == []
    assert shop.ws.due("2025-01-01T13:00:00Z") == ["filter f"]
    third = Window(micros(at("03:00")), micros(at("04:00")))
    shop.catalog.drop_window(shop.rollup_id(), 1, third, micros(shop.now))
    assert shop.ws.due() == ["filter f"], "a window that was made missing"
    run(shop)
    assert shop.ws.due() == []
    shop.filter("2h")
    assert shop.ws.due() == [], "two versions, and no bucket of either is missing"
    shop.now = at("14:00")
    assert shop.ws.due() == ["filter f"]
    run(shop)
    assert shop.ws.due() == []


# -- what clients see


def test_a_task_is_the_object_of_the_contract(shop: Shop) -> None:
    shop.ws.add_source("demo.ecommerce.data", f"duckdb://{shop.file}", table="events", time="time")
    made = add(
        shop,
        'from demo.ecommerce.data where eq(team, "self") group every 1800000 by team',
        0,
        name="first aggregation task",
        time_zone="GMT+01:00",
        locale="es",
        description="my new aggregation task",
        owner_email="john.smith@devo.com",
    )
    created = micros(shop.now) // 1000
    assert list(made.to_contract().items()) == [
        ("id", made.task_id),
        ("name", "first aggregation task"),
        ("table", "demo.ecommerce.data"),
        ("wheres", ['eq(team, "self")']),
        ("delay", 0),
        (
            "query",
            {
                "linq": 'from demo.ecommerce.data where eq(team, "self") group every 1800000 by team',
                "timeZone": "GMT+01:00",
                "locale": "es",
            },
        ),
        ("description", "my new aggregation task"),
        ("domainName", "self"),
        ("ownerEmail", "john.smith@devo.com"),
        ("creationDate", created),
        ("updateDate", created),
        ("status", "PENDING_CREATE"),
        ("statusData", None),
        ("fromDate", 0),
    ]
    assert list(made.to_contract()["query"]) == ["linq", "timeZone", "locale"]


def test_figures_tell_the_measures_and_the_work(shop: Shop) -> None:
    linq = (
        "from events group every 1h by team select count() as n, count(player), sum(points) as total, "
        "avg(value), percentile95(value), last(player) as last, hllpp(player), hllppcount(player), min(value)"
    )
    made = add(shop, linq)
    figures = shop.ws.task_figures("t")
    assert figures["id"] == made.task_id
    assert [tuple(one.values()) for one in figures["measures"]] == [
        ("n", "count", None, "int"),
        ("count(player)", "count", "player", "int"),
        ("total", "sum", "points", "int"),
        ("avg(value)", "avg", "value", "float"),
        ("percentile95(value)", "percentile95", "value", "float"),
        ("last", "last", "player", "str"),
        ("hllpp(player)", "hllpp", "player", "int"),
        ("hllppcount(player)", "hllppcount", "player", "float"),
        ("min(value)", "min", "value", "float"),
    ]
    assert figures["stats"] == {
        "lastBuild": None,
        "builtUntil": None,
        "lagSeconds": None,
        "rowsRead": 0,
        "bucketsWritten": 0,
    }
    run(shop)
    shop.now += timedelta(minutes=2)
    now_ms = micros(shop.now) // 1000
    stats = shop.ws.task_figures(made.task_id)["stats"]
    assert (stats["lastBuild"], stats["builtUntil"]) == (now_ms - 120_000, now_ms - 120_000)
    assert stats["lagSeconds"] == 120
    assert stats["rowsRead"] == len([e for e in shop.events if e.time < at("12:30")])
    assert stats["bucketsWritten"] > 0


def test_tasks_are_listed_by_status_and_id(shop: Shop) -> None:
    first, second = add(shop, name="b"), add(shop, name="a")
    run(shop)
    shop.ws.stop_task("a")
    ids = [one.task_id for one in shop.ws.list_tasks()]
    assert sorted(ids) == sorted([first.task_id, second.task_id])
    assert [one.name for one in shop.ws.list_tasks(statuses=["RUNNING"])] == ["b"]
    assert [one.name for one in shop.ws.list_tasks(ids=[second.task_id])] == ["a"]
    assert shop.ws.list_tasks(statuses=["RUNNING"], ids=[second.task_id]) == []
    with pytest.raises(NotFoundError, match=r"no status of a task 'RUNING' \(did you mean 'RUNNING'\?\)"):
        shop.ws.list_tasks(statuses=["RUNING"])
    assert list(shop.ws.tasks) == ["a", "b"]
    html = shop.ws.tasks._repr_html_()
    assert "PENDING_STOP" in html
    assert first.task_id in html
    html = shop.ws.tasks["a"]._repr_html_()
    assert f"<p>{second.task_id}: PENDING_STOP</p>" in html
    assert "linq: from events where gt(value, 0)" in html


def test_tasks_survive_yaml(shop: Shop, tmp_path: Path) -> None:
    made = add(shop, from_date="2025-01-01T06:00:00Z", delay=60, time_zone="Europe/Berlin", locale="de")
    add(shop, name="going")
    run(shop)
    shop.ws.delete_task("going")
    text = shop.ws.export(tmp_path / "defs.yaml")
    assert "going" not in text
    other = Shop(tmp_path, name="another")
    applied = other.ws.apply(tmp_path / "defs.yaml")
    assert applied.tasks == (made.spec,)
    assert other.ws.tasks["t"].spec == made.spec
    assert other.ws.apply(tmp_path / "defs.yaml").tasks == (made.spec,)
    (tmp_path / "defs.yaml").write_text(text.replace("delay: 60", "min_grain: 25m"))
    with pytest.raises(SpecError, match="min_grain: 25m does not divide"):
        other.ws.apply(tmp_path / "defs.yaml")
    other.close()


def test_nothing_of_yaml_is_applied_where_a_task_is_wrong(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "defs.yaml"
    file.write_text(
        f"sources: [{{name: more, url: 'duckdb://{shop.file}', table: events, time: time}}]\n"
        "tasks:\n"
        "- {name: good, linq: from more group, from_date: 0}\n"
        "- {name: bad, linq: from more group by tam, from_date: 0}\n"
        "- {name: worse, linq: from mor group, from_date: 0}\n"
    )
    with pytest.raises(SpecError) as raised:
        shop.ws.apply(file)
    assert [problem.path for problem in raised.value.problems] == ["task 'bad'", "task 'worse'"]
    assert "there is no column 'tam', at line 1, column 20" in str(raised.value)
    assert "there is no source 'mor' (did you mean 'more'?)" in str(raised.value)
    assert set(shop.ws.sources) == {"events"}
    assert len(shop.ws.tasks) == 0
    file.write_text(file.read_text().replace("tam", "team").replace("from mor group", "from more group"))
    shop.ws.apply(file)
    assert set(shop.ws.tasks) == {"good", "bad", "worse"}
    run(shop)
    file.write_text(file.read_text().replace("group by team", "group by player"))
    shop.ws.stop_task("good")
    shop.ws.apply(file)
    assert status(shop, "bad") == "PENDING_UPDATE"
