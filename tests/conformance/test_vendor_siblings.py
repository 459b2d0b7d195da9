"""The routes beside the endpoints API, as the vendor's own clients use them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, moment
from shapes import check_error

import aggflow as af

Aggregation: Any = af.Aggregation
RESULTS = "/api/v1/metrics/results"
GROUPINGS = "/api/v1/metrics/groupings"
EVENTS = [
    ("09:10", "a", "x", 1, 1.5),
    ("09:40", "b", "y", 5, 2.5),
    ("10:05", "a", "x", 4, None),
    ("10:55", "", "x", 8, 4.0),
    ("11:20", None, "x", 16, 8.0),
]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.add(*EVENTS)
    made.filter(
        groupings=[{"path": "@.grp1", "alias": "Group"}, "@.grp2"],
        aggregations=[
            Aggregation("n", "n", ["COUNT", "SUM"]),
            Aggregation("x", "@.x", ["PERCENTILES", "MAX"]),
        ],
    )
    yield made
    made.close()


def query(desk: Desk, **changes: Any) -> dict[str, Any]:
    """As the Grafana plugin sends it."""
    whole = {
        "filterId": desk.ws.filters["f"].id, "startTime": "2025-01-01T09:00:00Z", "endTime": "2025-01-01T12:00:00Z",
        "groupingFilters": [
            {"grouping": "Group", "filters": ["$__agg"], "returnGroupingValues": False},
            {"grouping": "@.grp2", "filters": ["$__agg"], "returnGroupingValues": False},
        ],
        "aggregationId": 1, "calculation": "SUM", "limit": None, "limitType": "Top", "alias": "",
        "excludeEmptyGroupings": False, "hide": None, "filterDefinitionName": "f", "longResult": None,
        "includeGroupingLabels": True, "groupingName": "", "mode": "query", "includeAggregateOption": True,
        "includeIncompleteIntervals": True, "percentile": None, "optimized": False, "queryId": "A",
        "fast_mode": True, "shouldRecalculate": False, "recalculatedInterval": None,
    }  # fmt: skip
    return {name: value for name, value in (whole | changes).items() if value is not ...}


BY_GROUP = [{"grouping": "@.grp2", "filters": ["$__agg"], "returnGroupingValues": False}]


def points(desk: Desk, **changes: Any) -> list[Any]:
    answer = desk.post(RESULTS, json=query(desk, **changes))
    assert answer.status_code == 200, answer.text
    return [(p["dt"][11:16], *((p["groupings"] or {}).values()), p["value"]) for p in answer.json()]


def test_plain(desk: Desk) -> None:
    answer = desk.post(RESULTS, json=query(desk))
    assert answer.json() == [
        {"dt": f"2025-01-01T{h}:00:00Z", "groupings": None, "value": v}
        for h, v in (("09", 6), ("10", 12), ("11", 16))
    ]
    assert [list(p) for p in answer.json()] == [["dt", "groupings", "value"]] * 3


def test_groupings_not_named_are_returned_by_alias(desk: Desk) -> None:
    found = desk.post(RESULTS, json=query(desk, groupingFilters=None)).json()
    assert {tuple(p["groupings"]) for p in found} == {("Group", "@.grp2")}
    assert len(found) == 5


def by_first(values: list[str], *, returned: bool) -> list[Any]:
    """Only some values of the first grouping."""
    return [*BY_GROUP, {"grouping": "@.grp1", "filters": values, "returnGroupingValues": returned}]


def test_values(desk: Desk) -> None:
    chosen = by_first(["a"], returned=True)
    assert points(desk, groupingFilters=chosen) == [("09:00", "a", 1), ("10:00", "a", 4)]
    together = by_first(["a", "b"], returned=False)
    assert points(desk, groupingFilters=together) == [("09:00", 6), ("10:00", 4)]
    # A client that knows only texts means the missing value as well.
    missing = by_first([""], returned=False)
    assert points(desk, groupingFilters=missing) == [("10:00", 8), ("11:00", 16)]


@pytest.mark.parametrize(("kind", "best"), [("Top", ["b", "", None]), ("Bottom", ["a", "a", None])])
def test_limits_an_interval(desk: Desk, kind: str, best: list[Any]) -> None:
    found = points(desk, groupingFilters=BY_GROUP, limit=1, limitType=kind)
    assert [group for _, group, _ in found] == best


def test_empty_groupings(desk: Desk) -> None:
    assert [p[1] for p in points(desk, groupingFilters=BY_GROUP, excludeEmptyGroupings=True)] == [
        "a",
        "b",
        "a",
    ]


@pytest.mark.parametrize(
    ("wider", "times"),
    [
        (None, ["09:00", "10:00", "11:00"]),
        ({"type": "SECOND", "frequency": 0}, ["09:00", "10:00", "11:00"]),
        ({"type": "SECOND", "frequency": 15}, ["09:00", "10:00", "11:00"]),
        ({"type": "SECOND", "frequency": 3 * 3600}, ["09:00"]),
        ({"type": "SECOND", "frequency": 2 * 3600 + 1}, ["09:00"]),
        ({"type": "hour", "frequency": 2}, ["10:00"]),
    ],
)
def test_recalculated(desk: Desk, wider: Any, times: list[str]) -> None:
    assert [p[0] for p in points(desk, recalculatedInterval=wider)] == times


def test_incomplete(desk: Desk) -> None:
    desk.now = moment("11:30")
    assert [p[0] for p in points(desk, includeIncompleteIntervals=False)] == ["09:00", "10:00"]
    assert [p[0] for p in points(desk)] == ["09:00", "10:00", "11:00"]


def test_points_with_nothing_to_compute_are_left_out(desk: Desk) -> None:
    found = points(desk, aggregationId=2, calculation="MAX", groupingFilters=BY_GROUP)
    assert ("10:00", "a", None) not in found
    assert ("10:00", "a") not in [p[:2] for p in found]


def read_as_the_plugin_does(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    start, groupings, found = moment("00:00"), {}, {}
    for row in rows:
        if row.get("isSeperator"):
            start, groupings = moment(row["dt"].removesuffix("Z")), row["groupings"]
            assert isinstance(groupings, dict)
        else:
            assert set(row) == {"dtSecLater", "val", "queryId"}
            at = start + timedelta(seconds=row["dtSecLater"])
            found.setdefault(row["queryId"], []).append((f"{at:%H:%M}", *groupings.values(), row["val"]))
    return found


def test_multi_optimized(desk: Desk) -> None:
    sent = [query(desk, optimized=True), query(desk, optimized=True, queryId="B", groupingFilters=BY_GROUP)]
    answer = desk.post(f"{RESULTS}?multi=true", json=sent)
    assert answer.status_code == 200
    found = read_as_the_plugin_does(answer.json())
    assert found["A"] == points(desk)
    assert sorted(map(str, found["B"])) == sorted(map(str, points(desk, groupingFilters=BY_GROUP)))


def test_multi_plain(desk: Desk) -> None:
    found = desk.post(f"{RESULTS}?multi=true", json=[query(desk), query(desk, queryId="B")]).json()
    assert [p["queryId"] for p in found] == ["A"] * 3 + ["B"] * 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filterId": ...}, "filterId"),
        ({"aggregationId": 0}, "aggregationId"),
        ({"aggregationId": 3}, "aggregationId"),
        ({"calculation": "MAX"}, "calculation"),
        ({"calculation": "what"}, "calculation"),
        ({"aggregationId": 2, "calculation": "PERCENTILES"}, "percentile"),
        ({"aggregationId": 2, "calculation": "PERCENTILES", "percentile": 1.1}, "percentile"),
        ({"startTime": "x"}, "startTime"),
        ({"endTime": "2025-01-01T09:00:00Z"}, "endTime"),
        ({"limit": 0}, "limit"),
        ({"limitType": "Middle"}, "limitType"),
        ({"groupingFilters": [{"grouping": "what"}]}, "groupingFilters[0].grouping"),
        ({"groupingFilters": [{"grouping": "Group"}, {"grouping": "@.grp1"}]}, "groupingFilters[1].grouping"),
        ({"groupingFilters": [{"grouping": "Group", "filters": []}]}, "groupingFilters[0].filters"),
        ({"groupingFilters": [{"grouping": "Group", "filters": [{}]}]}, "groupingFilters[0].filters[0]"),
        ({"recalculatedInterval": {"type": "EON", "frequency": 1}}, "recalculatedInterval.type"),
        ({"recalculatedInterval": {"type": "YEAR", "frequency": 101}}, "recalculatedInterval"),
    ],
)
@pytest.mark.parametrize("multi", [False, True])
def test_what_is_wrong_is_named(desk: Desk, changes: Any, field: str, multi: bool) -> None:
    sent = query(desk, **changes)
    answer = desk.post(f"{RESULTS}?multi={str(multi).lower()}", json=[query(desk), sent] if multi else sent)
    assert answer.status_code == 400, answer.text
    assert f"[1].{field}" if multi else field in [e["field"] for e in answer.json()["errors"]]
    assert [e["field"] for e in answer.json()["errors"]] == [f"[1].{field}" if multi else field]
    check_error("endpoints", answer)


def test_groupings(desk: Desk) -> None:
    sent = query(
        desk, groupingName="Group", groupingFilters=None, mode="variables", aggregationId=0, calculation=""
    )
    assert desk.post(GROUPINGS, json=sent).json() == [{"value": ""}, {"value": "a"}, {"value": "b"}]
    narrowed = {
        **sent,
        "groupingFilters": [{"grouping": "@.grp2", "filters": ["y"], "returnGroupingValues": True}],
    }
    assert desk.post(GROUPINGS, json=narrowed).json() == [{"value": "b"}]
    wrong = desk.post(GROUPINGS, json={**sent, "groupingName": "what"})
    assert [e["field"] for e in wrong.json()["errors"]] == ["groupingName"]


def test_definitions_and_ping(desk: Desk) -> None:
    (one,) = desk.get("/api/v1/filter-definitions").json()
    assert list(one) == [
        "id",
        "filter",
        "groupings",
        "groupingItems",
        "intervalType",
        "intervalCount",
        "name",
        "organizationId",
        "aggregations",
    ]
    assert one["groupingItems"][0] == {"grouping": "@.grp1", "alias": "Group"}
    assert [a["id"] for a in one["aggregations"]] == [1, 2]
    assert desk.get("/api/v1/organization/ping").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/filter-definitions"),
        ("GET", "/api/v1/organization/ping"),
        ("POST", RESULTS),
        ("POST", GROUPINGS),
    ],
)
def test_who_may(desk: Desk, method: str, path: str) -> None:
    body = {"json": query(desk, groupingName="Group")} if method == "POST" else {}
    for token, status in (("", 401), (desk.served.token("tasks:view"), 403)):
        answer = desk.ask(method, path, token=token, **body)
        assert answer.status_code == status
        check_error("endpoints", answer)
    if method == "POST":
        other = desk.served.token("data:read", workspace="other")
        answer = desk.ask(method, path, token=other, **body)
        assert answer.status_code == 404
        check_error("endpoints", answer)
