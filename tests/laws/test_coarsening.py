"""Law: a coarser aggregate made of a finer one's states is the one that source rows give.

For every calculation, in every zone and grain, whole and at the end that is still open; and however
rows arrive between batches, late ones too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st
from oracle import Event
from shop import Aggregation, Shop

import aggflow as af
from aggflow.engine.batch import BatchReport
from aggflow.engine.plan import pieces
from aggflow.engine.reader import cut
from aggflow.engine.reduction import merged
from aggflow.measures.registry import MEASURES
from aggflow.spec.calculation import Calculation
from aggflow.timeline import ALWAYS

START = datetime(2025, 3, 10, 16, 20, tzinfo=UTC)  # a day after clocks changed in New York
LATENESS = timedelta(hours=3)
#: Intervals, and those that each divides.
COARSER = {
    "2m": ["2m", "4m", "1h", "1d", "1mo"],
    "15m": ["15m", "30m", "1h", "1d", "1w", "1mo"],
    "1h": ["1h", "3h", "1d", "2d", "1w", "1q"],
    "1d": ["1d", "2d", "1w", "1mo", "1y"],
}
GROUPINGS = ["team", "player", "=upper(team)"]
DIMENSIONS = ["team", "player", af.Dimension("upper", "=upper(team)")]
NAMES = dict(zip(GROUPINGS, ["team", "player", "upper"], strict=True))

teams = st.sampled_from(["a", "b", "A", None])
players = st.sampled_from(["x", "y", None])
# Quarters add up exactly, in whatever order.
numbers = st.one_of(
    st.integers(-40, 40).map(lambda n: n / 4), st.sampled_from([None, float("nan"), float("inf"), 0.0])
)
points = st.sampled_from([None, -5, 0, 3, 2**40, -(2**40)])


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
    """A batch."""

    full: bool


@dataclass(frozen=True)
class BuildOne:
    """One aggregate by itself, of the source."""

    name: str


Step: TypeAlias = Arrive | Pass | Build | BuildOne


@dataclass(frozen=True)
class Plan:
    """A cube with a finer and a coarser aggregate, and what happens."""

    cube: dict[str, Any]
    late: str
    settings: dict[str, Any]
    steps: list[Step] = field(default_factory=list)


arrivals = st.builds(
    Arrive,
    st.lists(
        st.tuples(st.integers(0, 3000), st.sampled_from([0, 0, 1, 59]), teams, players, numbers, points),
        min_size=1,
        max_size=12,
    ),
)


@st.composite
def aggregations(draw: Callable[..., Any], name: str, groupings: list[str]) -> Any:
    coarse = draw(st.sampled_from([None, groupings[:1]]))
    calculations = draw(st.lists(st.sampled_from(list(Calculation)), min_size=1, max_size=5, unique=True))
    sketch = draw(st.sampled_from([Calculation.PERCENTILES, Calculation.APPROX_COUNT_DISTINCT]))
    return Aggregation(
        name,
        draw(st.sampled_from(["value", "points", "=value * 2"])),
        calculations if coarse is None else list({*calculations, sketch}),
        where=draw(st.sampled_from(["", "", "@.team == 'a'", "=points > 0"])),
        sketch_groupings=coarse,
    )


@st.composite
def cubes(draw: Callable[..., Any]) -> dict[str, Any]:
    fine = draw(st.lists(st.sampled_from(list(NAMES.values())), unique=True, max_size=3))
    coarse = draw(st.lists(st.sampled_from(fine), unique=True)) if fine else []
    measures = [draw(aggregations(name, fine)) for name in ("one", "two")[: draw(st.integers(1, 2))]]
    interval = draw(st.sampled_from(list(COARSER)))
    kept = draw(st.none() | st.lists(st.sampled_from([m.name for m in measures]), min_size=1, unique=True))
    return {
        "dimensions": DIMENSIONS,
        "measures": measures,
        "where": draw(st.sampled_from(["", "@.player != 'y'"])),
        "time_zone": draw(st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo"])),
        "aggregates": [
            af.CubeAggregate("fine", interval, fine),
            af.CubeAggregate("wide", draw(st.sampled_from(COARSER[interval])), coarse, kept),
        ],
    }


@st.composite
def plans(draw: Callable[..., Any]) -> Plan:
    steps = st.one_of(
        arrivals,
        arrivals,
        st.builds(Pass, st.sampled_from([1, 7, 40, 60, 200, 1500])),
        st.builds(Build, st.sampled_from([False, False, True])),
        st.builds(BuildOne, st.sampled_from(["fine", "wide"])),
    )
    return Plan(
        draw(cubes()),
        draw(st.sampled_from(["never", "lateness", "ingestion"])),
        {"batch_rows": draw(st.sampled_from([1, 5, 10_000_000]))},
        draw(st.lists(steps, min_size=3, max_size=9)),
    )


class History:
    """What happened so far."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.folder = folder
        self.shop = Shop(folder, START, **plan.settings)
        options = {"lateness": {"lateness": "3h"}, "ingestion": {"ingestion_time": "arrived"}}
        self.shop.source(**options.get(plan.late, {}))
        self.shop.ws.add_cube("c", source="events", **plan.cube)
        self.until: datetime | None = None

    def take(self, step: Step) -> None:
        match step:
            case Arrive(rows):
                now = self.shop.now
                events = [
                    Event(now - timedelta(minutes=m, seconds=-s), t, p, v, n, now)
                    for m, s, t, p, v, n in rows
                ]
                self.shop.add(*[one for one in events if self.may_arrive(one)])
            case Pass(minutes):
                self.shop.now += timedelta(minutes=minutes)
            case Build(full):
                self.batch(full=full)
            case BuildOne(name):
                self.shop.ws.build(f"cube c/{name}", progress=False)
                self.until = self.shop.now

    def may_arrive(self, one: Event) -> bool:
        """Late rows come only as late as the source says."""
        if self.plan.late == "ingestion" or self.until is None or one.time >= self.until:
            return True
        return self.plan.late == "lateness" and one.time >= self.until - LATENESS

    def batch(self, *, full: bool) -> BatchReport:
        report = self.shop.ws.build_cube("c", full=full, progress=False)
        self.until = self.shop.now
        return report

    def check(self) -> None:
        """What is built is what one full build of the coarser aggregate alone gives."""
        whole = Shop(self.folder, self.shop.now, name="whole")
        whole.source()
        alone = {**self.plan.cube, "aggregates": self.plan.cube["aggregates"][1:]}
        whole.ws.add_cube("c", source="events", **alone)
        whole.ws.build("cube c/wide", full=True, progress=False)
        same(finished(self.shop, "cube c/wide"), finished(whole, "cube c/wide"))
        for name in ("fine", "wide"):
            report = self.shop.ws.verify(f"cube c/{name}", sample=10)
            assert report.agrees, report.differences
        whole.close()


