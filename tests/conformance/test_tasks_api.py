"""The aggregation task API, as its documentation has it: each request, answer, parameter and code of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from documented_shape import assert_shaped
from market import NOW, OWNER, TABLE, Market, at_once, millis

from aggflow.errors import SourceUnavailableError
from aggflow.workspace import Workspace

# What the documentation shows, letter by letter.
DOCUMENTED_URL = "https://api-us.devo.com/aggregations/v2/aggregations/v2/aggrtasks/self"
DOCUMENTED_HEADING = "/v2/aggrtasks/{domain}"
DOCUMENTED_HEADER = "standAloneToken"
DOCUMENTED_ANSWER: dict[str, Any] = {
    "id": "cc_self:mwmCq714",
    "name": "first aggregation task",
    "table": "demo.ecommerce.data",
    "wheres": ['eq(client, "self")'],
    "delay": 0,
    "query": {
        "linq": 'from demo.ecommerce.data where eq(client, "self") group every 1800000 by client',
        "timeZone": "GMT+01:00",
        "locale": "es",
    },
    "description": "my new aggregation task",
    "domainName": "self",
    "ownerEmail": "john.smith@devo.com",
    "creationDate": 1677087818714,
    "updateDate": 1677087818714,
    "status": "PENDING_CREATE",
    "statusData": None,
    "fromDate": 0,
}
# The answer, asked for by the parameters of the documentation's table, in their spelling.
DOCUMENTED_REQUEST: dict[str, Any] = {
    "description": DOCUMENTED_ANSWER["description"],
    "delay": DOCUMENTED_ANSWER["delay"],
    "query": {
        "LINQ": DOCUMENTED_ANSWER["query"]["linq"],
        "timezone": DOCUMENTED_ANSWER["query"]["timeZone"],
        "locale": DOCUMENTED_ANSWER["query"]["locale"],
    },
    "name": DOCUMENTED_ANSWER["name"],
    "fromDate": "0",
}
STATUSES = [
    "RUNNING",
    "STOPPED",
    "DELETED",
    "ERROR",
    "PARTIAL_STOPPED",
    "PENDING_CREATE",
    "PENDING_START",
    "PENDING_STOP",
    "PENDING_UPDATE",
    "PENDING_REBUILD",
    "PENDING_DELETE",
    "PENDING_RESUME",
    "PENDING_EXTEND",
]

PREFIXES = ("/aggregations/v2/aggrtasks", "/v2/aggrtasks", "/aggregations/v2/aggregations/v2/aggrtasks")
TASKS = f"{PREFIXES[0]}/self"
HOUR = NOW.replace(minute=0, second=0, microsecond=0)
HOURLY = f"from {TABLE} group every 1h by client select count() as n, sum(total) as total"


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    made = Market(tmp_path)
    yield made
    made.close()


@pytest.fixture
def token(market: Market) -> str:
    return market.token("tasks:manage")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market for requests that change nothing, or whose changes are nobody else's matter."""
    made = Market(tmp_path_factory.mktemp("market"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def pen(still: Market) -> str:
    return still.token("tasks:manage")


def linq(text: str) -> dict[str, Any]:
    return {"linq": text, "timeZone": "UTC", "locale": "en"}


def body(name: str = "sales", text: str = HOURLY, **more: Any) -> dict[str, Any]:
    return {"name": name, "query": linq(text), "fromDate": 0, **more}


def create(market: Market, token: str, name: str = "sales", text: str = HOURLY, **more: Any) -> str:
    market.now += timedelta(milliseconds=1)  # tasks are listed by when they were made
    answer = market.ask("POST", TASKS, token, json=body(name, text, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def error(answer: httpx.Response, status: int, code: int | None = None) -> str:
    """The message of an error, which has the shape that all have."""
    found = answer.json()
    assert (answer.status_code, found["code"], found["status"]) == (status, code or status, status)
    assert list(found) == ["code", "message", "status", "requestId"]
    assert found["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/json"
    return found["message"]


# -- the documented example


def test_the_documented_request_has_the_documented_answer(market: Market, token: str) -> None:
    path = httpx.URL(DOCUMENTED_URL).path
    answer = market.ask("POST", path, headers={DOCUMENTED_HEADER: token}, json=DOCUMENTED_REQUEST)
    assert answer.status_code == 200
    found = answer.json()
    assert re.fullmatch(r"cc_self:[A-Za-z0-9]{8}", found["id"])
    # All of it but the id: its values, its keys, their order.
    expected = {**DOCUMENTED_ANSWER, "id": found["id"]}
    assert list(found.items()) == list(expected.items())
    assert list(found["query"]) == list(expected["query"])


def test_what_was_created_is_shown_and_listed_as_it_was_answered(market: Market, token: str) -> None:
    created = market.ask("POST", TASKS, token, json=DOCUMENTED_REQUEST).json()
    one = market.ask("GET", f"{TASKS}/{created['id']}", token)
    assert (one.status_code, one.json()) == (200, created)
    everything = market.ask("GET", TASKS, token)
    assert (everything.status_code, everything.json()) == (200, [created])
    escaped = market.ask("GET", f"{TASKS}/{created['id'].replace(':', '%3A')}", token)
    assert escaped.json() == created


@pytest.mark.parametrize("prefix", PREFIXES)
def test_all_routes_are_under_each_prefix(market: Market, token: str, prefix: str) -> None:
    tasks = f"{prefix}/self"
    assert tasks.endswith(DOCUMENTED_HEADING.format(domain="self"))
    created = market.ask("POST", tasks, token, json=DOCUMENTED_REQUEST).json()
    task = f"{tasks}/{created['id']}"
    asked = [
        ("GET", tasks, "PENDING_CREATE"),
        ("GET", task, "PENDING_CREATE"),
        ("PUT", f"{task}/stop", "PENDING_STOP"),
        ("PUT", f"{task}/resume", "PENDING_RESUME"),
        ("PUT", f"{task}/start", "PENDING_START"),
        ("PUT", task, "RUNNING"),
        ("DELETE", task, "PENDING_DELETE"),
    ]
    for method, path, status in asked:
        answer = market.ask(method, path, token, json={"fromDate": 0} if method == "PUT" else None)
        assert answer.status_code == 200, (method, path, answer.text)
        found = answer.json()
        found = found[0] if isinstance(found, list) else found
        assert list(found) == list(DOCUMENTED_ANSWER)
        assert found["status"] == status
        if method == "PUT":
            market.ws.settle_tasks()
    assert market.ask("GET", f"{task}/measures", token).json()["id"] == created["id"]


def test_the_token_comes_in_its_header_in_any_case_or_as_bearer(still: Market, pen: str) -> None:
    for headers in (
        {"standAloneToken": pen},
        {"STANDALONETOKEN": pen},
        {"Authorization": f"Bearer {pen}"},
        # That of the API's own header counts.
        {"standAloneToken": pen, "Authorization": "Bearer wrong"},
    ):
        assert still.ask("GET", TASKS, headers=headers).status_code == 200
    refused = still.ask("GET", TASKS, headers={"x-api-token": pen})
    error(refused, 401)
    assert "standAloneToken" in refused.json()["message"]


# -- what is sent to create one


@pytest.mark.parametrize("name", ["name", "query", "fromDate"])
@pytest.mark.parametrize("null", [False, True])
def test_what_is_required_has_to_be_there(still: Market, pen: str, name: str, null: bool) -> None:
    sent = (
        {**DOCUMENTED_REQUEST, name: None}
        if null
        else {k: v for k, v in DOCUMENTED_REQUEST.items() if k != name}
    )
    assert name in error(still.ask("POST", TASKS, pen, json=sent), 400)


@pytest.mark.parametrize("query", [{}, {"LINQ": None}, {"timezone": "UTC"}])
def test_a_query_needs_its_text(still: Market, pen: str, query: dict[str, Any]) -> None:
    assert "query.linq" in error(still.ask("POST", TASKS, pen, json=body() | {"query": query}), 400).lower()


def test_what_is_not_required_has_a_default(market: Market, token: str) -> None:
    short = {"name": "short", "query": {"LINQ": HOURLY}, "fromDate": 0}
    nulls = dict.fromkeys(("description", "delay", "minGrain"))
    query = {"linq": HOURLY, "timeZone": None, "locale": None}
    for sent in (short, {"name": "nulls", "query": query, "fromDate": 0, **nulls}):
        found = market.ask("POST", TASKS, token, json=sent).json()
        assert (found["description"], found["delay"]) == ("", 0)
        assert (found["query"]["timeZone"], found["query"]["locale"]) == ("UTC", "en")


def test_both_spellings_are_read_and_what_is_unknown_is_ignored(market: Market, token: str) -> None:
    sent = {
        **DOCUMENTED_REQUEST,
        "query": DOCUMENTED_ANSWER["query"],
        "status": "RUNNING",
        "color": {"red": 1},
    }
    found = market.ask("POST", TASKS, token, json=sent).json()
    assert {**found, "id": DOCUMENTED_ANSWER["id"]} == DOCUMENTED_ANSWER
    both = {"linq": HOURLY, "LINQ": HOURLY, "timeZone": "UTC", "timezone": "UTC"}
    assert market.ask("POST", TASKS, token, json=body("b") | {"query": both}).status_code == 200
    both["timezone"] = "GMT+01:00"
    assert "timeZone" in error(market.ask("POST", TASKS, token, json=body("c") | {"query": both}), 400)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "x"),
        ("name", "x" * 255),
        ("delay", 1),
        ("delay", "30"),
        ("delay", 30.0),
        ("delay", 86_400 * 365),
        ("description", ""),
        ("description", "d" * 10_000),
        ("minGrain", "30m"),
        ("minGrain", 1_800_000),
        ("minGrain", "1800000"),
        ("minGrain", "1h"),
        ("minGrain", "1s"),
        ("minGrain", 1000),
        ("locale", "e"),
        ("locale", "x" * 35),
        *(
            ("timeZone", zone)
            for zone in ("UTC", "GMT+01:00", "GMT-12:00", "+05:30", "Europe/Berlin", "GMT+14:00", "GMT")
        ),
    ],
)
def test_a_parameter_within_its_limits_is_taken(still: Market, pen: str, name: str, value: Any) -> None:
    sent = body(f"{name} {value}"[:255])
    (sent["query"] if name in ("locale", "timeZone") else sent)[name] = value
    answer = still.ask("POST", TASKS, pen, json=sent)
    assert answer.status_code == 200, answer.text
    still.ask("DELETE", f"{TASKS}/{answer.json()['id']}", pen)
    still.ws.settle_tasks()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 256),
        ("name", "a\0b"),
        ("name", 5),
        ("name", ["x"]),
        ("delay", -1),
        ("delay", 1.5),
        ("delay", "1.5"),
        ("delay", "soon"),
        ("delay", True),
        ("delay", [1]),
        ("delay", 10**15),
        ("description", 5),
        ("description", {}),
        ("minGrain", "25m"),
        ("minGrain", "2h"),
        ("minGrain", 0),
        ("minGrain", 999),
        ("minGrain", -1000),
        ("minGrain", 1.5),
        ("minGrain", True),
        ("minGrain", []),
        ("minGrain", "often"),
        ("fromDate", "yesterday"),
        ("fromDate", "2023-02-30"),
        ("fromDate", ""),
        ("fromDate", True),
        ("fromDate", {}),
        ("fromDate", 10**19),
        ("query", "from x group"),
        ("query", []),
        ("query.linq", 5),
        ("query.locale", ""),
        ("query.locale", "x" * 36),
        ("query.locale", 5),
        ("query.timeZone", ""),
        ("query.timeZone", "Mars/Olympus"),
        ("query.timeZone", "GMT+25:00"),
        ("query.timeZone", 1),
    ],
)
def test_a_parameter_beyond_its_limits_is_named(still: Market, pen: str, name: str, value: Any) -> None:
    sent = body("never made")
    outer, _, inner = name.partition(".")
    if inner:
        sent[outer][inner] = value
    else:
        sent[name] = value
    assert f"{name}: " in error(still.ask("POST", TASKS, pen, json=sent), 400)
    assert "never made" not in still.ask("GET", TASKS, pen).text


