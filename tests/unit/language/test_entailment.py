from __future__ import annotations

import pytest

from aggflow.language import implies, parse_predicate


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("@.a == 1", ""),
        ("", ""),
        ("false", "@.a == 1"),
        ("@.a == 1 && @.b == 2", "@.b == 2 && @.a == 1"),
        ("@.a == 1 && (@.b == 2 && @.c)", "@.c && @.a == 1"),
        ("@.a == 1", "@.a == 1 || @.b == 2"),
        ("@.b == 2 || @.a == 1", "@.a == 1 || @.b == 2"),
        ("@.a == 1", "@.a in [2, 1]"),
        ("@.a in [1]", "@.a == 1.0"),
        ("@.a in [1, 2]", "@.a == 2 || @.a in [1, 3]"),
        ("!(!(@.a == 1))", "@.a == 1"),
        ("!(@.a == 1 || @.b)", "!(@.b)"),
        ("!(@.a in [1, 2])", "!(@.a == 1)"),
        ("@.a != null", "@.a"),
        ("@.a == null", "!(@.a)"),
        ("@.a in [null]", "@.a == null"),
        ("@.a > 3", "@.a"),
        ("@.a LIKE 'x%'", "@.a"),
        ("@.a != 3", "@.a != null"),
        ("!(@.a)", "!(@.a == 1)"),
        ("@.a in []", "false"),
    ],
)
def test_shown_by_form(a: str, b: str) -> None:
    assert implies(parse_predicate(a), parse_predicate(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("", "@.a == 1"),
        ("@.a == 1", "@.a == 2"),
        ("@.a == 1", "@.a == true"),
        ("@.a == 1", "@.a == '1'"),
        ("@.a in [1, 2]", "@.a == 1"),
        ("@.a == 1 || @.b == 2", "@.a == 1"),
        ("@.a == 1", "@.a == 1 && @.b == 2"),
        ("!(@.a == 1)", "@.a != 1"),
        ("!(@.a == 1)", "@.a"),
        ("!(@.a == 1)", "!(@.a)"),
        ("@.a in [1, null]", "@.a"),
        ("@.a LIKE 'x'", "@.a ILIKE 'y'"),
        ("@.a == @.b", "@.c"),
    ],
)
def test_not_so(a: str, b: str) -> None:
    assert not implies(parse_predicate(a), parse_predicate(b))
