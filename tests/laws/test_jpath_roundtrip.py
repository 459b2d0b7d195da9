"""Laws of predicates: their text is the tree again, and what form shows is true of rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggflow.errors import ParseError
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
    implies,
    parse_path,
    parse_predicate,
    quoted,
    to_jpath,
)

NAMES = st.sampled_from(["a", "length", "in", "null", "größe", "1a", "it's", "a\\", ""]) | st.text(max_size=6)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: Path(tuple(parts)))
LITERALS = st.builds(
    Literal,
    st.text(max_size=8)
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(
        allow_nan=False, allow_infinity=False, min_value=Decimal("-1e300"), max_value=Decimal("1e300")
    )
    | st.booleans()
    | st.none(),
)
REGEXES = st.lists(st.sampled_from(["a", "/", "\\/", "\\\\", ".", "[/]", " ", "'", "\n", "(?i:x)"])).map(
    "".join
)
OPERANDS = PATHS | st.builds(Length, PATHS)
COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
TESTS = (
    st.builds(Compare, COMPARISONS, OPERANDS | LITERALS, OPERANDS | LITERALS)
    | st.builds(Like, PATHS, st.text(max_size=8), st.booleans())
    | st.builds(Match, PATHS, REGEXES)
    | st.builds(In, OPERANDS, st.lists(LITERALS, max_size=4).map(tuple))
    | st.builds(Exists, PATHS)
    | st.builds(Constant, st.booleans())
)


def trees(tests: Any) -> Any:
    return st.recursive(
        tests,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(And, st.lists(inner, min_size=2, max_size=4).map(tuple))
            | st.builds(Or, st.lists(inner, min_size=2, max_size=4).map(tuple))
        ),
        max_leaves=12,
    )


@given(trees(TESTS))
def test_the_text_of_a_tree_is_the_tree_again(tree: Predicate) -> None:
    text = to_jpath(tree)
    assert parse_predicate(text) == tree
    assert to_jpath(parse_predicate(text)) == text


@given(PATHS)
def test_the_text_of_a_path_is_the_path_again(path: Path) -> None:
    assert parse_path(str(path)) == path


@given(st.text())
def test_any_text_can_be_a_literal(text: str) -> None:
    assert parse_predicate(f"@.a == {quoted(text)}") == Compare("==", Path(("a",)), Literal(text))


_TOKENS = [
    "@",
    ".",
    "a",
    "length",
    "['b']",
    "==",
    "=",
    "'x'",
    "'",
    '"',
    "/",
    "=~",
    "in",
    "[",
    "]",
    "(",
    ")",
    "!",
]


@given(
    st.lists(st.sampled_from([*_TOKENS, "&&", "||", "&", "1", "-", "null", "LIKE", " ", "\n"])).map("".join)
)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        tree = parse_predicate(text)
    except ParseError as error:
        place, shown = error.position, str(error)
    else:
        place, shown = 0, "^"
        assert parse_predicate(to_jpath(tree)) == tree
    assert 0 <= place <= len(text)
    assert "^" in shown


# A small world in which all rows can be tried: two fields, missing or one of two values.
_FIELDS = st.sampled_from([Path(("a",)), Path(("b",))])
_VALUES = st.builds(Literal, st.sampled_from(["x", "y"]) | st.none())
_SMALL = (
    st.builds(Compare, st.sampled_from(["==", "!="]), _FIELDS, _VALUES)
    | st.builds(In, _FIELDS, st.lists(_VALUES, max_size=3).map(tuple))
    | st.builds(Exists, _FIELDS)
    | st.builds(Constant, st.booleans())
)
_WORLD = [{"a": a, "b": b} for a in ("x", "y", None) for b in ("x", "y", None)]


def _holds(tree: Predicate, row: dict[str, str | None]) -> bool:
    match tree:
        case Constant():
            return tree.value
        case Exists(operand=Path() as path):
            return row[path.parts[0]] is not None
        case In(operand=Path() as path):
            return row[path.parts[0]] in [value.value for value in tree.values]
        case Compare(left=Path() as path, right=Literal(value=None)):
            return (row[path.parts[0]] is None) == (tree.op == "==")
        case Compare(left=Path() as path, right=Literal() as literal):
            value = row[path.parts[0]]
            return value is not None and (value == literal.value) == (tree.op == "==")
        case Not():
            return not _holds(tree.term, row)
        case And():
            return all(_holds(term, row) for term in tree.terms)
        case Or():
            return any(_holds(term, row) for term in tree.terms)
        case _:
            raise AssertionError(tree)


@settings(max_examples=500)
@given(trees(_SMALL), trees(_SMALL))
def test_what_is_implied_by_form_is_implied_for_all_rows(a: Predicate, b: Predicate) -> None:
    assert implies(a, a)
    assert implies(And((a, b)), a)
    assert implies(a, Or((a, b)))
    if implies(a, b):
        assert all(_holds(b, row) for row in _WORLD if _holds(a, row))
