from __future__ import annotations

from decimal import Decimal

import ibis
import pytest

from aggflow.errors import ParseError, SpecError
from aggflow.language import (
    Aggregate,
    And,
    Arithmetic,
    Call,
    Compare,
    Exists,
    Find,
    In,
    Length,
    Literal,
    Match,
    Named,
    Not,
    Or,
    Path,
    parse_condition,
    parse_linq,
    parse_operand,
    parse_predicate,
    to_jpath,
    to_linq,
    vocabulary,
)

A, B = Path(("a",)), Path(("b",))
SCHEMA = ibis.schema(
    {
        "client": "string",
        "amount": "float64",
        "n": "int64",
        "ok": "boolean",
        "at": "timestamp",
        "payload": "json",
        "tags": "array<string>",
        "place": "struct<city: string, zip: int32>",
    }
)
COLUMNS = dict(SCHEMA.items())
DOCUMENTED = 'from demo.ecommerce.data where eq(client, "self") group every 1800000 by client'

# As written, and as it is printed; None: printed as written.
QUERIES: list[tuple[str, str | None]] = [
    (DOCUMENTED, None),
    ('from demo.ecommerce.data where client = "self" group every 30m by client select count()', DOCUMENTED),
    (
        "FROM t\n  WHERE a = 1  GROUP EVERY 24h // a comment\nBY b",
        "from t where eq(a, 1) group every 86400000 by b",
    ),
    ("from t group", None),
    ("from t group by a, b", None),
    ("from t group every - by a", "from t group by a"),
    ("from t group every 0", "from t group"),
    ("from t group every 5m by a every 1h", "from t group every 300000 by a every 3600000"),
    ("from t group every 30m by a every 0", "from t group every 1800000 by a"),
    ("from t group every 1m every 5m", "from t group every 60000 every 300000"),
    (
        "from `my table`.`x``y` where `group` = 1 group by `a b`",
        "from `my table`.`x``y` where eq(`group`, 1) group by `a b`",
    ),
    (
        "from t where a = 1, b /= 2 and c != 3 where d < 4 group",
        "from t where eq(a, 1), ne(b, 2), ne(c, 3), lt(d, 4) group",
    ),
    ("from t where 1 <= a < 5 < b group", "from t where ge(a, 1), lt(a, 5), gt(b, 5) group"),
    (
        "from t where a = 1 or b = 2 and c = 3 group",
        "from t where `or`(eq(a, 1), `and`(eq(b, 2), eq(c, 3))) group",
    ),
    (
        "from t where (a = 1 or b = 2) and c = 3 group",
        "from t where `or`(eq(a, 1), eq(b, 2)), eq(c, 3) group",
    ),
    ('from t where a -> "x", b ->> "y" group', 'from t where has(a, "x"), weakhas(b, "y") group'),
    ('from t where a -> {"x", "y"} group', 'from t where has(a, "x", "y") group'),
    (
        'from t where "x" <- a, a in {"x", 2}, a <- {"y"} group',
        'from t where `in`("x", a), `in`("x", 2, a), `in`("y", a) group',
    ),
    (
        'from t where in("x", "y", a), weakin("x", a), weakin("x", "y", a) group',
        'from t where `in`("x", "y", a), eqic(a, "x"), weakin("x", "y", a) group',
    ),
    (
        'from t where a ~ re("^x\\\\d"), matches(b, nameglob("*.log")) group',
        'from t where matches(a, re("^x\\\\d")), matches(b, nameglob("*.log")) group',
    ),
    ("from t where a ~ re('\\d') group", 'from t where matches(a, re("\\\\d")) group'),
    (
        'from t where toktains(a, "x"), toktains(a, "x", true, false), weaktoktains(a, "x", false, true) group',
        None,
    ),
    ('from t where toktains(a, "x", true, true) group', 'from t where has(a, "x") group'),
    (
        'from t where startswith(a, "x"), endswith(a, "y"), isempty(b) group',
        'from t where startswith(a, "x"), endswith(a, "y"), eq(b, "") group',
    ),
    (
        "from t where isnull(a), isnotnull(b), not isnull(c) group",
        "from t where isnull(a), isnotnull(b), isnotnull(c) group",
    ),
    ("from t where a, not b group", "from t where eq(a, true), ne(b, true) group"),
    ("from t where not (a = 1 and b < 2) group", "from t where `or`(ne(a, 1), ge(b, 2)) group"),
    ('from t where not (a -> "x" or b = 1) group', 'from t where not(has(a, "x")), ne(b, 1) group'),
    ('from t where not not a -> "x" group', 'from t where has(a, "x") group'),
    ('from t where isnotnull(a), not a -> "x" group', 'from t where isnotnull(a), not(has(a, "x")) group'),
    ("from t where ip = 192.168.1.1 group", 'from t where eq(ip, "192.168.1.1") group'),
    (
        "from t where a = -5, a = - 5.0e1, a > -(b) group",
        "from t where eq(a, -5), eq(a, -50), gt(a, 0 - b) group",
    ),
    (
        "from t where a - (b - 2) * 3 = (1 + b) / 2 group",
        "from t where eq(a - (b - 2) * 3, (1 + b) / 2) group",
    ),
    (
        "from t where decode(a, 1, 'x', 'y') = 'x' group",
        'from t where eq(ifthenelse(eq(a, 1), "x", "y"), "x") group',
    ),
    (
        "from t where ifthenelse(a > 1, b) = 2 group",
        "from t where eq(ifthenelse(gt(a, 1), b, null), 2) group",
    ),
    (
        "from t select lower(a) as b where b = 'x' group by b",
        'from t where eq(lower(a), "x") select lower(a) as b group by b',
    ),
    (
        "from t select a, a + 1 as b, b * 2 as c group by c select sum(b)",
        "from t select a + 1 as b, b * 2 as c group by c select sum(b)",
    ),
    ("from t select lower(a) group by `lower(a)`", None),
    ("from t select * group by lower(a), payload.user", "from t group by lower(a), payload.user"),
    (
        "from t group every 1d by a select a, eventdate, count(), sum(b) as s",
        "from t group every 86400000 by a select count(), sum(b) as s",
    ),
    (
        "from t group by a select count() as n, sum(b) / n as m select m * 100 as p",
        "from t group by a select count() as n, sum(b) / count() as m, sum(b) / count() * 100 as p",
    ),
    ("from t group by lower(a) select `lower(a)` as b, count() as c", None),
    (
        "from t group select percentile95(a), percentile5(a), percentile(a, 0.999), percentile(a, 100), median(a)",
        None,
    ),
    (
        "from t group select percentile(a, 0.95), percentile(a, 95) as b, percentile05(a)",
        "from t group select percentile95(a), percentile95(a) as b, percentile5(a)",
    ),
    (
        "from t group select sum(a), avg(a), min(a), max(eventdate), first(a), last(a), nnfirst(a), nnlast(a), stddev(a), var(a), hllpp(a), hllppcount(a), count(a)",
        None,
    ),
    ("from t group by a select round(avg(b), 2) as r, ifthenelse(gt(count(), 5), 1, 0) as many", None),
]


