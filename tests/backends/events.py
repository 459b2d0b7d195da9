"""Events: rows that try every column of a backend, and the same rows in each backend."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count, cycle
from pathlib import Path
from typing import Any

import duckdb

from aggflow.spec.source import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST, LEAST = 2**63 - 1, -(2**63)
Row = dict[str, Any]

# Both sides of every edge: days, leap days, changes of clocks, the epoch, microseconds.
TIMES = (  # noqa: SIM905 - a table, not a list of literals
    "1900-02-28T23:59:59.999999 1900-03-01T00:00:00 1969-12-31T23:59:59.999999 1969-12-31T23:59:59 1970-01-01T00:00:00"
    " 1970-01-01T00:00:00.000001 1999-12-31T23:59:59.999999 2000-02-29T12:00:00 2000-02-29T23:59:59.999999"
    " 2000-03-01T00:00:00 2023-12-31T23:00:00 2024-01-01T00:00:00 2024-02-29T00:00:00 2024-02-29T23:59:59.5"
    " 2024-03-10T06:59:59.999999 2024-03-10T07:00:00 2024-03-31T00:59:59.999999 2024-03-31T01:00:00 2024-03-31T01:00:00.000001"
    " 2024-03-31T22:00:00 2024-10-26T22:00:00 2024-10-27T00:00:00 2024-10-27T00:59:59.999999 2024-10-27T01:00:00"
    " 2024-10-27T01:30:00 2024-10-27T23:00:00 2024-11-03T04:29:59 2024-11-03T05:30:00 2024-11-03T06:00:00 2024-12-29T18:14:59.999999"
    " 2024-12-29T18:15:00 2024-12-30T00:00:00 2024-12-31T18:30:00 2024-12-31T23:59:59.999999 2025-01-01T00:00:00"
    " 2038-01-19T03:14:08 2255-06-05T23:47:34.740993 2300-02-28T23:59:59.999999 2300-03-01T00:00:00.000001"
).split()

KINDS = (
    "a",
    "b",
    None,
    "",
    " ",
    "A",
    "ä",
    "🦆 quack",
    'it\'s "quoted"',
    "'; DROP TABLE events; --",
    "line\nbreak",
    "100%",
    "back\\slash",
    "null",
    "NaN",
    "7",
)
AMOUNTS = (1.5, -2.25, 0.0, None, 1e-9, -1e9, 3.7e15, float("nan"), float("inf"), float("-inf"), 0.1, 42.0)
WILD = (5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 1e-300, None, 1.0, 0.0)
UNITS = (1, -1, None, 0, 2**53 + 1, -(2**53) - 1, 4_294_967_296, -4_294_967_297, 7)
PRICES = tuple(
    None if text is None else Decimal(text)
    for text in ("0.29", "-0.2900", None, "19.9999", "12345678901234.5678", "-0.0001", "0")
)
DOCS: tuple[Any, ...] = (
    {"user": {"name": "ann", "age": 31, "vip": True}, "marks": ["x", "y"], "a.b": 1},
    {"user": {"name": "björn", "age": 29.5, "vip": False}, "marks": []},
    {"user": {"name": None, "age": None}},
    {"user": {"name": "it's", "age": "37"}},
    {"user": {"age": "apples"}},
    {"user": {"name": "1_000", "age": "1_000"}},
    {"user": {"name": "inf", "age": "inf"}, "marks": None},
    {"user": {"name": "1e999", "age": "1e999"}, "marks": {"x": 1, "y": 2}},
    {"user": {"name": "0x1f", "age": "1f"}, "marks": "[text"},
    {"user": "no object"},
    {},
    "apples",
    None,
)
TEXTS = ("apples", "", "{broken", None)  # no JSON at all


def instant(text: str) -> datetime:
    """A time of the list."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch, by whole numbers only."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def events() -> list[Row]:
    """Some hundred rows: each column walks through its values at a pace of its own."""
    moments: list[datetime | None] = [instant(text) for text in TIMES]
    # A busy stretch, so that cells have many rows and some have ties.
    moments += [instant("2024-10-26T20:00:00") + timedelta(minutes=11 * i // 2 * 2) for i in range(160)]
    moments += [None, None, None]
    number = count()
    return [_row(next(number), moment) for moment in moments]


def _row(i: int, moment: datetime | None) -> Row:
    doc = DOCS[i % len(DOCS)]
    text = TEXTS[(i // 15) % len(TEXTS)] if i % 15 == 14 else json.dumps(doc, ensure_ascii=i % 2 == 0)
    return {
        "id": i,
        "happened": moment,
        "zoned": moment,
        "day": None if moment is None else moment.date(),
        "kind": KINDS[(i * 7) % len(KINDS)],
        "flag": (True, False, None)[i % 3],
        "code": (MOST, LEAST, None, 0, 2**53 + 1, 2**53)[(i // 2) % 6],
        "amount": AMOUNTS[(i * 5) % len(AMOUNTS)],
        "wild": WILD[i % len(WILD)],
        "units": UNITS[(i * 4) % len(UNITS)],
        "extreme": (MOST, None, LEAST)[i % 3],
        "small": (32_767, -32_768, None, 5)[i % 4],
        "price": PRICES[(i * 3) % len(PRICES)],
        "doc": text,
        "place": None if i % 7 == 3 else {"city": ("Oslo", None, "São Paulo")[i % 3], "zip": i % 5},
        "tags": None if i % 5 == 4 else ["t"] * (i % 4),
        "arrived": None if i % 11 == 10 else EPOCH + timedelta(days=19_000, seconds=i),
    }


@dataclass(frozen=True)
class Loaded:
    """The events in one backend.

    Attributes
    ----------
    name
        For the names of tests.
    source
        Where they are.
    rows
        What the backend can hold of them.
    decimals
        Whether decimals are exact.
    """

    name: str
    source: Source
    rows: list[Row] = field(repr=False)
    decimals: bool = True


_DUCKDB = (
    "id bigint, happened timestamp, zoned timestamptz, day date, kind varchar, flag boolean, code bigint, amount double,"
    " wild double, units bigint, extreme bigint, small smallint, price decimal(18, 4), doc varchar,"
    " place struct(city varchar, zip integer), tags varchar[], arrived timestamp"
)
_SQLITE = (
    "id integer, happened timestamp, zoned timestamp, day date, kind text, flag boolean, code bigint, amount real,"
    " wild double, units bigint, extreme bigint, small smallint, price real, doc text, arrived timestamp"
)


def in_duckdb(folder: Path) -> Loaded:
    """A table of a DuckDB file."""
    path = folder / "events.ddb"
    with duckdb.connect(str(path)) as con:
        _fill(con)
    return Loaded("duckdb", Source("events", f"duckdb://{path}", "happened", "events", json="doc"), events())


def in_parquet(folder: Path) -> Loaded:
    """Three Parquet files."""
    with duckdb.connect() as con:
        _fill(con)
        for part in range(3):
            con.execute(
                f"COPY (SELECT * FROM events WHERE id % 3 = {part}) TO '{folder / f'events-{part}.parquet'}'"
            )
    return Loaded(
        "parquet", Source("events", str(folder / "events-*.parquet"), "happened", json="doc"), events()
    )


def in_csv(folder: Path) -> Loaded:
    """Two CSV files; what is empty there is null, and decimals are floats."""
    with duckdb.connect() as con:
        _fill(con)
        for part in range(2):
            con.execute(
                f"COPY (SELECT * EXCLUDE (place, tags) FROM events WHERE id % 2 = {part})"
                f" TO '{folder / f'events-{part}.csv'}'"
            )
    rows = [{**row, "kind": row["kind"] or None, "doc": row["doc"] or None} for row in events()]
    source = Source("events", str(folder / "events-*.csv"), "happened", json="doc")
    return Loaded("csv", source, rows, decimals=False)


def in_sqlite(folder: Path) -> Loaded:
    """A table of a SQLite file; it holds no NaN, and decimals are floats."""
    path = folder / "events.sqlite"
    rows = events()
    columns = [column.split()[0] for column in _SQLITE.split(", ")]
    spelled = {
        "zoned": _spellings(_ZONED + _NAIVE),
        "happened": _spellings(_NAIVE),
        "arrived": _spellings(_NAIVE),
    }
    con = sqlite3.connect(path)
    con.execute(f"CREATE TABLE events ({_SQLITE})")
    con.executemany(
        f"INSERT INTO events VALUES ({', '.join('?' * len(columns))})",
        [[_for_sqlite(row[column], spelled.get(column)) for column in columns] for row in rows],
    )
    con.commit()
    con.close()
    source = Source("events", f"sqlite://{path}", "happened", "events", json="doc")
    return Loaded("sqlite", source, rows, decimals=False)


def _fill(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET TimeZone = 'America/New_York'")  # the session of whoever wrote it does not matter
    con.execute(f"CREATE TABLE events ({_DUCKDB})")
    places = ", ".join("?" for _ in _DUCKDB.replace("(18, 4)", "").replace("varchar, zip", "zip").split(", "))
    for row in events():
        values = {
            **row,
            "happened": None if row["happened"] is None else row["happened"].replace(tzinfo=None),
        }
        values["arrived"] = None if row["arrived"] is None else row["arrived"].replace(tzinfo=None)
        con.execute(f"INSERT INTO events VALUES ({places})", list(values.values()))


Spelling = Callable[[datetime], str]
_EAST = timedelta(hours=5, minutes=45)
# All the ways in which a time can stand in a SQLite text, each exact.
_NAIVE: tuple[Spelling, ...] = (
    lambda t: f"{t:%Y-%m-%d %H:%M:%S.%f}",
    lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f}",
    lambda t: f"{t:%Y-%m-%d %H:%M:%S}" + (f"{t:.%f}".rstrip("0") if t.microsecond else ""),
    lambda t: f"{t:%Y-%m-%d %H:%M:%S.%f}789" if t.second or t.microsecond else f"{t:%Y-%m-%d %H:%M}",
)
_ZONED: tuple[Spelling, ...] = (
    lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f}Z",
    lambda t: f"{t + _EAST:%Y-%m-%d %H:%M:%S.%f}+05:45",
    lambda t: f"{t - _EAST:%Y-%m-%dT%H:%M:%S.%f}-05:45",
)


def _spellings(ways: tuple[Spelling, ...]) -> Spelling:
    """Those ways in turn."""
    turn = cycle(ways)

    def spelled(moment: datetime) -> str:
        return next(turn)(moment)

    return spelled


def _for_sqlite(value: Any, spelled: Spelling | None) -> Any:
    if spelled is not None and value is not None:
        return spelled(value)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


BACKENDS: dict[str, Callable[[Path], Loaded]] = {
    "duckdb": in_duckdb,
    "sqlite": in_sqlite,
    "parquet": in_parquet,
    "csv": in_csv,
}
