"""Instants: what is read as a time, what is refused, and how times are written."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggflow.errors import QueryError
from aggflow.timeline import (
    BEGINNING,
    FOREVER,
    format_instant,
    format_seconds,
    from_datetime,
    parse_instant,
    to_datetime,
)

NOON = 1_735_732_800_000_000  # 2025-01-01T12:00:00Z


@pytest.mark.parametrize(
    "value",
    [
        "2025-01-01T12:00:00Z",
        "2025-01-01t12:00:00z",
        "2025-01-01 12:00:00",
        "2025-01-01T12:00",
        "2025-01-01T13:00:00+01:00",
        "2025-01-01T06:15:00.000-05:45",
        "2025-01-01T13:00:00+0100",
        " 2025-01-01T11:59:60Z ",
        "1735732800000",
        1_735_732_800_000,
        1_735_732_800_000.0,
        np.int64(1_735_732_800_000),
        datetime(2025, 1, 1, 12),  # noqa: DTZ001 - naive on purpose
        datetime(2025, 1, 1, 12, tzinfo=UTC),
        datetime(2025, 1, 1, 17, 45, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        pd.Timestamp("2025-01-01T12:00:00Z"),
        pd.Timestamp("2025-01-01T12:00:00.000000999"),
    ],
)
def test_every_form_names_the_same_instant(value: object) -> None:
    us = parse_instant(value)  # type: ignore[arg-type] - all that is read as one, and what is not
    assert us == NOON
    assert type(us) is int


def test_a_date_is_its_midnight_in_utc() -> None:
    assert parse_instant("2025-01-01") == parse_instant(date(2025, 1, 1)) == NOON - 43_200_000_000


def test_fractions_are_kept_to_the_microsecond_and_cut_below() -> None:
    assert parse_instant("2025-01-01T12:00:00.5Z") == NOON + 500_000
    assert parse_instant("2025-01-01T12:00:00,000001Z") == NOON + 1
    assert parse_instant("2025-01-01T12:00:00.0000019Z") == NOON + 1
    assert parse_instant(1_735_732_800_000.25) == NOON + 250


def test_times_before_the_epoch() -> None:
    assert parse_instant("1969-12-31T23:59:59.999999Z") == -1
    assert parse_instant("-1") == parse_instant(-1) == -1000
    assert parse_instant("0001-01-01T00:00:00Z") == -62_135_596_800_000_000


@pytest.mark.parametrize(
    "value",
    [
        "", "now", "2025-13-01", "2025-02-30", "2025-1-1", "2025-01-01T25:00:00Z", "2025-01-01T24:00:00Z",
        "2025-01-01T12:00:00 Europe/Berlin", "2025-01-01T12:00:00+25:00", "2025-01-01T12:00:00+01:60",
        "2025-W01-1", "12:00:00", "1e3", "1.5", "٢٠٢٥-01-01", "9" * 18, "9" * 30, 2**62,
        True, None, math.nan, math.inf, 1e306, -1e306, [], b"2025-01-01",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_hint(value: object) -> None:
    with pytest.raises(QueryError) as caught:
        parse_instant(value)  # type: ignore[arg-type] - all that is read as one, and what is not
    assert "RFC 3339" in caught.value.hint


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (NOON, "2025-01-01T12:00:00Z"),
        (NOON + 1, "2025-01-01T12:00:00.000001Z"),
        (NOON + 250_000, "2025-01-01T12:00:00.250Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
        (253_402_300_800_000_000, "+10000-01-01T00:00:00Z"),
        (-62_167_219_200_000_001, "-00001-12-31T23:59:59.999999Z"),
        (BEGINNING, "beginning"),
        (BEGINNING - 1, "beginning"),
        (FOREVER, "forever"),
    ],
)
def test_format(us: int, text: str) -> None:
    assert format_instant(us) == text


def test_datetimes_end_where_the_calendar_of_python_does() -> None:
    with pytest.raises(QueryError, match="beginning is no calendar time"):
        to_datetime(BEGINNING)


@given(st.datetimes(timezones=st.just(UTC)))
def test_text_and_datetime_are_the_instant(moment: datetime) -> None:
    us = from_datetime(moment)
    assert to_datetime(us) == moment
    assert parse_instant(format_instant(us)) == us
    assert datetime.fromisoformat(format_instant(us)) == moment


@given(st.lists(st.integers(-(2**42), 2**42) | st.integers(-(10**10), 10**10)))
def test_many_are_written_as_each_is(seconds: list[int]) -> None:
    assert format_seconds(seconds) == [format_instant(second * 1_000_000) for second in seconds]


@pytest.mark.parametrize("second", [-62_167_219_201, -62_167_219_200, 253_402_300_799, 253_402_300_800])
def test_many_are_written_as_each_is_at_the_ends_of_four_digits(second: int) -> None:
    assert format_seconds([second]) == [format_instant(second * 1_000_000)]
