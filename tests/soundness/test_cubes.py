"""Cubes: every answer is what SQL says of the rows, whichever aggregate gave it, built whole or in parts."""

from __future__ import annotations

import errno
import math
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle import Event
from shop import NOON, Aggregation, Shop, at

import aggflow as af
from aggflow.errors import (
    CancelledError,
    ConflictError,
    NotCoveredError,
    QueryError,
    SegmentMissingError,
    StoreFullError,
)

MEASURES = [
    Aggregation("value", "value", ["COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV", "PERCENTILES"]),
    Aggregation("points", "points", ["SUM", "AVG", "APPROX_COUNT_DISTINCT"]),
    Aggregation("events"),
    Aggregation("good", where="@.value > 0"),
    af.Ratio("share", "good", "events"),
    af.Ratio("pace", "value:SUM", "points:SUM"),
]
DIMENSIONS = [
    "team",
    af.Dimension("who", levels=["team", "player"]),  # type: ignore[list-item]  # texts are levels
    af.Dimension("date", levels=af.TIME_LEVELS),  # type: ignore[arg-type] - texts are read
    af.Dimension("upper", "=upper(team)"),
]
AGGREGATES = [
    af.CubeAggregate("hourly", "1h", ["who", "upper"]),
    af.CubeAggregate("daily", "1d", ["team"]),
    af.CubeAggregate("monthly", "1mo"),
]
SQL = {
    "value:SUM": "sum(value)",
    "value:AVG": "avg(value)",
    "value:MIN": "min(value)",
    "value:MAX": "max(value)",
    "value:STDDEV": "stddev_samp(value)",
    "points:SUM": "sum(points)",
    "points:APPROX_COUNT_DISTINCT": "count(distinct points)",
    "events": "count(*)",
    "share": "count(*) filter (value > 0) / nullif(count(*), 0)",
    "pace": "sum(value) / nullif(sum(points), 0)",
}


def generated(count: int = 4000) -> list[Event]:
    """Events of 50 days, unevenly spread over groups, so that averages of averages are wrong."""
    found: list[Event] = []
    for i in range(count):
        team = ("a", "b", "B", None)[min(i * i % 11, 3)]
        value = None if i % 17 == 0 else ((i * 37) % 101 - 40) / 4 * (3 if team == "b" else 1)
        time = datetime(2024, 11, 12, tzinfo=UTC) + timedelta(minutes=i * 18, seconds=i % 60)
        found.append(Event(time, team, "xyz"[i % 3], value, i % 7 if i % 5 else None, time))
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all events, made once."""
    file = tmp_path_factory.mktemp("filled") / "events.ddb"
    columns = ("time", "team", "player", "value", "points", "arrived")
    rows = pa.table({name: [getattr(one, name) for one in generated()] for name in columns})
    with closing(duckdb.connect(str(file))) as con:
        con.register("rows", rows)
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            "CREATE TABLE events AS SELECT * REPLACE (time::TIMESTAMP AS time, arrived::TIMESTAMP AS arrived) FROM rows"
        )
    return file


@pytest.fixture
def cube(tmp_path: Path, filled: Path) -> Iterator[Shop]:
    shutil.copy(filled, tmp_path / "events.ddb")
    shop = Shop(tmp_path)
    yield with_cube(shop)
    shop.close()


def with_cube(shop: Shop) -> Shop:
    shop.source(ingestion_time="arrived")
    shop.ws.add_cube("c", source="events", dimensions=DIMENSIONS, measures=MEASURES, aggregates=AGGREGATES)
    return shop


@pytest.fixture
def built(cube: Shop) -> Shop:
    cube.ws.build_cube("c", full=True, progress=False)
    return cube


def by_sql(shop: Shop, fields: list[str], by: dict[str, str], where: str = "true") -> dict[Any, list[Any]]:
    """What DuckDB says, by the values of groupings."""
    keys = "".join(f"{sql} AS k{i}, " for i, sql in enumerate(by.values()))
    values = ", ".join(SQL[name] for name in fields)
    text = f"SELECT {keys} {values} FROM events WHERE {where}"
    text += " GROUP BY " + ", ".join(f"k{i}" for i in range(len(by))) if by else ""
    with closing(duckdb.connect(str(shop.file), read_only=True)) as con:
        return {tuple(row[: len(by)]): list(row[len(by) :]) for row in con.execute(text).fetchall()}


def of(answer: Any, by: dict[str, str]) -> dict[Any, list[Any]]:
    """An answer's rows, by the values of groupings, ``dt`` as a time."""
    found: dict[Any, list[Any]] = {}
    for row in answer.rows:
        key = tuple(
            datetime.fromisoformat(row["dt"]).replace(tzinfo=None) if name == "dt" else row["groupings"][name]
            for name in by
        )
        assert key not in found
        found[key] = list(row["fields"].values())
    return found


