"""Types: columns of kinds that drivers hand over in classes of their own, and numbers of more than 64 bits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest
from conftest import SERVERS
from engines import engines, spark_options
from events import instant, micros
from test_states import asking, declare

from aggflow.backends.connect import session
from aggflow.backends.rollup_sql import layout_of, read_states
from aggflow.backends.source_rows import SourceRows
from aggflow.errors import NotFoundError, SourceError, SourceTypeError
from aggflow.measures.registry import MEASURES
from aggflow.spec.calculation import Calculation
from aggflow.spec.rollup import rollup_of
from aggflow.spec.source import Source
from aggflow.store import Vocabularies
from aggflow.timeline import Window

DAY = Window(micros(instant("2024-01-01T00:00:00")), micros(instant("2024-01-02T00:00:00")))
UUID = "6f2f6b36-6f5c-4a3b-9c43-3f2d0a1b2c3d"
# By engine and column: its type, a value as it is written there, and what it is as a grouping.
COLUMNS: dict[str, dict[str, tuple[str, str, Any]]] = {
    "duckdb": {
        "u": ("uuid", f"'{UUID}'", UUID),
        "b": ("blob", "'abc'", "abc"),
        "t": ("time", "'10:00'", "10:00:00"),
        "span": ("interval", "'1 hour'", "01:00:00"),
        "bits": ("bit", "'101'", "101"),
        "one": ("enum('x', 'y')", "'x'", "x"),
        "j": ("json", """'{"a":1}'""", '{"a":1}'),
        "tiny": ("utinyint", "200", 200),
        "most": ("ubigint", "18446744073709551615", 2**64 - 1),
    },
    "postgres": {
        "u": ("uuid", f"'{UUID}'", UUID),
        "ip": ("inet", "'10.0.0.1'", "10.0.0.1/32"),
        "mac": ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
        "b": ("bytea", "'abc'", "abc"),
        "t": ("time", "'10:00'", "10:00:00"),
        "span": ("interval", "'1 hour'", "01:00:00"),
        "j": ("jsonb", """'{"a": 1}'""", '{"a": 1}'),
        "padded": ("char(5)", "'ab'", "ab"),
        "free": ("numeric", "1.5", 1.5),
    },
    "mysql": {
        "u": ("uuid", f"'{UUID}'", UUID),
        "ip": ("inet6", "'::1'", "::1"),
        "b": ("blob", "'abc'", "abc"),
        "t": ("time", "'10:00'", "10:00:00"),
        "one": ("enum('x', 'y')", "'x'", "x"),
        "j": ("json", """'{"a": 1}'""", '{"a": 1}'),
        "padded": ("char(5)", "'ab'", "ab"),
        "year": ("year", "2024", 2024),
        "most": ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    },
    "sqlite": {
        "b": ("blob", "x'616263'", "abc"),
        "t": ("time", "'10:00'", "10:00"),
        "free": ("numeric", "1.5", 1.5),
        "wide": ("smallint", "100000", 100_000),
        "untyped": ("", "'abc'", "abc"),
    },
}
# What Parquet files hold of DuckDB's, and each engine reads; binary columns are not known to one.
OF_FILES = {
    "polars": ("b", "t", "one", "j", "tiny", "most"),
    "datafusion": ("t", "one", "tiny", "most"),
    "pyspark": ("b", "one", "j", "tiny"),
}
# More than 64 bits with a sign hold; numbers of both types that just fit, beside them.
LARGE = ("18446744073709551615", "99999999999999999999")
FITTING = ("9223372036854775807", "-9223372036854775808")
UNSIGNED = {"mysql": "bigint unsigned", "postgres": "numeric(20, 0)"}


def in_server(request: pytest.FixtureRequest, engine: str, statements: list[str]) -> Source:
    server: Any = request.getfixturevalue(SERVERS[engine][0])
    name = f"types_{uuid4().hex}"
    url = server.create(name)
    for statement in statements:
        server.run(statement, database=name)
    return Source("events", url, "happened", "events")


def made(
    request: pytest.FixtureRequest, folder: Path, engine: str, columns: dict[str, tuple[str, str]]
) -> Source:
    """A table of one event: a type and a value a column; in a file of Parquet, where an engine only reads."""
    declared = ", ".join(["happened timestamp", *(f"{name} {type_}" for name, (type_, _) in columns.items())])
    values = ", ".join(["'2024-01-01 12:00:00'", *(value for _, value in columns.values())])
    statements = [f"CREATE TABLE events ({declared})", f"INSERT INTO events VALUES ({values})"]
    if engine in SERVERS:
        return in_server(request, engine, statements)
    if engine == "sqlite":
        with closing(sqlite3.connect(folder / "events.sqlite")) as con, con:
            for statement in statements:
                con.execute(statement)
        return Source("events", f"sqlite://{folder / 'events.sqlite'}", "happened", "events")
    with duckdb.connect(str(folder / "events.ddb")) as con:
        con.execute(";".join(statements))
        con.execute(f"COPY events TO '{folder / 'events.parquet'}'") if engine != "duckdb" else None
    if engine == "duckdb":
        return Source("events", f"duckdb://{folder / 'events.ddb'}", "happened", "events")
    options = spark_options(folder) if engine == "pyspark" else ""
    return Source("events", f"{engine}://{folder / 'events.parquet'}{options}", "happened")


def grouped(rows: SourceRows, *columns: str) -> dict[str, Any]:
    """By column, its only grouping."""
    rollup, vocabularies = rollup_of(declare("1d", groupings=columns)), Vocabularies()
    (cells,) = read_states(rows, rollup, layout_of(rollup, rows), DAY, vocabularies).grains
    return {name: vocabularies[name].decode(cells.codes[name])[0] for name in columns}


def finished(rows: SourceRows, calculation: Calculation, *columns: str) -> dict[str, Any]:
    """By column, what a calculation gives."""
    aggregations = tuple(asking(f"of {name}", name, (calculation,)) for name in columns)
    rollup = rollup_of(declare("1d", aggregations=aggregations))
    layout = layout_of(rollup, rows)
    (cells,) = read_states(rows, rollup, layout, DAY, Vocabularies()).grains
    return {
        key.field: MEASURES[key.measure].finish(cells.states[key], calculation, kind, None).to_list()[0]
        for key, kind in layout.kinds.items()
        if key.field
    }


@pytest.mark.parametrize("engine", COLUMNS)
def test_what_is_neither_number_nor_time_is_a_grouping_as_a_text(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    columns = {name: (type_, value) for name, (type_, value, _) in COLUMNS[engine].items()}
    with session(made(request, tmp_path, engine, columns)) as opened:
        rows = SourceRows(opened)
        found = grouped(rows, *columns)
        assert found == {name: value for name, (_, _, value) in COLUMNS[engine].items()}
        texts = {name: value for name, value in found.items() if isinstance(value, str)}
        assert finished(rows, Calculation.LAST, *texts) == texts
        assert finished(rows, Calculation.APPROX_COUNT_DISTINCT, *texts) == dict.fromkeys(texts, 1)


@pytest.mark.parametrize("engine", engines(*OF_FILES))
def test_files_give_the_same_groupings_to_every_engine(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    known = COLUMNS["duckdb"]
    columns = {name: known[name][:2] for name in OF_FILES[engine]}
    with session(made(request, tmp_path, engine, columns)) as opened:
        rows = SourceRows(opened)
        assert grouped(rows, *columns) == {name: known[name][2] for name in columns}
        assert finished(rows, Calculation.APPROX_COUNT_DISTINCT, "tiny") == {"tiny": 1}


@pytest.mark.parametrize("engine", engines("duckdb", "postgres", "mysql", "polars", "datafusion", "pyspark"))
def test_whole_numbers_that_do_not_fit_64_bits_are_an_error_and_none_beside_them(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    unsigned = UNSIGNED.get(engine, "ubigint")
    columns = {
        "large": (unsigned, LARGE[0]),
        "larger": ("decimal(30, 0)", LARGE[1]),
        "fits": (unsigned, FITTING[0]),
        "least": ("decimal(30, 0)", FITTING[1]),
    }
    source = made(request, tmp_path, engine, columns)
    for name in ("large", "larger"):
        for calculation in (Calculation.MIN, Calculation.SUM, Calculation.APPROX_COUNT_DISTINCT):
            with pytest.raises(SourceError), session(source) as opened:
                finished(SourceRows(opened), calculation, name)
    with session(source) as opened:
        rows = SourceRows(opened)
        for calculation in (Calculation.MIN, Calculation.SUM):
            found = finished(rows, calculation, "fits", "least")
            assert [int(found["fits"]), int(found["least"])] == list(map(int, FITTING)), calculation
        found = finished(rows, Calculation.APPROX_COUNT_DISTINCT, "fits", "least")
        assert found == {"fits": 1, "least": 1}


def test_a_point_of_postgres_is_no_column_and_in_nobodys_way(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Ibis reads such columns by PostGIS, whether or not it is installed and whether or not they are asked for."""
    columns = {"place": ("point", "point(1, 2)"), "kind": ("text", "'a'")}
    with session(made(request, tmp_path, "postgres", columns)) as opened:
        rows = SourceRows(opened)
        assert grouped(rows, "kind") == {"kind": "a"}
        with pytest.raises(NotFoundError, match="there is no column 'place'"):
            rows.grouping("place")


