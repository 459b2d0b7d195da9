from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aggflow.catalog import Coverage, CoverageRow
from aggflow.engine.coarsen import Coarsening, Finer, build_order
from aggflow.engine.version import Version
from aggflow.measures.cells import Layout
from aggflow.measures.kind import FLOAT, INTEGER, ROWS
from aggflow.measures.registry import state_keys
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import Kept, Rollup
from aggflow.store import SegmentStore
from aggflow.timeline import ALWAYS, BEGINNING, Window, WindowSet

HOUR, DAY = 3_600_000_000, 86_400_000_000
COUNT, SUM = Kept(None, "", Calculation.COUNT), Kept("value", "", Calculation.SUM)
HOURLY = Rollup("events", "", "1h", "UTC", ("team", "player"), (COUNT, SUM))
DAILY = replace(HOURLY, interval="1d", groupings=("team",))


def version(rollup: Rollup, rollup_id: str = "coarse", field: object = FLOAT, hash_name: str = "") -> Version:
    kinds = {key: ROWS if key.measure == "count" else field for key in state_keys(rollup)}
    layout = Layout.of(rollup, kinds, hash_name)  # type: ignore[arg-type] - given as they are drawn
    return Version(rollup_id, 1, rollup, layout, ALWAYS)


def finer(rollup: Rollup = HOURLY, *windows: tuple[int, int], rows: int = 10, **options: object) -> Finer:
    name = str(options.pop("name", "fine"))
    covered = tuple(
        CoverageRow(i, name, 1, Window(start, end), f"{name}{i}", rows, 1, "", 0, None)
        for i, (start, end) in enumerate(windows or [(BEGINNING, 10 * DAY)])
    )
    return Finer(name, version(rollup, name, **options), Coverage(1, covered), None)  # type: ignore[arg-type] - given as they are drawn


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path)


def shares(
    store: SegmentStore,
    *found: Finer,
    coarse: Rollup = DAILY,
    wanted: tuple[int, int] = (0, 4 * DAY),
    cells: int = 10**6,
) -> list[tuple[str, int, int]]:
    coarsening = Coarsening(found, store, cells)
    windows = WindowSet.of(Window(*wanted))
    return [
        (share.finer.name, share.window.start, share.window.end)
        for share in coarsening.shares(version(coarse), windows)
    ]


def test_a_window_that_is_built_finer_is_made_of_it(store: SegmentStore) -> None:
    assert shares(store, finer()) == [("fine", 0, 4 * DAY)]
    assert shares(store, finer(), wanted=(BEGINNING, 4 * DAY)) == [("fine", BEGINNING, 4 * DAY)]
    assert shares(store) == []


def test_only_whole_coarse_buckets_are(store: SegmentStore) -> None:
    partly = finer(HOURLY, (5 * HOUR, 3 * DAY + 7 * HOUR))
    assert shares(store, partly) == [("fine", DAY, 3 * DAY)]
    assert shares(store, finer(HOURLY, (5 * HOUR, DAY + 7 * HOUR))) == []
    gap = finer(HOURLY, (0, DAY + HOUR), (DAY + 2 * HOUR, 4 * DAY))
    assert shares(store, gap) == [("fine", 0, DAY), ("fine", 2 * DAY, 4 * DAY)]


def test_an_end_that_cuts_a_bucket_is_made_of_what_is_built_exactly_so_far(store: SegmentStore) -> None:
    end = 3 * DAY + 7 * HOUR + 60_000_000
    assert shares(store, finer(HOURLY, (0, end)), wanted=(0, end)) == [("fine", 0, end)]
    # An hour that is built further than is wanted holds rows of after the end.
    assert shares(store, finer(HOURLY, (0, end + 1)), wanted=(0, end)) == [("fine", 0, 3 * DAY)]
    whole_hour = 3 * DAY + 7 * HOUR
    assert shares(store, finer(HOURLY, (0, end)), wanted=(0, whole_hour)) == [("fine", 0, whole_hour)]
    assert shares(store, finer(HOURLY, (0, end - 1)), wanted=(0, end)) == [("fine", 0, 3 * DAY)]


@pytest.mark.parametrize(
    "changed",
    [
        {"source": "others"},
        {"where": "@.team == 'a'"},
        {"groupings": ("player",)},
        {"interval": "7h"},
        {"interval": "2d"},
        {"kept": (COUNT,)},
        {"kept": (COUNT, replace(SUM, field="points"))},
        {"kept": (COUNT, replace(SUM, where="@.team == 'a'"))},
        {"kept": (COUNT, Kept("value", "", Calculation.MIN))},
    ],
)
def test_what_lacks_anything_makes_nothing(store: SegmentStore, changed: dict[str, object]) -> None:
    assert shares(store, finer(replace(HOURLY, **changed))) == []


