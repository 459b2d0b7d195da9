"""Filters in the vendor's shape: what its clients read, what is taken, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

import aggflow as af
from aggflow.errors import SpecError
from aggflow.spec.vendor_filter import from_vendor, interval_of, to_vendor, vendor_interval
from aggflow.timeline import Interval

OPENS: dict[str, Any] = {
    "id": "abc123456",
    "filter": "@.eventName == 'AppOpen' && @.environment == 'Production'",
    "groupings": ["@.device.type", "@.app.version"],
    "groupingItems": [
        {"grouping": "@.device.type", "alias": "Device Type"},
        {"grouping": "@.app.version", "alias": None},
    ],
    "intervalType": "MINUTE",
    "intervalCount": 15,
    "name": "App Opens by Version & Device Type",
    "organizationId": "zzZyx123",
    "aggregations": [
        {
            "id": 1,
            "calculations": ["APPROX_COUNT_DISTINCT"],
            "calculationField": "@.userId",
            "subFilter": None,
            "name": "Unique Users",
        },
        {
            "id": 2,
            "calculations": ["SUM", "MAX", "MIN", "AVG", "PERCENTILES"],
            "calculationField": "@.notificationCount",
            "subFilter": "@.notificationCount > 0",
            "name": "Notifications",
        },
        {
            "id": 3,
            "calculations": ["COUNT"],
            "calculationField": None,
            "subFilter": None,
            "name": "Open Count",
        },
    ],
}


def test_a_definition_comes_out_as_it_went_in_its_keys_in_the_vendors_order() -> None:
    spec = from_vendor(OPENS, source="events", time_zone="Asia/Kathmandu")
    assert (spec.source, spec.time_zone, spec.interval) == ("events", "Asia/Kathmandu", "15m")
    assert [grouping.name for grouping in spec.groupings] == ["Device Type", "@.app.version"]
    found = to_vendor(spec, id="abc123456", organization_id="zzZyx123")
    assert found == OPENS
    assert list(found) == list(OPENS)
    assert [list(one) for one in found["aggregations"]] == [list(one) for one in OPENS["aggregations"]]


def test_what_is_left_out_is_what_it_is_by_default() -> None:
    aggregations = [{"name": "n", "calculations": ["count"]}]
    short = {"name": "f", "intervalType": "hour", "intervalCount": 1, "aggregations": aggregations}
    spec = from_vendor(short, source="events")
    assert spec == af.Filter("f", "events", "1h", aggregations=[af.Aggregation("n")])
    assert from_vendor({**short, "filter": None, "groupingItems": None}, source="events") == spec


def test_groupings_alone_are_read_where_older_clients_send_no_items() -> None:
    old = {key: value for key, value in OPENS.items() if key != "groupingItems"}
    spec = from_vendor(old, source="events")
    assert [grouping.name for grouping in spec.groupings] == ["@.device.type", "@.app.version"]


def test_aggregations_are_taken_in_the_order_of_their_ids() -> None:
    turned = {**OPENS, "aggregations": OPENS["aggregations"][::-1]}
    assert from_vendor(turned, source="events") == from_vendor(OPENS, source="events")


@pytest.mark.parametrize(
    ("text", "unit", "count"),
    [
        ("30s", "SECOND", 30),
        ("90s", "SECOND", 90),
        ("13m", "MINUTE", 13),
        ("90m", "MINUTE", 90),
        ("1h", "HOUR", 1),
        ("24h", "DAY", 1),
        ("7d", "DAY", 7),
        ("1w", "WEEK", 1),
        ("5mo", "MONTH", 5),
        ("1q", "MONTH", 3),
        ("2y", "YEAR", 2),
        ("100y", "YEAR", 100),
    ],
)
def test_every_interval_has_a_unit_of_the_vendor(text: str, unit: str, count: int) -> None:
    assert vendor_interval(Interval.of(text)) == (unit, count)
    assert interval_of(unit, count) == Interval.of(text)


def change(**values: Any) -> dict[str, Any]:
    return {**OPENS, **values}


def change_first(**values: Any) -> dict[str, Any]:
    return change(aggregations=[{**OPENS["aggregations"][0], **values}])


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (change(name=""), "name"),
        (change(filter="@.a ="), "filter"),
        (change(intervalType="FORTNIGHT"), "intervalType"),
        (change(intervalCount=0), "intervalCount"),
        (change(intervalType="SECOND", intervalCount=29), "intervalCount"),
        (change(intervalType="YEAR", intervalCount=101), "intervalCount"),
        (change(intervalType="WEEK", intervalCount=2), "intervalCount"),
        (change(groupingItems=[{"grouping": "@."}]), "groupingItems[0].grouping"),
        (change(groupingItems=[{"grouping": "a", "alias": "x" * 101}]), "groupingItems[0].alias"),
        (change(groupingItems=[{"grouping": "a"}, {"grouping": "a"}]), "groupingItems"),
        (change(groupingItems=[{"grouping": f"g{i}"} for i in range(11)]), "groupingItems"),
        (change(aggregations=[]), "aggregations"),
        (change(aggregations=OPENS["aggregations"][:1] * 2), "aggregations"),
        (change_first(calculations=["SUMM"]), "aggregations[0].calculations[0]"),
        (change_first(calculations=[]), "aggregations[0].calculations"),
        (change_first(calculationField=None), "aggregations[0].calculationField"),
        (change_first(calculationField="@."), "aggregations[0].calculationField"),
        (change_first(subFilter="@.a ="), "aggregations[0].subFilter"),
        (change(what=1), "what"),
        ({}, "intervalType"),
    ],
)
def test_what_is_wrong_is_named_in_the_vendors_words(data: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError) as caught:
        from_vendor(data, source="events")
    assert path in [problem.path for problem in caught.value.problems]
    assert str(caught.value).startswith("filter")


@pytest.mark.parametrize("count", [1, 10])
def test_ten_groupings_and_ten_aggregations_are_the_most(count: int) -> None:
    items = [{"grouping": f"g{i}", "alias": "x" * 99 + str(i)} for i in range(count)]
    aggregations = [{"name": f"n{i}", "calculations": ["COUNT"]} for i in range(count)]
    spec = from_vendor(change(groupingItems=items, aggregations=aggregations), source="events")
    assert len(spec.groupings) == len(spec.aggregations) == count
    with pytest.raises(SpecError, match="11 aggregations"):
        from_vendor(
            change(aggregations=[{"name": f"n{i}", "calculations": ["COUNT"]} for i in range(11)]), source="e"
        )
