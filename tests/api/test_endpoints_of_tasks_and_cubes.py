"""Endpoints of tasks and cubes over HTTP: declared, asked, changed; those of filters look as they did."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from served import Served
from wire import Wire

import aggflow as af

Aggregation: Any = af.Aggregation
Field: Any = af.Field
END = "2025-01-01T10:00:00Z"
LOOKBACK = {"kind": "lookback", "duration": "9h", "include_incomplete": False}
BY_CARRIER = {"carrier": {"kind": "all"}}
OF_TASK = {
    "name": "of task",
    "task": "hourly",
    "timing": LOOKBACK,
    "fields": [
        {"name": "n", "aggregation": "n"},
        {"name": "total", "aggregation": "total", "calculation": "SUM"},
    ],
    "groupings": BY_CARRIER,
}
OF_CUBE = {
    "name": "of cube",
    "cube": "trips",
    "timing": LOOKBACK,
    "fields": [
        {"name": "n", "aggregation": "delay", "calculation": "COUNT"},
        {"name": "total", "aggregation": "delay", "calculation": "SUM"},
    ],
    "groupings": BY_CARRIER,
}
OF_FILTER = {**OF_CUBE, "name": "of filter", "filter": "delays"}
del OF_FILTER["cube"]
FILTER_KEYS = [
    *("id", "name", "filter", "timing", "fields", "groupings", "sort", "limit", "grouping_limits"),
    *("description", "generation"),
]


def made(folder: Path) -> Served:
    file = folder / "flights.ddb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            "CREATE TABLE flights AS SELECT TIMESTAMP '2025-01-01' + INTERVAL (i) MINUTE AS time, "
            "['AA', 'UA'][1 + i % 2] AS carrier, i AS delay FROM range(600) t(i)"
        )
    served = Served(folder / "home")
    served.home._clock = lambda: 1_735_725_600_000_000  # END
    ws = served.home.workspace("self")
    delay = Aggregation("delay", "delay", ["COUNT", "SUM"])
    ws.add_source("flights", f"duckdb://{file}", table="flights", time="time")
    ws.add_filter("delays", source="flights", interval="1h", groupings=["carrier"], aggregations=[delay])
    linq = "from flights group every 1h by carrier select count() as n, sum(delay) as total"
    ws.add_task("hourly", linq=linq, from_date=0)
    ws.add_cube("trips", source="flights", dimensions=["carrier"], measures=[delay])
    return served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made_ = made(tmp_path_factory.mktemp("flights"))
    yield made_
    made_.home.close()


@pytest.fixture(scope="module")
def admin(served: Served) -> str:
    return served.token("admin")


def add(served: Served, admin: str, body: dict[str, Any]) -> dict[str, Any]:
    """An endpoint as the service shows it."""
    put = served.ask("PUT", f"/api/v1/endpoints/{body['name']}", admin, json=body)
    answer = put if put.status_code == 200 else served.ask("POST", "/api/v1/endpoints", admin, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def test_an_endpoint_of_a_filter_looks_as_it_did(served: Served, admin: str) -> None:
    add(served, admin, OF_FILTER)
    shown = served.ask("GET", "/api/v1/endpoints/of filter", admin).json()
    assert list(shown) == FILTER_KEYS
    assert list(shown["fields"][0]) == [
        *("name", "aggregation", "calculation", "percentile", "duration", "offset", "include_incomplete"),
    ]
    without = {**OF_FILTER, "fields": [{"name": "n", "aggregation": "delay"}]}
    refused = served.ask("PUT", "/api/v1/endpoints/of filter", admin, json=without)
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"field": "fields[0].calculation", "message": "is required"}]


@pytest.mark.parametrize(("body", "kind"), [(OF_TASK, "task"), (OF_CUBE, "cube")])
def test_it_is_declared_and_answers_as_that_of_a_filter(
    served: Served, admin: str, body: dict[str, Any], kind: str
) -> None:
    declared = add(served, admin, body)
    assert list(declared)[:3] == ["id", "name", kind]
    assert not {"filter", "task", "cube"} - {kind} & set(declared)
    other = add(served, admin, OF_FILTER)
    reader = served.token("data:read")
    for options in ({}, {"format": "CSV"}, {"end": "2025-01-01T07:30:00Z"}):
        answers = [
            served.ask("POST", f"/api/v1/data/{one['id']}", reader, json={"end": END, **options})
            for one in (declared, other)
        ]
        assert answers[0].status_code == 200, answers[0].text
        assert answers[0].content == answers[1].content
    rows = list(
        csv.reader(
            io.StringIO(
                served.ask("POST", f"/api/v1/data/{declared['id']}", reader, json={"format": "csv"}).text
            )
        )
    )
    assert rows[0] == ["carrier", "n", "total"]


@pytest.mark.parametrize("body", [OF_TASK, OF_CUBE])
def test_what_is_built_has_a_tag_until_it_is_built_anew(
    served: Served, admin: str, body: dict[str, Any]
) -> None:
    place = f"/api/v1/data/{add(served, admin, body)['id']}"
    ws = served.home.workspace("self")
    ws.settle_tasks()

    def build(**options: Any) -> None:
        # Whichever of the two has fewer rows answers.
        for reference in ("task hourly", "cube trips/all"):
            ws.build(reference, progress=False, **options)

    build()
    first = served.ask("GET", place, admin)
    tag = first.headers["etag"]
    known = served.ask("GET", place, admin, headers={"If-None-Match": tag})
    assert (known.status_code, known.content) == (304, b"")
    build(full=True)
    again = served.ask("GET", place, admin, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (200, first.content)
    # Ten o'clock is not over: it is read from the source.
    live = served.ask("GET", f"{place}?end=2025-01-01T12:00:00Z", admin)
    assert "etag" not in live.headers


def test_what_is_asked_is_kept_and_a_change_says_what_is_lost(served: Served, admin: str) -> None:
    for body in (OF_TASK, OF_CUBE):
        add(served, admin, body)
    ws = served.home.workspace("self")
    task = f"/aggregations/v2/aggrtasks/self/{ws.tasks['hourly'].task_id}"
    refused = served.ask("DELETE", task, admin)
    assert refused.status_code == 400
    assert "endpoint 'of task' needs task 'hourly'" in refused.json()["message"]
    cubes = f"/api/v1/projects/{ws.cubes['trips'].project_id}/cubes/{ws.cubes['trips'].id}"
    refused = served.ask("DELETE", cubes, admin)
    assert refused.status_code == 409
    assert "endpoint 'of cube' needs cube 'trips'" in refused.json()["message"]
    shown = served.ask("GET", cubes, admin).json()
    counted = {**shown, "measures": [{"name": "delay", "field": "delay", "calculations": ["COUNT"]}]}
    changed = served.ask("PUT", cubes, admin, json=counted).json()
    assert [(one["endpoint"], one["blocks"]) for one in changed["effects"]] == [("of cube", False)]
    back = {**shown, "generation": changed["generation"]}
    assert served.ask("PUT", cubes, admin, json=back).status_code == 200
    both = {**OF_TASK, "name": "both", "cube": "trips"}
    refused = served.ask("POST", "/api/v1/endpoints", admin, json=both)
    assert refused.json()["errors"][0]["field"] == "cube"


def test_from_far_away_it_is_the_same(served: Served, admin: str) -> None:
    ws = served.home.workspace("self")
    with af.connect("http://service", admin, transport=Wire(served.app)) as remote:
        fields = [Field("n", "n"), Field("total", "total", "SUM")]
        of_task = remote.add_endpoint("far", task="hourly", timing=af.Lookback("9h"), fields=fields)
        assert of_task.spec == ws.endpoints["far"].spec
        assert remote.query("far", end=END).rows == ws.query("far", end=END).rows
        assert "task hourly" in remote.endpoints._repr_html_()
        cube: dict[str, Any] = {"source": "flights", "dimensions": ["carrier"]}
        remote.add_cube("more", measures=[Aggregation("delay", "delay", ["COUNT", "SUM"])], **cube)
        fields = [Field("n", "delay", "COUNT"), Field("total", "delay", "SUM")]
        remote.add_endpoint("far", cube="more", timing=af.Lookback("9h"), fields=fields)
        assert remote.query("far", end=END).rows == ws.query("far", end=END).rows
        changed = remote.add_cube("more", measures=[Aggregation("delay", "delay", ["COUNT"])], **cube)
        assert [effect.endpoint for effect in changed.effects] == ["far"]


def test_the_status_page_shows_what_they_answer(served: Served, admin: str) -> None:
    for body in (OF_TASK, OF_CUBE):
        add(served, admin, body)
    page = served.ask("GET", "/", admin, headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    assert "9h of task hourly, by carrier" in page.text
    assert "9h of cube trips, by carrier" in page.text
