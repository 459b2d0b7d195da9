"""States read from each backend are those of brute force: counts and whole numbers exactly, floats to 1e-9."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from conftest import Open
from engines import engines
from events import EPOCH, Loaded, Row, instant, micros
from expected import FLOORS, Asked, Bucket, bins, calendar, cells, close, finished, fixed, values

from aggflow.backends.bucket import bucket_of
from aggflow.backends.extent import extent
from aggflow.backends.rollup_sql import (
    layout_of,
    newest_arrival,
    null_times,
    read_states,
    stream_states,
    touched_since,
)
from aggflow.backends.source_rows import SourceRows
from aggflow.measures.cells import Cells
from aggflow.measures.quantile import OFFSET
from aggflow.measures.registry import MEASURES, StateKey, state_key
from aggflow.measures.state import Sketch
from aggflow.spec.aggregation import Aggregation
from aggflow.spec.calculation import Calculation
from aggflow.spec.filter import Filter
from aggflow.spec.rollup import Rollup, kept_for, rollup_of
from aggflow.store import Vocabularies
from aggflow.timeline import ALWAYS, Interval, Window, Zone

FIRST, END = instant("1890-01-01T00:00:00"), instant("2310-01-01T00:00:00")
ALL_TIME = Window(micros(FIRST), micros(END))
NUMERIC = ("SUM", "AVG", "MIN", "MAX", "VAR", "VAR_POP", "STDDEV", "STDDEV_POP")
EVERYTHING = ("COUNT", *NUMERIC, "FIRST", "LAST", "PERCENTILES", "APPROX_COUNT_DISTINCT")


def of(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def asking(
    name: str, field: str | None = None, calculations: Any = ("COUNT",), where: str = ""
) -> Aggregation:
    return Aggregation(name, field, calculations, where)


def declare(interval: str, **options: Any) -> Filter:
    return Filter("f", "events", interval, **options)


def window(start: str, end: str) -> tuple[datetime, datetime]:
    return instant(start), instant(end)


def agree(
    rows: SourceRows,
    declared: Filter,
    fields: dict[str, Asked],
    loaded: Loaded,
    *,
    bucket: Bucket,
    by: tuple[Callable[[Row], Any], ...] = (),
    where: Callable[[Row], bool] = lambda row: True,
    time: Callable[[Row], datetime | None] = lambda row: row["happened"],
    span: tuple[datetime, datetime] = (FIRST, END),
) -> int:
    """Read a filter's states and compare every cell; how many cells there were."""
    rollup = rollup_of(declared)
    expected = cells(loaded.rows, time=time, start=span[0], end=span[1], bucket=bucket, by=by, where=where)
    vocabularies = Vocabularies()
    layout = layout_of(rollup, rows)
    read = read_states(rows, rollup, layout, Window(*map(micros, span)), vocabularies)
    (found,) = read.grains
    groups = [vocabularies[path].decode(found.codes[path]) for path in rollup.groupings]
    names = list(zip(found.buckets.tolist(), *groups, strict=True))
    assert sorted(names, key=repr) == sorted(expected, key=repr)
    assert [len(expected[name]) for name in names] == found.rows.tolist()
    assert read.rows == sum(map(len, expected.values()))
    for aggregation in declared.aggregations:
        asked = fields[aggregation.name]
        for calculation in aggregation.calculations:
            key = state_key(kept_for(aggregation, calculation, declared), rollup)
            compare = _same_bins if calculation is Calculation.PERCENTILES else partial(_same, calculation)
            for i, name in enumerate(names):
                compare(found, i, key, layout.kinds[key], expected[name], asked, (aggregation.name, name))
    return len(names)


def _same(
    calculation: Calculation,
    found: Cells,
    i: int,
    key: StateKey,
    kind: Any,
    rows: list[Row],
    asked: Asked,
    at: Any,
) -> None:
    one = found.slice(i, i + 1)
    (got,) = MEASURES[key.measure].finish(one.states[key], calculation, kind, None).to_list()
    wanted = finished(rows, asked, calculation.value)
    if calculation is Calculation.APPROX_COUNT_DISTINCT:
        assert abs(got - wanted) <= max(1, wanted * 0.05), at  # two of few may share a slot
    else:
        assert close(got, wanted), (at, calculation, got, wanted)