@pytest.mark.parametrize(("text", "canonical"), QUERIES)
def test_queries_and_their_canonical_text(text: str, canonical: str | None) -> None:
    query = parse_linq(text)
    printed = to_linq(query)
    assert printed == (canonical or text)
    assert parse_linq(printed) == query


@pytest.mark.parametrize(
    ("period", "milliseconds"),
    [
        ("30s", 30_000),
        ("1m", 60_000),
        ("5m", 300_000),
        ("10m", 600_000),
        ("15m", 900_000),
        ("30m", 1_800_000),
        ("1h", 3_600_000),
        ("3h", 10_800_000),
        ("24h", 86_400_000),
        ("1d", 86_400_000),
        ("5d", 432_000_000),
        ("1800000", 1_800_000),
        ("-", None),
        ("0", None),
    ],
)
def test_periods(period: str, milliseconds: int | None) -> None:
    assert parse_linq(f"from t group every {period} by a").period_ms == milliseconds


def test_a_query_carries_what_a_rollup_needs() -> None:
    query = parse_linq(
        'from shop.orders where client = "self", b > 1 select lower(a) as name '
        "group every 1h by name, client every 1d "
        "select sum(b * 2) / count() as mean, percentile(b, 0.999) as p, median(b), count(b)"
    )
    assert query.table == "shop.orders"
    assert query.predicate == parse_predicate("@.client == 'self' && @.b > 1")
    assert (query.period_ms, query.client_ms) == (3_600_000, 86_400_000)
    assert query.keys == (Named("name", Path(("name",))), Named("client", Path(("client",))))
    assert query.columns == (Call("lower", (A,)), Path(("client",)))
    assert query.aggregates == (
        Aggregate("sum(b * 2)", "sum", Arithmetic("*", B, Literal(2))),
        Aggregate("count()", "count"),
        Aggregate("percentile(b, 0.999)", "percentile", B, Decimal("0.999")),
        Aggregate("median(b)", "median", B, Decimal("0.5")),
        Aggregate("count(b)", "count", B),
    )
    assert query.outputs == (
        Named("mean", Arithmetic("/", Path(("sum(b * 2)",)), Path(("count()",)))),
        Named("p", Path(("percentile(b, 0.999)",))),
        Named("median(b)", Path(("median(b)",))),
        Named("count(b)", Path(("count(b)",))),
    )
    assert query.aggregate("count()").function == "count"
    with pytest.raises(SpecError, match="no aggregate"):
        query.aggregate("sum(b)")