@pytest.mark.parametrize(
    ("sent", "milliseconds"),
    [
        (0, 0),
        ("0", 0),
        (1677087818714, 1677087818714),
        (1677087818714.0, 1677087818714),
        ("1677087818714", 1677087818714),
        ("2023-02-22", 1677024000000),
        ("2023-02-22T17:43:38.714Z", 1677087818714),
        ("2023-02-22T18:43:38.714+01:00", 1677087818714),
        (-1000, -1000),
    ],
)
def test_a_date_is_any_form_of_a_time_and_comes_back_in_milliseconds(
    still: Market, pen: str, sent: Any, milliseconds: int
) -> None:
    answer = still.ask("POST", TASKS, pen, json=body(f"from {sent!r}", fromDate=sent))
    assert answer.json()["fromDate"] == milliseconds
    assert type(answer.json()["fromDate"]) is int


def test_a_name_is_unique_in_its_domain(market: Market, token: str) -> None:
    first = create(market, token)
    assert "sales" in error(market.ask("POST", TASKS, token, json=body()), 400)
    second = create(market, token, "more sales")
    market.ws.settle_tasks()
    assert "sales" in error(market.ask("PUT", f"{TASKS}/{second}", token, json={"name": "sales"}), 400)
    elsewhere = market.token("tasks:manage", workspace="other")
    assert market.ask("POST", f"{PREFIXES[0]}/other", elsewhere, json=body()).status_code == 200
    # It is free again as soon as its task is deleted.
    market.ask("DELETE", f"{TASKS}/{first}", token)
    error(market.ask("POST", TASKS, token, json=body()), 400)
    market.ws.run_tasks()
    assert create(market, token) != first


