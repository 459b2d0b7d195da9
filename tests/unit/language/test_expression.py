from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ibis
import pytest
from ibis import _

from aggflow.errors import NotFoundError, SpecError
from aggflow.language import FALSE, TRUE, from_ibis, to_ibis, to_jpath


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    con = ibis.duckdb.connect()
    con.raw_sql("""
        CREATE TABLE t AS SELECT * FROM (VALUES
            (0, 'JFK', 1, 0.5, true, TIMESTAMP '2013-01-01', DATE '2013-01-01', {'a': 'x'}, '{"k": {"m": "v"}}'),
            (1, 'LGA', 5, 1.5, false, TIMESTAMP '2013-02-01', DATE '2013-02-01', {'a': NULL}, '{"k": 1}'),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (3, 'lga', 9, -1, true, TIMESTAMP '2013-01-01 00:00:01', DATE '2012-01-01', {'a': 'y'}, '{}')
        ) AS v(id, origin, delay, x, late, ts, day, st, doc)""")
    yield con
    con.disconnect()


CASES: list[tuple[Any, str]] = [
    (_.origin != "LGA", "@.origin != 'LGA'"),
    (~(_.origin != "LGA"), "@.origin == 'LGA'"),
    (_.delay > 3, "@.delay > 3"),
    (_.delay > 3.5, "@.delay > 3.5"),
    (_.delay >= Decimal("3.5"), "@.delay >= 3.5"),
    (3 < _.delay, "@.delay > 3"),  # noqa: SIM300 - this order is what is tested
    (ibis.literal(3) < _.delay, "@.delay > 3"),
    (_.delay < _.x, "@.delay < @.x"),
    ((_.origin == "JFK") & (_.delay == 1) | _.late, "@.origin == 'JFK' && @.delay == 1 || @.late == true"),
    (~((_.origin == "JFK") & (_.delay < 3)), "@.origin != 'JFK' || @.delay >= 3"),
    (~_.late, "@.late == false"),
    (_.origin.isin(["JFK", "it's"]), r"@.origin in ['JFK', 'it\'s']"),
    (_.origin.isin(["JFK", None]), "@.origin in ['JFK']"),
    (_.origin.notin(["JFK"]), "@.origin && !(@.origin in ['JFK'])"),
    (_.origin.notin(["JFK", None]), "false"),
    (_.origin.isin([]), "false"),
    (_.origin.isnull(), "!(@.origin)"),
    (_.origin.notnull(), "@.origin"),
    (~_.origin.isnull(), "@.origin"),
    (_.origin == None, "!(@.origin)"),  # noqa: E711 - so Ibis asks for what is missing
    (_.origin.like("%A"), "@.origin LIKE '%A'"),
    (~_.origin.like("%A"), "@.origin && !(@.origin LIKE '%A')"),
    (_.origin.ilike("l%"), "@.origin ILIKE 'l%'"),
    (_.origin.like(["L%", "J%"]), "@.origin LIKE 'L%' || @.origin LIKE 'J%'"),
    (_.origin.re_search("^[JL]"), "@.origin =~ /^[JL]/"),
    (~_.origin.re_search("^[JL]"), "@.origin && !(@.origin =~ /^[JL]/)"),
    (_.delay.between(1, 5), "@.delay >= 1 && @.delay <= 5"),
    (~_.delay.between(1, 5), "@.delay < 1 || @.delay > 5"),
    (_.origin.length() == 3, "@.origin.length == 3"),
    (_.ts >= dt.datetime(2013, 1, 1, 0, 0, 1), "@.ts >= '2013-01-01T00:00:01Z'"),  # noqa: DTZ001 - a time without a zone is UTC
    (_.ts >= "2013-01-15", "@.ts >= '2013-01-15'"),
    (_.ts.between("2013-01-01", "2013-01-02"), "@.ts >= '2013-01-01' && @.ts <= '2013-01-02'"),
    (_.ts > ibis.timestamp("2013-01-01 00:00:00.5"), "@.ts > '2013-01-01T00:00:00.500Z'"),
    (_.day <= dt.date(2013, 1, 1), "@.day <= '2013-01-01'"),
    (_.st.a == "x", "@.st.a == 'x'"),
    (_.st["a"].isnull(), "!(@.st.a)"),
    (lambda t: t.origin == "JFK", "@.origin == 'JFK'"),
    (_.late & True, "@.late == true"),
]