def finished(shop: Shop, reference: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Every value that can be made of a rollup's states, by grain, bucket and values of groupings."""
    ws = shop.ws
    target = ws._targets.get(reference)
    served = ws._posing.rollups.get(target.rollup_id)
    vocabularies = ws._resident.vocabularies(target.rollup_id)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for piece in pieces(served.versions, served.coverage, ALWAYS):
        layout = piece.version.layout
        if piece.row is None or piece.row.file is None or layout is None:
            continue
        for number, whole in enumerate(ws._resident.grains(layout, piece.row)):
            cells = cut(whole, piece.window)
            columns = [vocabularies[path].decode(codes) for path, codes in cells.codes.items()]
            for i, key in enumerate(zip(cells.buckets.tolist(), *columns, strict=True)):
                one = merged(cells.slice(i, i + 1), (), None, layout.kinds)
                values: dict[str, Any] = {"rows": int(one.rows[0])}
                for state_key, state in one.states.items():
                    measure, kind = MEASURES[state_key.measure], layout.kinds[state_key]
                    for calculation in measure.calculations:
                        percentile = "0.5" if calculation is Calculation.PERCENTILES else None
                        (value,) = measure.finish(state, calculation, kind, percentile).to_list()
                        values[f"{state_key.text} {calculation}"] = value
                assert (number, *key) not in found, "a cell is stored twice"
                found[number, *key] = values
    return found


def same(ours: dict[tuple[Any, ...], dict[str, Any]], theirs: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    """Deviations but for rounding; all else exactly."""
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        assert ours[key].keys() == values.keys()
        for name, value in values.items():
            found = ours[key][name]
            if name.split(" ")[-1].startswith(("VAR", "STDDEV")) and None not in (value, found):
                assert math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-9), (key, name)
            else:
                assert (type(found), found) == (type(value), value), (key, name)


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(cubes(), arrivals, st.sampled_from([1, 5, 10_000_000]))
def test_a_coarse_aggregate_made_of_a_finer_one_is_that_of_the_source(
    cube: dict[str, Any], rows: Arrive, batch_rows: int
) -> None:
    with TemporaryDirectory() as folder:
        history = History(Path(folder), Plan(cube, "never", {"batch_rows": batch_rows}))
        try:
            history.take(rows)
            report = history.batch(full=True)
            coarse = report.aggregates["wide"]
            note(f"{report}")
            assert coarse.rows_read == 0, "source rows were read"
            assert report.batch.aggregates == ("fine", "wide")
            kept = report.aggregates["fine"].rows_read
            event("with events" if kept else "without")
            assert (coarse.states_read > 0) == (kept > 0)
            history.check()
        finally:
            history.shop.close()


def happens(plan: Plan) -> None:
    with TemporaryDirectory() as folder:
        history = History(Path(folder), plan)
        try:
            for step in plan.steps:
                history.take(step)
            history.batch(full=False)
            history.check()
        finally:
            history.shop.close()


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(plans())
def test_incremental_batches_in_any_history_are_one_full_build(plan: Plan) -> None:
    happens(plan)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(plans())
def test_incremental_batches_in_many_histories_are_one_full_build(plan: Plan) -> None:
    happens(plan)