def _same_bins(
    found: Cells, i: int, key: StateKey, kind: Any, rows: list[Row], asked: Asked, at: Any
) -> None:
    sketch = found.slice(i, i + 1).states[key]["sketch"]
    assert isinstance(sketch, Sketch)
    unit = 10**kind.scale
    wanted = bins([v * unit for v in values(rows, asked)])
    signed = {sign * (size + OFFSET): n for (sign, size), n in wanted.items()}
    assert dict(zip(sketch.keys.tolist(), sketch.counts.tolist(), strict=True)) == signed, at


# -- every calculation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["amount", "units", "small"])
def test_every_calculation_of_numbers(loaded: Loaded, open_rows: Open, field: str) -> None:
    declared = declare("1d", aggregations=(asking("it", field, EVERYTHING),))
    with open_rows() as rows:
        assert agree(rows, declared, {"it": Asked(of(field))}, loaded, bucket=fixed(86_400)) > 20


def test_integers_at_both_ends_of_64_bits_are_exact(loaded: Loaded, open_rows: Open) -> None:
    aggregation = asking("it", "extreme", ("COUNT", "MIN", "MAX", "FIRST", "LAST", "APPROX_COUNT_DISTINCT"))
    declared = declare("1h", aggregations=(aggregation,))
    with open_rows() as rows:
        agree(rows, declared, {"it": Asked(of("extreme"))}, loaded, bucket=fixed(3600))


def test_sums_of_large_integers_never_pass_through_a_float(loaded: Loaded, open_rows: Open) -> None:
    declared = declare("1y", groupings=("flag",), aggregations=(asking("it", "extreme", ("SUM",)),),
        where="@.id < 12 || @.extreme == 9223372036854775807",
    )  # fmt: skip
    rollup = rollup_of(declared)
    with open_rows() as rows:
        layout = layout_of(rollup, rows)
        read = read_states(rows, rollup, layout, ALL_TIME, Vocabularies())
    kept = [r for r in loaded.rows if r["happened"] and (r["id"] < 12 or r["extreme"] == 2**63 - 1)]
    state = next(iter(read.grains[0].states.values()))
    high, low = int(state["high"].sum()), int(state["low"].sum())  # type: ignore[union-attr] - no sketch
    assert (high << 32) + low == sum(r["extreme"] for r in kept if r["extreme"] is not None)


def test_floats_at_both_ends_of_their_range(loaded: Loaded, open_rows: Open) -> None:
    aggregation = asking("it", "wild", ("MIN", "MAX", "FIRST", "LAST", "PERCENTILES"))
    declared = declare("1h", aggregations=(aggregation,))
    with open_rows() as rows:
        agree(rows, declared, {"it": Asked(of("wild"))}, loaded, bucket=fixed(3600))


def test_decimals(loaded: Loaded, open_rows: Open) -> None:
    def price(row: Row) -> Any:
        return row["price"] if loaded.decimals or row["price"] is None else float(row["price"])

    aggregation = asking("it", "price", ("COUNT", *NUMERIC, "FIRST", "LAST", "PERCENTILES"))
    declared = declare("1d", aggregations=(aggregation,))
    with open_rows() as rows:
        agree(rows, declared, {"it": Asked(price)}, loaded, bucket=fixed(86_400))


@pytest.mark.parametrize("field", ["kind", "flag"])
def test_what_is_no_number_has_first_last_and_distinct(loaded: Loaded, open_rows: Open, field: str) -> None:
    aggregation = asking("it", field, ("COUNT", "FIRST", "LAST", "APPROX_COUNT_DISTINCT"))
    declared = declare("1d", aggregations=(aggregation,))
    with open_rows() as rows:
        agree(rows, declared, {"it": Asked(of(field))}, loaded, bucket=fixed(86_400))


def test_sub_filters(loaded: Loaded, open_rows: Open) -> None:
    calculations = ("COUNT", "SUM", "MIN", "STDDEV", "FIRST", "PERCENTILES", "APPROX_COUNT_DISTINCT")
    declared = declare(
        "1d",
        aggregations=(
            asking("positive", "amount", calculations, where="@.units > 0"),
            asking("flagged", "amount", calculations, where="@.flag == true && @.kind != 'a'"),
            asking("rows", where="!(@.kind)"),
        ),
    )
    fields = {
        "positive": Asked(of("amount"), lambda r: r["units"] is not None and r["units"] > 0),
        "flagged": Asked(of("amount"), lambda r: bool(r["flag"]) and r["kind"] not in (None, "a")),
        "rows": Asked(of("id"), lambda r: r["kind"] is None),
    }
    with open_rows() as rows:
        agree(rows, declared, fields, loaded, bucket=fixed(86_400))


