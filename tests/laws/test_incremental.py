"""Law: whatever arrives and is built in whatever order and cut, answers are those of the oracle.

Events arrive, late ones too; builds run up to anywhere, in batches of any size; questions of any
form come in between.  At every moment an answer is made of all rows that exist, but for late rows
in what is built already, which the next build finds.  At the end the states are those that the
source gives, and those of one full build.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import oracle
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from oracle import RULES, Event
from shop import Aggregation, Field, Shop

import aggflow as af

START = datetime(2025, 3, 10, 16, 20, tzinfo=UTC)  # a day after clocks changed in New York
LATENESS = timedelta(hours=3)

# By interval: durations of lookbacks, and by the interval of a series, its durations.
LOOKBACKS = {
    "2m": ["2m", "3m", "10m", "5h", "3d"],
    "13m": ["13m", "20m", "4h", "2d"],
    "1h": ["1h", "90m", "6h", "3d"],
    "1d": ["1d", "36h", "5d"],
}
SERIES: dict[str, dict[str | None, list[str]]] = {
    "2m": {None: ["3m", "20m"], "4m": ["10m"], "1h": ["90m", "1d"], "1d": ["2d"]},
    "13m": {None: ["1h", "5h"], "26m": ["2h"], "39m": ["40m"]},
    "1h": {None: ["90m", "2d"], "3h": ["4h", "1d"], "1d": ["36h", "3d"], "1w": ["20d"]},
    "1d": {None: ["36h", "4d"], "2d": ["5d"], "1w": ["8d"], "1mo": ["40d"]},
}
EXACT = ["COUNT", "SUM", "AVG", "MIN", "MAX", "FIRST", "LAST", "APPROX_COUNT_DISTINCT"]
CALCULATIONS = [*EXACT, "STDDEV", "VAR_POP", "PERCENTILES"]

teams = st.sampled_from(["a", "b", None])
players = st.sampled_from(["x", "y", "z", None])
# Quarters add up exactly, in whatever order.
quarters = st.integers(-40, 40).map(lambda n: n / 4)
numbers = st.one_of(quarters, quarters, st.sampled_from([None, float("nan"), float("inf"), 0.0]))
minutes = st.integers(-15, 400)


@dataclass(frozen=True)
class Arrive:
    """Rows: each so many minutes and seconds ago, with its values."""

    rows: list[tuple[int, int, str | None, str | None, float | None, int | None]]


@dataclass(frozen=True)
class Pass:
    """Time goes by."""

    minutes: int


@dataclass(frozen=True)
class Build:
    """A build, up to so many minutes ago."""

    ago: int | None
    full: bool


@dataclass(frozen=True)
class Ask:
    """A question, with an end so many minutes ago."""

    endpoint: dict[str, Any]
    ago: int | None


@dataclass(frozen=True)
class Compact:
    """Small segments become large ones."""


Step: TypeAlias = Arrive | Pass | Build | Ask | Compact


@dataclass(frozen=True)
class Plan:
    """A filter, the settings of a workspace, and what happens."""

    filter: dict[str, Any]
    late: str
    settings: dict[str, Any]
    steps: list[Step] = field(default_factory=list)


arrivals = st.builds(
    Arrive,
    st.lists(
        st.tuples(
            minutes, st.sampled_from([0, 0, 1, 59]), teams, players, numbers, st.none() | st.integers(0, 5)
        ),
        min_size=1,
        max_size=8,
    ),
)
passing = st.builds(Pass, st.sampled_from([1, 7, 40, 60, 200, 1500]))
builds = st.builds(Build, st.none() | st.integers(0, 300), st.sampled_from([False, False, False, True]))


@st.composite
def filters(draw: Callable[..., Any]) -> dict[str, Any]:
    groupings = draw(st.sampled_from([[], ["team"], ["player", "team"], ["team", "player"]]))
    aggregations = [
        Aggregation(
            name,
            draw(st.sampled_from(["value", "points"])),
            draw(st.lists(st.sampled_from(CALCULATIONS), min_size=1, max_size=4, unique=True)),
            where=draw(st.sampled_from(["", *RULES])),
            sketch_groupings=draw(st.sampled_from([None, None, groupings[:1]])),
        )
        for name in ("one", "two")[: draw(st.integers(1, 2))]
    ]
    interval = draw(st.sampled_from(list(LOOKBACKS)))
    return {
        "interval": interval,
        "where": draw(st.sampled_from(["", *RULES])),
        "groupings": groupings,
        "aggregations": aggregations,
        "time_zone": draw(st.sampled_from(["UTC", "America/New_York"])),
    }


@st.composite
def choices(draw: Callable[..., Any], groupings: list[str], coarse: set[str]) -> dict[str, Any]:
    values = {"team": ["a", "b", None, "none"], "player": ["x", "z", None]}
    found: dict[str, Any] = {}
    for name in groupings:
        fixed = st.builds(
            af.Fixed, st.lists(st.sampled_from(values[name]), min_size=1, max_size=2), st.booleans()
        )
        if name in coarse:
            found[name] = draw(st.just(af.All()) | st.just(af.Aggregate()) | fixed)
    return found


@st.composite
def endpoints(draw: Callable[..., Any], of: dict[str, Any]) -> dict[str, Any]:
    series = draw(st.booleans())
    offset = draw(st.sampled_from(["0s", "0s", "1m", "90m", "1d"]))
    incomplete = draw(st.booleans())
    lookbacks = LOOKBACKS[of["interval"]]
    pairs = [(a, c) for a in of["aggregations"] for c in a.calculations]
    fields: list[af.Field] = []
    for i, (a, c) in enumerate(draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3))):
        own = not series and draw(st.integers(0, 3)) == 0
        fields.append(
            Field(
                f"f{i}",
                a.name,
                c,
                percentile=draw(st.sampled_from([0, 0.5, 0.07, 0.95, 1])) if c == "PERCENTILES" else None,
                duration=draw(st.sampled_from(lookbacks)) if own else None,
                offset=draw(st.sampled_from(["0s", "2h"])) if own else None,
                include_incomplete=draw(st.booleans()) if own else None,
            )
        )
    if series:
        interval = draw(st.sampled_from(list(SERIES[of["interval"]])))
        duration = draw(st.sampled_from(SERIES[of["interval"]][interval]))
        timing: Any = af.TimeSeries(duration, interval, offset, incomplete)
    else:
        timing = af.Lookback(draw(st.sampled_from(lookbacks)), offset, incomplete)
    # A sketch that is kept coarser cannot be told apart any finer.
    by_name = {a.name: a for a in of["aggregations"]}
    coarse = set(of["groupings"])
    for f in fields:
        kept = by_name[f.aggregation].sketch_groupings
        if f.calculation is not None and f.calculation.is_sketch and kept is not None:
            coarse &= set(kept)
    groupings = draw(choices(of["groupings"], coarse))
    returned = [n for n, choice in groupings.items() if getattr(choice, "returned", choice.kind == "all")]
    by = [*returned, *(["dt"] if series else []), *(f.name for f in fields if f.calculation in EXACT)]
    sorts = st.builds(af.Sort, st.sampled_from(by), st.sampled_from(["asc", "desc"])) if by else st.nothing()
    limited = draw(st.permutations(returned))[: draw(st.integers(0, len(returned)))]
    return {
        "timing": timing,
        "fields": fields,
        "groupings": groupings,
        "sort": draw(st.lists(sorts, max_size=2)) if by else [],
        "limit": draw(st.sampled_from([None, None, 1, 3])),
        "grouping_limits": [(name, draw(st.integers(1, 2))) for name in limited],
    }


@st.composite
def plans(draw: Callable[..., Any]) -> Plan:
    of = draw(filters())
    asks = st.builds(Ask, endpoints(of), st.none() | st.sampled_from([0, 5, 61, 180, 1500, -30]))
    steps = st.one_of(arrivals, arrivals, passing, builds, asks, asks, st.just(Compact()))
    return Plan(
        of,
        draw(st.sampled_from(["never", "lateness", "ingestion"])),
        {
            "batch_rows": draw(st.sampled_from([1, 3, 10_000_000])),
            "slice_rows": draw(st.sampled_from([1, 2, 1_000_000])),
            "resident_bytes": draw(st.sampled_from([0, 2000, 10**9])),
        },
        draw(st.lists(steps, min_size=4, max_size=12)),
    )


class History:
    """What happened so far, and what an answer can know of it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.shop = Shop(folder, START, **plan.settings)
        options = {
            "never": {},
            "lateness": {"lateness": "3h"},
            "ingestion": {"ingestion_time": "arrived"},
        }
        self.shop.source(**options[plan.late])
        self.of = self.shop.filter(**plan.filter)
        self.until: datetime | None = None
        self.unseen: list[Event] = []
        self.asked: list[tuple[str, datetime]] = []

    def bucket(self, moment: datetime) -> datetime:
        return oracle.bucket(moment, self.of.interval, self.of.time_zone)

    def is_covered(self, moment: datetime) -> bool:
        """Whether the bucket of an instant was built whole."""
        return self.until is not None and self.bucket(moment) < self.bucket(self.until)

    def take(self, step: Step) -> None:
        match step:
            case Arrive(rows):
                self.arrive(rows)
            case Pass(passed):
                self.shop.now += timedelta(minutes=passed)
            case Build(ago, full):
                self.build(ago, full)
            case Ask(endpoint, ago):
                self.ask(endpoint, ago)
            case Compact():
                self.shop.ws.maintain()

    def arrive(self, rows: list[Any]) -> None:
        now = self.shop.now
        events = [
            Event(now - timedelta(minutes=m, seconds=-s), team, player, value, points, now)
            for m, s, team, player, value, points in rows
        ]
        events = [event for event in events if self.may_arrive(event)]
        self.shop.add(*events)
        self.unseen += [event for event in events if self.is_covered(event.time)]

    def may_arrive(self, event: Event) -> bool:
        """Late rows come only as late as the source says."""
        if self.plan.late == "ingestion" or not self.is_covered(event.time):
            return True
        assert self.until
        return self.plan.late == "lateness" and event.time >= self.until - LATENESS

    def build(self, ago: int | None, full: bool) -> None:
        until = None if ago is None else self.shop.now - timedelta(minutes=ago)
        self.shop.build(until=until, full=full)
        self.until = max(until or self.shop.now, self.until or oracle.EPOCH)
        if self.plan.late != "never" or not full:
            self.unseen = []

    def ask(self, endpoint: dict[str, Any], ago: int | None) -> None:
        name = f"e{len(self.asked)}"
        spec = self.shop.ws.add_endpoint(name, filter="f", **endpoint).spec
        end = self.shop.now if ago is None else self.shop.now - timedelta(minutes=ago)
        known = [event for event in self.shop.events if event not in self.unseen]
        note(f"{spec} at {end}, now {self.shop.now}, built to {self.until}")
        answer = self.shop.ws.query(name, end=None if ago is None else end)
        oracle.assert_equal(answer.rows, oracle.answer(known, self.of, spec, end), spec)
        self.asked.append((name, end))

    def finish(self, folder: Path) -> None:
        """All is built; the states are those of the source, and those of one full build."""
        self.build(None, full=False)
        report = self.shop.ws.verify("f", sample=10)
        assert report.agrees, report.differences
        whole = Shop(folder, self.shop.now, name="whole")
        whole.source()
        whole.filter(**self.plan.filter)
        whole.build(full=True)
        for name, end in self.asked:
            spec = self.shop.ws.endpoints[name].spec
            whole.ws._declarations.put_endpoint(spec)
            ours = self.shop.ask(name, end)
            oracle.assert_equal(ours, whole.ask(name, end), spec)
            oracle.assert_equal(ours, self.shop.expected(name, end), spec)
        whole.close()


def happens(plan: Plan) -> None:
    with TemporaryDirectory() as folder:
        history = History(Path(folder), plan)
        try:
            for step in plan.steps:
                history.take(step)
            history.finish(Path(folder))
        finally:
            history.shop.close()


@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(plans())
def test_every_history_answers_as_the_oracle(plan: Plan) -> None:
    happens(plan)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(plans())
def test_many_histories_answer_as_the_oracle(plan: Plan) -> None:
    happens(plan)