def test_states_of_another_kind_or_hash_make_nothing(store: SegmentStore) -> None:
    assert shares(store, finer(HOURLY, field=INTEGER)) == []
    distinct = Kept("value", "", Calculation.APPROX_COUNT_DISTINCT)
    fine, coarse = replace(HOURLY, kept=(distinct,)), replace(DAILY, kept=(distinct,))
    asked = Coarsening([finer(fine, hash_name="duckdb")], store, 10)
    wanted = WindowSet.of(Window(0, DAY))
    assert asked.shares(version(coarse, hash_name="pandas"), wanted) == []
    assert len(asked.shares(version(coarse, hash_name="duckdb"), wanted)) == 1


def test_sketches_of_too_few_groupings_make_nothing(store: SegmentStore) -> None:
    sketch = Kept("value", "", Calculation.PERCENTILES)
    by_none = replace(HOURLY, kept=(replace(sketch, groupings=()),))
    by_team = replace(HOURLY, kept=(replace(sketch, groupings=("team",)),))
    coarse = replace(DAILY, kept=(sketch,))
    assert shares(store, finer(by_none), coarse=coarse) == []
    assert shares(store, finer(by_team), coarse=coarse) == [("fine", 0, 4 * DAY)]


def test_calendars_of_other_zones_make_nothing_hours_any(store: SegmentStore) -> None:
    local = replace(DAILY, time_zone="America/New_York")
    daily = finer(replace(HOURLY, interval="1d"), (0, 10 * DAY))
    assert shares(store, daily, coarse=local) == []
    end = 4 * DAY + 5 * HOUR
    built = finer(HOURLY, (0, 10 * DAY))
    assert shares(store, built, coarse=local, wanted=(5 * HOUR, end)) == [("fine", 5 * HOUR, end)]


def test_hours_are_no_part_of_days_when_clocks_were_set_by_the_sun(store: SegmentStore) -> None:
    local = replace(DAILY, time_zone="America/New_York")
    old = Window(-40_000 * DAY + 5 * HOUR, -39_999 * DAY + 5 * HOUR)  # in 1860
    fine = finer(HOURLY, (old.start, old.end))
    assert shares(store, fine, coarse=local, wanted=(old.start, old.end)) == []


def test_the_fewest_cells_are_read_and_the_rest_of_what_has_more(store: SegmentStore) -> None:
    few = finer(replace(HOURLY, groupings=("team",)), (0, 2 * DAY), rows=5, name="few")
    many = finer(HOURLY, (0, 3 * DAY), rows=50, name="many")
    assert shares(store, many, few) == [("few", 0, 2 * DAY), ("many", 2 * DAY, 3 * DAY)]


def test_much_is_made_in_parts_that_end_where_coarse_buckets_do(store: SegmentStore) -> None:
    hours = [(i * 6 * HOUR, (i + 1) * 6 * HOUR) for i in range(16)]
    assert shares(store, finer(HOURLY, *hours), cells=45) == [
        ("fine", 0, DAY),
        ("fine", DAY, 2 * DAY),
        ("fine", 2 * DAY, 3 * DAY),
        ("fine", 3 * DAY, 4 * DAY),
    ]
    assert len(shares(store, finer(HOURLY, *hours), cells=1)) == 4
    assert len(shares(store, finer(HOURLY, *hours), cells=1000)) == 1


def test_a_rollup_is_not_made_of_itself(store: SegmentStore) -> None:
    assert shares(store, finer(DAILY, name="coarse"), coarse=DAILY) == []


def test_what_had_arrived_is_what_the_oldest_of_them_saw(store: SegmentStore) -> None:
    some = replace(finer(), seen_us=7)
    assert Coarsening([some], store, 1).seen(9) == 7
    assert Coarsening([some], store, 1).seen(5) == 5
    assert Coarsening([some, finer()], store, 1).seen(9) == BEGINNING
    assert Coarsening([], store, 1).seen(9) == 9


def test_those_that_others_can_be_made_of_come_first() -> None:
    rollups = {
        "month": replace(DAILY, interval="1mo"),
        "day": DAILY,
        "all": replace(DAILY, groupings=(), interval="1h"),
        "hour": HOURLY,
    }
    assert build_order(rollups) == ["hour", "day", "month", "all"]