# -- groupings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["kind", "flag", "code", "small"])
def test_groupings_hold_any_value_and_null(loaded: Loaded, open_rows: Open, path: str) -> None:
    declared = declare("1y", groupings=(path,), aggregations=(asking("it", "units", ("SUM", "LAST")),))
    with open_rows() as rows:
        agree(
            rows, declared, {"it": Asked(of("units"))}, loaded,
            bucket=calendar(timedelta(0), FLOORS["1y"]), by=(of(path),),
        )  # fmt: skip


def test_floating_groupings_without_a_number_are_missing(loaded: Loaded, open_rows: Open) -> None:
    def amount(row: Row) -> Any:
        return next(iter(values([row], Asked(of("amount")))), None)

    aggregation = asking("it", "units", ("COUNT", "SUM", "PERCENTILES", "APPROX_COUNT_DISTINCT"))
    declared = declare("1y", groupings=("amount",), aggregations=(aggregation,))
    with open_rows() as rows:
        agree(
            rows, declared, {"it": Asked(of("units"))}, loaded,
            bucket=calendar(timedelta(0), FLOORS["1y"]), by=(amount,),
        )  # fmt: skip


def test_several_groupings_at_once(loaded: Loaded, open_rows: Open) -> None:
    aggregation = asking("it", "amount", ("COUNT", "AVG", "FIRST", "PERCENTILES", "APPROX_COUNT_DISTINCT"))
    declared = declare("1h", groupings=("kind", "flag", "day"), aggregations=(aggregation,))

    def day(row: Row) -> Any:
        return None if row["day"] is None else row["day"].isoformat()

    with open_rows() as rows:
        agree(
            rows,
            declared,
            {"it": Asked(of("amount"))},
            loaded,
            bucket=fixed(3600),
            by=(of("kind"), of("flag"), day),
        )


def test_times_group_by_their_instant(loaded: Loaded, open_rows: Open) -> None:
    def stamp(row: Row) -> str:
        us = row["happened"].microsecond
        fraction = f".{us:06}" if us % 1000 else f".{us // 1000:03}" if us else ""
        return f"{row['happened']:%Y-%m-%dT%H:%M:%S}{fraction}Z"

    rollup = rollup_of(declare("1y", groupings=("happened",)))
    vocabularies = Vocabularies()
    with open_rows() as rows:
        read = read_states(rows, rollup, layout_of(rollup, rows), ALL_TIME, vocabularies)
    found: Counter[Any] = Counter()
    # Two spellings of an instant may be two cells; every answer merges them.
    names = vocabularies["happened"].decode(read.grains[0].codes["happened"])
    for name, count in zip(names, read.grains[0].rows.tolist(), strict=True):
        found[name] += count
    assert found == Counter(stamp(row) for row in loaded.rows if row["happened"])


@pytest.mark.parametrize(
    "loaded", engines("duckdb", "parquet", "polars", "datafusion", "pyspark"), indirect=True
)
def test_structs_are_looked_into(loaded: Loaded, open_rows: Open) -> None:
    """Of those that hold any: what has none has no column of structs either."""

    def city(row: Row) -> Any:
        return None if row["place"] is None else row["place"]["city"]

    def code(row: Row) -> Any:
        return None if row["place"] is None else row["place"]["zip"]

    aggregation = asking("it", "@.place.zip", EVERYTHING)
    declared = declare(
        "1y",
        where="@.tags.length >= 2",
        groupings=("@.place.city",),
        aggregations=(aggregation,),
    )
    with open_rows() as rows:
        agree(
            rows, declared, {"it": Asked(code)}, loaded, bucket=calendar(timedelta(0), FLOORS["1y"]), by=(city,),
            where=lambda r: r["tags"] is not None and len(r["tags"]) >= 2,
        )  # fmt: skip


# -- JSON -----------------------------------------------------------------------------------------------


def at(*parts: str) -> Callable[[Row], Any]:
    """What stands at a path of a row's document; null where there is none, or no JSON at all."""

    def value(row: Row) -> Any:
        try:
            found = None if row["doc"] is None else json.loads(row["doc"])
        except ValueError:
            return None
        for part in parts:
            found = found.get(part) if isinstance(found, dict) else None
        return found

    return value


