from __future__ import annotations

from aggflow.demo import DAILY, DELAYS, END_TEXT, MONTHS, WORST
from aggflow.spec.fit import problems_with


def test_the_definitions_fit_and_end_where_the_year_ends() -> None:
    assert not problems_with(WORST, DELAYS)
    assert not problems_with(DAILY, DELAYS)
    assert (len(MONTHS), END_TEXT) == (12, "2014-01-01T05:00:00Z")
    assert MONTHS[5].isoformat() == "2013-07-01T04:00:00+00:00"