@pytest.mark.parametrize(
    "sent", [b"", b"   ", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"1", b'{"a":1}x']
)
def test_a_body_that_is_no_json_object_is_400(still: Market, pen: str, sent: bytes) -> None:
    assert "body" in error(still.ask("POST", TASKS, pen, content=sent), 400)


def test_a_body_is_read_as_json_whatever_its_content_type_says(market: Market, token: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded", DOCUMENTED_HEADER: token}
    sent = httpx.Request("POST", "http://x", json=body()).content
    assert market.ask("POST", TASKS, headers=headers, content=sent).status_code == 200


# -- the query


@pytest.mark.parametrize(
    ("written", "table", "wheres", "canonical"),
    [
        (
            'FROM demo.ecommerce.data\nWHERE client = "self" ,  total > 5\nGROUP EVERY 30m BY client'.lower(),
            TABLE,
            ['eq(client, "self")', "gt(total, 5)"],
            'from demo.ecommerce.data where eq(client, "self"), gt(total, 5) group every 1800000 by client',
        ),
        (
            'from demo.ecommerce.data where client -> "el" where not client in {"a", "b"} group every 1d',
            TABLE,
            ['has(client, "el")', 'not(`in`("a", "b", client))'],
            None,
        ),
        ("from demo.ecommerce.data group", TABLE, [], "from demo.ecommerce.data group"),
    ],
)
def test_table_and_conditions_are_those_of_the_query(
    still: Market, pen: str, written: str, table: str, wheres: list[str], canonical: str | None
) -> None:
    found = still.ask("POST", TASKS, pen, json=body(f"of {written}"[:60], written)).json()
    assert found["table"] == table
    assert len(found["wheres"]) == len(wheres)
    assert found["wheres"] == wheres
    if canonical is not None:
        assert found["query"]["linq"] == canonical
    # What is answered is taken as it is, and means the same.
    again = still.ask("POST", TASKS, pen, json=body(f"again {written}"[:60], found["query"]["linq"])).json()
    assert (again["query"], again["wheres"]) == (found["query"], found["wheres"])


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("from demo.ecommerce.dat group every 1h", 1, 6, "did you mean 'demo.ecommerce.data'"),
        (f"from {TABLE}\nwhere cliet = 1\ngroup every 1h", 2, 7, "did you mean 'client'"),
        (f"from {TABLE} group every 1h by client select cuont()", 1, 58, "did you mean 'count'"),
        (f"from {TABLE} group every", 1, 37, "expected"),
        (f"from {TABLE} grup every 1h", 1, 26, "expected"),
        ("", 1, 1, "expected"),
    ],
)
def test_a_mistake_of_the_query_is_told_with_its_place(
    still: Market, pen: str, text: str, line: int, column: int, said: str
) -> None:
    message = error(still.ask("POST", TASKS, pen, json=body("wrong", text)), 400)
    assert message.startswith("query.linq: ")
    place = re.search(r"at line (\d+), column (\d+)\n( {4})(.*)\n {4}( *)\^", message)
    assert place, message
    assert (int(place[1]), int(place[2])) == (line, column)
    # The caret stands below the place.
    assert place[4] == text.split("\n")[int(place[1]) - 1]
    assert len(place[5]) == int(place[2]) - 1
    assert said in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"from {TABLE} where client in (from {TABLE} select client) group every 1h", ""),
        (f"from {TABLE} group every 1h group every 1d", "group"),
        (f"from {TABLE} group every 1h limit 5", "limit"),
        (f"from {TABLE} select client", "group"),
    ],
)
def test_what_a_task_does_not_accept_is_said(still: Market, pen: str, text: str, said: str) -> None:
    message = error(still.ask("POST", TASKS, pen, json=body("wrong", text)), 400)
    assert message.startswith("query.linq: ")
    assert said in message