def as_text(value: Callable[[Row], Any]) -> Callable[[Row], Any]:
    def text(row: Row) -> Any:
        found = value(row)
        if isinstance(found, bool):
            return "true" if found else "false"
        return found if found is None or isinstance(found, str) else str(found)

    return text


def as_number(value: Callable[[Row], Any]) -> Callable[[Row], Any]:
    def number(row: Row) -> Any:
        found = as_text(value)(row)
        fits = found is not None and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", found)
        found = float(str(found)) if fits else None
        return found if found is None or math.isfinite(found) else None

    return number


@pytest.mark.parametrize("prefix", ["@.doc", "@"], ids=["named", "default"])
def test_json_paths(loaded: Loaded, open_rows: Open, prefix: str) -> None:
    name, age, vip = at("user", "name"), at("user", "age"), at("user", "vip")
    declared = declare(
        "1d",
        groupings=(f"{prefix}.user.name", f"{prefix}.user.vip"),
        where=f"{prefix}.user.name != 'ann' || {prefix}.user.age > 30",
        aggregations=(
            asking("age", f"{prefix}.user.age", ("COUNT", *NUMERIC, "PERCENTILES")),
            asking("text", f"{prefix}.user.age", ("FIRST", "LAST", "APPROX_COUNT_DISTINCT")),
            asking("tagged", where=f"{prefix}.marks.length > 1"),
            asking("untagged", where=f"{prefix}.marks.length == 0"),
            asking("dotted", f"{prefix}['a.b']", ("SUM",)),
        ),
    )

    def where(row: Row) -> bool:
        years = as_number(age)(row)
        return name(row) not in (None, "ann") or (years is not None and years > 30)

    fields = {
        "age": Asked(as_number(age)),
        "text": Asked(as_text(age)),
        "tagged": Asked(of("id"), lambda r: isinstance(at("marks")(r), list) and len(at("marks")(r)) > 1),
        "untagged": Asked(of("id"), lambda r: at("marks")(r) in ([], "[text", {"x": 1, "y": 2})),
        "dotted": Asked(as_number(at("a.b"))),
    }
    with open_rows() as rows:
        found = agree(
            rows,
            declared,
            fields,
            loaded,
            bucket=fixed(86_400),
            by=(as_text(name), as_text(vip)),
            where=where,
        )
    assert found > 20


# -- buckets --------------------------------------------------------------------------------------------

WIDTHS = {"30s": 30, "13m": 780, "15m": 900, "1h": 3600, "7h": 25_200}
ZONES: dict[str, ZoneInfo | timedelta] = {
    "UTC": timedelta(0),
    "GMT+05:30": timedelta(hours=5, minutes=30),
    "Europe/Berlin": ZoneInfo("Europe/Berlin"),
    "America/St_Johns": ZoneInfo("America/St_Johns"),
    "Asia/Kathmandu": ZoneInfo("Asia/Kathmandu"),
}


@pytest.mark.parametrize("width", WIDTHS)
def test_buckets_below_a_day_follow_no_zone(loaded: Loaded, open_rows: Open, width: str) -> None:
    declared = declare(width, time_zone="Europe/Berlin")
    with open_rows() as rows:
        agree(rows, declared, {"events": Asked(of("id"))}, loaded, bucket=fixed(WIDTHS[width]))


# Around changes of clocks in both directions, with a time in each bucket's first and last microsecond.
CLOCKS_SET = ("2023-12-15T00:00:00", "2025-02-01T00:00:00")


@pytest.mark.parametrize("width", FLOORS)
def test_buckets_of_calendars(loaded: Loaded, open_rows: Open, width: str) -> None:
    aggregation = asking("it", "amount", ("COUNT", "LAST", "PERCENTILES"))
    declared = declare(width, time_zone="Europe/Berlin", aggregations=(aggregation,))
    span = window("1969-12-30T00:00:00" if width == "7d" else CLOCKS_SET[0], CLOCKS_SET[1])
    bucket = calendar(ZONES["Europe/Berlin"], FLOORS[width])
    with open_rows() as rows:
        agree(rows, declared, {"it": Asked(of("amount"))}, loaded, bucket=bucket, span=span)


