from __future__ import annotations

import pickle
from decimal import Decimal

import pytest

from aggflow.errors import SpecError
from aggflow.language import (
    FALSE,
    OPERATORS,
    TRUE,
    And,
    Compare,
    Exists,
    In,
    Length,
    Like,
    Literal,
    Match,
    Not,
    Or,
    Path,
    all_of,
    any_of,
    conjuncts,
    parse_predicate,
    paths,
    read_number,
    to_jpath,
)

A, B, C = (Exists(Path((name,))) for name in "abc")


def test_literals_are_equal_where_they_mean_the_same() -> None:
    assert Literal(1) == Literal(1.0) == Literal(Decimal("1.00"))
    assert len({Literal(1), Literal(1.0), Literal(True), Literal("1"), Literal(None)}) == 4
    assert Literal(0.1).value == Decimal("0.1")
    assert Literal(True) != Literal(1)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, Decimal("1e999"), Decimal("sNaN"), b"x"]
)
def test_values_that_are_no_literals(value: object) -> None:
    with pytest.raises(SpecError):
        Literal(value)  # type: ignore[arg-type] - wrong on purpose


def test_a_literal_moves_to_the_right() -> None:
    assert Compare("<", Literal(5), Path(("x",))) == Compare(">", Path(("x",)), Literal(5))
    assert Compare("==", Literal(5), Literal(6)).left == Literal(5)


def test_conjunctions_and_disjunctions_are_flat() -> None:
    assert And((And((A, B)), C)) == And((A, B, C))
    assert Or((A, Or((B, C)))) == Or((A, B, C))
    assert And((Or((A, B)), C)).terms == (Or((A, B)), C)


@pytest.mark.parametrize("kind", [And, Or])
def test_one_term_joins_nothing(kind: type[And | Or]) -> None:
    with pytest.raises(SpecError, match="at least two terms"):
        kind((A,))


def test_joining_any_number() -> None:
    assert all_of([]) == TRUE
    assert any_of([]) == FALSE
    assert all_of([TRUE, A, TRUE]) == A
    assert any_of([A, FALSE, B]) == Or((A, B))
    assert all_of([A, FALSE]) == FALSE
    assert any_of([A, TRUE]) == TRUE


def test_conjuncts_and_paths() -> None:
    tree = parse_predicate(
        "@.a.b.length > 1 && @.c == @.d && (@.e || !(@.f in [1])) && @.g LIKE 'x' && @.h =~ /x/"
    )
    assert len(conjuncts(tree)) == 5
    assert {str(path) for path in paths(tree)} == {"@.a.b", *(f"@.{name}" for name in "cdefgh")}
    assert conjuncts(TRUE) == ()
    assert conjuncts(FALSE) == (FALSE,)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (TRUE, ""),
        (FALSE, "false"),
        (Not(TRUE), "!(true)"),
        (Exists(Path(("a", "b c", "length"))), "@.a['b c']['length']"),
        (Exists(Path(("length",))), "@.length"),
        (Exists(Path(("1a", "it's", "\\"))), r"@['1a']['it\'s']['\\']"),
        (Compare("!=", Length(Path(("ä",))), Literal(-1.5)), "@.ä.length != -1.5"),
        (Match(Path(("a",)), r"a/b\/c"), r"@.a =~ /a\/b\/c/"),
        (Like(Path(("a",)), "x'", ignore_case=True), r"@.a ILIKE 'x\''"),
        (In(Path(("a",)), (Literal(None), Literal(False))), "@.a in [null, false]"),
        (And((Or((A, B)), Not(And((A, C))))), "(@.a || @.b) && !(@.a && @.c)"),
        (Or((And((A, B)), C)), "@.a && @.b || @.c"),
    ],
)
def test_canonical_text(tree: object, text: str) -> None:
    assert to_jpath(tree) == text  # type: ignore[arg-type] - wrong on purpose
    assert parse_predicate(text) == tree


def test_trees_hash_and_pickle() -> None:
    tree = parse_predicate("@.a == 1 && !(@.b in ['x', null]) || @.c =~ /x/")
    assert pickle.loads(pickle.dumps(tree)) == tree  # noqa: S301 - pickled here
    assert len({tree, parse_predicate(to_jpath(tree))}) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" -5.50 ", Decimal("-5.5")),
        ("+.5", Decimal("0.5")),
        ("5.", 5),
        ("1e3", 1000),
        ("9007199254740993", 9007199254740993),
        ("", None),
        (".", None),
        ("1_000", None),
        ("0x10", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("1e99999999999999999999", None),
        ("٣", None),
        ("0" * 5000 + "1", 1),
    ],
)
def test_texts_that_read_as_numbers(text: str, number: object) -> None:
    assert read_number(text) == number


def test_regular_expressions_are_those_of_re2() -> None:
    for pattern in (r"\p{Greek}", r"a\z", "(?P<n>a)", r"[(?=]", r"\(?=", "[[:alpha:]]", "a{2,3}?"):
        Match(Path(("a",)), pattern)
    for pattern in ("(?=a)", "(?<!a)b", r"(a)\1", "(?P=n)", "a(", "[a", "*", "a\\", "(?>a)", "a++"):
        with pytest.raises(SpecError, match="regular expression"):
            Match(Path(("a",)), pattern)


def test_operators_are_rows_with_a_sentence() -> None:
    assert set(OPERATORS) == {"==", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "glob", "=~", "in", "exists"}
    assert all(row.sentence and row.symbol == symbol for symbol, row in OPERATORS.items())
