"""A quote: short values as Python writes them, long ones cut; a line shows what stands around a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import aggflow as af
from aggflow.errors import NotFoundError, ParseError, Problem, QueryError
from aggflow.quote import cut, line_around, quoted
from aggflow.spec.declaration import read
from aggflow.timeline import parse_instant


@pytest.mark.parametrize(
    "value", ["", "carrier", "it's", 'a "b"', 5, -1.5, None, True, [1, "a"], {"a": 1}, (1,)]
)
def test_short_values_are_written_as_python_does(value: Any) -> None:
    assert quoted(value) == repr(value)


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, "'\n" * 10**5, ["x" * 999] * 999, {"x" * 999: {"y": "z" * 999}}, 10**9999, {*range(10**5)}],
    ids=lambda value: type(value).__name__,
)
def test_long_ones_are_cut(value: Any) -> None:
    assert len(quoted(value)) <= 100


def test_a_cut_text_keeps_both_ends() -> None:
    assert cut("a" * 50 + "b" * 51) == "a" * 50 + "…" + "b" * 49
    assert cut("a" * 100) == "a" * 100


@pytest.mark.parametrize("column", [0, 1, 49, 50, 51, 499, 949, 950, 999, 1000])
def test_a_line_shows_what_stands_around_a_place(column: int) -> None:
    line = "".join(chr(0x4E00 + place) for place in range(1000))
    shown, at = line_around(line, column)
    assert len(shown) == 100
    assert shown[at : at + 1] == line[column : column + 1]


def test_errors_say_no_more_than_that() -> None:
    long = "x" * 100_000
    errors = [
        NotFoundError("filter", long, ["delays"]),
        ParseError("unclosed", text=f"{long} ( {long}", position=100_001),
        Problem(f"groupings.{long}", "is wrong"),
    ]
    assert all(len(str(error)) < 500 for error in errors)
    assert errors[0].name == long  # type: ignore[union-attr] - what was asked for is data
    with pytest.raises(QueryError) as found:
        parse_instant(long)
    assert len(str(found.value)) < 300


def test_a_definition_says_no_more_than_that() -> None:
    given = {"name": "x" * 10_000, "source": "y" * 10_000, "interval": "z" * 10_000, "k" * 10_000: 1}
    with pytest.raises(af.AggflowError) as found:
        read(af.Filter, given)
    assert len(str(found.value)) < 4_000


def test_a_setting_says_no_more_than_that(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGGFLOW_LIVE_TTL", "x" * 10_000)
    with pytest.raises(af.AggflowError) as found:
        af.open(tmp_path)
    assert len(str(found.value)) < 300