# -- listing


def test_the_list_is_narrowed_by_status_and_id(market: Market, token: str) -> None:
    ids = {name: create(market, token, name) for name in "abcd"}
    market.ws.settle_tasks()
    market.ask("PUT", f"{TASKS}/{ids['a']}/stop", token)
    market.ask("DELETE", f"{TASKS}/{ids['b']}", token)
    market.ws.settle_tasks()
    market.ask("PUT", f"{TASKS}/{ids['c']}/start", token, json={"fromDate": "2023-01-01"})

    def names(query: str) -> str:
        answer = market.ask("GET", f"{TASKS}?{query}", token)
        assert answer.status_code == 200
        return "".join(task["name"] for task in answer.json())

    assert names("") == "acd"
    by_status = {status: names(f"status={status}") for status in STATUSES}
    expected = {"STOPPED": "a", "DELETED": "b", "PENDING_START": "c", "RUNNING": "d"}
    assert {status: found for status, found in by_status.items() if found} == expected
    assert names("status=STOPPED&status=RUNNING") == "ad"
    assert names(f"id={ids['a']}&id={ids['d']}&id={ids['b']}") == "ad"
    assert names(f"id={ids['b']}&status=DELETED") == "b"
    assert names(f"id={ids['a']}&status=RUNNING") == ""
    assert names("id=cc_self:zzzzzzzz&id=cc_other:abcdefgh&id=a&id=") == ""
    for skip in ("true", "false", "TRUE"):
        assert names(f"skipCache={skip}&status=STOPPED") == "a"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=SLEEPING", "status"),
        ("status=running", "status"),
        ("status=", "status"),
        ("status=RUNNING&status=x", "status"),
        ("skipCache=maybe", "skipCache"),
        ("skipCache=", "skipCache"),
    ],
)
def test_a_wrong_filter_is_named(still: Market, pen: str, query: str, named: str) -> None:
    assert named in error(still.ask("GET", f"{TASKS}?{query}", pen), 400)


def test_a_deleted_task_is_kept_for_thirty_days(market: Market, token: str) -> None:
    task = create(market, token)
    market.ask("DELETE", f"{TASKS}/{task}", token)
    market.ws.settle_tasks()
    market.now += timedelta(days=30)
    market.ws.settle_tasks()
    assert market.ask("GET", f"{TASKS}/{task}", token).json()["status"] == "DELETED"
    market.now += timedelta(seconds=1)
    market.ws.settle_tasks()
    error(market.ask("GET", f"{TASKS}/{task}", token), 404, 602)
    assert market.ask("GET", f"{TASKS}?status=DELETED", token).json() == []


# -- measures


def test_measures_tell_the_columns_and_the_work(market: Market, token: str) -> None:
    market.sell([(NOW - timedelta(hours=5, minutes=i), "ab"[i % 2], i) for i in range(90)])
    text = (
        f"from {TABLE} group every 1h by client "
        "select count(), sum(total) as total, avg(total) as mean, max(total) as top"
    )
    task = create(market, token, "measured", text)
    path = f"{TASKS}/{task}/measures"
    found = market.ask("GET", path, token).json()
    nothing = {
        "lastBuild": None,
        "builtUntil": None,
        "lagSeconds": None,
        "rowsRead": 0,
        "bucketsWritten": 0,
    }
    assert list(found) == ["id", "measures", "stats"]
    assert list(found["stats"].items()) == list(nothing.items())
    assert found["measures"] == [
        {"name": "count", "function": "count", "field": None, "type": "int"},
        {"name": "total", "function": "sum", "field": "total", "type": "int"},
        {"name": "mean", "function": "avg", "field": "total", "type": "float"},
        {"name": "top", "function": "max", "field": "total", "type": "int"},
    ]
    assert [list(one) for one in found["measures"]] == [["name", "function", "field", "type"]] * 4
    market.ws.run_tasks()
    stats = market.ask("GET", path, token).json()["stats"]
    assert stats["rowsRead"] == 90
    assert stats["bucketsWritten"] > 0
    assert stats["lastBuild"] == millis(market.now)
    assert millis(HOUR) <= stats["builtUntil"] <= millis(market.now)
    assert stats["lagSeconds"] == (millis(market.now) - stats["builtUntil"]) // 1000


# -- the life of a task


