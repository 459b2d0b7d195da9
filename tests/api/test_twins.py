"""Twins: two workspaces in which everything is called the same and only the events differ.

What is kept of one, answers, bodies, pictures, tags of versions, is never given to the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from served import Served

import aggflow as af

Aggregation: Any = af.Aggregation
Field: Any = af.Field
END = "2025-03-02T00:00:00Z"
HOURS = 24


class Twin(NamedTuple):
    """A workspace, a token for it, and its endpoint and filter."""

    name: str
    token: str
    endpoint_id: str
    filter_id: str


class Twins:
    """Two workspaces of one home; every event of the second counts a thousandfold."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder / "home")
        self.one, self.other = self._settle("one", 1), self._settle("other", 1000)

    def _settle(self, name: str, factor: int) -> Twin:
        ws = self.served.home.workspace(name)
        ws.add_source("events", "embedded://", time="at")
        events = [
            {"at": f"2025-03-01T{hour:02}:30:00Z", "value": factor * (hour + 1), "kind": "a"}
            for hour in range(HOURS)
        ]
        ws.add_events("events", events)
        kept = Aggregation("v", "@.value", ["SUM"])
        made = ws.add_filter(
            "f",
            source="events",
            interval="1h",
            groupings=[af.Grouping("@.kind", "kind")],
            aggregations=[kept],
        )
        field = Field("total", "v", "SUM")
        endpoint = ws.add_endpoint("e", filter="f", timing=af.TimeSeries("1d", interval="1h"), fields=[field])
        ws.add_cube("c", source="events", dimensions=[af.Dimension("kind", "@.kind")], measures=[kept])
        ws.set_event_source("events", event_type="@.kind", values={"value": "@.value"})
        ws.build("f", progress=False)
        ws.build_cube("c", progress=False)
        token = ws.create_token("t", owner="a@b.example", permissions=["admin"])
        return Twin(name, token, endpoint.id, made.id)

    def ask(self, twin: Twin, method: str, path: str, **options: Any) -> httpx.Response:
        return self.served.ask(method, path, twin.token, **options)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    made = Twins(tmp_path_factory.mktemp("twins"))
    yield made
    made.served.home.close()


TOTAL = HOURS * (HOURS + 1) // 2
CUBE = {"cube": "c", "fields": {"total": "v:SUM"}, "start": "2025-03-01", "end": END}
WIDGET = {
    "event_types": None,
    "group_by": "none",
    "aggregation": "sum",
    "value_field": "value",
    "time_window_days": 1,
}
QUESTIONS: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/data/{endpoint_id}", {"end": END}),
    ("POST", "/api/v1/data/{endpoint_id}", {"end": END, "format": "CSV"}),
    ("GET", "/api/v1/data/{endpoint_id}?end=" + END, None),
    ("POST", "/api/v1/questions/endpoint", {"endpoint": "e", "end": END}),
    ("POST", "/api/v1/questions/cube", CUBE),
    ("POST", "/api/v1/questions/widget", {"query": WIDGET, "now": END}),
    (
        "POST",
        "/api/v1/metrics/results",
        {
            "filterId": "{filter_id}",
            "aggregationId": 1,
            "calculation": "SUM",
            "startTime": "2025-03-01",
            "endTime": END,
        },
    ),
]


def numbers(found: Any) -> float:
    """The sum of all numbers that an answer gives as values."""
    if isinstance(found, dict):
        named = ("total", "value")
        return sum(
            float(value) if name in named and isinstance(value, int | float) else numbers(value)
            for name, value in found.items()
            if name not in ("explanation", "query", "secondary")
        )
    return sum(map(numbers, found)) if isinstance(found, list) else 0.0


@pytest.mark.parametrize(("method", "path", "body"), QUESTIONS, ids=lambda of: str(of)[:40])
def test_each_is_answered_of_its_own_events(twins: Twins, method: str, path: str, body: Any) -> None:
    told: list[float] = []
    for twin in (twins.one, twins.other, twins.one):
        ids = {"endpoint_id": twin.endpoint_id, "filter_id": twin.filter_id}
        sent = {k: v.format(**ids) if isinstance(v, str) else v for k, v in (body or {}).items()}
        answer = twins.ask(twin, method, path.format(**ids), **({"json": sent} if body else {}))
        assert answer.status_code == 200, answer.text
        if "csv" in answer.headers["content-type"]:
            told.append(sum(float(line.rpartition(",")[2]) for line in answer.text.splitlines()[1:]))
        else:
            told.append(numbers(answer.json()))
    assert told == [TOTAL, TOTAL * 1000, TOTAL]


def test_what_one_knows_is_no_answer_for_the_other(twins: Twins) -> None:
    """The tag of one twin's answer says nothing to the other: not even that it would be alike."""
    tags = [
        twins.ask(twin, "GET", f"/api/v1/data/{twin.endpoint_id}?end={END}").headers["ETag"]
        for twin in (twins.one, twins.other)
    ]
    assert tags[0] != tags[1]
    path = f"/api/v1/data/{twins.other.endpoint_id}?end={END}"
    assert twins.ask(twins.other, "GET", path, headers={"If-None-Match": tags[0]}).status_code == 200
    assert twins.ask(twins.other, "GET", path, headers={"If-None-Match": tags[1]}).status_code == 304


def test_pictures_are_of_ones_own_events(twins: Twins) -> None:
    drawn = [
        twins.ask(twin, "GET", f"/status/endpoints/{twin.endpoint_id}.svg").text
        for twin in (twins.one, twins.other)
    ]
    assert drawn[0] != drawn[1]


def test_widgets_share_no_cache(twins: Twins) -> None:
    """Both ask of now: nothing is found there, but each computes it for itself."""
    body = {**WIDGET, "aggregation": "count"}
    hits = [
        twins.ask(twin, "POST", f"/api/workspace/ws_{twin.name}/dashboards/aggregate", json=body).json()[
            "cache_hit"
        ]
        for twin in (twins.one, twins.other, twins.one, twins.other)
    ]
    assert hits == [False, False, True, True]
