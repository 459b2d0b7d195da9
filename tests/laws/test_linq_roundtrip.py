"""Laws of LINQ: the text of a tree is the tree again, and any text is read or refused with a place."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggflow.errors import ParseError, SpecError
from aggflow.language import (
    FUNCTIONS,
    And,
    Arithmetic,
    Call,
    Choose,
    Compare,
    Exists,
    Find,
    Function,
    Glob,
    In,
    Length,
    Literal,
    Match,
    Not,
    Or,
    Path,
    conjuncts,
    parse_condition,
    parse_linq,
    parse_operand,
    parse_predicate,
    to_jpath,
    to_linq,
)

WORDS = ["a", "b", "from", "In", "group", "größe", "a b", "a`b", "sum(a)", "1a", "length", "@"]
NAMES = st.sampled_from(WORDS) | st.text(min_size=1, max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: Path(tuple(parts)))
TEXTS = st.text(max_size=6) | st.sampled_from(['"', "\\", "\\n", "//", "'", "\n", "`"])
NUMBERS = (
    st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(min_value=Decimal("-1e300"), max_value=Decimal("1e300"), allow_nan=False)
)
LITERALS = st.builds(Literal, TEXTS | NUMBERS | st.booleans())
REGEXES = st.sampled_from(["a", "^a\\.b$", '"', "[/]", "\n", "(?i)x", "\\\\"])
SIGNS = st.sampled_from(["+", "-", "*", "/"])
COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def _argument(takes: str, operands: Any) -> Any:
    written = {"regex": REGEXES, "written": TEXTS, "whole": st.integers(0, 99)}
    return st.builds(Literal, written[takes]) if takes in written else operands


def _calls(row: Function, operands: Any) -> Any:
    arguments = st.tuples(*(_argument(takes, operands) for takes in row.takes))
    return arguments.map(lambda given: _call(row.name, given))


def _call(name: str, arguments: tuple[Any, ...]) -> Any:
    # The length of a column is an operand of its own.
    return (
        Length(arguments[0]) if name == "length" and isinstance(arguments[0], Path) else Call(name, arguments)
    )


def _computed(operands: Any) -> Any:
    # Without types nothing is known of paths; what has a kind by itself is left out of choices.
    typed = [row for row in FUNCTIONS.values() if row.name != "nvl" and "time" not in row.takes]
    return (
        st.builds(Arithmetic, SIGNS, PATHS, PATHS | st.builds(Literal, NUMBERS))
        | st.builds(Choose, _tests(PATHS), PATHS, PATHS | LITERALS | st.just(Literal(None)))
        | st.one_of(*(_calls(row, PATHS) for row in typed))
        | st.builds(Arithmetic, SIGNS, operands, operands)
    )


def _tests(subjects: Any) -> Any:
    texts = st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
    one = TEXTS.map(lambda text: (text,))
    border = st.sampled_from(["any", "token"])
    return (
        st.builds(Compare, COMPARISONS, subjects, subjects | LITERALS)
        | st.builds(Glob, subjects, TEXTS)
        | st.builds(Match, subjects, REGEXES)
        | st.builds(In, subjects, st.lists(LITERALS, min_size=1, max_size=3).map(tuple))
        | st.builds(Find, subjects, texts, st.just("any"), st.just("any"), st.booleans())
        | st.builds(Find, subjects, texts, st.just("end"), st.just("any"))
        | st.builds(Find, subjects, texts, st.just("any"), st.just("end"))
        | st.builds(Find, subjects, texts, st.just("end"), st.just("end"), st.just(True))
        | st.builds(Find, subjects, one, border, border, st.booleans())
        | st.builds(Exists, subjects)
    )


def _fails(test: Any) -> Any:
    if isinstance(test, Exists):
        return Not(test)
    return test if isinstance(test, Compare) else And((Exists(test.operand), Not(test)))


NUMERIC = st.recursive(
    PATHS | st.builds(Literal, NUMBERS),
    lambda inner: st.builds(Arithmetic, SIGNS, inner, inner),
    max_leaves=6,
)
OPERANDS = PATHS | st.builds(Length, PATHS) | _computed(NUMERIC)
TESTS = _tests(PATHS) | _tests(PATHS).map(_fails)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: (
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


@settings(deadline=None)  # the grammar is made at its first use
@given(CONDITIONS)
def test_the_text_of_a_condition_is_the_condition_again(tree: Any) -> None:
    text = to_linq(tree)
    assert parse_condition(text) == tree
    assert to_linq(parse_condition(text)) == text


@settings(deadline=None)  # the grammar is made at its first use
@given(OPERANDS)
def test_the_text_of_an_operand_is_the_operand_again(operand: Any) -> None:
    assert parse_operand(to_linq(operand)) == operand


@settings(deadline=None)  # the grammar is made at its first use
@given(CONDITIONS)
def test_what_both_languages_say_is_one_tree(tree: Any) -> None:
    try:
        text = to_jpath(tree)
    except SpecError as error:
        said = str(error)
    else:
        said = "JPath cannot say"
        assert parse_predicate(text) == tree == parse_condition(to_linq(tree))
    assert "JPath cannot say" in said


PLAIN = st.sampled_from(["a", "b", "payload.user", "`a b`", "`from`"])
VALUES = st.sampled_from(["1", "-0.5", '"x"', "'y\\d'", "true", "b", "a + 1", "lower(b)", "length(a) / 2"])
WHERES = st.sampled_from(
    [
        "{a} = {v}",
        "not {a} /= {v}",
        '{a} -> "x"',
        "not {a} ->> 'x'",
        "1 < {a} <= {v}",
        '{a} in {{"x", 2}}',
        '"x" <- {a}',
        '{a} ~ re("^x")',
        "not ({a} = {v} or isnull({a}) and {a} > 2)",
        "(eq({a}, {v}), isnotnull({a}))".replace("(eq", "`and`(eq"),
    ]
)
CONDITION_TEXTS = st.builds(lambda form, a, v: form.format(a=a, v=v), WHERES, PLAIN, VALUES)
SELECTS = st.sampled_from(["lower(a) as x", "a + b as y", "length(b) as `z z`", "*", "a", "b as w"])
KEYS = st.lists(
    st.sampled_from(["c", "d.e", "lower(f)", "`g h`", "substring(i, 0, 2)"]), unique=True, max_size=3
)
PERIODS = st.sampled_from(["", "every 30m", "every 3600000", "EVERY 1d", "every -", "every 0"])
CLIENTS = st.sampled_from(["", "every 0", "every 5d"])
OUTPUTS = st.lists(
    st.sampled_from(
        [
            "count()",
            "sum(a) as s",
            "sum(a) / count() * 100 as m",
            "percentile95(b)",
            "percentile(b, 0.999) as p",
            "max(eventdate)",
            "round(avg(a + 1), 2) as r",
            "(min(a) - max(a)) / -2 as d2",
            "hllpp(c)",
            "median(d)",
        ]
    ),
    unique=True,
    max_size=4,
)


@st.composite
def queries(draw: Any) -> str:
    wheres = draw(st.lists(CONDITION_TEXTS, max_size=3))
    selects = draw(st.lists(SELECTS, unique=True, max_size=2))
    keys, period, outputs = draw(KEYS), draw(PERIODS), draw(OUTPUTS)
    client = draw(CLIENTS) if period[6:] not in ("", "-", "0") else ""
    clauses = [
        draw(st.sampled_from(["from", "FROM", "From"])),
        draw(st.sampled_from(["t", "demo.ecommerce.data", "`my table`.x"])),
        *(f"where {where}" for where in wheres),
        *(f"select {select}" for select in selects),
        "group",
        period,
        "by " + ", ".join(keys) if keys else "",
        client,
        "select " + ", ".join(outputs) if outputs else "",
    ]
    return draw(st.sampled_from([" ", "\n", "  // and so on\n"])).join(clause for clause in clauses if clause)


@settings(max_examples=300, deadline=None)
@given(queries())
def test_a_query_is_the_same_after_it_is_printed(text: str) -> None:
    query = parse_linq(text)
    printed = to_linq(query)
    assert parse_linq(printed) == query
    assert to_linq(parse_linq(printed)) == printed
    assert "\n" not in printed
    assert "  " not in printed


@settings(max_examples=300, deadline=None)
@given(queries())
def test_a_query_s_conditions_can_each_be_read_alone(text: str) -> None:
    query = parse_linq(text)
    parsed = [parse_condition(to_linq(where)) for where in query.wheres]
    assert tuple(parsed) == query.wheres
    together = parse_condition(", ".join(map(to_linq, query.wheres))) if query.wheres else query.predicate
    assert conjuncts(together) == conjuncts(query.predicate)


TOKENS = [
    "from",
    "t",
    "where",
    "a",
    ".",
    "b",
    "=",
    "->",
    "->>",
    "<-",
    "~",
    "in",
    "{",
    "}",
    "(",
    ")",
    ",",
    "and",
]
MORE = [
    "not",
    "group",
    "every",
    "1h",
    "-",
    "by",
    "select",
    "count()",
    "sum",
    "as",
    '"x"',
    '"',
    "'",
    "`",
    "1",
    "1.2.3.4",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*TOKENS, *MORE, " ", "\n", "//", "*", "/", "<", "|", "null"]), max_size=25))
def test_any_text_is_read_or_refused_with_a_place(tokens: list[str]) -> None:
    text = " ".join(["from t where", *tokens])
    try:
        query = parse_linq(text)
    except ParseError as error:
        place, shown = error.position, str(error)
    else:
        place, shown = 0, "^"
        assert parse_linq(to_linq(query)) == query
    assert 0 <= place <= len(text)
    assert "^" in shown
