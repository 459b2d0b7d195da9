from __future__ import annotations

import pytest

from aggflow.errors import SpecError
from aggflow.spec.declaration import plain, read
from aggflow.spec.schedule import Schedule
from aggflow.timeline import format_instant, parse_instant


def test_a_schedule_says_when_it_fires() -> None:
    schedule = Schedule("flights", "0  25 06 ? * *", "europe/berlin")
    assert schedule.time_expression == "0 25 06 ? * *"
    assert schedule.timezone == "Europe/Berlin"
    assert schedule.full_build
    assert schedule.sentence == "every day at 06:25:00 Europe/Berlin"
    fires = schedule.next_fires(parse_instant("2025-07-01"), count=2)
    assert [format_instant(us) for us in fires] == ["2025-07-01T04:25:00Z", "2025-07-02T04:25:00Z"]


def test_schedules_of_one_meaning_have_one_name() -> None:
    one = Schedule("flights", "0 25 06 ? * *")
    assert one.name == Schedule("flights", " 0 25 06 ? * * ", "Etc/UTC").name
    others = [
        Schedule("flight", "0 25 06 ? * *"),
        Schedule("flights", "0 25 07 ? * *"),
        Schedule("flights", "0 25 06 ? * *", "Europe/Berlin"),
        Schedule("flights", "0 25 06 ? * *", full_build=False),
    ]
    assert len({one.name, *(other.name for other in others)}) == 5
    assert read(Schedule, plain(one, defaults=False)) == one


@pytest.mark.parametrize(
    ("expression", "zone", "message"),
    [
        ("25 06 * * *", "UTC", "has 5 fields, not six"),
        ("0 25 06 ? * * 2025", "UTC", "year"),
        ("0 0 0 30 2 *", "UTC", "can never fire"),
        ("0 0 0 15W * *", "UTC", "W"),
        ("0 25 06 ? * *", "Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("0 25 06 ? * *", "+01:00", "GMT\\+01:00 is an offset, no time zone"),
    ],
)
def test_one_clear_sentence_for_each_mistake(expression: str, zone: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Schedule("flights", expression, zone)