def same(ours: dict[Any, list[Any]], theirs: dict[Any, list[Any]]) -> None:
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        for one, other in zip(ours[key], values, strict=True):
            assert (one is None) == (other is None), (key, ours[key], values)
            assert other is None or math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9), (key, one, other)


QUESTIONS: list[tuple[list[str], dict[str, str], str]] = [
    ([], {}, "monthly"),
    (["team"], {"team": "team"}, "daily"),
    (["who"], {"who.team": "team", "player": "player"}, "hourly"),
    (["team", "who"], {"team": "team", "who.team": "team", "player": "player"}, "hourly"),
    (["player"], {"who.team": "team", "player": "player"}, "hourly"),
    (["upper"], {"upper": "upper(team)"}, "hourly"),
    (["date.month"], {"dt": "date_trunc('month', time)"}, "monthly"),
    (["team", "day"], {"dt": "date_trunc('day', time)", "team": "team"}, "daily"),
    (["week"], {"dt": "date_trunc('week', time)"}, "daily"),
    (["year", "month"], {"dt": "date_trunc('month', time)"}, "monthly"),
    (["hour", "upper"], {"dt": "date_trunc('hour', time)", "upper": "upper(team)"}, "hourly"),
]


@pytest.mark.parametrize(("dimensions", "by", "aggregate"), QUESTIONS)
def test_questions_are_answered_as_sql_does_by_the_cheapest_aggregate(
    built: Shop, dimensions: list[str], by: dict[str, str], aggregate: str
) -> None:
    fields = list(SQL)
    answer = built.ws.ask_cube("c", fields, dimensions, end="2025-01-01")
    expected = by_sql(built, fields, by, "time < '2025-01-01'")
    same(of(answer, by), expected)
    assert answer.explain().rollup == f"cube c/{aggregate}"
    assert answer.explain().rows == 0, "source rows were read"
    live = built.ws.ask_cube("c", fields, dimensions)
    same(of(live, by), by_sql(built, fields, by))


@pytest.mark.parametrize(("dimensions", "by", "aggregate"), QUESTIONS)
def test_the_source_says_the_same_where_nothing_is_built(
    cube: Shop, dimensions: list[str], by: dict[str, str], aggregate: str
) -> None:
    answer = cube.ws.ask_cube("c", list(SQL), dimensions)
    same(of(answer, by), by_sql(cube, list(SQL), by))
    assert answer.explain().rollup == "source events"
    with pytest.raises(NotCoveredError):
        cube.ws.ask_cube("c", ["events"], dimensions, live=False)


def test_an_average_is_no_average_of_averages_and_a_ratio_no_average_of_ratios(built: Shop) -> None:
    whole = built.ws.ask_cube("c", ["value:AVG", "share", "pace"], end="2025-01-01").rows[0]["fields"]
    by_day = built.ws.ask_cube("c", ["value:AVG", "share", "pace"], ["team", "day"], end="2025-01-01").rows
    for name, right in whole.items():
        known = [row["fields"][name] for row in by_day if row["fields"][name] is not None]
        assert abs(sum(known) / len(known) - right) > 0.001
        ((expected,),) = by_sql(built, [name], {}, "time < '2025-01-01'").values()
        assert right == pytest.approx(expected, rel=1e-12)