@pytest.mark.parametrize(("type_", "named"), [("uuid", r"fixed_size_binary\[16\]"), ("blob", "binary_view")])
def test_a_type_of_files_that_an_engine_does_not_know_is_named(
    request: pytest.FixtureRequest, tmp_path: Path, type_: str, named: str
) -> None:
    source = made(request, tmp_path, "datafusion", {"u": (type_, f"'{UUID}'")})
    with pytest.raises(SourceTypeError, match=f"a column is {named}, which"), session(source):
        pass


@pytest.mark.parametrize("type_", ["integer", "smallint", "real", "numeric"])
@pytest.mark.parametrize("calculation", ["SUM", "AVG", "MIN", "LAST", "PERCENTILES", "APPROX_COUNT_DISTINCT"])
def test_a_text_in_a_column_of_numbers_is_no_zero(
    request: pytest.FixtureRequest, tmp_path: Path, type_: str, calculation: str
) -> None:
    """SQLite's columns hold whatever they are given, and its SUM takes a text for 0."""
    source = made(request, tmp_path, "sqlite", {"n": (type_, "'abc'")})
    said = "a column of numbers holds a value that is none"
    with pytest.raises(SourceTypeError, match=said), session(source) as opened:
        finished(SourceRows(opened), Calculation(calculation), "n")
    with pytest.raises(SourceTypeError), session(source) as opened:
        grouped(SourceRows(opened), "n")
