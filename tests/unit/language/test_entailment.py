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
        ("@.a == 'JFK'", "@.a != 'LGA'"),
        ("@.a in ['JFK', 'EWR']", "@.a != 'LGA' && !(@.a in ['LGA', 'BOS'])"),
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
        ("@.a == 'JFK'", "@.a != 'JFK'"),
        ("@.a == 'JFK'", "@.a != ' JFK'"),
        ("@.a == 'JFK'", "@.b != 'LGA'"),
        ("@.a in ['JFK', 'LGA']", "@.a != 'LGA'"),
        ("@.a == '5'", "@.a != '5.0'"),  # one number
        ("@.a == 'true'", "@.a != 'TRUE'"),  # one truth value
        ("@.a == '2026-01-01'", "@.a != '2026-01-01T00:00:00Z'"),  # one time
        ("@.a == 'JFK'", "@.a != 5"),  # a text that is no number fits no test of numbers
        ("@.a != 'JFK'", "@.a != 'LGA'"),
    ],
)
def test_not_so(a: str, b: str) -> None:
    assert not implies(parse_predicate(a), parse_predicate(b))