def test_percentiles_of_merged_states_keep_their_promise(built: Shop) -> None:
    answer = built.ws.ask_cube("c", ["value:PERCENTILES:0.9"], ["team"], end="2025-01-01")
    with closing(duckdb.connect(str(built.file), read_only=True)) as con:
        text = "SELECT team, quantile_disc(value, 0.9) FROM events WHERE time < '2025-01-01' GROUP BY team"
        expected = dict(con.execute(text).fetchall())
    found = {row["groupings"]["team"]: row["fields"]["value:PERCENTILES:0.9"] for row in answer.rows}
    assert found.keys() == expected.keys()
    for team, value in expected.items():
        assert abs(found[team] - value) <= 0.005 * abs(value) + 1e-9


def test_a_ratio_is_null_where_nothing_divides_it(shop: Shop) -> None:
    shop.source()
    shop.add(
        Event(at("08:00"), "zero", "x", 1.0, 0),
        Event(at("08:01"), "null", "x", 1.0, None),
        Event(at("08:02"), "both", "x", None, None),
        Event(at("08:03"), "fine", "x", 3.0, 2),
    )
    measures = [Aggregation("v", "value", ["SUM"]), Aggregation("p", "points", ["SUM", "AVG"])]
    ratios = [af.Ratio("r", "v", "p:SUM"), af.Ratio("mean", "p:AVG", "v")]
    shop.ws.add_cube("c", source="events", dimensions=["team"], measures=measures + ratios)
    expected = {"zero": (None, 0.0), "null": (None, None), "both": (None, None), "fine": (1.5, 2 / 3)}
    for _ in ("of the source", "built"):
        rows = shop.ws.ask_cube("c", ["r", "mean"], "team", end=NOON).rows
        assert {row["groupings"]["team"]: tuple(row["fields"].values()) for row in rows} == expected
        shop.ws.build_cube("c", progress=False)
    assert shop.ws.ask_cube("c", ["r"], end=NOON, filters={"team": "none"}).rows == [{"fields": {"r": None}}]


def test_exact_numbers_are_divided_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "sales.ddb"
    with closing(duckdb.connect(str(file))) as con:
        con.execute("CREATE TABLE sales (sold TIMESTAMP, price DECIMAL(18, 2), n BIGINT)")
        con.execute(
            "INSERT INTO sales VALUES ('2025-01-01', 10.10, 3), ('2025-01-02', 20.25, 4), ('2025-01-03', null, 0)"
        )
    ws = af.open(tmp_path / "home")
    ws.add_source("sales", str(file), table="sales", time="sold")
    measures = [Aggregation("price", "price", ["SUM"]), Aggregation("n", "n", ["SUM"])]
    ws.add_cube(
        "s",
        source="sales",
        measures=[*measures, af.Ratio("each", "price", "n"), af.Ratio("per", "n", "price")],
    )
    rows = ws.ask_cube("s", ["each", "per"], end="2025-02-01").rows
    assert rows[0]["fields"]["each"] == pytest.approx(30.35 / 7)
    assert rows[0]["fields"]["per"] == pytest.approx(7 / 30.35)
    assert ws.ask_cube("s", ["each", "per"], start="2025-01-03", end="2025-02-01").rows == [
        {"fields": {"each": None, "per": None}}
    ]
    ws.close()


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"filters": {"team": "b"}}, "team = 'b'"),
        ({"filters": {"team": ["b", None]}}, "(team = 'b' or team is null)"),
        ({"filters": {"team": None}}, "team is null"),
        ({"filters": {"player": ["x", "y"], "upper": "B"}}, "player in ('x', 'y') and upper(team) = 'B'"),
        ({"where": "@.player == 'x'"}, "player = 'x'"),
        ({"where": "=points > 2"}, "points > 2"),
        ({"where": "@.player != 'x'", "filters": {"team": "a"}}, "player <> 'x' and team = 'a'"),
        (
            {"start": "2024-12-03T05:17:00Z", "end": "2024-12-24T13:01:00Z"},
            "time >= '2024-12-03 05:17' and time < '2024-12-24 13:01'",
        ),
        ({"start": "2024-12-01", "end": "2024-12-02"}, "time >= '2024-12-01' and time < '2024-12-02'"),
    ],
)
def test_filters_predicates_and_times_count_exactly(built: Shop, asked: dict[str, Any], where: str) -> None:
    fields = ["events", "value:SUM", "share", "points:APPROX_COUNT_DISTINCT"]
    for dimensions, by in (
        ((), {}),
        (["team"], {"team": "team"}),
        (["day"], {"dt": "date_trunc('day', time)"}),
    ):
        same(of(built.ws.ask_cube("c", fields, dimensions, **asked), by), by_sql(built, fields, by, where))