def test_names_of_selects_are_resolved_to_columns() -> None:
    query = parse_linq(
        "from t select a + 1 as x, x * 2 as y, upper(c) as z group by z select max(length(z)), sum(y)"
    )
    operands = [aggregate.argument for aggregate in query.aggregates]
    assert [to_linq(query.resolved(operand)) for operand in operands if operand] == [
        "length(upper(c))",
        "(a + 1) * 2",
    ]


def test_conditions_are_trees_of_the_one_predicate() -> None:
    assert parse_condition('a = "x" and b in {1, 2}') == parse_predicate("@.a == 'x' && @.b in [1, 2]")
    assert parse_condition("`or`(gt(a, 5), isnull(b))") == parse_predicate("@.a > 5 || !(@.b)")
    assert parse_condition('a ~ re("^x")') == Match(A, "^x")
    assert parse_condition('eqic(a, "x")') == Find(A, ("x",), "end", "end", ignore_case=True)
    assert parse_condition('not a -> "x"') == And((Exists(A), Not(Find(A, ("x",)))))
    assert parse_condition("not a in {1}") == And((Exists(A), Not(In(A, (Literal(1),)))))
    assert parse_condition("length(a) > 1") == Compare(">", Length(A), Literal(1))
    assert (
        to_linq(parse_predicate("@.a == 'x' && (@.b > 1 || @.b)"))
        == '`and`(eq(a, "x"), `or`(gt(b, 1), isnotnull(b)))'
    )


def test_what_only_linq_says_has_no_jpath() -> None:
    for text in ('a -> "x"', 'a ~ nameglob("x*")', "a + 1 > 2", 'lower(a) = "x"', "ifthenelse(b, 1, 2) = 1"):
        with pytest.raises(SpecError, match="JPath cannot say"):
            to_jpath(parse_condition(text))


def test_what_only_jpath_says_has_no_linq() -> None:
    for text in ("@.a LIKE 'x%'", "!(@.a == 1 && @.b)", "@.a in []", "@.a == null"):
        with pytest.raises(SpecError, match="LINQ cannot say"):
            to_linq(parse_predicate(text))


def test_numbers_that_are_written_out_are_compared() -> None:
    assert parse_condition("1 = 1") == Compare("==", Literal(1), Literal(1))


def test_literals() -> None:
    assert parse_operand(r'"a\\b\"c\n"') == Literal('a\\b"c\n')
    assert parse_operand(r"'a\d'") == Literal(r"a\d")
    assert [parse_operand(text) for text in ("7", "-0.5", "1e3", "true", "NULL")] == [
        Literal(7),
        Literal(Decimal("-0.5")),
        Literal(1000),
        Literal(True),
        Literal(None),
    ]