def test_the_whole_life_of_a_task(market: Market, token: str) -> None:
    first = NOW - timedelta(days=2)

    def go_on(hours: int) -> None:
        """Time passes, and sales are made."""
        start, market.now = market.now, market.now + timedelta(hours=hours)
        market.sell((start + timedelta(minutes=13 * i), "abc"[i % 3], i) for i in range(hours * 60 // 13))

    def put(what: str = "", sent: Any = None, method: str = "PUT") -> str:
        answer = market.ask(method, f"{TASKS}/{task}{what}", token, json=sent)
        assert answer.status_code == 200, answer.text
        assert_shaped({**answer.json(), "statusData": None}, DOCUMENTED_ANSWER | {"wheres": []})
        return answer.json()["status"]

    def status() -> str:
        return market.ask("GET", f"{TASKS}/{task}", token).json()["status"]

    def run() -> str:
        assert market.ws.run_tasks().failed == ()
        return status()

    def check(since: datetime = first) -> None:
        """What is built is what SQL says of the rows."""
        end = market.now.replace(minute=0, second=0, microsecond=0)
        rows = market.sql(
            "SELECT date_trunc('hour', eventdate), client, count(*), sum(total) FROM sales"
            " WHERE eventdate >= ? AND eventdate < ? GROUP BY ALL ORDER BY ALL",
            [since.replace(tzinfo=None), end.replace(tzinfo=None)],
        )
        built = market.ws.ask_task("sales", end=end, live=False).rows
        found = [(r["dt"], r["groupings"]["client"], r["fields"]["n"], r["fields"]["total"]) for r in built]
        assert found == [(f"{dt:%Y-%m-%dT%H:%M:%SZ}", *rest) for dt, *rest in rows]
        assert found

    market.now = first
    go_on(24)
    middle = first + timedelta(hours=12)
    middle = middle.replace(minute=0, second=0, microsecond=0)
    task, made = create(market, token, fromDate=middle.isoformat()), market.now
    assert status() == "PENDING_CREATE"
    assert run() == "RUNNING"
    check(middle)
    go_on(3)
    assert run() == "RUNNING"
    check(middle)
    # An earlier beginning is built, what is there stays.
    assert put("", {"fromDate": millis(first)}) == "PENDING_EXTEND"
    assert run() == "RUNNING"
    check()
    # What is stopped is not built; what goes on fills the gap.
    assert put("/stop") == "PENDING_STOP"
    assert run() == "STOPPED"
    go_on(5)
    assert run() == "STOPPED"
    assert put("/resume") == "PENDING_RESUME"
    assert run() == "RUNNING"
    check()
    # A change of what is not stored holds at once.
    market.now += timedelta(seconds=1)
    assert put("", {"description": "of an hour", "delay": 60, "name": "sales"}) == "RUNNING"
    changed = market.ask("GET", f"{TASKS}/{task}", token).json()
    assert (changed["description"], changed["delay"]) == ("of an hour", 60)
    assert (changed["updateDate"], changed["creationDate"]) == (millis(market.now), millis(made))
    put("", {"delay": 0})
    # One of the query builds it anew.
    assert put("", {"query": {"LINQ": HOURLY + ", max(total) as top"}}) == "PENDING_UPDATE"
    assert run() == "RUNNING"
    check()
    # Rows that were changed long ago are seen where it is aggregated again.
    market.sql("UPDATE sales SET total = total + 1000")
    assert put("/start", {"fromDate": "0"}) == "PENDING_START"
    assert run() == "RUNNING"
    check()
    assert put(method="DELETE") == "PENDING_DELETE"
    assert run() == "DELETED"
    assert market.ask("GET", TASKS, token).json() == []
    (deleted,) = market.ask("GET", f"{TASKS}?status=DELETED", token).json()
    assert deleted["id"] == task


def test_a_task_that_cannot_be_built_is_in_error_and_says_why_but_not_where(
    market: Market, token: str
) -> None:
    task = create(market, token)
    market.ws.run_tasks()
    market.sql("ALTER TABLE sales RENAME TO gone")
    for _ in range(3):
        market.now += timedelta(hours=1)
        market.ws.run_tasks()
    found = market.ask("GET", f"{TASKS}/{task}", token).json()
    assert found["status"] == "ERROR"
    since = millis(market.now)
    assert list(found["statusData"]) == ["message", "since", "retryAt"]
    assert found["statusData"] == {
        "message": "a source cannot be read as it is declared",
        "since": since,
        "retryAt": since + 60_000,
    }
    market.sql("ALTER TABLE gone RENAME TO sales")
    market.now += timedelta(minutes=1)
    market.ws.run_tasks()
    (mended,) = market.ask("GET", f"{TASKS}?status=RUNNING", token).json()
    assert mended["statusData"] is None


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ((), ["resume", ""]),
        (("run",), ["resume"]),
        (("run", "stop"), ["resume", "stop", ""]),
        (("run", "stop", "run"), ["stop"]),
        (("run", "stop", "run", "resume"), ["stop", "resume", ""]),
        (("run", "start"), ["stop", "resume", ""]),
        (("delete",), ["stop", "resume", "start", "", "delete"]),
        (("delete", "run"), ["stop", "resume", "start", "", "delete"]),
    ],
)
def test_what_a_status_does_not_take_is_400_and_names_it(
    market: Market, token: str, before: tuple[str, ...], refused: list[str]
) -> None:
    task = f"{TASKS}/{create(market, token)}"

    def ask(what: str) -> httpx.Response:
        if what == "delete":
            return market.ask("DELETE", task, token)
        return market.ask("PUT", f"{task}/{what}".rstrip("/"), token, json={"fromDate": 0, "delay": 5})

    for what in before:
        if what == "run":
            market.ws.settle_tasks()
        else:
            assert ask(what).status_code == 200
    present = market.ask("GET", task, token).json()
    for what in refused:
        assert f"is {present['status']} " in error(ask(what), 400)
    assert market.ask("GET", task, token).json() == present