def test_a_filter_on_values_needs_no_source(built: Shop) -> None:
    answer = built.ws.ask_cube("c", ["events"], "day", filters={"player": "x"}, end="2025-01-01")
    assert (answer.explain().rollup, answer.explain().rows) == ("cube c/hourly", 0)
    answer = built.ws.ask_cube("c", ["events"], "day", where="@.player == 'x'", end="2025-01-01", live=False)
    assert answer.explain().rows == 0


def test_where_of_the_cube_counts_too(built: Shop) -> None:
    ws = built.ws
    ws.add_cube("d", source="events", dimensions=["team"], measures=MEASURES, where="@.player != 'x'")
    for _ in ("of the source", "built"):
        answer = ws.ask_cube("d", ["events", "share"], "team", where="=value > 2", end="2025-01-01")
        same(
            of(answer, {"team": ""}),
            by_sql(built, ["events", "share"], {"team": "team"}, "player <> 'x' and value > 2"),
        )
        ws.build_cube("d", progress=False)


def test_answers_are_sorted_limited_and_named_as_asked(built: Shop) -> None:
    rows = built.ws.ask_cube(
        "c", {"n": "events", "rate": "share"}, "team", sort=("n", "desc"), limit=2, end=NOON
    ).rows
    counts = by_sql(built, ["events"], {"team": "team"})
    expected = sorted(counts, key=lambda key: -counts[key][0])[:2]
    assert [(row["groupings"]["team"],) for row in rows] == expected
    assert list(rows[0]["fields"]) == ["n", "rate"]
    rows = built.ws.ask_cube(
        "c", ["share"], ["team", "month"], sort=["month", ("share", "desc")], end=NOON
    ).rows
    assert rows == sorted(rows, key=lambda row: (row["dt"], -row["fields"]["share"]))
    field = af.Field("p", "value", af.Calculation.PERCENTILES, 0.5)
    assert list(built.ws.ask_cube("c", [field], end=NOON).rows[0]["fields"]) == ["p"]


def test_all_that_needs_nothing_said_is_answered_by_default(built: Shop) -> None:
    (row,) = built.ws.ask_cube("c", end="2025-01-01").rows
    assert list(row["fields"]) == [
        *(f"value:{name}" for name in ("COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV")),
        *(f"points:{name}" for name in ("SUM", "AVG", "APPROX_COUNT_DISTINCT")),
        "events:COUNT",
        "good:COUNT",
        "share",
        "pace",
    ]