ERRORS = [
    ("", "ends too early", 0, ""),
    ("select a", "cannot be read", 0, ""),
    ("from t", "not grouped", 6, "group every 1h by name"),
    ("from t where n = 1", "not grouped", 18, ""),
    # what others call it
    ("from t group select mean(a)", "mean() is not accepted", 20, "avg(name)"),
    ("from t group select stdev(a)", "stdev() is not accepted", 20, "stddev(name)"),
    ("from t group select nunique(a)", "nunique() is not accepted", 20, "hllppcount(name)"),
    ("from t group select p95(a)", "p95() is not accepted", 20, "percentile95(name)"),
    # what is not accepted, by name
    ("from (from t group) group", "a subquery is not accepted", 5, "one table"),
    ("from t where a in (from u group) group", "a subquery is not accepted", 19, "one table"),
    ("from union(a, b) group", "a union is not accepted", 10, "one table"),
    ("from a, b group", "a union is not accepted", 6, "one table"),
    ("from t group by n group by n", "a second group is not accepted", 18, ""),
    ("from t group by a select sum(b) limit 5", "limit is not accepted", 32, ""),
    ("from t group by n where n = 1", "a where after the group is not accepted", 18, "before"),
    ("from t group every 1m | midnight(a)", "alignment of buckets is not accepted", 22, "time zone"),
    ("from t order by a", "order by is not accepted", 7, "sort the answer"),
    ("from t join u group", "a join is not accepted", 7, "one table"),
    ("from t pragma a: 1 group", "a pragma is not accepted", 7, ""),
    ("from t where ip <- 10.0.0.0/8 group", "the net 10.0.0.0/8 cannot be tested", 19, "startswith"),
    ("from t where isprivate(client) group", "isprivate() is not accepted", 13, "startswith"),
    ("from t where n > now() group", "now() is not accepted", 17, "whenever it runs"),
    (
        "from t group by client select collectdistinct(n)",
        "collectdistinct() is not accepted",
        30,
        "hllppcount",
    ),
    # names
    ("from t where cliant = 1 group", "there is no column 'cliant'", 13, "did you mean 'client'?"),
    ("from t group by cliant", "there is no column 'cliant'", 16, "did you mean 'client'?"),
    ("from t group select sum(amont)", "there is no column 'amont'", 24, "did you mean 'amount'?"),
    ("from t where place.ziip = 1 group", "there is no field 'ziip'", 13, "did you mean 'zip'?"),
    ("from t where n.x = 1 group", "n is int64 and has no field 'x'", 13, ""),
    ('from t where lowr(client) = "x" group', "there is no function 'lowr'", 13, "did you mean 'lower'?"),
    ("from t where isnul(client) group", "there is no function 'isnul'", 13, "did you mean 'isnull'?"),
    ("from t group select summ(n)", "there is no function 'summ'", 20, "did you mean 'sum'?"),
    (
        "from t group by client select cliemt",
        "'cliemt' is not there after the group",
        30,
        "did you mean 'client'?",
    ),
    ("from t group by client select amount", "'amount' is not there after the group", 30, "aggregates"),
    ("from t group select eventdate", "'eventdate' is not there after the group", 20, ""),
    # a name twice
    ("from t select n + 1 as n group", "the name 'n' is used more than once", 23, "as"),
    ("from t select n as a, ok as a group", "the name 'a' is used more than once", 28, ""),
    ("from t group by client select count() as client", "the name 'client' is used more than once", 41, ""),
    ("from t group select sum(n), sum(n)", "the name 'sum(n)' is used more than once", 28, ""),
    ("from t group by client, client", "the key 'client' is used more than once", 24, ""),
    ("from t group every 1h by eventdate", "one cannot group by eventdate", 25, "group every"),
    ("from t select n + 1 as a where a.b = 1 group", "a is computed and has no fields", 31, ""),
    # periods
    ("from t group every 999", "no whole number of seconds", 19, "milliseconds"),
    ("from t group every 1w", "the period has no unit 'w'", 20, "d days"),
    ("from t group every 25h", "above a day", 19, ""),
    ("from t group every 99999999999999999999", "a period above a day is whole days", 19, ""),
    ("from t group every 5m by n every 7m", "a multiple of the server's", 33, "300000 ms"),
    ("from t group by n every 7m", "a client's period needs one of the server", 24, ""),
    # conditions and values
    ("from t where lower(client) group", "lower() is no condition", 13, "lower(client) = "),
    ("from t where client group", "client is a text and no condition", 13, ""),
    ('from t group by n select client = "x" as y', "a condition is no value", 25, ""),
    ("from t where sum(n) > 1 group", "sum() is an aggregate", 13, "after the group"),
    ("from t group select sum(sum(n))", "sum() is an aggregate", 24, ""),
    ("from t where n = null group", "null is not compared with", 17, "isnull"),
    ("from t where n in {1, null} group", "null is not compared with", 22, "isnull"),
    ("from t where \"client\" = 'x' group", "two written values are compared", 13, "without quotes"),
    ('from t where n = 1 and 1 < "n" group', "two written values are compared", 23, "without quotes"),
    ("from t where n <-5 group", "a set or a column stands on the right", 17, "x < -5"),
    ('from t where "a" in "b" group', "a set or a column stands on the right", 20, ""),
    ("from t where client -> client group", "client is not written out", 23, ""),
    ('from t where "a" -> "b" group', "a column or an expression is needed here", 13, ""),
    ("from t group select count(1)", "a column or an expression is needed here", 26, "count() counts rows"),
    ("from t group by 1", "a column or an expression is needed here", 16, "keys are named"),
    ("from t group by client, 2", "a column or an expression is needed here", 24, "keys are named"),
    ("from t group select max(1)", "a column or an expression is needed here", 24, "name a column"),
    ('from t where client ~ "a" group', "a pattern is written", 22, ""),
    ('from t where client ~ re("(?=a)") group', "the regular expression cannot be used", 25, "RE2"),
    ('from t where re("a") = "a" group', "re() is not accepted", 13, "matches()"),
    (r'from t where client = "\." group', r"there is no escape \.", 23, "single quotes"),
    ("from t where eq(client) group", "eq() takes 2 arguments, not 1", 13, ""),
    ('from t where substring(client, n) = "x" group', "a whole number written out", 31, ""),
    ("from t group select sum()", "sum() takes 1 argument, not 0", 20, ""),
    ("from t group select count(n, n)", "count() takes no or 1 argument, not 2", 20, ""),
    ("from t group select percentile(n)", "percentile() takes 2 arguments, not 1", 20, ""),
    ("from t group select percentile(n, 1)", "1 may be one percent or all", 34, "0.01 or 100"),
    ("from t group select percentile(n, 101)", "a percentile is a number written out", 34, ""),
    ("from t where n = 1e999 group", "the number is too large", 17, ""),
    # types
    ("from t group select sum(ok)", "a number is needed here, not true or false", 24, ""),
    ("from t group select avg(tags)", "a number is needed here", 24, ""),
    ("from t group by tags", "one cannot group by what has fields or elements", 16, ""),
    ("from t where hour(client) = 1 group", "a time is needed here, not a text", 18, ""),
    ('from t where has(amount, "x") group', "amount is float64 and no text", 17, ""),
    ('from t where lower(at) = "x" group', "a text is needed here, not a time", 19, ""),
    ("from t where client = ok group", "a text and true or false cannot be compared", 13, ""),
    ("from t where tags = 1 group", "compares what has fields or elements", 13, ""),
    ('from t where at > "soon" group', "'soon' is not a time", 18, "RFC 3339"),
    ("from t where nvl(client, n) = 1 group", "nvl() would give a number and a text", 13, ""),
    # slips
    ('from t where client == "x" group', "cannot be read", 21, "equality is written ="),
    ('from t where client = "x group', "cannot be read", 22, "no closing quote"),
    ('from t where client = "x" && n = 1 group', "cannot be read", 26, "and is written and"),
    ('from t where client like "x" group', "cannot be read", 20, "nameglob"),
    ("from t where client is null group", "cannot be read", 20, "isnull(name)"),
    ("from t where n between 1 and 2 group", "cannot be read", 15, "1 <= name <= 5"),
    ("from t group select count(*)", "cannot be read", 26, "count()"),
    ("from t group by every", "cannot be read", 16, "`every`"),
    ("from my-table group", "cannot be read", 7, "backticks"),
    ("from t where (n = 1 group", "cannot be read", 20, ""),
    ("from t where n % 2 = 1 group", "cannot be read", 15, "no remainder"),
    ("from t wher n = 1 group", "cannot be read", 7, "did you mean where?"),
    ("from t grup by client", "cannot be read", 7, "did you mean group?"),
    ("from t group evry 1h", "cannot be read", 13, "did you mean every?"),
    ("frm t group", "cannot be read", 0, "did you mean from?"),
    ("from t where client = 'it''s' group", "cannot be read", 26, "apostrophe"),
    (r"from t where client = 'it\'s' group", "cannot be read", 27, "apostrophe"),
    ('from t where client = "x" || n = 1 group', "cannot be read", 26, "or is written or"),
    # as SQL has it
    ("select client, sum(n) from t group by client", "cannot be read", 0, "the table comes first"),
    ("where client = 'x' from t", "cannot be read", 0, "the table comes first"),
    ("limit 10", "cannot be read", 0, "the table comes first"),
    ("from t where client in ('a', 'b') group", "cannot be read", 27, "in braces"),
    ("from t where client not in {'a'} group", "cannot be read", 20, "not comes first"),
    ("from t where n in {} group", "cannot be read", 19, "one value"),
    ("from t where case when n = 1 then 2 end = 2 group", "cannot be read", 18, "ifthenelse"),
    ("from t where client in (select client) group", "a subquery is not accepted", 24, "one table"),
    ("from (select n) group", "a subquery is not accepted", 5, "one table"),
    ("from t as u group", "cannot be read", 7, "no other name"),
    ("from t u group", "cannot be read", 7, "no other name"),
    ("from t group by lower(client) as low", "cannot be read", 30, "named before the group"),
    ("from t group select count(distinct n)", "cannot be read", 35, "hllpp(name)"),
    ("from t group select distinct client", "cannot be read", 29, "group by a column"),
    ("from t group every 30 minutes", "cannot be read", 22, "one word"),
    ("from t group by client desc", "order by is not accepted", 23, "sort the answer"),
    ("from t group by client offset 5", "that clause is not accepted", 23, "cut the answer"),
    ("from t group -- all", "cannot be read", 13, "begins with //"),
]