def test_every_width_in_every_zone(loaded: Loaded, open_rows: Open) -> None:
    """All buckets of each row at once: what a state is read by, of which one zone is enough."""
    span = window(*CLOCKS_SET)
    within = Window(*map(micros, span))
    with open_rows() as rows:
        asked = {
            (zone, width): bucket_of(
                rows.time_us(within), Interval.of(width), Zone.of(zone), within, rows.can
            )
            for zone in ZONES
            for width in (*WIDTHS, *FLOORS)
        }
        columns = {f"x{i}": expression.number for i, expression in enumerate(asked.values())}
        kept: Any = rows.table.filter(rows.within(within))
        found = rows.fetch(kept.select(id=rows.value("id"), **columns))
    moments = {row["id"]: row["happened"] for row in loaded.rows}
    happened = [moments[number] for number in found["id"].to_pylist()]
    assert len(happened) == sum(
        moment is not None and span[0] <= moment < span[1] for moment in moments.values()
    )
    for (name, expression), column in zip(asked.items(), columns, strict=True):
        zone, width = name
        floor = FLOORS.get(width)
        expected = fixed(WIDTHS[width]) if floor is None else calendar(ZONES[zone], floor)
        starts = expression.starts(found[column].to_numpy())
        assert starts.tolist() == [expected(moment) for moment in happened], name


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_days_of_four_centuries(loaded: Loaded, open_rows: Open, zone: str) -> None:
    declared = declare("1d", time_zone=zone)
    with open_rows() as rows:
        agree(rows, declared, {"events": Asked(of("id"))}, loaded, bucket=calendar(ZONES[zone], FLOORS["1d"]))


def shown_in(zone: ZoneInfo | timedelta, wall: datetime) -> datetime:
    """The instant at which clocks of a zone show what clocks in UTC show at another."""
    if isinstance(zone, timedelta):
        return wall - zone
    return wall.replace(tzinfo=zone, fold=0).astimezone(EPOCH.tzinfo)


# -- windows and times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("1969-12-31T23:59:59.999999", "1970-01-01T00:00:00.000001"),
        ("1970-01-01T00:00:00", "1970-01-01T00:00:00.000001"),
        ("2024-02-29T23:59:59.5", "2024-03-31T01:00:00"),
        ("2024-03-31T01:00:00", "2024-03-31T01:00:00.000001"),
        ("2024-12-31T23:59:59.999999", "2025-01-01T00:00:00"),
        ("2255-06-05T23:47:34.740993", "2300-02-28T23:59:59.999999"),
        ("2300-02-28T23:59:59.999999", "2300-03-01T00:00:00.000001"),
        ("2024-06-01T00:00:00", "2024-06-02T00:00:00"),
    ],
)
@pytest.mark.parametrize("time", ["happened", "zoned"])
def test_windows_hold_their_start_and_not_their_end(
    loaded: Loaded, open_rows: Open, start: str, end: str, time: str
) -> None:
    declared = declare("1h", aggregations=(asking("it", "amount", ("SUM", "FIRST")),))
    with open_rows(time=time) as rows:
        agree(
            rows, declared, {"it": Asked(of("amount"))}, loaded, bucket=fixed(3600), time=of(time), span=window(start, end)
        )  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "GMT-03:30"])
def test_dates_are_times_at_midnight(loaded: Loaded, open_rows: Open, zone: str) -> None:
    offset = {"UTC": timedelta(0), "GMT-03:30": -timedelta(hours=3, minutes=30)}.get(zone)

    def midnight(row: Row) -> datetime | None:
        if row["day"] is None:
            return None
        midnight = datetime(row["day"].year, row["day"].month, row["day"].day, tzinfo=EPOCH.tzinfo)
        return midnight - offset if offset is not None else shown_in(ZONES[zone], midnight)

    declared = declare("1h")
    with open_rows(time="day", time_zone=zone) as rows:
        agree(
            rows, declared, {"events": Asked(of("id"))}, loaded, bucket=fixed(3600), time=midnight,
            span=window("1969-12-31T12:00:00", "2050-01-01T00:00:00"),
        )  # fmt: skip


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "GMT+05:30"])
def test_naive_times_are_of_the_zone_of_their_source(loaded: Loaded, open_rows: Open, zone: str) -> None:
    """A time that came twice is the first; one that was skipped is as if clocks had not been set yet."""

    def happened(row: Row) -> datetime | None:
        if row["happened"] is None:
            return None
        return shown_in(ZONES[zone], row["happened"])

    declared = declare("15m", aggregations=(asking("it", "amount", ("SUM", "LAST")),))
    for span in (
        window("1969-12-30T00:00:00", "2040-01-01T00:00:00"),
        window("2024-10-26T20:00:00", "2024-10-27T01:00:00"),
        window("2024-03-31T00:30:00", "2024-03-31T01:15:00"),
    ):
        with open_rows(time_zone=zone) as rows:
            agree(
                rows, declared, {"it": Asked(of("amount"))}, loaded, bucket=fixed(900), time=happened, span=span
            )  # fmt: skip


