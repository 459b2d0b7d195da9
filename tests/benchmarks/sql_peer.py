"""What aggflow is measured against: DuckDB SQL written by hand for one set of questions.

The same states, hour by type by country, made from the same files: a table of cells with counts,
sums and moments of ``amount``; DDSketch bins of ``amount``; HyperLogLog slots of ``session_id``.
And the same answers, from tables of these states and from the events themselves.

It is written as well as we can: cells are numbered, so that the sketches group by two integers; a
window's key columns are computed once; five days at a time, so that hash tables stay small.
`build_plainly` is what one writes first: one statement a table, over all files at once.  Hour, type
and country are never null in these events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

DAYS_AT_ONCE = 5

Row = tuple[Any, ...]

_KEY = """
    case when amount > 0 then (ceil(ln(amount) / ln(1.01)) + 80000)::integer
         when amount < 0 then -(ceil(ln(-amount) / ln(1.01)) + 80000)::integer
         when amount = 0 then 0 end
"""
_MOMENTS = """
    count(*) as row_count, count(amount) as n, sum(amount) as total, min(amount) as lowest, max(amount) as highest,
    avg(amount) as mean, var_pop(amount) * count(amount) as m2
"""
_LOW_BIT = "max(coalesce(nullif((hash >> 12)::bigint & -(hash >> 12)::bigint, 0), 1::bigint << 52))"

_TABLES = """
    create or replace table cells (
        cell integer, hour timestamp, type varchar, country varchar, row_count bigint, n bigint,
        total double, lowest double, highest double, mean double, m2 double
    );
    create or replace table bins (cell integer, key integer, n bigint);
    create or replace table slots (cell integer, slot smallint, rank tinyint);
"""

_MACROS = """
    create or replace temp macro bin_value(key) as
        case when key = 0 then 0.0 else sign(key) * 2 * pow(1.01::double, abs(key) - 80000) / 2.01 end;
    -- 4096 slots: the raw estimate, and linear counting where it is small
    create or replace temp macro estimate(taken, powers) as
        case when taken < 4096 and 0.7213 / (1 + 1.079 / 4096) * 4096::double * 4096 / (4096 - taken + powers) <= 2.5 * 4096
             then 4096 * ln(4096::double / (4096 - taken))
             else 0.7213 / (1 + 1.079 / 4096) * 4096::double * 4096 / (4096 - taken + powers) end;
"""


def connect(file: Path, events: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A connection to the file of states, with the macros, and with ``events`` as a view."""
    con = duckdb.connect(str(file))
    con.execute("set parquet_metadata_cache = true")  # so that footers are read only once
    con.execute(_MACROS)
    con.execute(f"create or replace temp view events as from {_parquet(events)}")
    return con


def _parquet(files: Sequence[Path]) -> str:
    return f"read_parquet({[str(file) for file in files]})"


def build(con: duckdb.DuckDBPyConnection, files: Sequence[Path], first_day: datetime) -> None:
    """Make all states anew; ``files`` are of consecutive days from ``first_day`` on."""
    con.execute(_TABLES)
    for day in range(0, len(files), DAYS_AT_ONCE):
        part = files[day : day + DAYS_AT_ONCE]
        start = first_day + timedelta(days=day)
        replace(con, part, start, start + timedelta(days=len(part)))
    con.execute("checkpoint")


def replace(con: duckdb.DuckDBPyConnection, files: Sequence[Path], start: datetime, end: datetime) -> None:
    """Make the states of a window of whole hours anew, from the files that hold its events."""
    window = {"start": start, "end": end}
    con.execute("begin")
    for table in ("bins", "slots", "cells"):
        con.execute(
            f"delete from {table} where cell in (select cell from cells where hour >= $start and hour < $end)",
            window,
        )
    con.execute(
        f"""
        insert into cells
        select (select coalesce(max(cell), 0) from cells) + row_number() over () as cell, *
        from (
            select date_trunc('hour', ts) as hour, type, country, {_MOMENTS}
            from {_parquet(files)} where ts >= $start and ts < $end group by all order by hour, type, country
        )
        """,
        window,
    )
    con.execute(
        f"""
        create or replace temp table staged as
        select cells.cell, {_KEY} as key, hash(session_id) as hash, session_id is not null as known
        from {_parquet(files)} as event
        join cells on cells.hour = date_trunc('hour', ts) and cells.type = event.type and cells.country = event.country
        where ts >= $start and ts < $end and cells.hour >= $start and cells.hour < $end
        """,
        window,
    )
    con.execute("insert into bins select cell, key, count(*) from staged where key is not null group by all")
    con.execute(
        f"""
        insert into slots
        select cell, slot, bit_count(low_bit - 1) + 1
        from (
            select cell, (hash & 4095)::smallint as slot, {_LOW_BIT} as low_bit from staged where known group by all
        )
        """
    )
    con.execute("drop table staged")
    con.execute("commit")