def test_every_mistake_of_a_question_is_listed(built: Shop) -> None:
    with pytest.raises(QueryError) as raised:
        built.ws.ask_cube(
            "c",
            ["vale:SUM", "value", "team", "events", "events"],
            ["tem", "day"],
            filters={"plyer": "x", "month": 1, "team": [], "who.team": "a"},
            sort=["zz", ("events", "up")],
            limit=0,
        )
    text = str(raised.value)
    for expected in (
        "fields: 'events' stands here 2 times",
        "fields[0]: there is no measure 'vale' (did you mean 'value'?)",
        "fields[1]: 'value' has several calculations (value:COUNT, ",
        "fields[2]: there is no measure 'team'",
        "dimensions[0]: there is no dimension 'tem' (did you mean 'team'?)",
        "filters.plyer: there is no dimension 'plyer' (did you mean 'player'?)",
        "filters.month: 'month' is of time (start and end say which)",
        "filters.team: at least one value is needed",
        "filters.who.team: team is filtered twice",
        "sort[0]: 'zz' is not answered",
        "sort[1]",
        "limit: at least one row is answered, not 0",
    ):
        assert expected in text
    for limit in ("3", 2.5):
        with pytest.raises(QueryError, match=r"limit: at least one row is answered.*it is a whole number"):
            built.ws.ask_cube("c", ["events"], limit=limit)  # pyright: ignore[reportArgumentType] - as people type it
    with pytest.raises(QueryError, match="1w does not divide 1mo"):
        built.ws.ask_cube("c", ["events"], ["week", "month"])
    with pytest.raises(QueryError, match="ends before it begins"):
        built.ws.ask_cube("c", ["events"], start="2025-01-02", end="2025-01-01")
    with pytest.raises(QueryError, match="the answer has a column 'team' already"):
        built.ws.ask_cube("c", {"team": "events"}, "team")


# -- builds


def states(shop: Shop, name: str) -> list[Any]:
    fields = [*SQL, "value:PERCENTILES:0.25"]
    dimensions = {"hourly": ["who", "upper", "hour"], "daily": ["team", "day"], "monthly": ["month"]}[name]
    answer = shop.ws.ask_cube("c", fields, dimensions, end="2025-01-01", live=False)
    assert answer.explain().rollup == f"cube c/{name}"
    return answer.rows


def test_a_batch_reads_each_source_row_once(built: Shop) -> None:
    report = built.ws.build_cube("c", full=True, progress=False)
    assert report.batch.aggregates == ("hourly", "daily", "monthly")
    assert [done.rows_read for done in report.aggregates.values()] == [4000, 0, 0]
    assert all(done.states_read for name, done in report.aggregates.items() if name != "hourly")
    assert report.rows_read == 4000
    assert report.batch.states_read == sum(done.states_read for done in report.aggregates.values())


def test_batches_as_time_goes_by_are_one_full_build(cube: Shop, tmp_path: Path) -> None:
    for day in range(12, 70, 9):
        cube.now = datetime(2024, 11, 1, 7, 20, tzinfo=UTC) + timedelta(days=day)
        report = cube.ws.build_cube("c", progress=False)
        assert [done.rows_read for name, done in report.aggregates.items() if name != "hourly"] == [0, 0]
    whole = Shop(tmp_path, cube.now, name="whole")
    with_cube(whole)
    for name in ("hourly", "daily", "monthly"):
        # Each of the source, none of another.
        whole.ws.build(f"cube c/{name}", full=True, progress=False)
        assert len(states(cube, name)) == len(states(whole, name))
        for ours, theirs in zip(states(cube, name), states(whole, name), strict=True):
            same(
                {(ours.get("dt"), str(ours.get("groupings"))): list(ours["fields"].values())},
                {(theirs.get("dt"), str(theirs.get("groupings"))): list(theirs["fields"].values())},
            )
        assert cube.ws.verify(f"cube c/{name}", sample=30).agrees
    whole.close()


