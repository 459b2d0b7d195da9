from __future__ import annotations

import re
from datetime import UTC as DATETIME_UTC
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from aggflow.errors import ParseError, QueryError
from aggflow.language import Cron
from aggflow.timeline import UTC, Zone, format_instant, parse_instant, to_datetime

BERLIN, LORD_HOWE, NEW_YORK = map(Zone.of, ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York"))


def fires(text: str, after: str, zone: Zone = UTC, count: int = 3) -> list[str]:
    return [format_instant(us) for us in Cron.of(text).next_fires(parse_instant(after), zone, count=count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 25 06 ? * *", ["2025-01-01T06:25:00Z", "2025-01-02T06:25:00Z", "2025-01-03T06:25:00Z"]),
        ("30 0/20 * * * ?", ["2025-01-01T00:00:30Z", "2025-01-01T00:20:30Z", "2025-01-01T00:40:30Z"]),
        ("*/30 * * * * *", ["2025-01-01T00:00:30Z", "2025-01-01T00:01:00Z", "2025-01-01T00:01:30Z"]),
        ("0 0 0 L * ?", ["2025-01-31T00:00:00Z", "2025-02-28T00:00:00Z", "2025-03-31T00:00:00Z"]),
        ("0 0 0 ? * L5", ["2025-01-31T00:00:00Z", "2025-02-28T00:00:00Z", "2025-03-28T00:00:00Z"]),
        ("0 0 0 ? * 5#2", ["2025-01-10T00:00:00Z", "2025-02-14T00:00:00Z", "2025-03-14T00:00:00Z"]),
        ("0 0 0 29 2 ?", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
        ("0 0 0 ? jan,Mar mon#1", ["2025-01-06T00:00:00Z", "2025-03-03T00:00:00Z", "2026-01-05T00:00:00Z"]),
        # the day of the week counts from Sunday, 0 or 7
        ("0 0 0 ? * 0", ["2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z", "2025-01-19T00:00:00Z"]),
        ("0 0 0 ? * 7", ["2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z", "2025-01-19T00:00:00Z"]),
        ("0 0 0 ? * SUN", ["2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z", "2025-01-19T00:00:00Z"]),
        ("0 0 0 ? * 6-7", ["2025-01-04T00:00:00Z", "2025-01-05T00:00:00Z", "2025-01-11T00:00:00Z"]),
        ("0 0 0 ? * sat-mon", ["2025-01-04T00:00:00Z", "2025-01-05T00:00:00Z", "2025-01-06T00:00:00Z"]),
        # both day fields are set: either matches
        ("0 0 0 3 * SUN", ["2025-01-03T00:00:00Z", "2025-01-05T00:00:00Z", "2025-01-12T00:00:00Z"]),
        ("0 0 0 30 2 MON", ["2025-02-03T00:00:00Z", "2025-02-10T00:00:00Z", "2025-02-17T00:00:00Z"]),
        # neither: every day
        ("0 0 12 ? * ?", ["2025-01-01T12:00:00Z", "2025-01-02T12:00:00Z", "2025-01-03T12:00:00Z"]),
        ("0  0\t22-2 * * *", ["2025-01-01T01:00:00Z", "2025-01-01T02:00:00Z", "2025-01-01T22:00:00Z"]),
    ],
)
def test_when_it_fires(text: str, expected: list[str]) -> None:
    assert fires(text, "2025-01-01") == expected


def test_the_next_run_is_after_the_instant_even_by_a_microsecond() -> None:
    at = parse_instant("2025-01-01T06:25:00Z")
    cron = Cron.of("0 25 06 ? * *")
    assert cron.next(at - 1) == at
    assert cron.next(at) == cron.next(at + 1) == at + 86_400_000_000


def test_a_zone_moves_the_clock() -> None:
    assert fires("0 25 06 ? * *", "2025-01-01", BERLIN, 1) == ["2025-01-01T05:25:00Z"]
    assert fires("0 25 06 ? * *", "2025-07-01", BERLIN, 1) == ["2025-07-01T04:25:00Z"]
    assert fires("0 0 0 ? * MON", "2025-01-01", Zone.of("GMT+05:30"), 1) == ["2025-01-05T18:30:00Z"]


def test_a_daily_run_comes_once_in_a_gap() -> None:
    # Clocks go from 02:00 to 03:00 at 01:00 UTC.
    assert fires("0 30 2 * * *", "2025-03-29", BERLIN) == [
        "2025-03-29T01:30:00Z",
        "2025-03-30T01:00:00Z",
        "2025-03-31T00:30:00Z",
    ]
    # Two times of one skipped hour are one run; it is not repeated by who asks in between.
    assert fires("0 0,30 2 * * *", "2025-03-30", BERLIN, 2) == [
        "2025-03-30T01:00:00Z",
        "2025-03-31T00:00:00Z",
    ]
    assert fires("0 30 2 * * *", "2025-03-30T01:00:00Z", BERLIN, 1) == ["2025-03-31T00:30:00Z"]


def test_a_daily_run_comes_once_in_an_overlap() -> None:
    # Clocks go from 03:00 back to 02:00 at 01:00 UTC.
    expected = ["2025-10-26T00:30:00Z", "2025-10-27T01:30:00Z"]
    assert fires("0 30 2 * * *", "2025-10-25T12:00:00Z", BERLIN, 2) == expected
    for after in (
        "2025-10-26T00:30:00Z",
        "2025-10-26T00:45:00Z",
        "2025-10-26T01:15:00Z",
        "2025-10-26T01:30:00Z",
    ):
        assert fires("0 30 2 * * *", after, BERLIN, 1) == expected[1:]


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26"])
def test_an_hourly_run_comes_every_real_hour(day: str) -> None:
    expected = [f"{day}T{hour:02d}:05:00Z" for hour in range(24)]
    assert fires("0 5 * * * *", day, BERLIN, 24) == expected
    assert fires("0 5 * * * *", f"{day}T00:40:00Z", BERLIN, 3) == expected[1:4]
    assert fires("0 5 */1 * * *", day, BERLIN, 24) == expected


@pytest.mark.parametrize(
    "zone", [BERLIN, NEW_YORK, LORD_HOWE, Zone.of("Africa/Casablanca"), Zone.of("Asia/Kolkata")]
)
def test_every_quarter_of_an_hour_is_every_real_quarter(zone: Zone) -> None:
    for start in ("2025-03-05", "2025-10-05"):
        times = Cron.of("0 */15 * * * *").next_fires(parse_instant(start), zone, count=4 * 24 * 32)
        assert {b - a for a, b in pairwise(times)} == {900_000_000}


def test_an_overlap_is_run_twice_by_an_expression_of_several_hours() -> None:
    assert fires("0 30 2,14 * * *", "2025-10-25T22:00:00Z", BERLIN) == [
        "2025-10-26T00:30:00Z",
        "2025-10-26T01:30:00Z",
        "2025-10-26T13:30:00Z",
    ]
    assert fires("0 30 2,14 * * *", "2025-03-29T23:00:00Z", BERLIN, 2) == [
        "2025-03-30T12:30:00Z",
        "2025-03-31T00:30:00Z",
    ]


def test_a_day_that_a_zone_left_out() -> None:
    # Samoa had no 30 December 2011: the run of that day is at the midnight that ended the 29th.
    assert fires("0 0 12 * * *", "2011-12-29", Zone.of("Pacific/Apia")) == [
        "2011-12-29T22:00:00Z",
        "2011-12-30T10:00:00Z",
        "2011-12-30T22:00:00Z",
    ]


_EXPRESSIONS = st.tuples(
    st.sampled_from(["0", "30", "*/20", "15,45"]),
    st.sampled_from(["0", "*/7", "5-10", "25", "*"]),
    st.sampled_from(["*", "2", "*/6", "1,2,3", "22-2"]),
    st.sampled_from(["*", "?", "1", "L", "*/10", "29"]),
    st.sampled_from(["*", "2", "MAR,oct", "10-12"]),
    st.sampled_from(["*", "?", "7", "MON-FRI", "5#2", "L1"]),
).filter(lambda fields: fields[5] not in ("5#2", "L1") or fields[3] in ("*", "?"))
_TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 - what a clock on the wall shows
_NEAR = st.sampled_from(["2025-03-30T01:00:00Z", "2025-10-26T01:00:00Z"])


@settings(max_examples=60, deadline=None)
@given(_EXPRESSIONS, _TIMES)
def test_in_utc_it_fires_as_croniter_has_it(fields: tuple[str, ...], start: datetime) -> None:
    text = " ".join(fields)
    plain = croniter(text.replace("?", "*"), start.replace(microsecond=0), second_at_beginning=True)
    expected = [plain.get_next(datetime) for _ in range(5)]
    found = Cron.of(text).next_fires(parse_instant(start))
    assert [to_datetime(us).replace(tzinfo=None) for us in found] == expected


@settings(max_examples=60, deadline=None)
@given(_EXPRESSIONS, _NEAR, st.integers(-7_200, 7_200))
def test_runs_rise_and_do_not_depend_on_who_asks(fields: tuple[str, ...], near: str, seconds: int) -> None:
    cron, after = Cron.of(" ".join(fields)), parse_instant(near) + seconds * 1_000_000
    times = cron.next_fires(after, BERLIN, count=6)
    assert after < times[0]
    assert sorted(set(times)) == list(times)
    for i, at in enumerate(times[:-1]):
        assert cron.next(at, BERLIN) == times[i + 1]
    if not cron.is_daily:
        berlin = ZoneInfo("Europe/Berlin")
        shown = [to_datetime(us).astimezone(berlin).replace(tzinfo=None) for us in times]
        assert all(
            croniter.match(cron.text.replace("?", "*"), wall, second_at_beginning=True) for wall in shown
        )


def test_an_expression_of_every_second_is_told_at_once() -> None:
    start = parse_instant("2025-10-25T23:59:58Z")
    times = Cron.of("* * * * * *").next_fires(start, BERLIN, count=4)
    assert times == tuple(start + i * 1_000_000 for i in range(1, 5))


@pytest.mark.parametrize(
    ("text", "prefect"),
    [
        ("0 25 06 ? * *", "25 06 * * * 0"),
        ("30 0/20 8-18 ? JAN MON-FRI", "0/20 8-18 * JAN MON-FRI 30"),
        ("0 0 0 L * ?", "0 0 L * * 0"),
    ],
)
def test_prefect_has_the_seconds_last(text: str, prefect: str) -> None:
    assert Cron.of(text).prefect_text == prefect
    start = datetime(2025, 1, 1, tzinfo=DATETIME_UTC)
    ours = croniter(text.replace("?", "*"), start, second_at_beginning=True)
    theirs = croniter(prefect, start)
    assert [ours.get_next() for _ in range(5)] == [theirs.get_next() for _ in range(5)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 25 06 ? * *", "every day at 06:25:00 UTC"),
        ("30 0 18,6 * * *", "every day at 06:00:30 and 18:00:30 UTC"),
        ("0 0 0 ? * MON", "every Monday at 00:00:00 UTC"),
        ("0 0 0 ? * 1-5", "every Monday to Friday at 00:00:00 UTC"),
        ("0 0 0 ? * 7,1", "every Sunday and Monday at 00:00:00 UTC"),
        ("0 0 0 1,15 * ?", "on day 1 and 15 of the month at 00:00:00 UTC"),
        ("0 0 0 L 6 ?", "on the last day of the month in June at 00:00:00 UTC"),
        ("0 0 0 1,L * ?", "on day 1 of the month and the last day of the month at 00:00:00 UTC"),
        ("0 0 0 ? * L5", "every last Friday of the month at 00:00:00 UTC"),
        ("0 0 0 ? * fri#2", "every second Friday of the month at 00:00:00 UTC"),
        ("0 0 0 1 1-3 MON", "on day 1 of the month and every Monday in January to March at 00:00:00 UTC"),
        ("* * * * * *", "every second, UTC"),
        ("0 * * * * *", "every minute, UTC"),
        ("0 */15 * * * *", "every 15 minutes, UTC"),
        ("0 0/15 8-18 ? * MON-FRI", "every 15 minutes in hours 8 to 18, every Monday to Friday, UTC"),
        ("*/10 * * * * *", "every 10 seconds, UTC"),
        ("0 5 * * * *", "every hour at minute 5, UTC"),
        ("0 0 */6 * * *", "every 6 hours at minute 0, UTC"),
        ("30 5,35 * * * *", "every hour at minute 5 and 35, second 30, UTC"),
        ("0 5-20/5 3 * * *", "in minutes 5, 10, 15 and 20 in hour 3, UTC"),
        ("0 */7 * * * *", "in minutes 0, 7, 14 … 56, UTC"),
        ("*/7 * 1,2 * * *", "in seconds 0, 7, 14 … 56 in hours 1 and 2, UTC"),
        ("0 0 */5 * * *", "in hours 0, 5, 10, 15 and 20 at minute 0, UTC"),
        ("0 0 0 */10 * ?", "on day 1, 11, 21 and 31 of the month at 00:00:00 UTC"),
        ("0 0 0 1 */3 ?", "on day 1 of the month in January, April, July and October at 00:00:00 UTC"),
        ("0 0 0 ? * */2", "every Sunday, Tuesday, Thursday and Saturday at 00:00:00 UTC"),
        ("0 0 0 ? * */7", "every Sunday at 00:00:00 UTC"),
    ],
)
def test_sentences(text: str, sentence: str) -> None:
    assert Cron.of(text).sentence() == sentence


@pytest.mark.parametrize("step", range(2, 60))
def test_the_sentence_of_a_step_names_the_minutes_at_which_it_fires(step: int) -> None:
    cron = Cron.of(f"0 */{step} * * * *")
    minutes = [us // 60_000_000 for us in cron.next_fires(3_600_000_000 - 1, count=60 // step + 1)]
    within = [minute - 60 for minute in minutes if minute < 120]
    said = [int(digits) for digits in re.findall(r"\d+", cron.sentence())]
    if 60 % step == 0:
        assert cron.sentence() == f"every {step} minutes, UTC"
        assert within == list(range(0, 60, step))
    else:
        assert (said[0], said[-1]) == (within[0], within[-1])
        assert set(said) <= set(within)


def test_a_sentence_names_the_zone() -> None:
    assert Cron.of("0 25 06 ? * *").sentence(BERLIN) == "every day at 06:25:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "message", "position", "hint"),
    [
        ("25 06 * * *", "5 fields, not six", 0, "0 25 06 * * *"),
        ("0 25 06 ? *", "5 fields, not six", 11, "second minute hour"),  # hour 25 is none
        ("", "0 fields, not six", 0, "second minute hour"),
        ("0 0 0", "3 fields, not six", 5, "second minute hour"),
        ("0 25 06 ? * * 2026", "a year cannot be given", 14, "leave it out"),
        ("0 0 0 * * * * *", "8 fields, not six", 12, ""),
        ("@daily", "words such as @daily are not known", 0, "0 0 0 * * *"),
        ("0 0 0 15W * ?", "W, the nearest working day", 6, "MON-FRI"),
        ("0 0 0 LW * ?", "W, the nearest working day", 6, ""),
        ("0 0 0 30 2 ?", "can never fire", 6, ""),
        ("0 0 0 31 4,6,9,11 *", "can never fire", 6, ""),
        ("60 0 0 * * *", "a second is 0 to 59, not 60", 0, ""),
        ("0 0 24 * * *", "an hour is 0 to 23, not 24", 4, ""),
        ("0 0 0 0 * ?", "a day of the month is 1 to 31, not 0", 6, ""),
        ("0 0 0 ? 13 *", "a month is 1 to 12, not 13", 8, ""),
        ("0 0 0 ? * 8", "a day of the week is 0 to 7, not 8", 10, ""),
        ("0 0 0 ? * 1,MOM", "'MOM' is no day of the week", 12, "names SUN to SAT"),
        ("0 x 0 ? * *", "'x' is no minute", 2, "numbers are 0 to 59"),
        ("? 0 0 * * *", "? stands for the day", 0, "write *"),
        ("0 */0 * * * *", "a step is a number from 1 to 59", 2, ""),
        ("0 0 0 ? * L", "L alone is no day of the week", 10, "L5"),
        ("0 0 0 ? * 5L", "5L is not known", 10, "L5"),
        ("0 0 0 L-3 * ?", "L stands alone", 6, ""),
        ("0 0 0 ? * 5#6", "# is followed by 1 to 5", 10, "5#2"),
        ("0 0 0 1 * 5#2", "need ? for the day of the month", 10, "two schedules"),
        ("0 0 0 ? * MON,5#2", "cannot be mixed", 10, "two schedules"),
        ("R 0 0 * * *", "'R' is no second", 0, ""),
        ("0 H 0 * * *", "'H' is no minute", 2, ""),
        ("0 1,,2 0 * * *", "'' is no minute", 4, ""),
        ("0 \u0661 0 * * *", "is no minute", 2, ""),
    ],
)
def test_what_is_no_expression(text: str, message: str, position: int, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        Cron.of(text)
    assert message in caught.value.message
    assert caught.value.position == position
    assert hint in caught.value.hint


def test_it_is_a_value() -> None:
    assert Cron.of(" 0  25 06 ? * * ") == Cron("0 25 06 ? * *")
    assert str(Cron.of("0 25 06 ? * *")) == "0 25 06 ? * *"
    assert Cron.of(Cron("0 25 06 ? * *")).text == "0 25 06 ? * *"


def test_times_beyond_calendars_are_refused() -> None:
    for after in (-1, 2**62, -(2**62)):
        with pytest.raises(QueryError, match="cannot be told"):
            Cron.of("0 25 06 ? * *").next(after)


def test_expressions_that_can_never_fire_are_found_soon() -> None:
    start = datetime.now().astimezone()
    with pytest.raises(ParseError):
        Cron.of("59 59 23 31 2,4,6,9,11 ?")
    assert datetime.now().astimezone() - start < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("text", "sentence", "same"),
    [
        ("0 30 2-2 * * *", "every day at 02:30:00 UTC", "0 30 2 * * *"),
        ("0 0 0 * * MON-MON", "every Monday at 00:00:00 UTC", "0 0 0 * * MON"),
        ("0 0 6 * JUN-jun *", "every day in June at 06:00:00 UTC", "0 0 6 * 6 *"),
        ("0 5-5/2 6 * * *", "every day at 06:05:00 UTC", "0 5 6 * * *"),
        ("0 1,7-7 * * * *", "every hour at minute 1 and 7, UTC", "0 1,7 * * * *"),
        ("0 0 0 1-31 * MON", "every day at 00:00:00 UTC", "0 0 0 * * *"),
        ("0 0 0 */1 * MON", "every day at 00:00:00 UTC", "0 0 0 * * *"),
        ("0 0 0 15 * 0-7", "every day at 00:00:00 UTC", "0 0 0 * * *"),
    ],
)
def test_ranges_of_one_value_and_of_all_fire_as_the_sentence_says(
    text: str, sentence: str, same: str
) -> None:
    after = parse_instant("2026-01-01T00:00:30Z")
    assert Cron.of(text).sentence() == sentence
    assert Cron.of(text).next_fires(after, count=40) == Cron.of(same).next_fires(after, count=40)