def build_plainly(con: duckdb.DuckDBPyConnection) -> None:
    """The same states by one statement a table, over all events at once, without numbers for cells."""
    cell = "date_trunc('hour', ts) as hour, type, country"
    con.execute(f"create or replace table plain_cells as select {cell}, {_MOMENTS} from events group by all")
    con.execute(
        f"""
        create or replace table plain_bins as
        select {cell}, {_KEY} as key, count(*) as n from events where amount is not null group by all
        """
    )
    con.execute(
        f"""
        create or replace table plain_slots as
        select * exclude low_bit, (bit_count(low_bit - 1) + 1)::tinyint as rank
        from (
            select {cell}, (hash & 4095)::smallint as slot, {_LOW_BIT} as low_bit
            from (select *, hash(session_id) as hash from events where session_id is not null) group by all
        )
        """
    )
    con.execute("checkpoint")


def total(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """From states: n, sum, average, and percentiles 50, 95, 99 of ``amount``, of one window."""
    return con.execute(
        """
        with chosen as (select cell, n, total from cells where hour >= $start and hour < $end),
        merged as (select key, sum(bins.n) as n from bins join chosen using (cell) group by key),
        ranked as (select key, sum(n) over (order by key) as upto, sum(n) over () as n from merged)
        select
            (select sum(n) from chosen)::bigint, (select sum(total) from chosen),
            (select sum(total) / sum(n) from chosen),
            bin_value(min(key) filter (where upto >= greatest(1, ceil(n * 0.50)))),
            bin_value(min(key) filter (where upto >= greatest(1, ceil(n * 0.95)))),
            bin_value(min(key) filter (where upto >= greatest(1, ceil(n * 0.99))))
        from ranked
        """,
        {"start": start, "end": end},
    ).fetchall()


def series(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """From states: hour, type, count and percentile 95 of ``amount``, of the five types most frequent.

    The rank is searched among blocks of 64 bins first, then in one block: half the time of one
    running total over all bins.
    """
    return con.execute(
        """
        with top as (
            select type from cells where hour >= $start and hour < $end
            group by type order by sum(row_count) desc, type limit 5
        ),
        chosen as (
            select cell, hour, type, row_count, dense_rank() over (order by hour, type)::integer as line
            from cells semi join top using (type) where hour >= $start and hour < $end
        ),
        lines as (
            select line, any_value(hour) as hour, any_value(type) as type, sum(row_count)::bigint as n
            from chosen group by line
        ),
        merged as (select line, key, sum(bins.n)::bigint as n from bins join chosen using (cell) group by all),
        blocks as (select line, key // 64 as block, sum(n) as n from merged group by all),
        ranked_blocks as (
            select line, block, n,
                sum(n) over (partition by line order by block) as upto, sum(n) over (partition by line) as of
            from blocks
        ),
        picked as (
            select line, min(block) as block, min(upto - n) as before, any_value(of) as of
            from ranked_blocks where upto >= greatest(1, ceil(of * 0.95)) group by line
        ),
        ranked as (
            select line, key, of, before + sum(merged.n) over (partition by line order by key) as upto
            from merged join picked using (line) where merged.key // 64 = picked.block
        )
        select hour, type, lines.n, bin_value(min(key))
        from ranked join lines using (line)
        where upto >= greatest(1, ceil(of * 0.95))
        group by all order by hour, type
        """,
        {"start": start, "end": end},
    ).fetchall()


def distinct(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """From states: how many sessions a window has."""
    return con.execute(
        """
        with merged as (
            select slot, max(rank) as rank from slots
            join (select cell from cells where hour >= $start and hour < $end) using (cell) group by slot
        )
        select round(estimate(count(*), sum(pow(2::double, -rank))))::bigint from merged
        """,
        {"start": start, "end": end},
    ).fetchall()


def total_of_events(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """The same as :func:`total`, exactly, from the events."""
    return con.execute(
        """
        select n, total, mean, p[1], p[2], p[3]
        from (
            select count(amount) as n, sum(amount) as total, avg(amount) as mean,
                quantile_disc(amount, [0.5, 0.95, 0.99]) as p
            from events where ts >= $start and ts < $end
        )
        """,
        {"start": start, "end": end},
    ).fetchall()


def series_of_events(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """The same as :func:`series`, exactly, from the events."""
    return con.execute(
        """
        with top as (
            select type from events where ts >= $start and ts < $end
            group by type order by count(*) desc, type limit 5
        )
        select date_trunc('hour', ts) as hour, type, count(*), quantile_disc(amount, 0.95)
        from events semi join top using (type) where ts >= $start and ts < $end
        group by all order by hour, type
        """,
        {"start": start, "end": end},
    ).fetchall()


def distinct_of_events(con: duckdb.DuckDBPyConnection, start: datetime, end: datetime) -> list[Row]:
    """The same as :func:`distinct`, exactly, from the events."""
    return con.execute(
        "select count(distinct session_id) from events where ts >= $start and ts < $end",
        {"start": start, "end": end},
    ).fetchall()