@pytest.mark.parametrize(("text", "message", "position", "hint"), ERRORS)
def test_errors_have_a_place_and_a_hint(text: str, message: str, position: int, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_linq(text, columns=COLUMNS)
    assert message in caught.value.message
    assert caught.value.position == position
    assert hint in caught.value.hint
    assert "^" in str(caught.value)


def test_an_error_is_drawn_with_its_expectation() -> None:
    with pytest.raises(ParseError) as caught:
        parse_linq("from t\nwhere a ! 1 group")
    expected = "( … ), a comparison (= /= < <= > >=), -> ->> <- ~ in, + - * /, a dot, a comma, and, or"
    assert str(caught.value).splitlines() == [
        "the query cannot be read from here on, at line 2, column 9",
        "    where a ! 1 group",
        "            ^",
        f"expected: {expected}, where, select, group, the end",
        "hint: negation is written not",
    ]


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(ParseError, match="no table 'flihgts'") as caught:
        parse_linq("from flihgts group", tables=["flights", "orders"])
    assert caught.value.hint == "did you mean 'flights'?"
    assert parse_linq("from flights group", tables=["flights"]).table == "flights"


def test_deep_nesting_is_refused_and_parentheses_cost_nothing() -> None:
    assert parse_condition("(" * 2000 + "a = 1" + ")" * 2000) == parse_condition("a = 1")
    for text in (
        "not " * 101 + "a = 1",
        "1" + " + a" * 101 + " = 1",
        "lower(" * 101 + "a" + ")" * 101 + " = 'x'",
    ):
        with pytest.raises(ParseError, match="nested more than 100 deep"):
            parse_condition(text)
    tree = parse_condition(" or ".join(f"a = {i}" for i in range(5000)))
    assert isinstance(tree, Or)
    assert len(tree.terms) == 5000


def test_types_are_known_through_names_and_paths() -> None:
    parse_linq(
        'from t select lower(client) as c where c -> "x", place.city = "y", payload.a.b > 5, at > "2024-01-01" '
        "group every 1h by c, place.zip, hour(at) select sum(payload.price), max(eventdate), count(tags)",
        columns=COLUMNS,
    )
    with pytest.raises(ParseError, match="a time is needed here, not a text"):
        parse_linq("from t select lower(client) as c group by hour(c)", columns=COLUMNS)


def test_the_vocabulary_says_every_word_once() -> None:
    words = vocabulary(["client", "dep delay", "group"])
    texts = [word.text for word in words]
    assert texts[:4] == ["client", "`dep delay`", "`group`", "eventdate"]
    assert len(set(texts)) == len(texts)
    assert all(word.sentence for word in words if word.kind != "column")
    assert {"where", "eq(", "`in`(", "lower(", "ifthenelse(", "sum(", "percentile("} <= set(texts)
    assert [word.text for word in vocabulary(["dep delay"], begins="DEP")] == ["`dep delay`"]
