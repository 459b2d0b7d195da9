from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml

from aggflow.errors import SpecError
from aggflow.spec.declaration import plain, read
from aggflow.spec.task import Task
from aggflow.timeline import BEGINNING, parse_instant

DOCUMENTED = 'from demo.ecommerce.data where eq(client, "self") group every 1800000 by client'


def task(linq: str = DOCUMENTED, from_date: Any = 0, **options: Any) -> Task:
    return Task("first", linq, from_date, **options)


def test_the_documented_example_is_read_as_it_stands() -> None:
    found = task(time_zone="GMT+01:00", locale="es", description="my new aggregation task")
    assert found.linq == DOCUMENTED
    assert found.source == "demo.ecommerce.data"
    assert found.wheres == ('eq(client, "self")',)
    assert str(found.grain) == "30m"
    assert (found.from_date, found.delay, found.time_zone, found.locale) == (0, 0, "GMT+01:00", "es")


@pytest.mark.parametrize(
    "text",
    [
        "FROM demo.ecommerce.data WHERE client = 'self' GROUP EVERY 30m BY client",
        'from demo.ecommerce.data\n  where "self" = client // ours\n  group every 30m by client every 30m',
    ],
)
def test_other_spellings_are_made_canonical(text: str) -> None:
    found = task(text)
    assert found.linq.startswith("from demo.ecommerce.data where eq(")
    assert " group every 1800000 by client" in found.linq
    assert "\n" not in found.linq


@pytest.mark.parametrize(
    ("conditions", "wheres"),
    [
        ("a = 1, b > 2", ("eq(a, 1)", "gt(b, 2)")),
        ("a = 1 and b -> 'x'", ("eq(a, 1)", 'has(b, "x")')),
        ("a = 1 or b = 2", ("`or`(eq(a, 1), eq(b, 2))",)),
        ("1 < a <= 5 where b in {'x', 'y'}", ("gt(a, 1)", "le(a, 5)", '`in`("x", "y", b)')),
    ],
)
def test_wheres_hold_one_condition_each_as_functions(conditions: str, wheres: tuple[str, ...]) -> None:
    assert task(f"from t where {conditions} group").wheres == wheres


INSTANT = parse_instant("2013-01-01T00:00:00Z") // 1000


@pytest.mark.parametrize(
    "given",
    [
        "2013-01-01",
        "2013-01-01T01:00:00+01:00",
        INSTANT,
        str(INSTANT),
        date(2013, 1, 1),
        datetime(2013, 1, 1, tzinfo=UTC),
    ],
)
def test_any_form_of_a_time_begins_a_task(given: Any) -> None:
    found = task(from_date=given)
    assert found.from_date == INSTANT
    assert found.from_us == INSTANT * 1000


@pytest.mark.parametrize("zero", [0, "0", "1970-01-01T00:00:00Z"])
def test_zero_is_the_beginning_of_the_data(zero: Any) -> None:
    assert task(from_date=zero).from_date == 0
    assert task(from_date=zero).from_us == BEGINNING


def test_a_beginning_inside_a_bucket_takes_the_whole_of_it() -> None:
    hourly = task("from t group every 1h", "2013-01-01T10:40:00Z")
    assert hourly.from_us == parse_instant("2013-01-01T10:00:00Z")
    daily = task("from t group every 1d", "2013-01-01T23:30:00Z", time_zone="GMT+01:00")
    assert daily.from_us == parse_instant("2013-01-01T23:00:00Z")
    ancient = task("from t group every 1h", "1969-12-31T23:10:00Z")
    assert ancient.from_us == parse_instant("1969-12-31T23:00:00Z")
    assert ancient.from_date == -3_000_000


@pytest.mark.parametrize(
    ("linq", "min_grain", "grain"),
    [
        ("from t group every 1h", None, "1h"),
        ("from t group by a", None, "30m"),
        ("from t group every 1h", "15m", "15m"),
        ("from t group every 1h", 900_000, "15m"),
        ("from t group every 1h", "3600000", "1h"),
        ("from t group every 1d", "1h", "1h"),
        ("from t group every 1d", "1d", "1d"),
        ("from t group", "5m", "5m"),
        ("from t group every 5m by a every 1h", None, "5m"),
    ],
)
def test_what_is_stored_is_the_least_grain(linq: str, min_grain: Any, grain: str) -> None:
    assert str(task(linq, min_grain=min_grain).grain) == grain


@pytest.mark.parametrize(
    ("period", "min_grain", "zone"),
    [("1h", "25m", "UTC"), ("30m", "1h", "UTC"), ("1d", "1h", "Asia/Kathmandu"), ("1h", "1d", "UTC")],
)
def test_a_grain_has_to_divide_the_period(period: str, min_grain: str, zone: str) -> None:
    with pytest.raises(SpecError, match=r"min_grain: .* does not divide the query's period"):
        task(f"from t group every {period}", min_grain=min_grain, time_zone=zone)
    assert task(f"from t group every {period}", min_grain="15m", time_zone=zone).grain.seconds_at_most == 900


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"delay": -1}, "delay: -1 is no whole number of seconds"),
        ({"delay": 1.5}, "delay: 1.5 is no whole number of seconds"),
        ({"delay": True}, "delay: True is no whole number"),
        ({"delay": "soon"}, "delay: 'soon' is no whole number"),
        ({"delay": 10**14}, "delay: the duration is longer than 10,000 years"),
        ({"from_date": "yesterday"}, "from_date: 'yesterday' is not a time"),
        ({"time_zone": "Mars/Base"}, "time_zone: there is no time zone 'Mars/Base'"),
        ({"min_grain": "0s"}, "min_grain: the interval is shorter than a second"),
        ({"linq": "from t where a = 1"}, "linq: the query is not grouped, at line 1, column 19"),
        ({"linq": ""}, "linq: "),
        ({"linq": None}, "linq: a text is needed, not None"),
        ({"name": " "}, "name: "),
        ({"name": "x" * 256}, "name: string should have at most 255 characters"),
        ({"locale": ""}, "locale: "),
        ({"grain": "1h"}, "unknown key 'grain'"),
    ],
)
def test_what_is_wrong_is_one_problem(options: dict[str, Any], match: str) -> None:
    values: dict[str, Any] = {"name": "first", "linq": DOCUMENTED, "from_date": 0}
    with pytest.raises(SpecError, match=match) as raised:
        Task(**(values | options))
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize("key", ["name", "linq", "from_date"])
def test_a_task_needs_a_name_a_query_and_a_beginning(key: str) -> None:
    values: dict[str, Any] = {"name": "first", "linq": DOCUMENTED, "from_date": 0}
    values.pop(key)
    with pytest.raises(SpecError, match=f"{key}: is required"):
        Task(**values)


@pytest.mark.parametrize("from_date", [0, "2013-01-01T10:30:00.250Z"])
def test_a_task_survives_yaml(from_date: Any) -> None:
    found = task(
        from_date=from_date,
        delay="90",
        time_zone="+05:45",
        locale="ne",
        min_grain="5m",
        description="d",
        owner_email="a@b.c",
    )
    assert read(Task, yaml.safe_load(yaml.safe_dump(plain(found)))) == found
    assert read(Task, plain(found, defaults=False)) == found
    short = plain(found, defaults=False)
    assert short["from_date"] == (from_date or 0)
    assert found.delay == 90
    assert found.wait.before(100_000_000) == 10_000_000


def test_yaml_reads_a_bare_date() -> None:
    text = f"{{name: first, linq: '{DOCUMENTED}', from_date: 2013-01-01}}"
    assert read(Task, yaml.safe_load(text)).from_date == INSTANT
