"""Spans: the texts of intervals and durations, each with one canonical form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggflow.errors import ParseError
from aggflow.timeline.span import Span, canonical, parse_span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0s", "0s"), ("0", "0s"), ("0d", "0d"), ("30s", "30s"), ("90s", "90s"), ("60s", "1m"), ("90m", "90m"),
        ("3600s", "1h"), ("24h", "1d"), ("48h", "2d"), ("36h", "36h"), ("86400000", "1d"), (1_800_000, "30m"),
        (" 15 m ", "15m"), ("1w", "1w"), ("1mo", "1mo"), ("3mo", "1q"), ("12mo", "1y"), ("4q", "1y"), ("2q", "2q"),
        ("2y", "2y"), (timedelta(hours=25), "25h"), (timedelta(days=7), "7d"),
    ],
)  # fmt: skip
def test_canonical_text(value: str | int | timedelta, text: str) -> None:
    assert str(parse_span(value, "interval")) == text


@pytest.mark.parametrize(
    ("value", "position", "part"),
    [
        ("", 0, "not a number with a unit"),
        ("h", 0, "not a number with a unit"),
        ("-1h", 0, "not a number with a unit"),
        ("1.5h", 0, "not a number with a unit"),
        ("1h30m", 0, "not a number with a unit"),
        ("1M", 1, "no unit 'M'"),
        (" 1 min", 3, "no unit 'min'"),
        ("1500", 0, "no whole number of seconds"),
        (-1000, 0, "negative"),
        (timedelta(seconds=-1), 0, "negative"),
        (timedelta(microseconds=1), 0, "no whole number of seconds"),
        (True, 0, "is no interval"),
        (1.5, 0, "is no interval"),
        (None, 0, "is no interval"),
    ],
)
def test_what_is_refused_says_where_and_why(value: object, position: int, part: str) -> None:
    with pytest.raises(ParseError, match=part) as caught:
        parse_span(value, "interval")  # type: ignore[arg-type] - all that is read as one, and what is not
    assert caught.value.position == position


@given(st.integers(1, 10_000), st.sampled_from(["second", "day", "week", "month", "quarter", "year"]))
def test_text_is_the_span(count: int, unit: str) -> None:
    span = canonical(count, unit)  # type: ignore[arg-type] - all that is read as one, and what is not
    assert parse_span(str(span), "interval") == span
    assert canonical(span.count, span.unit) == span
    assert isinstance(span, Span)