# -- what a build asks before it reads ------------------------------------------------------------------


def plain(**options: Any) -> Rollup:
    return rollup_of(declare("1h", **options))


def test_extent_counts_rows_by_day(loaded: Loaded, open_rows: Open) -> None:
    days: dict[int, int] = {}
    for row in loaded.rows:
        if row["happened"] is not None and row["units"] == 1:
            day = micros(row["happened"]) // 86_400_000_000
            days[day] = days.get(day, 0) + 1
    with open_rows() as rows:
        found = extent(rows, plain(where="@.units == 1"), ALWAYS)
        assert dict(zip(found.days.tolist(), found.rows.tolist(), strict=True)) == days
        some = extent(
            rows,
            plain(),
            Window(*map(micros, window("1970-01-01T00:00:00.000001", "2000-02-29T23:59:59.999999"))),
        )
    assert some.rows.sum() == 3
    assert some.days.tolist() == [0, 10_956, 11_016]


def test_rows_without_a_time_are_counted(loaded: Loaded, open_rows: Open) -> None:
    with open_rows() as rows:
        assert null_times(rows, plain()) == 3
        flagged = sum(r["happened"] is None and bool(r["flag"]) for r in loaded.rows)
        assert null_times(rows, plain(where="@.flag == true")) == flagged


def test_hours_touched_since_an_arrival(loaded: Loaded, open_rows: Open) -> None:
    newest = max(micros(r["arrived"]) for r in loaded.rows if r["arrived"])
    since = newest - 20_000_000
    with open_rows(ingestion_time="arrived") as rows:
        latest = newest_arrival(rows)
        found = touched_since(rows, plain(), since)
        assert not touched_since(rows, plain(), newest + 1)
    late = [r for r in loaded.rows if r["arrived"] and micros(r["arrived"]) >= since and r["happened"]]
    hours = {micros(r["happened"]) // 3_600_000_000 * 3_600_000_000 for r in late}
    assert latest == newest
    assert sum(w.end - w.start for w in found) == len(hours) * 3_600_000_000
    assert all(any(w.start <= us < w.end for w in found) for us in hours)


def test_no_rows_are_no_cells(loaded: Loaded, open_rows: Open) -> None:
    declared = declare("1h", groupings=("kind",), aggregations=(asking("it", "amount", EVERYTHING),))
    with open_rows() as rows:
        span = window("2024-06-01T00:00:00", "2024-06-02T00:00:00")
        assert agree(rows, declared, {"it": Asked(of("amount"))}, loaded, bucket=fixed(3600), span=span) == 0


def test_slices_are_together_what_is_read_at_once(open_rows: Open) -> None:
    rollup = rollup_of(declare("1d", groupings=("kind",), aggregations=(asking("it", "amount", EVERYTHING),)))
    with open_rows() as rows:
        layout, vocabularies = layout_of(rollup, rows), Vocabularies()
        whole = read_states(rows, rollup, layout, ALL_TIME, vocabularies)
        reads = list(stream_states(rows, rollup, layout, ALL_TIME, vocabularies, whole.rows // 4))
    assert len(reads) > 2
    for grain, at_once in enumerate(whole.grains):
        in_parts = Cells.concat([read.grains[grain] for read in reads])
        for one, other in zip(columns_of(in_parts), columns_of(at_once), strict=True):
            if other.dtype == object:
                assert list(one) == list(other)
            else:
                assert np.allclose(one, other, rtol=1e-9, equal_nan=True)


def columns_of(found: Cells) -> Iterator[Any]:
    """All columns, and the parts of sketches."""
    yield from (found.buckets, found.rows, *found.codes.values())
    for state in found.states.values():
        for column in state.values():
            if isinstance(column, Sketch):
                yield from (column.offsets, column.keys, column.counts)
            else:
                yield column
