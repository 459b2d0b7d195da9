"""Quirks, by name: what each backend gives, and what Ibis or the backend would give without care.

The tests that begin with ``pin`` hold an oddity of others.  One that fails is good news: the road
around it can go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import ibis
import pytest

from aggflow.backends import quirks
from aggflow.backends.capabilities import capability
from aggflow.backends.capability import Capability
from aggflow.backends.fetch import fetch
from aggflow.errors import SourceTypeError, UnsupportedError
from aggflow.timeline import parse_instant

TIMES = [
    "1900-03-01 00:00:00",
    "1969-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "2000-02-29 12:34:56.000001",
    "2024-02-29 23:59:59.999999",
    "2100-02-28 23:59:59.5",
    "2300-03-01 00:00:00.000001",
]


@pytest.fixture(params=["duckdb", "sqlite"])
def con(request: pytest.FixtureRequest) -> Iterator[Any]:
    backend = getattr(ibis, request.param).connect()
    yield backend
    backend.disconnect()


@pytest.fixture
def can(con: Any) -> Capability:
    return capability(con.name)


def column(con: Any, type_: str, values: list[Any]) -> Any:
    con.raw_sql("DROP TABLE IF EXISTS t")
    con.raw_sql(f"CREATE TABLE t (i integer, x {type_})")
    for i, value in enumerate(values):
        con.con.execute("INSERT INTO t VALUES (?, ?)", (i, value))
    return con.table("t")


def evaluated(con: Any, can: Capability, table: Any, value: Any) -> list[Any]:
    return fetch(con, can, table.select("i", v=value).order_by("i"))["v"].to_pylist()


def test_micros_are_exact(con: Any, can: Capability) -> None:
    table = column(con, "timestamp", [*TIMES, None])
    expected = [*map(parse_instant, TIMES), None]
    assert evaluated(con, can, table, quirks.micros(table.x, can)) == expected


@pytest.mark.parametrize("backend", ["duckdb"])
def test_civil_arithmetic_gives_the_same_seconds(backend: str) -> None:
    con = getattr(ibis, backend).connect()
    civil = replace(capability(backend), micros="civil", micros_function="")
    table = column(con, "timestamp", TIMES)
    found = evaluated(con, civil, table, quirks.civil_seconds(table.x))
    con.disconnect()
    assert found == [parse_instant(text) // 1_000_000 for text in TIMES]


def test_civil_seconds_of_sqlite_are_those_of_the_calendar() -> None:
    con = ibis.sqlite.connect()
    table = column(con, "timestamp", [text.partition(".")[0] for text in TIMES])
    found = evaluated(con, capability("sqlite"), table, quirks.civil_seconds(table.x))
    con.disconnect()
    assert found == [parse_instant(text.partition(".")[0]) // 1_000_000 for text in TIMES]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01", "2024-01-01T00:00:00Z"),
        ("2024-01-01 10:20", "2024-01-01T10:20:00Z"),
        ("2024-01-01T10:20", "2024-01-01T10:20:00Z"),
        ("2024-01-01 10:20+02:00", "2024-01-01T08:20:00Z"),
        ("2024-01-01T10:20:30Z", "2024-01-01T10:20:30Z"),
        ("2024-01-01T10:20:30.5Z", "2024-01-01T10:20:30.5Z"),
        ("2024-01-01T10:20:30.25-03:30", "2024-01-01T13:50:30.25Z"),
        ("2024-01-01 10:20:59.999999+05:45", "2024-01-01T04:35:59.999999Z"),
        ("2024-01-01 10:20:59.9999999", "2024-01-01T10:20:59.999999Z"),
        ("2024-01-01 10:20:59.999999999999", "2024-01-01T10:20:59.999999Z"),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_sqlite_are_read_in_every_spelling(text: str | None, expected: str | None) -> None:
    con = ibis.sqlite.connect()
    table = column(con, "timestamp", [text])
    found = evaluated(con, capability("sqlite"), table, quirks.micros(table.x, capability("sqlite")))
    con.disconnect()
    assert found == [None if expected is None else parse_instant(expected)]


def test_infinite_times_of_duckdb_are_no_times() -> None:
    con = ibis.duckdb.connect()
    table = column(con, "timestamp", ["infinity", "-infinity"])
    assert evaluated(con, capability("duckdb"), table, quirks.micros(table.x, capability("duckdb"))) == [
        None,
        None,
    ]
    con.disconnect()


def test_finite_leaves_out_what_is_no_number(con: Any, can: Capability) -> None:
    values = [1.5, -0.0, None, math.inf, -math.inf, math.nan, 1.7976931348623157e308, 5e-324]
    table = column(con, "double", values)
    expected = [1.5, -0.0, None, None, None, None, 1.7976931348623157e308, 5e-324]
    assert evaluated(con, can, table, quirks.finite(table.x, can)) == expected


NUMBERS: dict[str, float | None] = {
    "1": 1.0, "-2.5": -2.5, "+3": 3.0, ".5": 0.5, "1.": 1.0, "1e3": 1000.0, "1E-2": 0.01, " 7 ": 7.0,
    "": None, " ": None, "-": None, "apples": None, "1_000": None, "1,5": None, "0x10": None, "1e": None,
    "inf": None, "nan": None, "-Infinity": None, "1e400": None, "1 2": None, "true": None, "٣": None,
}  # fmt: skip


def test_numbers_of_texts_are_the_same_everywhere(con: Any, can: Capability) -> None:
    table = column(con, "text", [*NUMBERS, None])
    found = evaluated(con, can, table, quirks.number_of_text(table.x, can))
    assert dict(zip([*NUMBERS, None], found, strict=True)) == {**NUMBERS, None: None}


DOCUMENT = '{"a": {"b": "x", "n": 1.5, "t": true, "f": false, "z": null, "o": {"k": 1}}, "a.b": 2, "c d": 3, "é": 4, "l": [1, 2]}'


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("a", "b"), "x"),
        (("a", "n"), "1.5"),
        (("a", "t"), "true"),
        (("a", "f"), "false"),
        (("a", "z"), None),
        (("a", "o"), '{"k":1}'),
        (("a", "none"), None),
        (("a", "b", "deeper"), None),
        (("a.b",), "2"),
        (("c d",), "3"),
        (("é",), "4"),
        (("l", "0"), None),
    ],
)
def test_json_gives_text(con: Any, can: Capability, parts: tuple[str, ...], expected: str | None) -> None:
    table = column(con, "text", [DOCUMENT])
    found: Any = quirks.json_text(table.x, parts, can)
    assert evaluated(con, can, table, found) == [expected]
    # Within other expressions as well: the arrow that it may be spelled with binds weakly.
    assert evaluated(con, can, table, (found == (expected or "?")).fill_null(False)) == [expected is not None]
    assert evaluated(con, can, table, found.isnull()) == [expected is None]
    assert evaluated(con, can, table, found.concat("!")) == [None if expected is None else expected + "!"]


def test_what_is_no_json_holds_nothing(con: Any, can: Capability) -> None:
    table = column(con, "text", ["apples", "", "{", '{"a": 1}', '"a"', "7", "null", "[]", None])
    nothing: list[Any] = [None] * 9
    assert evaluated(con, can, table, quirks.json_text(table.x, ("a",), can)) == [
        *nothing[:3],
        "1",
        *nothing[4:],
    ]
    assert evaluated(con, can, table, quirks.json_length(table.x, ("a",), can))[:3] == [None] * 3


def test_json_arrays_have_a_length(con: Any, can: Capability) -> None:
    table = column(con, "text", ['{"a": [1, 2]}', '{"a": []}', "{}", '{"a": null}'])
    found = evaluated(con, can, table, quirks.json_length(table.x, ("a",), can))
    assert found[:3] == [2, 0, None]


@pytest.mark.parametrize("name", ["", "*", 'a"b', "a\\b"])
def test_names_that_a_json_path_cannot_say_are_refused(con: Any, can: Capability, name: str) -> None:
    table = column(con, "text", ["{}"])
    with pytest.raises(UnsupportedError, match="a JSON path cannot lead through the name"):
        quirks.json_text(table.x, ("a", name), can)


def test_sqlite_integers_beside_a_null_stay_integers() -> None:
    con = ibis.sqlite.connect()
    table = column(con, "bigint", [2**53 + 1, None, -(2**63), 2**63 - 1])
    found = evaluated(con, capability("sqlite"), table, table.x)
    con.disconnect()
    assert found == [2**53 + 1, None, -(2**63), 2**63 - 1]


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("boolean", 1, True),
        ("date", "2024-01-31", "2024-01-31"),
        ("timestamp", "2024-01-31T10:00:00+02:00", "2024-01-31 08:00:00"),
        ("decimal(10, 2)", 0.29, Decimal("0.29")),
    ],
)
def test_sqlite_values_get_the_type_of_their_column(type_: str, value: Any, expected: Any) -> None:
    con = ibis.sqlite.connect()
    table = column(con, type_, [value, None])
    found = evaluated(con, capability("sqlite"), table, table.x)
    con.disconnect()
    assert (expected if not isinstance(expected, str) else str(found[0]), None) == (expected, found[1])
    assert str(found[0]) == str(expected)


@pytest.mark.parametrize(
    ("type_", "value"), [("bigint", "text"), ("bigint", 1.5), ("timestamp", "yesterday"), ("date", "x")]
)
def test_sqlite_values_of_another_type_are_a_clear_error(type_: str, value: Any) -> None:
    con = ibis.sqlite.connect()
    table = column(con, type_, [value])
    with pytest.raises(SourceTypeError, match="stands where the source declares"):
        evaluated(con, capability("sqlite"), table, table.x)
    con.disconnect()


# -- pins: oddities of others -----------------------------------------------------------------------------


def test_pin_sqlite_remainders_are_floats() -> None:
    con = ibis.sqlite.connect()
    table = column(con, "bigint", [2**53 + 1])
    assert evaluated(con, capability("sqlite"), table, (table.x % 2).cast("float64")) == [0.0]
    con.disconnect()


def test_pin_json_extract_of_sqlite_is_rewritten_to_quoted_json() -> None:
    con = ibis.sqlite.connect()
    table = column(con, "text", ['{"a": "x"}'])
    found = quirks.function("json_extract", "string", "string", returns="string")(table.x, "$.a")
    assert evaluated(con, capability("sqlite"), table, found) == ['"x"']
    con.disconnect()


def test_pin_backends_raise_at_what_is_no_json(con: Any, can: Capability) -> None:
    table = column(con, "text", ["apples"])
    found = quirks.function(can.json, "string", "string", returns="string")(table.x, "$.a")
    with pytest.raises(Exception, match=r"(?i)malformed json"):
        evaluated(con, can, table, found)


def test_pin_duckdb_casts_times_with_a_zone_by_the_zone_of_its_session() -> None:
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'America/New_York'")
    table = column(con, "timestamptz", ["2024-01-01 00:00:00+00"])
    assert (
        str(evaluated(con, capability("duckdb"), table, table.x.cast("timestamp"))[0])
        == "2023-12-31 19:00:00"
    )
    con.disconnect()


def test_pin_duckdb_reads_digits_in_groups_as_a_number() -> None:
    con = ibis.duckdb.connect()
    table = column(con, "text", ["1_000"])
    assert evaluated(con, capability("duckdb"), table, table.x.try_cast("float64")) == [1000.0]
    con.disconnect()