def test_rows_that_come_late_are_in_every_aggregate_after_the_next_batch(built: Shop) -> None:
    built.now = NOON + timedelta(hours=1)
    late = [
        Event(datetime(2024, 11, 20, h, tzinfo=UTC), "late", "x", 8.0, 2, NOON + timedelta(minutes=5))
        for h in (1, 22)
    ]
    built.add(*late)
    report = built.ws.build_cube("c", progress=False)
    assert [done.rows_read > 0 for done in report.aggregates.values()] == [True, False, False]
    for name in ("hourly", "daily", "monthly"):
        assert built.ws.verify(f"cube c/{name}", sample=40).agrees
    rows = built.ws.ask_cube(
        "c", ["events"], "team", filters={"team": "late"}, end="2025-01-01", live=False
    ).rows
    assert rows == [{"groupings": {"team": "late"}, "fields": {"events": 2}}]


def test_rows_that_come_between_two_aggregates_of_a_batch_are_found_by_the_next(built: Shop) -> None:
    ws = built.ws
    built.now = NOON + timedelta(hours=1)
    batch = ws.begin_batch("c")
    assert batch is not None
    ws.build_aggregate(batch, "hourly", progress=False)
    arrived = NOON + timedelta(hours=1, seconds=1)
    built.now += timedelta(seconds=5)
    built.add(Event(datetime(2024, 11, 20, 3, tzinfo=UTC), "late", "x", 8.0, 2, arrived))
    for name in ("daily", "monthly"):
        assert ws.build_aggregate(batch, name, progress=False).rows_read == 0
    ws.finish_batch(batch)
    built.now += timedelta(hours=1)
    ws.build_cube("c", progress=False)
    for name in ("hourly", "daily", "monthly"):
        assert ws.verify(f"cube c/{name}", sample=40).agrees


def test_rows_as_late_as_may_be_are_found_however_long_a_batch_takes(shop: Shop) -> None:
    ws = shop.ws
    shop.source(lateness="1h")
    shop.add(Event(at("10:00"), "a"))
    aggregates = [af.CubeAggregate("fine", "5m"), af.CubeAggregate("wide", "15m")]
    ws.add_cube("c", source="events", measures=[Aggregation("events")], aggregates=aggregates)
    batch = ws.begin_batch("c")
    assert batch is not None
    ws.build_aggregate(batch, "fine", progress=False)
    shop.add(Event(at("11:04"), "late"))
    shop.now = at("12:20")
    ws.build_aggregate(batch, "wide", progress=False)
    ws.finish_batch(batch)
    shop.now = at("12:30")
    ws.build_cube("c", progress=False)
    for name in ("fine", "wide"):
        assert ws.verify(f"cube c/{name}").agrees


def test_sketches_of_fewer_groupings_and_the_rest_make_one_grain(cube: Shop) -> None:
    measures = [Aggregation("v", "value", ["COUNT", "SUM", "PERCENTILES"], sketch_groupings=["team"])]
    aggregates = [af.CubeAggregate("fine", "1h", ["who"]), af.CubeAggregate("wide", "1d", ["team"])]
    cube.ws.add_cube("s", source="events", dimensions=DIMENSIONS, measures=measures, aggregates=aggregates)
    assert cube.ws.build_cube("s", progress=False).aggregates["wide"].rows_read == 0
    for name in ("fine", "wide"):
        report = cube.ws.verify(f"cube s/{name}", sample=40)
        assert report.agrees, report.differences


def test_an_aggregate_that_is_older_than_the_batch_stands_for_nothing(built: Shop) -> None:
    """Rows that nobody announces: what a batch has not built itself may lack them."""
    ws = built.ws
    built.sql("UPDATE events SET value = value + 1")
    batch = ws.begin_batch("c", full=True)
    assert batch is not None
    assert ws.build_aggregate(batch, "daily", progress=False).rows_read == 4000
    ws.finish_batch(batch, "stopped here")
    assert ws.verify("cube c/daily", sample=20).agrees


