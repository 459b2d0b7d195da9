from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggflow.errors import SpecError
from aggflow.language import (
    And,
    Compare,
    Constant,
    Exists,
    In,
    Length,
    Like,
    Literal,
    Match,
    Not,
    Or,
    Path,
    Predicate,
    parse_predicate,
    read_number,
    to_ibis,
    to_jpath,
)

ROWS: list[dict[str, Any]] = [
    {"id": 0, "s": "JFK", "n": 1, "x": 0.5, "b": True, "d": Decimal("0.10"), "ts": "2013-01-01 00:00:00"},
    {"id": 1, "s": "LGA", "n": 2, "x": -1.5, "b": False, "d": Decimal("1.50"), "ts": "2013-01-01 12:30:00"},
    {"id": 2, "s": None, "n": None, "x": None, "b": None, "d": None, "ts": None},
    {"id": 3, "s": "it's", "n": 9007199254740993, "x": 0.1, "b": True, "d": Decimal("-3.00"), "ts": None},
    {"id": 4, "s": "Ärger\\%_", "n": -7, "x": 0.30000000000000004, "b": None, "d": None, "ts": None},
    {"id": 5, "s": "12.50", "n": 0, "x": 1e300, "b": False, "d": Decimal("12.34"), "ts": None},
    {"id": 6, "s": "jfk\n", "n": 3, "x": None, "b": True, "d": None, "ts": "2014-06-01 00:00:00"},
    {"id": 7, "s": "", "n": 3, "x": 2.0, "b": False, "d": Decimal("2.00"), "ts": "1969-12-31 23:59:59"},
    {"id": 8, "s": "true", "n": -9223372036854775808, "x": -0.0, "b": True, "d": None, "ts": None},
    {"id": 9, "s": "2", "n": 9223372036854775807, "x": 3.0, "b": None, "d": None, "ts": None},
    {"id": 10, "s": "日本\n語/a.b", "n": 5, "x": 5.0, "b": None, "d": None, "ts": None},
]
COLUMNS = ("id", "s", "n", "x", "b", "d", "ts")


@dataclass(frozen=True)
class Engine:
    con: Any
    table: Any
    number: Callable[[Any], Any]

    def ids(self, predicate: str | Predicate) -> list[int]:
        tree = parse_predicate(predicate) if isinstance(predicate, str) else predicate
        condition = to_ibis(tree, lambda path: self.table[path.parts[0]], number=self.number)
        sql = self.con.compile(self.table.filter(condition).select("id"))
        return sorted(row[0] for row in self.con.con.execute(sql).fetchall())


def _sqlite_number(value: Any) -> Any:
    return value.re_search(r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$").ifelse(
        value.cast("float64"), ibis.null("float64")
    )


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("duck") / "t.ddb"
    with duckdb.connect(str(path)) as raw:
        raw.execute(
            "CREATE TABLE t (id INT, s VARCHAR, n BIGINT, x DOUBLE, b BOOLEAN, d DECIMAL(18,2), ts TIMESTAMP)"
        )
        raw.executemany("INSERT INTO t VALUES (?,?,?,?,?,?,?)", [[row[c] for c in COLUMNS] for row in ROWS])
    con = ibis.duckdb.connect(path)
    yield Engine(con, con.table("t"), lambda value: value.try_cast("float64"))
    con.disconnect()


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("lite") / "t.sqlite"
    raw = sqlite3.connect(path)
    raw.execute(
        "CREATE TABLE t (id INTEGER, s TEXT, n INTEGER, x REAL, b BOOLEAN, d DECIMAL(18,2), ts TIMESTAMP)"
    )
    rows = [[float(row[c]) if isinstance(row[c], Decimal) else row[c] for c in COLUMNS] for row in ROWS]
    raw.executemany("INSERT INTO t VALUES (?,?,?,?,?,?,?)", rows)
    raw.commit()
    raw.close()
    con = ibis.sqlite.connect(path)
    yield Engine(con, con.table("t"), _sqlite_number)
    con.disconnect()