@pytest.mark.parametrize(("expression", "text"), CASES, ids=[case[1] for case in CASES])
def test_the_same_rows_as_the_expression(con: Any, expression: Any, text: str) -> None:
    table = con.table("t")
    tree = from_ibis(expression, table)
    assert to_jpath(tree) == text

    def ids(condition: Any) -> list[tuple[int]]:
        return con.con.execute(con.compile(table.filter(condition).select("id"))).fetchall()

    def resolve(path: Any) -> Any:
        value = table[path.parts[0]]
        for part in path.parts[1:]:
            value = value[part]
        return value

    meaning = to_ibis(tree, resolve, number=lambda value: value.try_cast("float64"))
    assert ids(meaning) == ids(expression)


def test_keys_of_json_are_paths() -> None:
    t = ibis.table({"doc": "json", "text": "string"}, name="t")
    assert to_jpath(from_ibis(_.doc["k"]["m"].str == "v", t)) == "@.doc.k.m == 'v'"
    assert to_jpath(from_ibis(_.text.cast("json")["k n"].int > 3, t)) == "@.text['k n'] > 3"
    assert to_jpath(from_ibis(_.doc["k"].notnull(), t)) == "@.doc.k"


def test_bound_expressions_aware_times_and_constants() -> None:
    t = ibis.table(
        {"a": "string", "ts": "timestamp('UTC')", "tags": "array<string>", "flag": "boolean"}, name="t"
    )
    assert to_jpath(from_ibis(t.a == "x", t)) == "@.a == 'x'"
    noon = dt.datetime(2013, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert to_jpath(from_ibis(_.ts < noon, t)) == "@.ts < '2013-01-01T10:00:00Z'"
    assert to_jpath(from_ibis(_.tags.length() > 1, t)) == "@.tags.length > 1"
    assert from_ibis(ibis.literal(True), t) == TRUE
    assert from_ibis(~_.flag & False, t) == FALSE


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (_.n + 1 > 3, "the Ibis operation Add cannot be said"),
        (_.a.lower() == "x", "the Ibis operation Lowercase"),
        (_.a.startswith("x"), "the Ibis operation StartsWith"),
        ((_.n > 1) ^ (_.n < 3), "the Ibis operation Xor"),
        (_.a.identical_to("x"), "the Ibis operation IdenticalTo"),
        (_.n.cast("string") == "x", "the Ibis operation Cast"),
        (_.ts > ibis.now(), "the Ibis operation TimestampNow"),
        (_.n.isin(_.n), "the Ibis operation InSubquery"),
        (_.n > _.n.mean(), "the Ibis operation Mean"),
        (_.doc["a"][0].str == "x", "positions in JSON arrays"),
        (_.doc["a"] == _.doc["b"], "the Ibis operation JSONGetItem"),
        (_.n == "x", "not comparable"),
        (_.n > float("inf"), "no number that can be compared with"),
        (_.a.re_search("(?=x)"), "looks around"),
        (_.a.nothing() == "x", "nothing"),
        (_.n, "no single condition"),
        ("@.a == 1", "a text is no Ibis expression"),
        (5, "no single condition"),
    ],
)
def test_what_cannot_be_said_is_named(expression: Any, message: str) -> None:
    t = ibis.table({"a": "string", "n": "int64", "ts": "timestamp", "doc": "json"}, name="t")
    with pytest.raises(SpecError, match=message.replace("(", r"\(")):
        from_ibis(expression, t)


def test_unknown_columns_and_other_tables() -> None:
    t = ibis.table({"origin": "string"}, name="t")
    other = ibis.table({"origin": "string"}, name="other")
    with pytest.raises(NotFoundError, match="did you mean 'origin'"):
        from_ibis(_.orign == "x", t)
    with pytest.raises(NotFoundError, match="did you mean 'origin'"):
        from_ibis(_["orign"] == "x", t)
    with pytest.raises(SpecError, match="column of another table"):
        from_ibis(other.origin == "x", t)
