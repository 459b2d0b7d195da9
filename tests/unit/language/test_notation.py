"""A notation: JPath as it is, LINQ behind an equals sign; one canonical text a meaning."""

from __future__ import annotations

import pytest

from aggflow.errors import ParseError
from aggflow.language import (
    TRUE,
    Path,
    canonical_predicate,
    canonical_subject,
    is_linq,
    read_predicate,
    read_subject,
    write_predicate,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@.delay > 15", "=delay > 15"),
        ("@.delay > 15", " = delay>15 "),
        ("=has(a, 'x')", '=a -> "x"'),
        ("", "=true"),
    ],
)
def test_texts_of_one_meaning_have_one_canonical_text(one: str, other: str) -> None:
    assert canonical_predicate(one) == canonical_predicate(other)


@pytest.mark.parametrize(
    "text", ["", "@.a == 1", "=has(a, 'x')", "=lower(a) = 'x'", "=a + b > 3", "@.a || @.b"]
)
def test_a_canonical_text_is_its_own(text: str) -> None:
    once = canonical_predicate(text)
    assert canonical_predicate(once) == once
    assert write_predicate(read_predicate(once)) == once


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("carrier", "carrier"),
        ("@.carrier", "carrier"),
        ("@['carrier']", "carrier"),
        ("=carrier", "carrier"),
        ("=`carrier`", "carrier"),
        ("@.payload.user", "@.payload.user"),
        ("=payload.user", "@.payload.user"),
        ("@['user id']", "@['user id']"),
        ("=`user id`", "@['user id']"),
        ("=Lower(x)".lower(), "=lower(x)"),
        ("=a  -  b", "=a - b"),
    ],
)
def test_values_of_one_meaning_have_one_canonical_text(text: str, canonical: str) -> None:
    assert canonical_subject(text) == canonical
    assert canonical_subject(canonical) == canonical


def test_only_a_text_that_begins_with_the_sign_is_linq() -> None:
    assert is_linq("=a")
    assert is_linq("  = a")
    assert not is_linq("@.a == 1")


def test_empty_is_true_and_a_bare_name_a_column() -> None:
    assert read_predicate("") == TRUE
    assert read_subject("carrier") == Path(("carrier",))


@pytest.mark.parametrize("text", ["=1 + 2", "=5", '="x"'])
def test_what_is_the_same_for_every_row_is_no_value_of_a_row(text: str) -> None:
    with pytest.raises(ParseError, match="the same for every row"):
        read_subject(text)


def test_an_error_names_the_place_in_the_text_as_it_was_written() -> None:
    with pytest.raises(ParseError) as caught:
        read_subject("=lowr(a)")
    assert caught.value.position == 1
    assert "did you mean 'lower'" in str(caught.value)
