"""Civil dates: the calendar of Python where it reaches, and its rule beyond."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aggflow.timeline.civil import civil_of_day, day_of_civil, day_of_month, month_of_day

DAYS = st.integers(-100_000_000, 100_000_000)


@given(st.dates())
def test_agrees_with_python(day: date) -> None:
    number = day.toordinal() - date(1970, 1, 1).toordinal()
    assert civil_of_day(number) == (day.year, day.month, day.day)
    assert day_of_civil(day.year, day.month, day.day) == number


@given(DAYS)
def test_there_and_back(day: int) -> None:
    assert day_of_civil(*civil_of_day(day)) == day
    assert civil_of_day(day) < civil_of_day(day + 1)


@given(DAYS)
def test_months_agree_with_numpy(day: int) -> None:
    month = np.int64(day).astype("datetime64[D]").astype("datetime64[M]")
    assert month_of_day(day) == int(month.astype(np.int64))
    assert day_of_month(month_of_day(day)) == int(month.astype("datetime64[D]").astype(np.int64))
