"""Law: a question in LINQ gives what SQL on the events gives, whichever rollups there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from shop import Aggregation

import aggflow as af

ROWS = 3_000
FIRST, LAST = datetime(2026, 1, 1), datetime(2026, 1, 12)  # noqa: DTZ001 - as DuckDB has them

# LINQ, and what it means in SQL.
WHERES = {
    "": "true",
    'origin = "LGA"': "origin = 'LGA'",
    'origin /= "LGA"': "origin <> 'LGA'",
    'client in {"C1", "C2"}': "client in ('C1', 'C2')",
    "isnull(client)": "client is null",
    'has(client, "2"), origin = "JFK"': "contains(client, '2') and origin = 'JFK'",
    'not startswith(client, "C1")': "not starts_with(client, 'C1')",
    'origin = "LGA" or client = "C1"': "coalesce(origin = 'LGA', false) or coalesce(client = 'C1', false)",
    "amount > 500": "amount > 500",
    "floor(amount / 100) = 3": "amount // 100 = 3",
}
KEYS = {"client": "client", "origin": "origin", "lower(client)": "lower(client)"}
OUTPUTS = {
    "count()": "count(*)",
    "count(delay)": "count(delay)",
    "sum(amount)": "sum(amount)",
    "avg(delay)": "avg(delay)",
    "min(amount)": "min(amount)",
    "max(amount) - min(amount)": "max(amount) - min(amount)",
    "sum(amount) / count()": "sum(amount) / count(*)",
    "stddev(delay)": "stddev_samp(delay)",
    "nnfirst(amount)": "arg_min(amount, moment)",
    "last(delay)": "(array_agg(delay order by moment desc))[1]",
    "first(delay)": "(array_agg(delay order by moment))[1]",
    "min(eventdate)": "epoch_ms(min(moment))",
    "sum(amount * 2)": "sum(amount * 2)",
}
PERIODS = {"": None, "every 15m": "15 minutes", "every 1h": "1 hour", "every 1d": "1 day"}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("law") / "events.ddb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            """
            create table events as
            select timestamp '2026-01-01' + to_microseconds(i * 293000017) as moment,
                case when i % 7 = 0 then null else 'C' || (i % 5) end as client,
                case when i % 11 = 0 then null when i % 3 = 0 then 'JFK' else 'LGA' end as origin,
                (i * 7919 % 1000)::int as amount,
                case when i % 4 = 0 then null else (i % 100) / 4 end as delay
            from range(?) t(i)
            """,
            [ROWS],
        )
    return path


@pytest.fixture(scope="module")
def workspaces(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[af.Workspace]]:
    """One without rollups, and one with several: of other grains, predicates and lengths."""
    bare, rich = (af.open(tmp_path_factory.mktemp(name)) for name in ("bare", "rich"))
    for ws in (bare, rich):
        ws.add_source("events", f"duckdb://{events}", table="events", time="moment")
    calculations = ["COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV", "FIRST", "LAST"]
    amounts = Aggregation("amounts", field="amount", calculations=calculations)
    delays = Aggregation("delays", field="delay", calculations=calculations)
    there = Aggregation("there", where="@.delay")
    keys = ["client", "@.origin"]
    aggregations = [amounts, delays, there]
    rich.add_filter("fine", source="events", interval="15m", groupings=keys, aggregations=aggregations)
    rich.add_filter("coarse", source="events", interval="1d", groupings=["client"], aggregations=[amounts])
    rich.add_filter(
        "some",
        source="events",
        interval="1h",
        where="@.origin == 'LGA'",
        groupings=["=lower(client)", "client"],
        aggregations=aggregations,
    )
    rich.build("fine", until="2026-01-09T10:07:00Z", progress=False)
    rich.build("coarse", until="2026-01-08", progress=False)
    rich.build("some", since="2026-01-03", until="2026-01-06T00:30:00Z", progress=False)
    yield [bare, rich]
    bare.close()
    rich.close()


def expected(
    events: Path, where: str, period: str | None, keys: list[str], outputs: list[str], window: tuple[str, str]
) -> list[list[Any]]:
    bucket = f"time_bucket(interval '{period}', moment, timestamp '2000-01-01')" if period else None
    by = [*([bucket] if bucket else []), *(KEYS[key] for key in keys)]
    selected = ", ".join([*by, *(OUTPUTS[output] for output in outputs)])
    sql = f"select {selected} from events where ({WHERES[where]}) and moment >= ?::timestamp and moment < ?::timestamp"
    if by:
        places = range(1, len(by) + 1)
        sql += f" group by {', '.join(map(str, places))}"
        sql += " order by " + ", ".join(f"{place} nulls last" for place in places)
    with duckdb.connect(str(events), read_only=True) as con:
        return [list(map(comparable, row)) for row in con.execute(sql, list(window)).fetchall()]


def comparable(value: Any) -> Any:
    """Times without their zone, which is UTC; numbers to nine digits."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return (
        value if value is None or isinstance(value, str) else pytest.approx(float(value), rel=1e-9, abs=1e-9)
    )


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, str]:
    begins, lasts = draw(st.integers(0, 14_000)), draw(st.integers(1, 14_000))
    start = FIRST + timedelta(minutes=begins, seconds=draw(st.sampled_from([0, 0, 7])))
    end = min(start + timedelta(minutes=lasts), LAST)
    if draw(st.booleans()):
        start, end = datetime(start.year, start.month, start.day), datetime(end.year, end.month, end.day)  # noqa: DTZ001 - what a clock on the wall shows
    return (start.isoformat(), end.isoformat()) if start < end else (FIRST.isoformat(), LAST.isoformat())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    where=st.sampled_from(list(WHERES)),
    period=st.sampled_from(list(PERIODS)),
    keys=st.lists(st.sampled_from(list(KEYS)), unique=True, max_size=2),
    outputs=st.lists(st.sampled_from(list(OUTPUTS)), unique=True, min_size=1, max_size=4),
    window=windows(),
)
def test_a_question_gives_what_sql_gives_from_rollups_and_from_the_source(
    events: Path,
    workspaces: list[af.Workspace],
    where: str,
    period: str,
    keys: list[str],
    outputs: list[str],
    window: tuple[str, str],
) -> None:
    by = f"by {', '.join(keys)}" if keys else ""
    condition = f"where {where}" if where else ""
    text = f"from events {condition} group {period} {by} select {', '.join(outputs)}"
    note(text)
    wanted = expected(events, where, PERIODS[period], keys, outputs, window)
    for ws in workspaces:
        answer = ws.linq(text, start=f"{window[0]}Z", end=f"{window[1]}Z")
        note(str(answer.explain()))
        got = answer.to_arrow().to_pylist()
        assert [list(map(plain, row.values())) for row in got] == wanted


def plain(value: Any) -> Any:
    """Times without their zone, whole numbers as floats."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value if value is None or isinstance(value, str) else float(value)