def test_an_update_leaves_what_is_not_given(market: Market, token: str) -> None:
    task = create(market, token, description="mine", delay=5, minGrain="30m")
    market.ws.settle_tasks()
    path = f"{TASKS}/{task}"
    before = market.ask("GET", path, token).json()
    # As it was answered, and with nulls: nothing changes but the date of the change.
    market.now += timedelta(seconds=1)
    nulls = dict.fromkeys(("name", "description", "delay", "minGrain", "query", "fromDate"))
    for sent in ({}, before, nulls, {"query": {}}, {"ownerEmail": "x@y.example", "id": "cc_self:aaaaaaaa"}):
        after = market.ask("PUT", path, token, json=sent)
        assert after.status_code == 200
        assert {**after.json(), "updateDate": 0} == {**before, "updateDate": 0}
    again = market.ask("PUT", path, token, json={"query": {"locale": "fr"}, "name": "renamed"}).json()
    assert (again["query"], again["name"]) == ({**before["query"], "locale": "fr"}, "renamed")
    # Neither is what is stored: it is no build anew.
    assert again["status"] == "RUNNING"
    for sent, named in (
        ({"delay": -1}, "delay"),
        ({"query": {"linq": "from"}}, "query.linq"),
        ({"minGrain": "7m"}, "minGrain"),
        ({"name": ""}, "name"),
        ({"query": {"timeZone": "x"}}, "query.timeZone"),
        ({"fromDate": "x"}, "fromDate"),
    ):
        assert named in error(market.ask("PUT", path, token, json=sent), 400)
    error(market.ask("PUT", path, token, content=b"[]"), 400)
    assert market.ask("GET", path, token).json() == again


@pytest.mark.parametrize("sent", [{}, {"fromDate": None}, {"fromDate": "x"}, {"fromDate": True}, {"from": 0}])
def test_a_start_needs_its_date(still: Market, pen: str, sent: dict[str, Any]) -> None:
    task = still.ask("POST", TASKS, pen, json=body(f"start {sent}")).json()
    assert "fromDate" in error(still.ask("PUT", f"{TASKS}/{task['id']}/start", pen, json=sent), 400)
    assert still.ask("GET", f"{TASKS}/{task['id']}", pen).json() == task


# -- codes

ROUTES = [
    ("GET", "", None),
    ("POST", "", body("intruder")),
    ("GET", "/{id}", None),
    ("GET", "/{id}/measures", None),
    ("PUT", "/{id}", {"description": "intruder"}),
    ("PUT", "/{id}/stop", None),
    ("PUT", "/{id}/resume", None),
    ("PUT", "/{id}/start", {"fromDate": 0}),
    ("DELETE", "/{id}", None),
]
MANAGING = [route for route in ROUTES if route[0] != "GET"]
OF_ONE = [route for route in ROUTES if "{id}" in route[1]]


@pytest.mark.parametrize(("method", "path", "sent"), ROUTES)
def test_401_no_valid_token(market: Market, method: str, path: str, sent: Any) -> None:
    for token in ("", "wrong"):
        # Whatever else is wrong with it.
        for domain in ("self", "nowhere"):
            full = f"{PREFIXES[0]}/{domain}{path.format(id='cc_else:abcdefgh')}?status=x"
            answer = market.ask(method, full, token, content=b"{" if sent else None)
            error(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "sent"), MANAGING)
def test_403_a_permission_is_missing(market: Market, token: str, method: str, path: str, sent: Any) -> None:
    task = create(market, token)
    before = market.ask("GET", TASKS, token).json()
    for permissions in (["tasks:view"], ["schedules:manage", "data:read", "widgets:read"]):
        answer = market.ask(method, TASKS + path.format(id=task), market.token(*permissions), json=sent)
        assert "tasks:manage" in error(answer, 403)
        # The permission comes before the body and before the task.
        odd = TASKS + path.format(id="cc_self:zzzzzzzz")
        error(market.ask(method, odd, market.token(*permissions), content=b"{"), 403)
    assert market.ask("GET", TASKS, token).json() == before


def test_403_viewing_needs_a_permission_as_well(market: Market, token: str) -> None:
    task = create(market, token)
    for permissions, status in (
        (["schedules:manage", "data:read"], 403),
        (["tasks:view"], 200),
        (["admin"], 200),
    ):
        reader = market.token(*permissions)
        for path in ("", f"/{task}", f"/{task}/measures"):
            assert market.ask("GET", TASKS + path, reader).status_code == status


@pytest.mark.parametrize(("method", "path", "sent"), ROUTES)
def test_601_another_domain_and_nothing_of_it_is_told(
    market: Market, token: str, method: str, path: str, sent: Any
) -> None:
    secret = create(market, token, "secret sales")
    before = market.ask("GET", TASKS, token).json()
    foreign = market.token("admin", workspace="other")
    there = market.ask(method, TASKS + path.format(id=secret), foreign, json=sent)
    nowhere = market.ask(
        method, f"{PREFIXES[0]}/nowhere{path.format(id='cc_nowhere:abcdefgh')}", foreign, json=sent
    )
    messages = {error(there, 403, 601), error(nowhere, 403, 601)}
    assert len(messages) == 1, "whether there is such a domain is not told"
    assert "secret" not in there.text
    # The domain comes before the permission and the body.
    weak = market.token("data:read", workspace="other")
    error(market.ask(method, TASKS + path.format(id=secret), weak, content=b"{"), 403, 601)
    assert market.ask("GET", TASKS, token).json() == before


