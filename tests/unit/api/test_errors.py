"""What the errors of the tree are over HTTP."""

from __future__ import annotations

import inspect

import pytest

from aggflow import errors
from aggflow.api.errors import MEANINGS, failure_of
from aggflow.errors import AggflowError, ParseError

TREE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, AggflowError) and kind.__module__ == "aggflow.errors"
]
SECRET = "postgresql://me:secret@db/shop"  # noqa: S105 - of nobody


def made(kind: type[AggflowError]) -> AggflowError:
    """An error of a class, whatever it takes."""
    error = kind.__new__(kind)
    AggflowError.__init__(error, f"cannot open {SECRET}", hint="look there")
    if isinstance(error, errors.SpecError):
        error.problems = (errors.Problem("name", "is taken"),)
    if isinstance(error, ParseError):
        error.text, error.position, error.expected = "x", 0, ()
    return error


TOLD = {
    errors.SpecError,
    errors.ParseError,
    errors.NotFoundError,
    errors.ConflictError,
    errors.QueryError,
    errors.NotCoveredError,
    errors.TotalOverflowError,
    errors.UnsupportedError,
    errors.CancelledError,
}


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_who_asks_is_told_what_it_can_mend_and_nothing_else(kind: type[AggflowError]) -> None:
    failure = failure_of(made(kind))
    assert (failure.status < 500) == (kind in TOLD)
    assert (SECRET in failure.message) == (kind in TOLD)
    assert failure.message


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_where_a_retry_helps_it_is_said_when(kind: type[AggflowError]) -> None:
    failure = failure_of(made(kind))
    if kind.retryable:
        assert failure.status == 503
    assert ("Retry-After" in failure.headers) == (failure.status == 503)
    if failure.status == 503:
        assert int(failure.headers["Retry-After"]) > 0


def test_the_table_holds_no_class_twice_over() -> None:
    for kind, meaning in MEANINGS.items():
        above = [MEANINGS[parent] for parent in kind.__mro__[1:] if parent in MEANINGS]
        assert not above or above[0] != meaning, f"{kind.__name__} says what its parent says"


def test_a_parse_error_keeps_its_caret() -> None:
    failure = failure_of(ParseError("no such function", text="a + foo(b)", position=4))
    assert failure.message.splitlines()[1:] == ["    a + foo(b)", "        ^"]
