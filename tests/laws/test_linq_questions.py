"""Law: a question in LINQ gives what SQL on the events gives, whichever rollups there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import aggflow as af

ROWS = 3_000

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
    amounts = af.Aggregation("amounts", field="amount", calculations=calculations)
    delays = af.Aggregation("delays", field="delay", calculations=calculations)
    there = af.Aggregation("there", where="@.delay")
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
    events: Path, where: str, period: str | None, keys: list[str], outputs: list[str], window: Any
) -> pd.DataFrame:
    bucket = f"time_bucket(interval '{period}', moment, timestamp '2000-01-01')" if period else None
    by = [*([f"{bucket} as dt"] if bucket else []), *(f'{KEYS[key]} as "{key}"' for key in keys)]
    values = [f'{OUTPUTS[output]} as "{output}"' for output in outputs]
    places = ", ".join(str(i + 1) for i in range(len(by)))
    sql = f"select {', '.join([*by, *values])} from events where ({WHERES[where]}) and moment >= ?::timestamp and moment < ?::timestamp"
    if by:
        sql += f" group by {places} order by " + ", ".join(f"{i + 1} nulls last" for i in range(len(by)))
    with duckdb.connect(str(events), read_only=True) as con:
        return con.execute(sql, list(window)).df()


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, str]:
    minutes = draw(st.tuples(st.integers(0, 14_000), st.integers(1, 14_000)))
    start = pd.Timestamp("2026-01-01") + pd.Timedelta(
        minutes=minutes[0], seconds=draw(st.sampled_from([0, 0, 7]))
    )
    end = min(start + pd.Timedelta(minutes=minutes[1]), pd.Timestamp("2026-01-12"))
    if draw(st.booleans()):
        start, end = start.floor("D"), end.ceil("D")
    return (str(start), str(end)) if start < end else ("2026-01-01", "2026-01-12")


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
        answer = ws.linq(text, start=f"{window[0]}Z".replace(" ", "T"), end=f"{window[1]}Z".replace(" ", "T"))
        note(str(answer.explain()))
        got = answer.to_pandas()
        assert len(got) == len(wanted)
        if period:
            assert list(got["dt"].dt.tz_localize(None)) == list(wanted["dt"])
        for key in keys:
            assert texts(got[key]) == texts(wanted[key])
        for output in outputs:
            name = "count" if output == "count()" else output
            np.testing.assert_allclose(numbers(got[name]), numbers(wanted[output]), rtol=1e-9, err_msg=output)


def texts(column: pd.Series[Any]) -> list[str | None]:
    return [None if pd.isna(value) else str(value) for value in column]


def numbers(column: pd.Series[Any]) -> Any:
    return pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