@pytest.mark.parametrize(("method", "path", "sent"), OF_ONE)
def test_602_no_such_task(market: Market, token: str, method: str, path: str, sent: Any) -> None:
    other = market.token("tasks:manage", workspace="other")
    elsewhere = market.ask("POST", f"{PREFIXES[0]}/other", other, json=body("other's")).json()["id"]
    create(market, token, "cc_self:abcdefgh")  # a name is no id
    create(market, token, "plain")
    its_letters = elsewhere.split(":")[1]
    odd = [
        "cc_self:zzzzzzzz",
        f"cc_self:{its_letters}",
        "cc_self:abcdefgh",
        "plain",
        "cc_self:",
        "cc_self",
        "1",
    ]
    odd += ["cc_self:abcdefgh\0", "'; DROP TABLE tasks; --", "🛒", "x" * 10_000]
    for task in odd:
        answer = market.ask(method, TASKS + path.format(id=quote(task, safe="")), token, json=sent)
        error(answer, 404, 602)
        # The task comes before the body.
        if sent:
            error(
                market.ask(method, TASKS + path.format(id="cc_self:zzzzzzzz"), token, content=b"{"), 404, 602
            )
    assert {task["status"] for task in market.ask("GET", TASKS, token).json()} == {"PENDING_CREATE"}


@pytest.mark.parametrize(("method", "path", "sent"), OF_ONE)
def test_603_the_ids_domain_is_another_than_the_paths(
    market: Market, token: str, method: str, path: str, sent: Any
) -> None:
    other = market.token("tasks:manage", workspace="other")
    theirs = market.ask("POST", f"{PREFIXES[0]}/other", other, json=body("other's secret")).json()["id"]
    answers = [
        market.ask(method, TASKS + path.format(id=task), token, json=sent)
        for task in (theirs, "cc_other:zzzzzzzz", "cc_nowhere:zzzzzzzz")
    ]
    messages = {error(answer, 404, 603).partition(" ")[2] for answer in answers}
    assert len(messages) == 1, "whether there is such a task is not told"
    # A permission that is missing comes first.
    error(market.ask("DELETE", f"{TASKS}/{theirs}", market.token("tasks:view")), 403)
    (kept,) = market.ask("GET", f"{PREFIXES[0]}/other", other).json()
    assert (kept["status"], kept["description"]) == ("PENDING_CREATE", "")


@pytest.mark.parametrize(
    "path",
    [
        "/aggregations",
        "/aggregations/v2",
        "/aggregations/v3/aggrtasks/self",
        *PREFIXES,
        *(f"{prefix}/" for prefix in PREFIXES),
        *(f"{prefix}/self/" for prefix in PREFIXES),
        f"{TASKS}/cc_self:abcdefgh/pause",
        f"{TASKS}/cc_self:abcdefgh/stop/now",
        f"{TASKS}//cc_self:abcdefgh/stop",
    ],
)
def test_404_a_path_that_leads_nowhere(still: Market, pen: str, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert path in error(still.ask(method, path, pen), 404)


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("PUT", "", "GET, POST"),
        ("DELETE", "", "GET, POST"),
        ("PATCH", "", "GET, POST"),
        ("POST", "/cc_self:abcdefgh", "DELETE, GET, PUT"),
        ("GET", "/cc_self:abcdefgh/stop", "PUT"),
        ("POST", "/cc_self:abcdefgh/start", "PUT"),
        ("DELETE", "/cc_self:abcdefgh/resume", "PUT"),
        ("PUT", "/cc_self:abcdefgh/measures", "GET"),
    ],
)
def test_405_a_method_that_a_path_does_not_take(
    still: Market, pen: str, method: str, path: str, takes: str
) -> None:
    for prefix in PREFIXES:
        answer = still.ask(method, f"{prefix}/self{path}", pen)
        error(answer, 405)
        assert answer.headers["Allow"] == takes


def test_413_a_body_over_a_megabyte(still: Market, pen: str) -> None:
    sent = body("large", description="d" * (1 << 20))
    assert "body" in error(still.ask("POST", TASKS, pen, json=sent), 413)


