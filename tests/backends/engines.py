"""Engines: the same events in each database server, and for each engine that runs inside a program."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from events import Loaded, Row, events, in_parquet
from mariadb_server import MariadbServer
from postgres_server import PostgresServer

from aggflow.spec.source import Source

_POSTGRES = (
    "id bigint, happened timestamp, zoned timestamptz, day date, kind text, flag boolean, code bigint,"
    " amount double precision, wild double precision, units bigint, extreme bigint, small smallint,"
    " price numeric(18, 4), doc text, arrived timestamp"
)


_MARIADB = (
    "id bigint, happened datetime(6), zoned datetime(6), day date, kind longtext, flag boolean, code bigint,"
    " amount double, wild double, units bigint, extreme bigint, small smallint, price decimal(18, 4), doc longtext,"
    " arrived datetime(6)"
)


def columns_of(declared: str) -> list[str]:
    """The names of the columns of a CREATE TABLE."""
    return [column.split()[0] for column in declared.replace("(18, 4)", "").split(", ")]


def naive(row: Row, column: str) -> Any:
    """A row's value; a time without its zone, where the column has none."""
    value = row[column]
    return value.replace(tzinfo=None) if isinstance(value, datetime) and column != "zoned" else value


def in_postgres(server: PostgresServer) -> Loaded:
    """A table of a Postgres database."""
    # A language's order of texts, as databases mostly have one: a before B.
    url = server.create(f"events_{uuid4().hex}", "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    columns = columns_of(_POSTGRES)
    with psycopg.connect(url, autocommit=True) as con:
        con.execute(f"CREATE TABLE events ({_POSTGRES})".encode())
        with con.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO events VALUES ({', '.join(['%s'] * len(columns))})".encode(),
                [[naive(row, column) for column in columns] for row in events()],
            )
    source = Source("events", url, "happened", "events", json="doc")
    return Loaded("postgres", source, events())


def in_mariadb(server: MariadbServer) -> Loaded:
    """A table of a MariaDB database; it holds neither NaN nor infinity, and booleans are 1 and 0."""
    # A language's order of texts, as databases mostly have one: a and A and ä are one letter.
    database = f"events_{uuid4().hex}"
    url, columns = server.create(database, "COLLATE utf8mb4_general_ci"), columns_of(_MARIADB)
    rows = [_for_mariadb(row) for row in events()]
    with server.connected(database) as con, con.cursor() as cursor:
        cursor.execute(f"CREATE TABLE events ({_MARIADB})")
        cursor.executemany(
            f"INSERT INTO events VALUES ({', '.join(['%s'] * len(columns))})",
            [
                [
                    row[column].replace(tzinfo=None)
                    if column == "zoned" and row[column]
                    else naive(row, column)
                    for column in columns
                ]
                for row in rows
            ],
        )
    return Loaded("mysql", Source("events", url, "happened", "events", json="doc"), rows)


def _for_mariadb(row: Row) -> Row:
    finite = {
        column: value
        for column, value in row.items()
        if not (isinstance(value, float) and not math.isfinite(value))
    }
    flag = None if row["flag"] is None else int(row["flag"])
    return {**dict.fromkeys(row), **finite, "flag": flag}


def engines(*names: str) -> list[Any]:
    """Engines as parameters of a test; those that take long to start, marked so."""
    return [pytest.param(name, marks=pytest.mark.slow) if name == "pyspark" else name for name in names]


def in_polars(folder: Path) -> Loaded:
    """Parquet files, read by Polars."""
    return _read_by("polars", folder)


def in_datafusion(folder: Path) -> Loaded:
    """Parquet files, read by DataFusion."""
    return _read_by("datafusion", folder)


def in_spark(folder: Path) -> Loaded:
    """Parquet files, read by Spark with two threads."""
    return _read_by("pyspark", folder, spark_options(folder))


def spark_options(folder: Path) -> str:
    """What a URL of Spark ends with: few threads, and a place of its own for what it keeps."""
    warehouse = folder / "warehouse"
    return f"?spark.master=local[2]&spark.sql.shuffle.partitions=2&spark.sql.warehouse.dir={warehouse}"


def _read_by(engine: str, folder: Path, options: str = "") -> Loaded:
    loaded = in_parquet(folder)
    url = f"{engine}://{loaded.source.url}{options}"
    return replace(loaded, name=engine, source=replace(loaded.source, url=url))