@pytest.fixture(params=["duck", "lite"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(request.param)


CASES: list[tuple[str, list[int]]] = [
    ("", list(range(11))),
    ("false", []),
    ("@.s == 'JFK'", [0]),
    ("@.s != 'LGA'", [0, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("!(@.s == 'LGA')", [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (r"@.s == 'it\'s'", [3]),
    (r"@.s == 'Ärger\\%_'", [4]),
    ("@.s == ''", [7]),
    ("@.s == null", [2]),
    ("@.s != null", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("@.s < null", []),
    ("@.s in ['JFK', null]", [0, 2]),
    ("@.s in []", []),
    ("!(@.s in [])", list(range(11))),
    ("@.s in ['JFK', 12.5, 2]", [0, 5, 9]),
    ("@.s", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("!@.s", [2]),
    # numbers
    ("@.n > 2", [3, 6, 7, 9, 10]),
    ("@.n == 9007199254740992", []),
    ("@.n == 9007199254740993", [3]),
    ("@.n == 9007199254740993.0", [3]),
    ("@.n <= 2.5", [0, 1, 4, 5, 8]),
    ("@.n < 1e30", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("@.n == 9223372036854775808", []),
    ("@.n != 9223372036854775808", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("@.n >= -9223372036854775809", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("@.n in [1, 2.0, 1e30, 'x', '3']", [0, 1, 6, 7]),
    ("5 < @.n", [3, 9]),
    ("@.x == 0.1", [3]),
    ("@.x == 0.30000000000000004", [4]),
    ("@.x == 0", [8]),
    ("@.x > 1e299", [5]),
    ("@.d == 0.1", [0]),
    ("@.d in [0.10, 1.5]", [0, 1]),
    ("@.d < 0.105", [0, 3]),
    # a text that reads as a number is one for a numeric column; any other matches nothing
    ("@.n == '2'", [1]),
    ("@.n == ' 2 '", [1]),
    ("@.x == '2.0'", [7]),
    ("@.n == 'two'", []),
    ("@.n != 'two'", []),
    ("!(@.n != 'two')", list(range(11))),
    # a number against a text casts the text; a text that is none matches nothing
    ("@.s == 12.5", [5]),
    ("@.s > 2", [5]),
    ("@.s != 2", [5]),
    ("@.s >= 2", [5, 9]),
    # booleans
    ("@.b == true", [0, 3, 6, 8]),
    ("@.b != true", [1, 5, 7]),
    ("@.b == 1", [0, 3, 6, 8]),
    ("@.b == 'false'", [1, 5, 7]),
    ("@.b == 'maybe'", []),
    ("@.b in [true, false]", [0, 1, 3, 5, 6, 7, 8]),
    ("@.s == true", [8]),
    ("@.n == true", [0]),
    # times
    ("@.ts >= '2013-01-01T12:30:00Z'", [1, 6]),
    ("@.ts >= '2013-01-01T13:30:00+01:00'", [1, 6]),
    ("@.ts < '2013-01-01'", [7]),
    ("@.ts == 1356998400000", [0]),
    ("@.ts == true", []),
    # patterns
    ("@.s LIKE 'J%'", [0]),
    ("@.s LIKE 'jfk'", []),
    ("@.s ILIKE 'jfk'", [0]),
    ("@.s ILIKE 'JFK%'", [0, 6]),
    ("@.s ILIKE 'jfk_'", [6]),
    ("@.s ILIKE 'ä%'", [4]),
    ("@.s LIKE '%r\\%%'", [4]),
    ("@.s LIKE '%A'", [1]),
    ("@.s LIKE '%'", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("@.s LIKE '%FK%'", [0]),
    ("@.s LIKE '___'", [0, 1]),
    ("@.s LIKE '日本_語%.b'", [10]),
    ("!(@.s LIKE '%')", [2]),
    ("@.n LIKE '9%'", [3, 9]),
    ("@.s =~ /^[A-Z]{3}$/", [0, 1]),
    (r"@.s =~ /語\/a\.b/", [10]),
    ("@.s =~ /(?i)^jfk/", [0, 6]),
    ("@.s =~ //", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    # lengths
    ("@.s.length == 3", [0, 1]),
    ("@.s.length in [0, 1]", [7, 9]),
    ("@.s.length > @.n", [0, 1, 4, 5, 6, 8, 10]),
    ("@.s.length != null", [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]),
    # fields with each other
    ("@.n == @.x", [10]),
    ("@.n < @.x", [4, 5, 8]),
    ("@.s == @.x", []),
    ("@.s < @.s", []),
    # connectives
    ("@.n == 3 && @.s == '' || @.s == 'JFK'", [0, 7]),
    ("@.n == 3 && (@.s == '' || @.s == 'JFK')", [7]),
    ("!(@.n > 0 && @.x > 0)", [1, 2, 4, 5, 6, 8]),
    ("!(!(@.n > 2))", [3, 6, 7, 9, 10]),
]


@pytest.mark.parametrize(("text", "ids"), CASES, ids=[case[0] for case in CASES])
def test_rows_that_match(engine: Engine, text: str, ids: list[int]) -> None:
    assert engine.ids(text) == sorted(ids)


@pytest.mark.parametrize("text", [case[0] for case in CASES if case[0]])
def test_a_predicate_and_its_negation_part_the_rows(engine: Engine, text: str) -> None:
    assert sorted(engine.ids(text) + engine.ids(f"!({text})")) == list(range(len(ROWS)))


MANY = [0, *range(2, 4), *range(1000, 2997)]


def test_many_tests_of_which_one_holds(engine: Engine) -> None:
    assert engine.ids(" || ".join(f"@.n == {number}" for number in MANY)) == [1, 5, 6, 7]


def test_many_tests_that_all_hold(duck: Engine) -> None:
    # SQLite takes a thousand of them at most, and says so.
    assert duck.ids(" && ".join(f"@.n != {number}" for number in MANY)) == [0, 3, 4, 8, 9, 10]


# An evaluator in plain Python, to compare with on trees that nobody thought of.


def _field(row: dict[str, Any], operand: Any) -> Any:
    if isinstance(operand, Length):
        value = row[operand.path.parts[0]]
        return None if value is None else len(value)
    return row[operand.parts[0]]


def _pair(value: Any, literal: Any) -> tuple[Any, Any] | None:
    if isinstance(value, str) and isinstance(literal, int | Decimal) and not isinstance(literal, bool):
        number = read_number(value)
        return None if number is None else (float(number), float(literal))
    if isinstance(value, str) and isinstance(literal, bool):
        return value, str(literal).lower()
    if isinstance(value, bool) and isinstance(literal, str):
        return (value, literal == "true") if literal in ("true", "false") else None
    if isinstance(value, int | float | Decimal) and isinstance(literal, str):
        literal = read_number(literal)
        if literal is None:
            return None
    if isinstance(value, float) and isinstance(literal, Decimal):
        return value, float(literal)
    if isinstance(value, int) and isinstance(literal, Decimal) and literal != int(literal):
        return float(value), float(literal)
    return value, literal


def _test(op: str, value: Any, literal: Any) -> bool:
    if literal is None:
        return {"==": value is None, "!=": value is not None}.get(op, False)
    pair = None if value is None else _pair(value, literal)
    if pair is None:
        return False
    a, b = pair
    return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def _holds(tree: Predicate, row: dict[str, Any]) -> bool:
    match tree:
        case Constant():
            return tree.value
        case Not():
            return not _holds(tree.term, row)
        case And():
            return all(_holds(term, row) for term in tree.terms)
        case Or():
            return any(_holds(term, row) for term in tree.terms)
        case Exists():
            return _field(row, tree.operand) is not None
        case In():
            return any(_test("==", _field(row, tree.operand), value.value) for value in tree.values)
        case Like():
            value = _field(row, tree.operand)
            regex = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in tree.pattern)
            flags = re.DOTALL | (re.IGNORECASE if tree.ignore_case else 0)
            return value is not None and re.fullmatch(regex, value, flags) is not None
        case Match():
            value = _field(row, tree.operand)
            return value is not None and re.search(tree.pattern, value) is not None
        case Compare():
            assert isinstance(tree.right, Literal)
            return _test(tree.op, _field(row, tree.left), tree.right.value)
        case _:
            raise AssertionError(tree)


_FIELDS = st.sampled_from([Path((name,)) for name in ("s", "n", "x", "b")])
_TEXTS = st.sampled_from([row["s"] for row in ROWS if row["s"] is not None] + ["1", "0.1", "false", "abc"])
_NUMBERS = st.sampled_from([-7, 0, 1, 2, 3, 5, 0.1, 0.5, -1.5, 12.5, 1e300, 2**53, 2**53 + 1, 2**63, 10**30])
_LITERALS = st.builds(Literal, _TEXTS | _NUMBERS | st.booleans() | st.none())
_PATTERN = st.text(alphabet="%_JFKjfkLGAär\\.日本語\n", max_size=5)
_OPERANDS = _FIELDS | st.just(Length(Path(("s",))))
_COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_TESTS = (
    st.builds(Compare, _COMPARISONS, _OPERANDS, _LITERALS)
    | st.builds(In, _OPERANDS, st.lists(_LITERALS, max_size=4).map(tuple))
    | st.builds(Like, st.just(Path(("s",))), _PATTERN, st.booleans())
    | st.builds(Match, st.just(Path(("s",))), st.sampled_from(["^J", "[0-9]", "a.b", "\\n"]))
    | st.builds(Exists, _FIELDS)
    | st.builds(Constant, st.booleans())
)
TREES = st.recursive(
    _TESTS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_engines_agree_with_an_evaluator_in_python(duck: Engine, lite: Engine, tree: Predicate) -> None:
    wanted = [row["id"] for row in ROWS if _holds(tree, row)]
    assert duck.ids(tree) == wanted, to_jpath(tree)
    assert lite.ids(tree) == wanted, to_jpath(tree)


@pytest.fixture(scope="module")
def special() -> Iterator[Callable[..., list[int]]]:
    """Rows with NaN, infinity, times, dates, structs, lists, UUIDs; gives the ids of those that match."""
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'America/New_York'")
    con.raw_sql("""
        CREATE TABLE t AS SELECT * FROM (VALUES
            (0, 'nan'::DOUBLE, 1.0, DATE '2013-01-01', TIMESTAMPTZ '2013-01-01 00:00:00+00',
             {'a': 'x', 'length': 5}, ['p', 'q'], 'nan', '00000000-0000-0000-0000-000000000001'::UUID),
            (1, 'inf'::DOUBLE, 2.0, DATE '2013-01-02', TIMESTAMPTZ '2013-01-01 23:59:59.999999+00',
             {'a': NULL, 'length': 3}, [], '7', NULL),
            (2, 3.0, 3.0, NULL, NULL, NULL, NULL, NULL, NULL)
        ) AS v(id, x, y, day, tz, st, tags, s, u)""")
    table = con.table("t")

    def resolve(path: Path) -> Any:
        value = table[path.parts[0]]
        for part in path.parts[1:]:
            value = value[part]
        return value

    def ids(text: str, **options: Any) -> list[int]:
        condition = to_ibis(
            parse_predicate(text), resolve, number=lambda value: value.try_cast("float64"), **options
        )
        sql = con.compile(table.filter(condition).select("id"))
        return sorted(row[0] for row in con.con.execute(sql).fetchall())

    yield ids
    con.disconnect()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("@.x > 2", [1, 2]),
        ("@.x != 3", [1]),
        ("@.x == @.x", [1, 2]),
        ("@.x >= @.y", [1, 2]),
        ("@.x in [3, 4]", [2]),
        ("!(@.x > 2)", [0]),
        ("@.x != null", [0, 1, 2]),
        ("@.s > 5", [1]),
        ("@.s != 5", [1]),
        ("@.day == '2013-01-01'", [0]),
        ("@.day < '2013-01-01T12:00:00Z'", [0]),
        ("@.tz >= '2013-01-01T23:59:59.999999Z'", [1]),
        ("@.tz in ['2013-01-01', '2012-12-31T23:59:59.999999Z']", [0]),
        ("@.st.a == 'x'", [0]),
        ("@.st.a", [0]),
        ("@.st", [0, 1]),
        ("@.st['length'] > 4", [0]),
        ("@.tags.length > 1", [0]),
        ("@.tags.length == 0", [1]),
        ("@.u == '00000000-0000-0000-0000-000000000001'", [0]),
        ("@.u LIKE '%1'", [0]),
    ],
)
def test_rows_of_special_types(special: Callable[..., list[int]], text: str, ids: list[int]) -> None:
    assert special(text) == ids


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@.tags == 'p'", "@.tags is array and cannot be compared"),
        ("@.st == 'p'", "@.st is struct and cannot be compared"),
        ("@.x LIKE '1%'", "@.x is float64 and cannot be searched as text"),
        ("@.x.length > 1", "@.x is float64 and cannot be measured"),
        ("@.day > 'yesterday'", "@.day holds times: 'yesterday' is not a time"),
        ("@.day == @.x", "@.day and @.x cannot be compared: they are date and float64"),
    ],
)
def test_types_that_cannot_be_tested(special: Callable[..., list[int]], text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        special(text)


def _epoch_us(moment: Any) -> Any:
    return (moment.epoch_seconds().cast("float64") * 1e6).cast("int64")


def test_lengths_instants_and_operators_may_be_the_engines_own(special: Callable[..., list[int]]) -> None:
    lengths = {Path(("tags",)): ibis.literal(9)}
    assert special("@.tags.length == 9", length=lambda path: lengths[path]) == [0, 1, 2]
    assert special("@.s LIKE 'zz'", spelled={"LIKE": lambda value, _: value.notnull()}) == [0, 1]
    assert special("@.tz < '2013-01-01T12:00:00Z'", instant=_epoch_us) == [0]
    assert special("@.day < '2013-01-01T12:00:00Z'", instant=_epoch_us) == [0]


def test_an_engine_without_nan_is_not_asked_for_infinity(lite: Engine) -> None:
    condition = to_ibis(
        parse_predicate("@.x > 1"),
        lambda path: lite.table[path.parts[0]],
        number=lite.number,
        has_nan=False,
    )
    literals: Any = condition.op().find(ops.Literal)
    assert not any(math.isinf(literal.value) for literal in literals)