def test_429_too_many_wrong_tokens(market: Market, token: str) -> None:
    market.served.stop_forgiving()
    tries = (market.ask("GET", TASKS, "wrong") for _ in range(1000))
    answer = next(answer for answer in tries if answer.status_code != 401)
    error(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    assert market.ask("GET", TASKS, token).status_code == 200


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (ZeroDivisionError("SELECT secret FROM postgresql://me:pw@db/shop"), 500),
        (SourceUnavailableError("source 'x': there is no file /data/secret.db"), 503),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "part"),
    [
        ("GET", "", "list_tasks"),
        ("POST", "", "add_task"),
        ("GET", "/{id}", "task"),
        ("GET", "/{id}/measures", "task_figures"),
        ("PUT", "/{id}", "update_task"),
        ("PUT", "/{id}/stop", "stop_task"),
        ("PUT", "/{id}/resume", "resume_task"),
        ("PUT", "/{id}/start", "start_task"),
        ("DELETE", "/{id}", "delete_task"),
    ],
)
def test_500_and_503_tell_nothing_but_the_request(
    still: Market,
    pen: str,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    status: int,
    method: str,
    path: str,
    part: str,
) -> None:
    name = f"{part} {status}"
    task = still.ask("POST", TASKS, pen, json=body(name)).json()["id"]

    def fail(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(Workspace, part, fail)
    sent = None if method in ("GET", "DELETE") else body(name + " again")
    answer = still.ask(method, TASKS + path.format(id=task), pen, json=sent)
    error(answer, status)
    for secret in ("SELECT", "postgresql", "secret", "Traceback", "/data"):
        assert secret not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_503_a_source_that_is_away(market: Market, token: str) -> None:
    task = create(market, token)
    market.file.rename(market.file.with_suffix(".away"))
    answer = market.ask("GET", f"{TASKS}/{task}/measures", token)
    assert str(market.file) not in error(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    # What needs no source is answered.
    assert market.ask("GET", f"{TASKS}/{task}", token).status_code == 200
    market.file.with_suffix(".away").rename(market.file)


# -- whatever is written

TEXTS = [
    "naïve Grüße, Ωmega — «guillemets»",
    "🛒👩‍👩‍👧‍👦 𐍈𐌰",
    "日本語 العربية עברית",
    """it's "quoted" `back` \\ slash""",
    "'; DROP TABLE sales; --",
    '" OR 1=1 --',
    "<script>alert(1)</script> & <b>",
    "{{7*7}} ${jndi:ldap://x} %s %d {0}",
    "tab\tline\nreturn\rend",
    "=cmd|' /C calc'!A0",
    "a" * 10_000,
    "e\u0301 \u200d \ufeff \u202e",
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12])
def test_texts_are_values_whatever_they_hold(market: Market, token: str, text: str) -> None:
    name = text[:255].strip()
    clients = [text, text, None, "another", text.upper() + "!"]
    market.sell((NOW - timedelta(hours=3, minutes=i), client, 1) for i, client in enumerate(clients))
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    quoted = quoted.replace("\r", "\\r")
    condition = f'from {TABLE} where client = "{quoted}" group every 1h by client select count() as n'
    sent = {**body(name, condition), "description": text}
    made = market.ask("POST", TASKS, token, json=sent)
    assert made.status_code == 200, made.text
    assert (made.json()["name"], made.json()["description"]) == (name, text)
    (listed,) = market.ask("GET", TASKS, token).json()
    assert listed == made.json()
    assert market.ws.run_tasks().failed == ()
    (row,) = market.ws.ask_task(made.json()["id"], live=False, end=HOUR).rows
    assert (row["groupings"], row["fields"]) == ({"client": text}, {"n": 2})
    # What was answered is a query of the same meaning.
    again = market.ask("PUT", f"{TASKS}/{listed['id']}", token, json={"query": listed["query"]}).json()
    assert (again["query"], again["wheres"], again["status"]) == (
        listed["query"],
        listed["wheres"],
        "RUNNING",
    )
    assert len(market.sql("SELECT * FROM sales")) == len(clients)


def test_odd_columns_and_zones_are_aggregated(market: Market, token: str) -> None:
    market.sql("INSERT INTO sales VALUES ('2023-02-20 23:30:00', 'a', 1, 2.5)")
    text = f"from {TABLE} group every 1d select sum(`odd name`) as odd"
    task = create(market, token, "days", text)
    berlin = market.ask("PUT", f"{TASKS}/{task}", token, json={})
    error(berlin, 400)
    market.ws.run_tasks()
    (utc,) = market.ws.ask_task(task, end="2023-02-22", live=False).rows
    assert (utc["dt"], utc["fields"]) == ("2023-02-20T00:00:00Z", {"odd": 2.5})
    moved = market.ask("PUT", f"{TASKS}/{task}", token, json={"query": {"timezone": "GMT+01:00"}}).json()
    assert (moved["status"], moved["query"]["timeZone"]) == ("PENDING_UPDATE", "GMT+01:00")
    market.ws.run_tasks()
    (local,) = market.ws.ask_task(task, end="2023-02-21T23:00:00Z", live=False).rows
    assert datetime.fromisoformat(local["dt"]) == datetime(2023, 2, 20, 23, tzinfo=UTC)


def test_the_owner_is_that_of_the_token_and_stays(market: Market, token: str) -> None:
    task = create(market, token)
    market.ws.settle_tasks()
    second = market.ws.create_token("second", owner="jane@b.example", permissions=["tasks:manage"])
    changed = market.ask("PUT", f"{TASKS}/{task}", second, json={"description": "by Jane"}).json()
    assert (changed["ownerEmail"], changed["domainName"]) == (OWNER, "self")
    assert market.ask("POST", TASKS, second, json=body("hers")).json()["ownerEmail"] == "jane@b.example"


def test_workspaces_see_their_own_alone(market: Market, token: str) -> None:
    other = market.token("tasks:manage", workspace="other")
    mine, theirs = create(market, token, "mine"), f"{PREFIXES[0]}/other"
    market.ask("POST", theirs, other, json=body("theirs"))
    assert [task["name"] for task in market.ask("GET", TASKS, token).json()] == ["mine"]
    assert [task["name"] for task in market.ask("GET", theirs, other).json()] == ["theirs"]
    assert market.ask("GET", f"{theirs}?id={mine}", other).json() == []


# -- many at once


def test_of_many_who_ask_for_one_thing_at_once_one_gets_it(market: Market, token: str) -> None:
    one = [200] + [400] * 7
    assert at_once(lambda: market.ask("POST", TASKS, token, json=body())) == one
    (task,) = market.ask("GET", TASKS, token).json()
    path = f"{TASKS}/{task['id']}"
    for what, status in (("stop", "STOPPED"), ("resume", "RUNNING")):
        assert at_once(lambda what=what: market.ask("PUT", f"{path}/{what}", token)) == one
        market.ws.settle_tasks()
        assert market.ask("GET", path, token).json()["status"] == status
    assert at_once(lambda: market.ask("DELETE", path, token)) == one
