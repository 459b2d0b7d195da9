"""A home whose catalog is a Postgres database: each family answers as it does on a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from market import NOW, TABLE, Market, millis
from postgres_server import PostgresServer

import aggflow as af
from aggflow.api.carrier import Carrier

pytestmark = pytest.mark.slow
Aggregation: Any = af.Aggregation
HOURS = 48
LINQ = f'from {TABLE} where client = "a" group every 30m by client select count() as n, sum(total) as total'
END = "2023-02-22T17:00:00Z"


@pytest.fixture(scope="module")
def market(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    made = Market(tmp_path_factory.mktemp("market"), postgres.create("market"))
    made.sell((NOW - timedelta(hours=hour), "ab"[hour % 2], hour) for hour in range(1, HOURS + 1))
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(market: Market) -> str:
    assert not market.served.home.is_embedded
    return market.token("admin")


@pytest.fixture(scope="module")
def cube(market: Market) -> str:
    """Where the schedules of a cube are."""
    total = Aggregation("total", field="total", calculations=["COUNT", "SUM"])
    made = market.ws.add_cube("sales", source=TABLE, dimensions=["client"], measures=[total])
    return f"/org/self/project/{made.project_id}/cube/{made.id}/aggregates-creation"


def ok(market: Market, method: str, path: str, token: str, **options: Any) -> Any:
    answer = market.ask(method, path, token, **options)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


def test_tasks(market: Market, token: str) -> None:
    tasks = "/aggregations/v2/aggrtasks/self"
    sent = {
        "name": "by client",
        "query": {"LINQ": LINQ, "timezone": "GMT+01:00", "locale": "es"},
        "fromDate": 0,
    }
    made = ok(market, "POST", tasks, token, json=sent)
    assert list(made) == [
        "id", "name", "table", "wheres", "delay", "query", "description", "domainName", "ownerEmail",
        "creationDate", "updateDate", "status", "statusData", "fromDate",
    ]  # fmt: skip
    assert (made["status"], made["wheres"], made["creationDate"]) == (
        "PENDING_CREATE",
        ['eq(client, "a")'],
        millis(NOW),
    )
    task = f"{tasks}/{made['id']}"
    assert market.ask("POST", tasks, token, json=sent).json()["code"] == 400  # the name is taken
    Carrier(market.served.home).look()
    assert ok(market, "GET", f"{tasks}?status=RUNNING", token)[0]["id"] == made["id"]
    stats = ok(market, "GET", f"{task}/measures", token)["stats"]
    assert stats["rowsRead"] == HOURS // 2
    answer = ok(market, "POST", "/api/v1/questions/task", token, json={"task": "by client", "end": END})
    assert sum(row["fields"]["n"] for row in answer["rows"]) == HOURS // 2
    for change, settled in (("stop", "STOPPED"), ("resume", "RUNNING"), ("start", "RUNNING")):
        body = {"json": {"fromDate": 0}} if change == "start" else {}
        assert ok(market, "PUT", f"{task}/{change}", token, **body)["status"] == f"PENDING_{change.upper()}"
        Carrier(market.served.home).look()
        assert ok(market, "GET", task, token)["status"] == settled
    assert ok(market, "DELETE", task, token)["status"] == "PENDING_DELETE"
    Carrier(market.served.home).look()
    assert ok(market, "GET", tasks, token) == []
    assert market.ask("GET", f"{tasks}/cc_self:AAAAAAAA", token).json()["code"] == 602


def test_schedules(market: Market, token: str, cube: str) -> None:
    sent = {"time_expression": "0 25 06 ? * *", "path": "aggregate/create"}
    made = ok(market, "POST", f"{cube}/scheduler", token, json=sent)["response"]
    assert ok(market, "GET", f"{cube}/scheduler", token)["response"] == [made]
    assert ok(market, "POST", f"{cube}/execute?isFullBuild=true", token)["response"] == {"success": True}
    Carrier(market.served.home).look()
    history = "/org/self/aggregates-creation/builds/history?limit=1&status=done"
    (build,) = ok(market, "GET", history, token)["response"]["data"]
    assert (build["batchType"], build["status"]) == ("aggregate_batch", "done")
    job = f"{cube}/scheduler/history/jobId/{made['job_id']}"
    assert ok(market, "GET", job, token)["response"] == {"history": [], "job_id": made["job_id"]}
    said = ok(market, "DELETE", f"{cube}/scheduler/jobId/{made['job_id']}", token)["response"]
    assert said == f"successfully deleted jobId: [{made['job_id']}]"
    assert market.ask("GET", job, token).status_code == 404
    asked = {"cube": "sales", "fields": {"n": "total:COUNT"}, "end": END}
    answer = ok(market, "POST", "/api/v1/questions/cube", token, json=asked)
    assert [row["fields"]["n"] for row in answer["rows"]] == [HOURS]


def test_endpoints(market: Market, token: str) -> None:
    kept = {"name": "total", "field": "total", "calculations": ["COUNT", "SUM", "PERCENTILES"]}
    declared = {
        "name": "sales",
        "source": TABLE,
        "interval": "1h",
        "groupings": ["client"],
        "aggregations": [kept],
    }
    made = ok(market, "POST", "/api/v1/filters", token, json=declared)
    question = {
        "name": "totals",
        "filter": "sales",
        "timing": {"kind": "lookback", "duration": "7d"},
        "groupings": {"client": {"kind": "all"}},
        "fields": [{"name": "n", "aggregation": "total", "calculation": "COUNT"}],
    }
    data = f"/api/v1/data/{ok(market, 'POST', '/api/v1/endpoints', token, json=question)['id']}"
    live = ok(market, "POST", data, token, json={"end": END})
    build = ok(market, "POST", "/api/v1/builds", token, json={"name": "sales"})
    while market.ws.build_record(build["id"]).build.status in ("pending", "running"):
        market.ws.run_queued()
    assert (
        ok(market, "POST", data, token, json={"end": END})
        == live
        == [
            {"groupings": {"client": "a"}, "fields": {"n": HOURS // 2}},
            {"groupings": {"client": "b"}, "fields": {"n": HOURS // 2}},
        ]
    )
    text = market.ask("POST", data, token, json={"end": END, "format": "CSV"}).text
    assert text == f"client,n\r\na,{HOURS // 2}\r\nb,{HOURS // 2}\r\n"
    first = market.ask("GET", f"{data}?end={END}", token)
    again = market.ask("GET", f"{data}?end={END}", token, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.json(), again.status_code) == (live, 304)
    query = {
        "filterId": made["id"],
        "aggregationId": 1,
        "calculation": "SUM",
        "startTime": "2023-02-20",
        "endTime": END,
    }
    points = ok(market, "POST", "/api/v1/metrics/results", token, json=query)
    assert sum(point["value"] for point in points) == sum(range(1, HOURS + 1))
    named = ok(market, "POST", "/api/v1/metrics/groupings", token, json=query | {"groupingName": "client"})
    assert named == [{"value": "a"}, {"value": "b"}]
    assert ok(market, "GET", "/api/v1/filter-definitions", token)[0]["id"] == made["id"]
    assert market.ask("GET", "/api/v1/organization/ping", token).status_code == 200


def test_widgets(market: Market, token: str) -> None:
    path = "/api/workspace/ws_self/dashboards/aggregate"
    sent = {"event_types": None, "group_by": "event_type", "aggregation": "count", "time_window_days": 30}
    assert market.ask("POST", path, token, json=sent).status_code == 409
    ok(market, "PUT", "/api/v1/event-source", token, json={"source": TABLE, "event_type": "client"})
    found = [ok(market, "POST", path, token, json=sent) for _ in range(2)]
    assert [answer["cache_hit"] for answer in found] == [False, True]
    assert list(found[0]) == ["rows", "generated_at", "cache_hit"]
    assert found[0]["rows"] == [{"key": "a", "value": HOURS // 2}, {"key": "b", "value": HOURS // 2}]


def test_management(market: Market, token: str) -> None:
    ok(market, "POST", "/api/v1/sources", token, json={"name": "clicks", "url": "embedded://", "time": "at"})
    events = [{"id": f"e{i}", "at": f"2023-02-22T1{i}:00:00Z", "page": "/\u20ac"} for i in range(5)]
    for accepted in (5, 0):
        path = "/api/v1/sources/clicks/events?event_id=@.id"
        assert ok(market, "POST", path, token, json=events)["accepted"] == accepted
    linq = {"linq": "from clicks group by page select count() as n", "end": END}
    (row,) = ok(market, "POST", "/api/v1/linq", token, json=linq)["rows"]
    assert (row["groupings"], row["fields"]) == ({"page": "/\u20ac"}, {"n": 5})
    issued = ok(
        market,
        "POST",
        "/api/v1/tokens",
        token,
        json={"name": "t", "owner": "a@b.example", "permissions": ["data:read"]},
    )
    assert market.ask("GET", "/api/v1/workspace", issued["token"]).json()["permissions"] == ["data:read"]
    assert market.ask("DELETE", f"/api/v1/tokens/{issued['id']}", token).status_code == 204
    assert market.ask("GET", "/api/v1/workspace", issued["token"]).status_code == 401
    for kind in ("sources", "filters", "endpoints", "projects", "projects/default/cubes", "tokens", "builds"):
        assert isinstance(ok(market, "GET", f"/api/v1/{kind}", token), list)
    assert market.ask("GET", "/", token).status_code == 200
    assert ok(market, "GET", "/readyz", "")["checks"]["catalog"] == "ok"


@pytest.mark.parametrize("name", ["a\x00b", "\x00"], ids=["within", "alone"])
def test_a_nul_which_texts_of_the_database_cannot_hold_is_no_mistake_of_the_service(
    market: Market, token: str, name: str
) -> None:
    task = {"query": {"linq": LINQ}, "fromDate": 0}
    named: list[tuple[str, Any]] = [
        ("/api/v1/tokens", {"name": name, "owner": "a@b.example", "permissions": ["admin"]}),
        ("/api/v1/projects", {"name": name}),
        ("/aggregations/v2/aggrtasks/self", {"name": name, **task}),
        ("/api/v1/sources", {"name": "s", "url": "embedded://", "time": name}),
    ]
    for path, body in named:
        answer = market.ask("POST", path, token, json=body)
        assert answer.status_code == 400, (path, body, answer.text)
    for path in (
        "/api/v1/projects/",
        "/api/v1/filters/",
        "/api/v1/builds/",
        "/api/v1/tokens/",
        "/api/v1/data/",
    ):
        assert market.ask("GET", f"{path}a%00b", token).status_code == 404
    told = {"name": f"p{len(name)}", "description": name}
    assert ok(market, "POST", "/api/v1/projects", token, json=told)["description"] == name
