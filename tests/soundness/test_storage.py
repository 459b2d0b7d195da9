"""How states are stored changes no answer: memory, compaction; what is damaged is an error that names it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from oracle import Event
from shop import Aggregation, Field, Shop, at

import aggflow as af
from aggflow.errors import SegmentDamagedError, SegmentMissingError

VALUE = Aggregation(
    "value", "value", ["COUNT", "SUM", "AVG", "STDDEV", "PERCENTILES"], sketch_groupings=["team"]
)
FIELDS = [
    Field("n", "value", "COUNT"),
    Field("avg", "value", "AVG"),
    Field("p", "value", "PERCENTILES", percentile=0.5),
]


def month(folder: Path, **settings: Any) -> Shop:
    """A shop with a month of events, December's."""
    shop = Shop(folder, at("2024-12-01 00:00"), **settings)
    shop.source()
    shop.filter("1h", groupings=["team", "player"], aggregations=[VALUE])
    teams = {"team": af.All()}
    series = af.TimeSeries("40d", "1d", include_incomplete=True)
    shop.ws.add_endpoint("total", filter="f", timing=af.Lookback("30d"), fields=FIELDS)
    shop.ws.add_endpoint("teams", filter="f", timing=af.Lookback("20d"), fields=FIELDS, groupings=teams)
    shop.ws.add_endpoint("days", filter="f", timing=series, fields=FIELDS, groupings=teams)
    shop.ws.add_endpoint(
        "best",
        filter="f",
        timing=af.Lookback("30d"),
        fields=FIELDS[:2],
        groupings={"team": af.All(), "player": af.All()},
        sort=[af.Sort("avg", "desc")],
        grouping_limits=[("team", 1), ("player", 2)],
    )
    shop.add(
        *(
            Event(
                at("2024-12-01 00:30") + timedelta(hours=5 * i),
                "abc"[i % 3],
                "xyzw"[i % 4],
                (i * 37 % 50) / 4 - 5,
            )
            for i in range(145)
        )
    )
    return shop


def build_often(shop: Shop, times: int = 8) -> None:
    for _ in range(times):
        shop.now += timedelta(hours=111)
        shop.build()


def check(shop: Shop) -> None:
    for name in ("total", "teams", "days", "best"):
        shop.check(name)


@pytest.mark.parametrize("budget", [0, pytest.param(6_000, marks=pytest.mark.slow), 10**9])
def test_whatever_fits_into_memory_answers_are_the_same(tmp_path: Path, budget: int) -> None:
    shop = month(tmp_path, resident_bytes=budget)
    build_often(shop)
    check(shop)
    check(shop)
    assert shop.ws._resident.bytes <= budget
    shop.close()


def test_compaction_changes_no_answer(tmp_path: Path) -> None:
    shop = month(tmp_path, garbage_grace=0)
    build_often(shop)
    before = shop.ws.status()[0]
    reports, garbage = shop.ws.maintain()
    after = shop.ws.status()[0]
    assert after.segments <= before.segments / 2
    assert after.covered == before.covered
    assert reports[0].segments_written > 0
    assert garbage.superseded >= before.segments - after.segments
    check(shop)
    assert shop.ws.verify("f").agrees
    # Half of what was compacted is built again: the file is cut, not lost.
    shop.build(until=at("2024-12-10 12:00"), full=True)
    check(shop)
    shop.ws.maintain()
    check(shop)
    assert shop.ws.verify("f").agrees
    shop.close()


def test_builds_compact_by_themselves(tmp_path: Path) -> None:
    shop = month(tmp_path, compact_segments=4)
    build_often(shop)
    assert shop.ws.status()[0].segments < 8
    check(shop)
    shop.close()


def segments(shop: Shop) -> list[Path]:
    return sorted((shop.folder / "home" / "segments").rglob("*.parquet"))


@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
def test_a_damaged_segment_is_an_error_that_names_it(tmp_path: Path, how: str) -> None:
    shop = month(tmp_path, resident_bytes=0)
    build_often(shop, 3)
    file = segments(shop)[1]
    data = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        middle = len(data) // 2
        file.write_bytes(
            data[:middle] if how == "cut" else data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        )
    error = SegmentMissingError if how == "gone" else SegmentDamagedError
    with pytest.raises(error, match=file.name):
        shop.ask("total")
    # States can be made again of the source.
    shop.build(full=True)
    check(shop)
    shop.close()