def test_what_finer_aggregates_lack_is_read_from_the_source(cube: Shop) -> None:
    ws = cube.ws
    narrow = [af.CubeAggregate("hourly", "1h", ["upper"]), *AGGREGATES[1:]]
    ws.add_cube("c", source="events", dimensions=DIMENSIONS, measures=MEASURES, aggregates=narrow)
    report = ws.build_cube("c", progress=False)
    by_name = {name: (done.rows_read, done.states_read > 0) for name, done in report.aggregates.items()}
    assert by_name == {"hourly": (4000, False), "daily": (4000, False), "monthly": (0, True)}


def test_a_batch_that_stops_leaves_what_was_right(cube: Shop) -> None:
    ws = cube.ws
    steps = iter(range(100))

    def stop(_: object) -> None:
        if next(steps) >= 2:
            raise RuntimeError("the cable was pulled")

    with pytest.raises(RuntimeError, match="cable"):
        ws.build_cube("c", progress=stop)
    (batch,) = ws.batches.values()
    assert batch.status == "error"
    assert batch.error == {"class": "RuntimeError", "message": "the cable was pulled"}
    same(of(ws.ask_cube("c", ["events"], "team"), {"team": ""}), by_sql(cube, ["events"], {"team": "team"}))
    ws.build_cube("c", progress=False)
    for name in ("hourly", "daily", "monthly"):
        assert ws.verify(f"cube c/{name}", sample=20).agrees


def test_one_batch_a_cube_at_a_time(built: Shop) -> None:
    batch = built.ws.begin_batch("c")
    assert batch is not None
    assert built.ws.begin_batch("c") is None
    with pytest.raises(ConflictError, match="another batch of cube 'c' is at work"):
        built.ws.build_cube("c", progress=False)
    built.ws.cancel(batch.id)
    with pytest.raises(CancelledError, match="the batch of cube 'c' was cancelled"):
        built.ws.build_aggregate(batch, "hourly", progress=False)
    assert built.ws.finish_batch(batch).status == "cancelled"
    assert built.ws.build_cube("c", progress=False).status == "done"


def test_a_batch_that_is_cancelled_stops_the_build_that_is_under_way(cube: Shop) -> None:
    batch = cube.ws.begin_batch("c")
    assert batch is not None
    with pytest.raises(CancelledError):
        cube.ws.build_aggregate(batch, "hourly", progress=lambda _: cube.ws.cancel(batch.id))
    cube.ws.finish_batch(batch, CancelledError("cancelled"))
    assert {build.status for build in cube.ws.builds.values()} == {"cancelled"}


def test_a_finer_segment_that_is_gone_is_an_error_not_a_wrong_number(built: Shop) -> None:
    ws = built.ws
    batch = ws.begin_batch("c", full=True)
    assert batch is not None
    ws.build_aggregate(batch, "hourly", progress=False)
    for file in (built.folder / "home" / "segments" / ws._targets.get("cube c/hourly").rollup_id).rglob(
        "*.parquet"
    ):
        file.unlink()
    with pytest.raises(SegmentMissingError):
        ws.build_aggregate(batch, "daily", progress=False)
    ws.finish_batch(batch, "a segment is gone")
    assert ws.verify("cube c/daily", sample=20).agrees
    ws.doctor(fix=True)
    ws.build_cube("c", progress=False)
    assert ws.verify("cube c/hourly", sample=20).agrees


