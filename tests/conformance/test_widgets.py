"""The widget API, as its documentation has it: what is sent, what comes back, every limit and one beyond.

Everything is asked twice: of the source alone, and of a rollup that is built as far as it goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from served import Served

import aggflow as af
from aggflow.api import widgets
from aggflow.engine.inquiry import Inquiry
from aggflow.errors import SourceUnavailableError

PATH = "/api/workspace/ws_self/dashboards/aggregate"
NOW = datetime(2026, 11, 22, 5, 31, 56, tzinfo=UTC)
A, B = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
X, Y = "cccccccc-0000-4000-8000-000000000003", "dddddddd-0000-4000-8000-000000000004"
# The request of the documentation, byte for byte.
EXAMPLE = """
{
  "event_types": [
    "<string>"
  ],
  "group_by": "<string>",
  "aggregation": "count",
  "time_window_days": 183,
  "value_field": "value",
  "limit": 100
}
"""
COLUMNS = (
    "moment timestamp, type varchar, session_id varchar, product_id varchar, agent_id bigint, customer_id varchar, "
    "brand varchar, catalog varchar, value double, amount int, metadata varchar"
)
EVENTS = [
    ("2026-11-22 05:30:00", "agent_view", "s1", "p1", 1, "c1", A, X, 1.5, 10, '{"campaign": "autumn"}'),
    ("2026-11-22 05:10:00", "agent_view", "s2", "p1", 2, "c2", A, X, 2.5, 20, '{"campaign": "autumn"}'),
    ("2026-11-22 04:59:00", "agent_atc", "s1", "p2", 1, "c1", A, Y, 4.0, None, '{"campaign": "winter"}'),
    ("2026-11-21 23:00:00", "agent_purchase", "s1", "p2", 1, "c1", B, X, None, 40, "{}"),
    ("2026-11-21 12:00:00", "agent_view", "s3", None, 3, None, B, Y, 3.0, 5, None),
    ("2026-11-20 00:00:00", "agent_view", None, "p1", None, None, A, X, 2.0, -5, '{"campaign": null}'),
    # The first that is in a window of 7 days, the last that is not, and one that is not yet.
    ("2026-11-15 05:31:56", "agent_purchase", "s4", "p3", 1, "c4", A, X, 1.0, 7, "{}"),
    ("2026-11-15 05:31:55.999999", "agent_purchase", "s5", "p3", 1, "c4", A, X, 9.0, 1000, "{}"),
    ("2026-11-22 05:31:56", "agent_view", "s6", "p1", 1, "c1", A, X, 9.0, 100_000, "{}"),
]
WHOLE = ["type", "session_id", "product_id", "brand", "catalog", "@.metadata.campaign"]


@pytest.fixture(scope="module", params=["source", "mixed"])
def plan(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def served(plan: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp(plan)
    file = folder / "events.ddb"
    with closing(duckdb.connect(str(file))) as con:
        con.execute(f"create table events ({COLUMNS})")
        con.executemany(f"insert into events values ({', '.join('?' * 11)})", EVENTS)
    made = Served(folder / "home", [widgets])
    made.home._clock = lambda: round(NOW.timestamp() * 1_000_000)
    ws = made.home.default
    ws.add_source("events", f"duckdb://{file}", table="events", time="moment")
    ids = {name: name for name in ("session_id", "product_id", "agent_id", "customer_id", "brand", "catalog")}
    ws.set_event_source("events", event_type="type", **ids, metadata="metadata", values=["value", "amount"])
    if plan == "mixed":
        build(ws)
    yield made
    made.home.close()


def build(ws: af.Workspace, groupings: list[str] = WHOLE, name: str = "whole") -> None:
    made: Any = af.Aggregation
    ws.add_filter(
        name,
        source="events",
        interval="1h",
        groupings=groupings,
        aggregations=[
            made("events"),
            made("sessions", field="session_id", calculations=["APPROX_COUNT_DISTINCT"]),
            *(made(one, field=one, calculations=["SUM", "AVG"]) for one in ("value", "amount", "agent_id")),
        ],
    )
    ws.build(name, until=NOW, progress=False)


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    return served.token("widgets:read")


def body(**changes: Any) -> dict[str, Any]:
    whole = {"event_types": None, "group_by": "none", "aggregation": "count", "time_window_days": 7}
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def ask(served: Served, token: str, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
    return served.ask("POST", PATH, token, json=body(**changes), headers=headers)


def rows(served: Served, token: str, headers: dict[str, str] | None = None, **changes: Any) -> list[Any]:
    answer = ask(served, token, headers, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, whose shape is always this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    found = answer.json()["error"]
    assert list(found) == ["code", "message", "details", "request_id"]
    assert found["code"] == code
    assert found["message"]
    assert all(list(detail) == ["field", "message"] for detail in found["details"])
    assert found["request_id"] == answer.headers["x-request-id"]
    return found


def fields(answer: httpx.Response) -> list[str]:
    return [detail["field"] for detail in error(answer, 400, "VALIDATION_ERROR")["details"]]


# ---------------------------------------------------------------------------------------
# The example


def test_the_example_as_it_stands_names_what_is_to_be_filled_in(served: Served, token: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert fields(served.ask("POST", PATH, token, content=EXAMPLE, headers=headers)) == [
        "event_types[0]",
        "group_by",
    ]
    path = "/api/workspace/{workspaceId}/dashboards/aggregate"
    assert fields(served.ask("POST", path, token, content=EXAMPLE, headers=headers)) == ["workspaceId"]


def test_the_example_filled_in_is_answered_key_by_key(served: Served, token: str, plan: str) -> None:
    filled = EXAMPLE.replace("<string>", "agent_view", 1).replace("<string>", "event_type", 1)
    answer = served.ask("POST", PATH, token, content=filled, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert list(answer.json()) == ["rows", "generated_at", "cache_hit"]
    assert answer.json()["rows"] == [{"key": "agent_view", "value": 4}]
    assert answer.json()["generated_at"] == "2026-11-22T05:31:56Z"
    assert answer.json()["cache_hit"] is False
    assert answer.headers["x-aggflow-plan"] == plan
    assert answer.headers["content-type"] == "application/json"
    # With all three keys, in this order.
    summed = served.ask("POST", PATH, token, content=filled.replace('"count"', '"sum"')).json()["rows"]
    assert [list(row.items()) for row in summed] == [
        [("key", "agent_view"), ("value", 9.0), ("secondary", 4)]
    ]


# ---------------------------------------------------------------------------------------
# What is computed


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("none", [("all", 7)]),
        ("event_type", [("agent_view", 4), ("agent_purchase", 2), ("agent_atc", 1)]),
        ("session", [("s1", 3), ("s2", 1), ("s3", 1), ("s4", 1), ("unknown", 1)]),
        ("product_id", [("p1", 3), ("p2", 2), ("p3", 1), ("unknown", 1)]),
        ("metadata.campaign", [("unknown", 4), ("autumn", 2), ("winter", 1)]),
        ("metadata.nothing", [("unknown", 7)]),
        ("day", [("2026-11-15", 1), ("2026-11-20", 1), ("2026-11-21", 2), ("2026-11-22", 3)]),
        (
            "hour",
            [
                ("2026-11-15T05:00:00Z", 1),
                ("2026-11-20T00:00:00Z", 1),
                ("2026-11-21T12:00:00Z", 1),
                ("2026-11-21T23:00:00Z", 1),
                ("2026-11-22T04:00:00Z", 1),
                ("2026-11-22T05:00:00Z", 2),
            ],
        ),
    ],
)
def test_group_by(served: Served, token: str, group_by: str, expected: list[tuple[str, int]]) -> None:
    assert rows(served, token, group_by=group_by) == [{"key": key, "value": n} for key, n in expected]


def test_count_distinct_counts_sessions(served: Served, token: str) -> None:
    assert rows(served, token, aggregation="count_distinct") == [{"key": "all", "value": 4, "secondary": 7}]
    found = rows(
        served, token, aggregation="count_distinct", group_by="product_id", value_field="customer_id"
    )
    assert found == [
        {"key": "p1", "value": 2, "secondary": 3},
        {"key": "p2", "value": 1, "secondary": 2},
        {"key": "p3", "value": 1, "secondary": 1},
        {"key": "unknown", "value": 1, "secondary": 1},
    ]


def test_sum(served: Served, token: str) -> None:
    assert rows(served, token, aggregation="sum", value_field="amount") == [
        {"key": "all", "value": 77, "secondary": 7}
    ]
    assert rows(served, token, aggregation="sum", value_field="amount", group_by="event_type") == [
        {"key": "agent_purchase", "value": 47, "secondary": 2},
        {"key": "agent_view", "value": 30, "secondary": 4},
        {"key": "agent_atc", "value": 0, "secondary": 1},
    ]


def test_avg(served: Served, token: str) -> None:
    assert rows(served, token, aggregation="avg", value_field="value") == [
        {"key": "all", "value": pytest.approx(14 / 6), "secondary": 7}
    ]
    # The one event without an amount has nothing to average.
    assert rows(served, token, aggregation="avg", value_field="amount", group_by="event_type") == [
        {"key": "agent_purchase", "value": 23.5, "secondary": 2},
        {"key": "agent_view", "value": 7.5, "secondary": 4},
    ]


def test_an_id_that_is_a_number_is_summed(served: Served, token: str) -> None:
    assert rows(served, token, aggregation="sum", value_field="agent_id") == [
        {"key": "all", "value": 9, "secondary": 7}
    ]


def test_nothing(served: Served, token: str) -> None:
    none: dict[str, Any] = {"event_types": ["never_seen"], "value_field": "amount"}
    for aggregation, expected in {
        "count": [{"key": "all", "value": 0}],
        "count_distinct": [{"key": "all", "value": 0, "secondary": 0}],
        "sum": [{"key": "all", "value": 0, "secondary": 0}],
        "avg": [],
    }.items():
        assert rows(served, token, aggregation=aggregation, **none) == expected
        assert rows(served, token, aggregation=aggregation, group_by="day", **none) == []


# ---------------------------------------------------------------------------------------
# Every parameter, at its limits and one beyond


def test_event_types(served: Served, token: str) -> None:
    def counted(types: Any) -> int:
        return rows(served, token, event_types=types)[0]["value"]

    assert counted(None) == counted([]) == 7
    assert counted(["agent_atc"]) == counted(["agent_atc", "agent_atc"]) == 1
    assert counted(["agent_view", "agent_atc"]) == 5
    # Custom types that nobody has seen are types.
    assert counted(["ab", "a" * 63, "a_1"]) == 0
    assert counted([f"type_{i}" for i in range(49)] + ["agent_view"]) == 4


@pytest.mark.parametrize(
    ("types", "field"),
    [
        (..., "event_types"),
        ("agent_view", "event_types"),
        ({}, "event_types"),
        (5, "event_types"),
        (["ab"] * 51, "event_types"),
        (["a"], "event_types[0]"),
        (["agent_view", "a" * 64], "event_types[1]"),
        (["Agent_view"], "event_types[0]"),
        (["1agent"], "event_types[0]"),
        (["_agent"], "event_types[0]"),
        (["home-page-view"], "event_types[0]"),
        (["agent_view\n"], "event_types[0]"),
        (["agent view"], "event_types[0]"),
        ([None], "event_types[0]"),
        ([5], "event_types[0]"),
        ([""], "event_types[0]"),
    ],
)
def test_event_types_beyond(served: Served, token: str, types: Any, field: str) -> None:
    assert fields(ask(served, token, event_types=types)) == [field]


@pytest.mark.parametrize("key", ["a", "_", "a" * 63, "_9"])
def test_keys_of_metadata(served: Served, token: str, key: str) -> None:
    assert rows(served, token, group_by=f"metadata.{key}") == [{"key": "unknown", "value": 7}]


@pytest.mark.parametrize(
    "group_by",
    [
        ...,
        None,
        "",
        5,
        ["day"],
        "week",
        "Day",
        "session_id",
        "metadata",
        "metadata.",
        "metadata.Key",
        "metadata.1",
        "metadata.a.b",
        "metadata.a-b",
        "metadata." + "a" * 64,
        "metadata.a\n",
        "none; drop table events",
    ],
)
def test_group_by_beyond(served: Served, token: str, group_by: Any) -> None:
    assert fields(ask(served, token, group_by=group_by)) == ["group_by"]


@pytest.mark.parametrize("aggregation", [..., None, "", "COUNT", "max", "distinct", 1, ["count"]])
def test_aggregation_beyond(served: Served, token: str, aggregation: Any) -> None:
    assert fields(ask(served, token, aggregation=aggregation)) == ["aggregation"]


def test_time_window_days(served: Served, token: str) -> None:
    counts = {
        days: rows(served, token, time_window_days=days)[0]["value"] for days in (1, 2, 3, 7, 8, 365, 7.0)
    }
    assert counts == {1: 5, 2: 5, 3: 6, 7: 7, 8: 8, 365: 8}


@pytest.mark.parametrize("days", [..., None, 0, 366, -1, 1.5, "7", True, [7], 10**30])
def test_time_window_days_beyond(served: Served, token: str, days: Any) -> None:
    answer = served.ask("POST", PATH, token, content=_json(body(time_window_days=days)))
    assert fields(answer) == ["time_window_days"]


def _json(data: Any) -> bytes:
    import json

    return json.dumps(data).encode()


@pytest.mark.parametrize("field", ["price", "quantity", "duration_ms", "score", "rating"])
def test_a_value_field_that_the_event_source_lacks(served: Served, token: str, field: str) -> None:
    answer = ask(served, token, aggregation="sum", value_field=field)
    assert fields(answer) == ["value_field"]
    assert field in answer.json()["error"]["message"]
    # The counts do not look at it.
    assert ask(served, token, aggregation="count", value_field=field).status_code == 200


@pytest.mark.parametrize("field", ["session_id", "product_id", "customer_id"])
@pytest.mark.parametrize("aggregation", ["sum", "avg"])
def test_an_id_that_is_no_number(served: Served, token: str, aggregation: str, field: str) -> None:
    assert fields(ask(served, token, aggregation=aggregation, value_field=field)) == ["value_field"]


@pytest.mark.parametrize("aggregation", ["sum", "avg"])
def test_value_field_is_required(served: Served, token: str, aggregation: str) -> None:
    assert fields(ask(served, token, aggregation=aggregation)) == ["value_field"]


@pytest.mark.parametrize("field", [None, "", "revenue", "Value", "metadata.x", 5, ["value"]])
@pytest.mark.parametrize("aggregation", ["count", "sum"])
def test_value_field_beyond(served: Served, token: str, aggregation: str, field: Any) -> None:
    assert fields(ask(served, token, aggregation=aggregation, value_field=field)) == ["value_field"]


def test_limit(served: Served, token: str) -> None:
    keys = ["s1", "s2", "s3", "s4", "unknown"]
    for limit, expected in {1: keys[:1], 2: keys[:2], 1000: keys}.items():
        found = rows(served, token, group_by="session", limit=limit)
        assert [row["key"] for row in found] == expected
    # JSON has one kind of number.
    assert len(rows(served, token, group_by="session", limit=4.0)) == 4
    assert [row["key"] for row in rows(served, token, group_by="day", limit=2)] == [
        "2026-11-15",
        "2026-11-20",
    ]


@pytest.mark.parametrize("limit", [None, 0, 1001, -5, 1.5, "100", True, [1]])
def test_limit_beyond(served: Served, token: str, limit: Any) -> None:
    assert fields(ask(served, token, limit=limit)) == ["limit"]


def test_everything_that_is_wrong_is_named_at_once(served: Served, token: str) -> None:
    answer = served.ask("POST", PATH, token, json={"group_by": "x", "aggregation": "y", "limit": 0})
    assert fields(answer) == ["event_types", "group_by", "aggregation", "time_window_days", "limit"]


def test_fields_that_are_not_of_the_api_are_not_read(served: Served, token: str) -> None:
    assert rows(served, token, brand_id=B, now="2020-01-01", rows=5) == [{"key": "all", "value": 7}]


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"[]", b"null", b"5", b'"count"', b"\xff", b'{"event_types": NaN}']
)
def test_bodies_that_are_no_objects(served: Served, token: str, sent: bytes) -> None:
    assert fields(served.ask("POST", PATH, token, content=sent)) == ["body"]


# ---------------------------------------------------------------------------------------
# Brands and catalogs


def count(served: Served, token: str, path: str = PATH, **headers: str) -> int:
    answer = served.ask(
        "POST", path, token, json=body(), headers={f"X-Active-{k}": v for k, v in headers.items()}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"][0]["value"]


def test_brands_and_catalogs_narrow_the_events(served: Served, token: str) -> None:
    assert count(served, token) == 7
    assert (count(served, token, Brand=A), count(served, token, Brand=B)) == (5, 2)
    assert count(served, token, f"{PATH}?brand_id={B}") == 2
    # The header goes before the parameter.
    assert count(served, token, f"{PATH}?brand_id={B}", Brand=A) == 5
    assert (count(served, token, Catalog=X), count(served, token, Catalog=Y)) == (5, 2)
    assert (count(served, token, Brand=A, Catalog=Y), count(served, token, Brand=B, Catalog=X)) == (1, 1)
    assert count(served, token, Brand="0" * 8 + A[8:]) == 0
    # One id, however it is written.
    assert count(served, token, Brand=A.upper()) == 5


@pytest.mark.parametrize(
    "wrong", ["", "a", A[:-1], A + "0", f"{{{A}}}", A.replace("-", ""), "null", f"{A} "[:-1] + "g"]
)
def test_ids_that_are_no_uuids(served: Served, token: str, wrong: str) -> None:
    for name in ("X-Active-Brand", "X-Active-Catalog"):
        found = fields(ask(served, token, {name: wrong}))
        assert [field.lower() for field in found] == [name.lower()]
    answer = served.ask("POST", PATH, token, json=body(), params={"brand_id": wrong})
    assert fields(answer) == ["brand_id"]


def test_a_token_that_is_bound_to_a_brand(served: Served) -> None:
    bound = served.token("widgets:read", brands=[A])
    assert count(served, bound) == count(served, bound, Brand=A) == 5
    error(ask(served, bound, {"X-Active-Brand": B}), 403, "FORBIDDEN")
    error(served.ask("POST", f"{PATH}?brand_id={B}", bound, json=body()), 403, "FORBIDDEN")


def test_a_token_that_is_bound_to_several_brands(served: Served) -> None:
    bound = served.token("widgets:read", brands=[A, B])
    assert (count(served, bound, Brand=A), count(served, bound, Brand=B)) == (5, 2)
    assert fields(ask(served, bound)) == ["X-Active-Brand"]
    error(ask(served, bound, {"X-Active-Brand": X}), 403, "FORBIDDEN")


def test_what_is_kept_for_one_brand_is_not_told_another(served: Served, token: str) -> None:
    bound = served.token("widgets:read", brands=[B])
    query: dict[str, Any] = {"group_by": "session", "limit": 77}
    assert len(rows(served, token, **query)) == 5
    answer = ask(served, bound, **query).json()
    assert (answer["cache_hit"], [row["key"] for row in answer["rows"]]) == (False, ["s1", "s3"])


# ---------------------------------------------------------------------------------------
# What is kept


def test_cache(served: Served, token: str) -> None:
    query: dict[str, Any] = {"event_types": ["agent_view", "agent_atc"], "group_by": "hour", "limit": 55}
    first, second = ask(served, token, **query), ask(served, token, **query)
    assert (first.json()["cache_hit"], second.json()["cache_hit"]) == (False, True)
    assert first.json() | {"cache_hit": True} == second.json()
    assert first.headers["x-aggflow-plan"] == second.headers["x-aggflow-plan"]
    same: dict[str, Any] = query | {
        "event_types": ["agent_atc", "agent_view", "agent_atc"],
        "value_field": "value",
    }
    assert ask(served, token, **same).json()["cache_hit"] is True
    assert ask(served, token, {"X-Active-Catalog": X}, **query).json()["cache_hit"] is False
    build(served.home.default, ["type", "agent_id"], "another")
    assert ask(served, token, **query).json()["cache_hit"] is False
    served.home.default.remove("filter", "another")


def test_equal_requests_at_once_share_one_computation(served: Served, token: str) -> None:
    async def all_at_once() -> list[httpx.Response]:
        transport = httpx.ASGITransport(served.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            headers = {"Authorization": f"Bearer {token}"}
            query = body(group_by="product_id", aggregation="count_distinct", limit=33)
            return await asyncio.gather(*(client.post(PATH, json=query, headers=headers) for _ in range(6)))

    answers = [answer.json() for answer in asyncio.run(all_at_once())]
    assert sorted(answer["cache_hit"] for answer in answers) == [False, *[True] * 5]
    assert all(answer["rows"] == answers[0]["rows"] for answer in answers)


# ---------------------------------------------------------------------------------------
# Every status


def test_401(served: Served) -> None:
    for secret in ("", "wrong"):
        answer = ask(served, secret)
        assert error(answer, 401, "UNAUTHORIZED")["details"] == []
        assert answer.headers["www-authenticate"] == "Bearer"
    # The token is looked at before anything else.
    error(served.ask("POST", PATH.replace("ws_self", "ws_other"), json={}), 401, "UNAUTHORIZED")


def test_403(served: Served, token: str) -> None:
    error(ask(served, served.token("data:read")), 403, "FORBIDDEN")
    served.home.workspace("other")
    messages = {
        error(served.ask("POST", PATH.replace("ws_self", name), token, json={}), 403, "FORBIDDEN")["message"]
        for name in ("ws_other", "ws_nobody")
    }
    # Whether there is such a workspace is not told.
    assert len(messages) == 1
    error(ask(served, served.token("widgets:read", workspace="other")), 403, "FORBIDDEN")
    assert ask(served, served.token("admin")).status_code == 200


@pytest.mark.parametrize("name", ["self", "ws_", "ws_Self", "ws_a-b", "ws_self\n", "x_self"])
def test_names_that_no_workspace_has(served: Served, token: str, name: str) -> None:
    path = PATH.replace("ws_self", name.replace("\n", "%0A"))
    assert fields(served.ask("POST", path, token, json=body())) == ["workspaceId"]


def test_404(served: Served, token: str) -> None:
    for path in (f"{PATH}/x", "/api/workspace/ws_self/dashboards", "/api/workspace", f"{PATH}/"):
        error(served.ask("POST", path, token, json=body()), 404, "NOT_FOUND")


def test_405(served: Served, token: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        error(served.ask(method, PATH, token), 405, "METHOD_NOT_ALLOWED")


def test_409(served: Served) -> None:
    served.home.workspace("empty")
    token = served.token("widgets:read", workspace="empty")
    path = PATH.replace("ws_self", "ws_empty")
    found = error(served.ask("POST", path, token, json=body()), 409, "CONFLICT")
    assert "set_event_source" in found["message"]
    # What is wrong with the request is told first.
    assert fields(served.ask("POST", path, token, json=body(limit=0))) == ["limit"]


def test_413(served: Served, token: str) -> None:
    sent = _json(body(padding="x" * (1 << 20)))
    found = error(served.ask("POST", PATH, token, content=sent), 413, "CONTENT_TOO_LARGE")
    assert found["details"][0]["field"] == "body"


def test_429(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGGFLOW_FAILED_ATTEMPTS", "1")
    served = Served(tmp_path, [widgets])
    served.stop_forgiving()
    error(ask(served, "wrong"), 401, "UNAUTHORIZED")
    answer = ask(served, "wrong")
    error(answer, 429, "TOO_MANY_REQUESTS")
    assert int(answer.headers["retry-after"]) > 0
    served.home.close()


def test_503(served: Served, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Inquiry) -> Any:
        raise SourceUnavailableError("postgresql://me:secret@db/shop is away")

    monkeypatch.setattr(served.home.default._serving, "inquire", away)
    answer = ask(served, token, limit=11)
    error(answer, 503, "UNAVAILABLE")
    assert "retry-after" in answer.headers
    assert "secret" not in answer.text


def test_500(served: Served, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_: Inquiry) -> Any:
        raise ZeroDivisionError("select secret")

    monkeypatch.setattr(served.home.default._serving, "inquire", wrong)
    answer = ask(served, token, limit=12)
    error(answer, 500, "SERVER_ERROR")
    assert "secret" not in answer.text


def test_a_brand_that_the_events_cannot_tell_is_not_answered_for_all(tmp_path: Path) -> None:
    served = Served(tmp_path / "home", [widgets])
    file = tmp_path / "events.ddb"
    with closing(duckdb.connect(str(file))) as con:
        con.execute(f"create table events ({COLUMNS})")
    ws = served.home.default
    ws.add_source("events", f"duckdb://{file}", table="events", time="moment")
    ws.set_event_source("events", event_type="type")
    token = served.token("widgets:read")
    for name in ("X-Active-Brand", "X-Active-Catalog"):
        error(ask(served, token, {name: A}), 409, "CONFLICT")
    error(ask(served, served.token("widgets:read", brands=[A])), 409, "CONFLICT")
    assert rows(served, token) == [{"key": "all", "value": 0}]
    served.home.close()
