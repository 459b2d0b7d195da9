from __future__ import annotations

from typing import Any

import pytest

from aggflow.errors import SpecError
from aggflow.spec.declaration import plain, read
from aggflow.spec.widget import WidgetQuery

GOOD: dict[str, Any] = {
    "event_types": ["agent_view"],
    "group_by": "day",
    "aggregation": "sum",
    "time_window_days": 183,
    "value_field": "value",
    "limit": 100,
}


def wrong(**changes: Any) -> dict[str, str]:
    with pytest.raises(SpecError) as raised:
        read(WidgetQuery, GOOD | changes)
    return {problem.path: problem.message for problem in raised.value.problems}


def test_it_survives_the_way_to_plain_data_and_back() -> None:
    query = read(WidgetQuery, GOOD)
    assert read(WidgetQuery, plain(query)) == query
    assert plain(query) == GOOD


@pytest.mark.parametrize("nothing", [None, []])
def test_event_types_are_required_and_may_be_nothing(nothing: Any) -> None:
    assert read(WidgetQuery, GOOD | {"event_types": nothing}).event_types == ()
    with pytest.raises(SpecError, match="event_types: is required"):
        read(WidgetQuery, {name: value for name, value in GOOD.items() if name != "event_types"})


@pytest.mark.parametrize(
    "group", ["none", "event_type", "session", "day", "hour", "product_id", "metadata.a", "metadata._"]
)
def test_what_can_be_grouped_by(group: str) -> None:
    assert read(WidgetQuery, GOOD | {"group_by": group}).group_by == group


@pytest.mark.parametrize("key", ["a" * 63, "_" + "0" * 62])
def test_the_longest_key_of_metadata(key: str) -> None:
    query = read(WidgetQuery, GOOD | {"group_by": f"metadata.{key}"})
    assert query.metadata_key == key
    assert "group_by" in wrong(group_by=f"metadata.{key}x")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "group_by",
            [
                "",
                "None",
                "metadata",
                "metadata.",
                "metadata.A",
                "metadata.1a",
                "metadata.a\n",
                "week",
                5,
                None,
            ],
        ),
        ("event_types", ["view", 5, {"view": 1}, ["view"] * 51]),
        ("event_types[0]", [["a"], ["A" * 3], ["1a"], ["a" * 64], ["a-b"], ["ab\n"], [5], [None], [""]]),
        ("aggregation", ["COUNT", "max", "", None, 1]),
        ("time_window_days", [0, 366, -1, 1.5, "7", True, None]),
        ("value_field", ["", "revenue", "VALUE", 5, ["value"]]),
        ("limit", [0, 1001, 1.5, "7", False, None]),
    ],
)
def test_what_is_refused_names_its_field(field: str, values: list[Any]) -> None:
    for value in values:
        assert list(wrong(**{field.partition("[")[0]: value})) == [field], value


def test_limits_of_ranges_are_within() -> None:
    for field, ends in {"time_window_days": (1, 365), "limit": (1, 1000)}.items():
        for end in ends:
            assert getattr(read(WidgetQuery, GOOD | {field: end}), field) == end
            # JSON has one kind of number.
            assert getattr(read(WidgetQuery, GOOD | {field: float(end)}), field) == end
    types = [f"t{i:02}" for i in range(50)]
    assert read(WidgetQuery, GOOD | {"event_types": types}).event_types == tuple(types)
    for longest in ("ab", "a" * 63):
        assert read(WidgetQuery, GOOD | {"event_types": [longest]}).event_types == (longest,)


@pytest.mark.parametrize("aggregation", ["sum", "avg"])
def test_sums_and_averages_need_a_value(aggregation: str) -> None:
    short = {name: value for name, value in GOOD.items() if name != "value_field"}
    with pytest.raises(SpecError, match=f"value_field: is required for {aggregation}"):
        read(WidgetQuery, short | {"aggregation": aggregation})


def test_questions_of_one_meaning_are_equal_when_normal() -> None:
    def normal(**changes: Any) -> object:
        return read(WidgetQuery, GOOD | changes).normal

    assert normal(event_types=["b_", "a_"]) == normal(event_types=["a_", "b_", "a_"])
    assert normal(event_types=None) == normal(event_types=[])
    assert normal(aggregation="count") == normal(aggregation="count", value_field="price")
    assert normal() != normal(value_field="price")
    changes: list[dict[str, Any]] = [
        {"event_types": []},
        {"group_by": "hour"},
        {"aggregation": "avg"},
        {"time_window_days": 7},
        {"limit": 7},
    ]
    assert len({normal(), *(normal(**change) for change in changes)}) == 6