def test_a_disk_that_is_full_as_finer_states_are_summed_up_leaves_nothing(
    built: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, folder = built.ws, built.folder / "home" / "segments"
    batch = ws.begin_batch("c", full=True)
    assert batch is not None
    ws.build_aggregate(batch, "hourly", progress=False)
    before = {file for file in folder.rglob("*") if file.is_file()}

    def fill(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(pq.ParquetWriter, "write_table", fill)
        with pytest.raises(StoreFullError):
            ws.build_aggregate(batch, "daily", progress=False)
    assert {file for file in folder.rglob("*") if file.is_file()} == before
    report = ws.build_aggregate(batch, "daily", progress=False)
    assert report.states_read, "it is made of finer states"
    assert not report.rows_read
    ws.finish_batch(batch)
    assert ws.verify("cube c/daily", sample=20).agrees


def test_an_aggregate_that_is_changed_is_built_anew_and_others_stay(built: Shop) -> None:
    ws = built.ws
    changed = [AGGREGATES[0], af.CubeAggregate("daily", "1d", ["who"])]
    ws.add_cube("c", source="events", dimensions=DIMENSIONS, measures=MEASURES, aggregates=changed)
    assert sorted(name for name in ws.references() if name.startswith("cube")) == [
        "cube c/daily",
        "cube c/hourly",
    ]
    report = ws.build_cube("c", progress=False)
    # Rows of the moment of the last build are looked at again.
    assert report.aggregates["hourly"].rows_read < 10
    assert report.aggregates["daily"].states_read > 0
    by = {"who.team": "team", "player": "player"}
    answer = ws.ask_cube("c", ["events", "value:SUM"], "who", end="2025-01-01")
    assert answer.explain().rollup == "cube c/daily"
    same(of(answer, by), by_sql(built, ["events", "value:SUM"], by))


def test_days_of_a_zone_are_days_of_its_clock(cube: Shop) -> None:
    shop = cube
    aggregates = [af.CubeAggregate("hourly", "1h", ["team"]), af.CubeAggregate("daily", None, ["date.day"])]
    shop.ws.add_cube(
        "c",
        source="events",
        dimensions=DIMENSIONS,
        measures=MEASURES,
        aggregates=aggregates,
        time_zone="America/New_York",
    )
    assert shop.ws.build_cube("c", progress=False).aggregates["daily"].rows_read == 0
    by = {
        "dt": "timezone('UTC', timezone('America/New_York', date_trunc('day', timezone('America/New_York', timezone('UTC', time)))))"
    }
    answer = shop.ws.ask_cube("c", ["events", "value:SUM"], "day", end="2025-01-01T05:00:00Z")
    assert answer.explain().rollup == "cube c/daily"
    same(of(answer, by), by_sql(shop, ["events", "value:SUM"], by))


def test_paths_into_json_are_dimensions_and_measures(tmp_path: Path) -> None:
    file = tmp_path / "clicks.ddb"
    with closing(duckdb.connect(str(file))) as con:
        con.execute("CREATE TABLE clicks (moment TIMESTAMP, payload VARCHAR)")
        for hour, user, amount in (
            (1, "ann", "2.5"),
            (2, "bob", '"apples"'),
            (30, "ann", "4"),
            (31, None, "1"),
        ):
            text = (
                f'{{"user": {{"name": "{user}"}}, "amount": {amount}}}' if user else f'{{"amount": {amount}}}'
            )
            con.execute("INSERT INTO clicks VALUES (TIMESTAMP '2025-01-01' + to_hours(?), ?)", [hour, text])
    ws = af.open(tmp_path / "home")
    ws.add_source("clicks", str(file), table="clicks", time="moment", json="payload")
    amount = Aggregation("amount", "@.amount", ["SUM"])
    user = af.Dimension("user", "@.user.name")
    ws.add_cube(
        "c", source="clicks", dimensions=[user], measures=[amount, af.Ratio("half", "amount", "amount")]
    )
    expected = [("ann", 6.5, 1.0), ("bob", None, None), (None, 1.0, 1.0)]
    for rollup in ("source clicks", "cube c/all"):
        answer = ws.ask_cube("c", ["amount", "half"], "user", end="2025-02-01")
        assert answer.explain().rollup == rollup
        assert [(row["groupings"]["user"], *row["fields"].values()) for row in answer.rows] == expected
        assert ws.ask_cube("c", ["amount"], filters={"user": "ann"}, end="2025-02-01").rows == [
            {"fields": {"amount": 6.5}}
        ]
        ws.build_cube("c", progress=False)
    ws.close()
