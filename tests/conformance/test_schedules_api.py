"""The aggregate creation schedule API, as its documentation has it: each request, answer, parameter and code of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
from documented_shape import assert_shaped
from market import NOW, OWNER, TABLE, Market, at_once, micros

import aggflow as af
from aggflow.errors import CatalogBusyError
from aggflow.workspace import Workspace

# What the documentation shows, letter by letter; there, `cubeld` is how `cubeId` was scanned, and the
# bracket that ends the list of schedules was lost.
OK = {"i18n_message": "response.ok", "message": "OK"}
DOCUMENTED_HISTORY: dict[str, Any] = {
    "response": {
        "data": [
            {
                "batchType": "materialize-pending-instances",
                "createDate": "2023-04-13T22:39:38.826297Z",
                "cubeId": "dea39a20-9920-4a79-51f3-1ff3a399fbd3",
                "endTime": "2023-04-13T22:39:38.869098Z",
                "estimateTime": 0,
                "id": "a50fa6cd-a159-47ca-9b99-0261894e8dca",
                "organizationId": "default",
                "projectId": "7051865d-74a8-4aad-4904-ebf88d56880c",
                "startTime": "0001-01-01T00:00:00Z",
                "status": "done",
            }
        ],
        "force_pull": False,
        "limit": 10,
        "offset": 0,
    },
    "status": OK,
}
DOCUMENTED_SCHEDULE: dict[str, Any] = {
    "response": {
        "created_at": "2023-05-22T08:50:56.138663Z",
        "created_by_user": "admin",
        "cube_id": "b89a2fb7-74f4-4828-706e-70f7186e10a0",
        "full_build": True,
        "job_id": "da67817b-22db-4dbf-91a8-05124e241f77",
        "latest_execution": {"executedAt": "0001-01-01T00:00:00Z", "id": "", "jobId": ""},
        "organization_Id": "default",
        "path": "aggregate/create",
        "project_id": "956a27dd-32b1-482e-7d5c-2488fdb9c943",
        "time_expression": "0 25 06 ? * *",
    },
    "status": OK,
}
DOCUMENTED_SCHEDULES = {"response": [DOCUMENTED_SCHEDULE["response"]], "status": OK}
DOCUMENTED_POST = {"time_expression": "0 25 06 ? * *", "path": "aggregate/create"}
DOCUMENTED_EXECUTE = {"response": {"success": True}, "status": OK}
DOCUMENTED_DELETE: dict[str, Any] = {
    "response": "successfully deleted jobId: [da67817b-22db-4dbf-91a8-05124e241f77]",
    "status": OK,
}
DOCUMENTED_EXECUTIONS: dict[str, Any] = {
    "response": {
        "history": [
            {
                "executedAt": "2023-05-22T11:30:47.412504Z",
                "id": "9b9ce2f2-b631-4d3b-8dc7-f75bd046f208",
                "jobId": "7b1c5866-87d6-4db5-b4d4-ddc0c042fd31",
            }
        ],
        "job_id": "7b1c5866-87d6-4db5-b4d4-ddc0c042fd31",
    },
    "status": OK,
}
BUILDS = "/org/self/aggregates-creation/builds/history"
ZERO = "0001-01-01T00:00:00Z"
MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Place(NamedTuple):
    """Where the schedules of a cube are."""

    cube_id: str
    project_id: str
    org: str = "self"

    @property
    def path(self) -> str:
        return f"/org/{self.org}/project/{self.project_id}/cube/{self.cube_id}/aggregates-creation"

    @property
    def scheduler(self) -> str:
        return f"{self.path}/scheduler"

    def history(self, job: str) -> str:
        return f"{self.scheduler}/history/jobId/{job}"

    def job(self, job: str) -> str:
        return f"{self.scheduler}/jobId/{job}"


def add_cube(workspace: Workspace, name: str = "sales", project: str = "default") -> Place:
    if project not in workspace.projects:
        workspace.add_project(project)
    aggregation: Any = af.Aggregation
    cube = workspace.add_cube(
        name,
        source=TABLE,
        dimensions=["client"],
        measures=[aggregation("total", field="total", calculations=["SUM"])],
        project=project,
    )
    return Place(cube.id, cube.project_id, workspace.name)


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    made = Market(tmp_path)
    yield made
    made.close()


@pytest.fixture
def token(market: Market) -> str:
    return market.token("schedules:manage")


@pytest.fixture
def place(market: Market) -> Place:
    return add_cube(market.ws)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market for requests that are refused, or whose changes are nobody else's matter."""
    made = Market(tmp_path_factory.mktemp("market"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def stall(still: Market) -> Place:
    return add_cube(still.ws)


@pytest.fixture(scope="module")
def pen(still: Market) -> str:
    return still.token("schedules:manage")


def ok(answer: httpx.Response, example: Any) -> Any:
    """What was answered, which has the shape of an example."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    found = answer.json()
    assert_shaped(found, example)
    assert found["status"] == OK
    return found["response"]


def error(answer: httpx.Response, status: int, name: str = "") -> str:
    """The message of an error, which has the envelope."""
    found = answer.json()
    assert answer.status_code == status, answer.text
    assert list(found) == ["response", "status"]
    assert list(found["status"]) == ["i18n_message", "message"]
    assert found["response"] is None
    names = {
        400: "validation_error",
        401: "unauthorized",
        404: "not_found",
        405: "method_not_allowed",
        413: "content_too_large",
        429: "too_many_requests",
        500: "server_error",
        503: "unavailable",
    }
    assert found["status"]["i18n_message"] == f"response.error.{name or names[status]}"
    assert answer.headers["X-Request-Id"]
    return found["status"]["message"]


def create(market: Market, token: str, place: Place, **more: Any) -> str:
    market.now += timedelta(milliseconds=1)
    answer = market.ask("POST", place.scheduler, token, json={**DOCUMENTED_POST, **more})
    return ok(answer, DOCUMENTED_SCHEDULE)["job_id"]


def fire(market: Market, job: str) -> str:
    """A schedule begins a batch, as its orchestration does; its id."""
    schedule = market.ws.schedule(job)
    batch = market.ws.begin_batch(schedule.cube, full=schedule.full_build, job_id=job)
    assert batch
    for aggregate in batch.aggregates:
        market.ws.build_aggregate(batch, aggregate, progress=False)
    market.ws.finish_batch(batch)
    return batch.id


def time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


# -- the documented examples


def test_a_schedule_is_made_as_documented(market: Market, token: str, place: Place) -> None:
    answer = market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST)
    made = ok(answer, DOCUMENTED_SCHEDULE)
    assert str(UUID(made["job_id"])) == made["job_id"]
    expected = {
        **DOCUMENTED_SCHEDULE["response"],
        "created_at": "2023-02-22T17:43:38.714000Z",
        "created_by_user": OWNER,
        "cube_id": place.cube_id,
        "job_id": made["job_id"],
        "organization_Id": "self",
        "project_id": place.project_id,
    }
    assert list(made.items()) == list(expected.items())


def test_the_schedules_of_a_cube_are_listed_as_documented(market: Market, token: str, place: Place) -> None:
    assert ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES) == []
    elsewhere = add_cube(market.ws, "elsewhere")
    create(market, token, elsewhere)
    made = [ok(market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST), DOCUMENTED_SCHEDULE)]
    market.now += timedelta(seconds=1)
    later = {**DOCUMENTED_POST, "time_expression": "0 0 * * * *", "full_build": False}
    made.append(ok(market.ask("POST", place.scheduler, token, json=later), DOCUMENTED_SCHEDULE))
    assert ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES) == made
    assert [one["full_build"] for one in made] == [True, False]


def test_a_build_is_triggered_as_documented(market: Market, token: str, place: Place) -> None:
    answer = market.ask("POST", f"{place.path}/execute", token)
    assert answer.json() == DOCUMENTED_EXECUTE
    assert (
        answer.text == '{"response":{"success":true},"status":{"i18n_message":"response.ok","message":"OK"}}'
    )
    (batch,) = market.ws.batches.values()
    assert (batch.cube_id, batch.full, batch.status) == (place.cube_id, False, "pending")


def test_a_schedule_is_deleted_as_documented(market: Market, token: str, place: Place) -> None:
    job, kept = create(market, token, place), create(market, token, place, time_expression="0 0 0 * * *")
    answer = market.ask("DELETE", place.job(job), token)
    sentence = DOCUMENTED_DELETE["response"].replace("da67817b-22db-4dbf-91a8-05124e241f77", job)
    assert answer.json() == {**DOCUMENTED_DELETE, "response": sentence}
    (left,) = ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES)
    assert left["job_id"] == kept
    error(market.ask("DELETE", place.job(job), token), 404)
    error(market.ask("GET", place.history(job), token), 404)


def test_the_history_of_a_schedule_is_as_documented(market: Market, token: str, place: Place) -> None:
    job = create(market, token, place)
    assert ok(market.ask("GET", place.history(job), token), DOCUMENTED_EXECUTIONS) == {
        "history": [],
        "job_id": job,
    }
    executed: list[dict[str, str]] = []
    for _ in range(3):
        market.now += timedelta(hours=1, microseconds=1)
        executed.insert(0, {"executedAt": time(market.now), "id": fire(market, job), "jobId": job})
    # What others ask for is not of this schedule.
    market.ws.build_cube("sales", progress=False)
    found = ok(market.ask("GET", place.history(job), token), DOCUMENTED_EXECUTIONS)
    assert found == {"history": executed, "job_id": job}
    (listed,) = ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES)
    assert listed["latest_execution"] == executed[0]


def test_the_history_of_builds_is_as_documented(market: Market, token: str, place: Place) -> None:
    nothing = {"data": [], "force_pull": False, "limit": 10, "offset": 0}
    assert ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY) == nothing
    asked = market.now
    market.ask("POST", f"{place.path}/execute", token)
    (waiting,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert list(waiting.items()) == [
        ("batchType", "materialize-pending-instances"),
        ("createDate", time(asked)),
        ("cubeId", place.cube_id),
        ("endTime", ZERO),
        ("estimateTime", 0),
        ("id", waiting["id"]),
        ("organizationId", "self"),
        ("projectId", place.project_id),
        ("startTime", ZERO),
        ("status", "pending"),
    ]
    market.now += timedelta(seconds=2, microseconds=5)
    started = market.now
    batch = market.ws.begin_batch("sales")
    assert batch
    (running,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert running == {**waiting, "startTime": time(started), "status": "inprogress"}
    for aggregate in batch.aggregates:
        market.ws.build_aggregate(batch, aggregate, progress=False)
    market.now += timedelta(seconds=3)
    market.ws.finish_batch(batch)
    (done,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert done == {**running, "endTime": time(market.now), "status": "done"}
    # The next one is thought to take as long.
    market.ask("POST", f"{place.path}/execute", token)
    newest, _ = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert newest["estimateTime"] == 3000


def test_bearer_is_the_header_of_the_token(still: Market, stall: Place, pen: str) -> None:
    for headers in ({"Authorization": f"Bearer {pen}"}, {"authorization": f"bearer {pen}"}):
        ok(still.ask("GET", stall.scheduler, headers=headers), DOCUMENTED_SCHEDULES)
    for headers in ({"standAloneToken": pen}, {"x-api-token": pen}, {"Authorization": pen}):
        error(still.ask("GET", stall.scheduler, headers=headers), 401)


# -- builds and their history


def test_kinds_and_ends_of_builds_are_told(market: Market, token: str, place: Place) -> None:
    def tell() -> list[tuple[str, str]]:
        data = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
        return [(build["batchType"], build["status"]) for build in data]

    full, incremental = "aggregate_batch", "materialize-pending-instances"
    execute = f"{place.path}/execute"
    market.ask("POST", f"{execute}?isFullBuild=true", token)
    market.ws.build_cube("sales", progress=False)
    assert tell() == [(full, "done")]
    market.now += timedelta(seconds=1)
    fire(market, create(market, token, place, full_build=False))
    assert tell()[0] == (incremental, "done")
    market.now += timedelta(seconds=1)
    fire(market, create(market, token, place))
    assert tell()[0] == (full, "done")
    market.now += timedelta(seconds=1)
    market.ask("POST", f"{execute}?isFullBuild=false", token)
    market.ws.cancel(next(iter(market.ws.batches)))
    assert tell()[0] == (incremental, "cancelled")
    market.now += timedelta(seconds=1)
    market.sql("ALTER TABLE sales RENAME TO gone")
    with pytest.raises(af.errors.SourceError):
        market.ws.build_cube("sales", progress=False)
    assert tell()[0] == (incremental, "error")
    by_status = {
        status: len(ok(market.ask("GET", f"{BUILDS}?status={status}", token), DOCUMENTED_HISTORY)["data"])
        for status in ("pending", "new", "inprogress", "done", "error", "cancelled")
    }
    assert by_status == {"pending": 0, "new": 0, "inprogress": 0, "done": 3, "error": 1, "cancelled": 1}


@pytest.mark.parametrize(
    ("query", "sent", "full"),
    [
        ("", None, False),
        ("", {}, False),
        ("?isFullBuild=false", None, False),
        ("?isFullBuild=true", None, True),
        ("?isFullBuild=True", None, True),
        ("", {"isFullBuild": True}, True),
        ("?isFullBuild=true", {"isFullBuild": False}, False),
        ("?isFullBuild=true", {"isFullBuild": None}, True),
        ("?isfullbuild=true&color=red", {"color": "red"}, False),
    ],
)
def test_a_full_build_is_asked_for_in_the_query_or_the_body(
    market: Market, token: str, place: Place, query: str, sent: Any, full: bool
) -> None:
    ok(market.ask("POST", f"{place.path}/execute{query}", token, json=sent), DOCUMENTED_EXECUTE)
    (batch,) = market.ws.batches.values()
    assert batch.full is full


def test_what_is_triggered_while_a_build_waits_joins_it(market: Market, token: str, place: Place) -> None:
    execute = f"{place.path}/execute"
    running = market.ws.begin_batch("sales")
    assert running
    market.now += timedelta(seconds=1)
    for full in ("false", "true", "false"):
        ok(market.ask("POST", f"{execute}?isFullBuild={full}", token), DOCUMENTED_EXECUTE)
    other = add_cube(market.ws, "other")
    market.now += timedelta(seconds=1)
    ok(market.ask("POST", f"{other.path}/execute", token), DOCUMENTED_EXECUTE)
    data = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert [(build["cubeId"], build["status"], build["batchType"]) for build in data] == [
        (other.cube_id, "pending", "materialize-pending-instances"),
        (place.cube_id, "pending", "aggregate_batch"),
        (place.cube_id, "inprogress", "materialize-pending-instances"),
    ]
    market.ws.finish_batch(running, "stopped")


def test_the_history_of_builds_is_paged_and_narrowed(market: Market, token: str, place: Place) -> None:
    other = add_cube(market.ws, "other")
    for i in range(12):
        market.now += timedelta(seconds=1)
        market.ws.build_cube("other" if i % 3 == 0 else "sales", progress=False)
    market.now += timedelta(seconds=1)
    market.ask("POST", f"{place.path}/execute", token)

    def page(query: str = "") -> Any:
        return ok(market.ask("GET", f"{BUILDS}?{query}", token), DOCUMENTED_HISTORY)

    whole = page("limit=1000")
    assert (len(whole["data"]), whole["limit"], whole["offset"]) == (13, 1000, 0)
    dates = [build["createDate"] for build in whole["data"]]
    assert dates == sorted(dates, reverse=True)
    first = page()
    assert (first["data"], first["limit"], first["offset"]) == (whole["data"][:10], 10, 0)
    second = page("limit=10&offset=10")
    assert (second["data"], second["limit"], second["offset"]) == (whole["data"][10:], 10, 10)
    assert page("limit=1&offset=12")["data"] == whole["data"][12:]
    assert page("offset=13")["data"] == []
    assert page("offset=2147483647")["data"] == []
    of_other = [build for build in whole["data"] if build["cubeId"] == other.cube_id]
    assert len(of_other) == 4
    assert page(f"cubeId={other.cube_id}")["data"] == of_other
    assert page(f"cubeId={other.cube_id.upper()}&limit=2&offset=1")["data"] == of_other[1:3]
    assert page(f"cubeId={place.cube_id}&status=pending")["data"] == whole["data"][:1]
    assert page("status=done&limit=5&offset=8")["data"] == whole["data"][9:]
    assert page(f"cubeId={other.cube_id}&status=pending")["data"] == []
    # What was built of a cube stays known when it is gone.
    market.ws.remove("cube", "other")
    assert len(page("limit=1000")["data"]) == 13
    error(market.ask("GET", f"{BUILDS}?cubeId={other.cube_id}", token), 404)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("offset=2147483648", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("status=finished", "status"),
        ("status=running", "status"),
        ("status=", "status"),
        ("cubeId=sales", "cubeId"),
        ("cubeId=", "cubeId"),
        ("cubeId='; DROP TABLE builds; --", "cubeId"),
        ("limit=0&status=x", "status"),
    ],
)
def test_400_a_wrong_parameter_of_the_history_is_named(
    still: Market, stall: Place, pen: str, query: str, named: str
) -> None:
    assert f"{named}: " in error(still.ask("GET", f"{BUILDS}?{query}", pen), 400)


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_limit_within_its_limits_is_taken(still: Market, stall: Place, pen: str, limit: int) -> None:
    assert ok(still.ask("GET", f"{BUILDS}?limit={limit}&offset=0", pen), DOCUMENTED_HISTORY)["limit"] == limit


# -- making schedules


@pytest.mark.parametrize("sent", [None, {}, {"time_expression": None, "path": None}])
def test_parameters_may_stand_in_the_query_string(
    market: Market, token: str, place: Place, sent: Any
) -> None:
    answer = market.ask("POST", place.scheduler, token, params=DOCUMENTED_POST, json=sent)
    made = ok(answer, DOCUMENTED_SCHEDULE)
    assert {name: made[name] for name in DOCUMENTED_POST} == DOCUMENTED_POST
    more = {**DOCUMENTED_POST, "full_build": "false", "timezone": "Europe/Berlin"}
    made = ok(market.ask("POST", place.scheduler, token, params=more), DOCUMENTED_SCHEDULE)
    assert made["full_build"] is False
    assert market.ws.schedule(made["job_id"]).timezone == "Europe/Berlin"


def test_the_body_comes_before_the_query_string(market: Market, token: str, place: Place) -> None:
    query = {"time_expression": "0 0 0 * * *", "full_build": "false", "path": "aggregate/create"}
    made = ok(
        market.ask("POST", place.scheduler, token, params=query, json=DOCUMENTED_POST), DOCUMENTED_SCHEDULE
    )
    assert (made["time_expression"], made["full_build"]) == ("0 25 06 ? * *", False)


def test_what_the_api_does_not_know_is_ignored(market: Market, token: str, place: Place) -> None:
    more = {**DOCUMENTED_POST, "colour": "red", "cubeld": 7}
    made = ok(market.ask("POST", f"{place.scheduler}?page=2", token, json=more), DOCUMENTED_SCHEDULE)
    assert made["time_expression"] == DOCUMENTED_POST["time_expression"]
    assert market.ask("POST", f"{place.path}/execute?colour=red", token, json={"x": 1}).status_code == 200


def test_the_same_schedule_made_again_is_the_same(market: Market, token: str, place: Place) -> None:
    first = ok(market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST), DOCUMENTED_SCHEDULE)
    market.now += timedelta(days=1)
    jane = market.ws.create_token("jane", owner="jane@b.example", permissions=["schedules:manage"])
    spaced = {
        **DOCUMENTED_POST,
        "time_expression": "  0  25 06 ?\t* * ",
        "timezone": "Etc/UTC",
        "full_build": True,
    }
    assert ok(market.ask("POST", place.scheduler, jane, json=spaced), DOCUMENTED_SCHEDULE) == first
    own = ok(
        market.ask("POST", place.scheduler, jane, json={**DOCUMENTED_POST, "full_build": False}),
        DOCUMENTED_SCHEDULE,
    )
    assert (own["created_by_user"], own["job_id"] != first["job_id"]) == ("jane@b.example", True)


@pytest.mark.parametrize(
    "expression",
    [
        "0 25 06 ? * *",
        "* * * * * *",
        "59 59 23 31 12 7",
        "0 0 0 1 1 0",
        "0,30 */15 8-18/2 ? JAN,jun mon-Fri",
        "0 0 3 L * ?",
        "0 0 3 ? * L5",
        "0 0 3 ? * 5#2",
        "0 0 0 29 2 *",
        "0 0 12 13 * 5",
        "05 05 05 05 05 05",
    ],
)
def test_an_expression_is_taken_and_comes_back_as_it_was_written(
    still: Market, stall: Place, pen: str, expression: str
) -> None:
    answer = still.ask("POST", stall.scheduler, pen, json={**DOCUMENTED_POST, "time_expression": expression})
    assert ok(answer, DOCUMENTED_SCHEDULE)["time_expression"] == expression


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "six"),
        ("25 06 * * *", "seconds stand first"),
        ("0 25 06 ? * * 2025", "year"),
        ("0 0 0 30 2 *", "never"),
        ("0 0 0 31 4,6,9,11 ?", "never"),
        ("0 0 0 15W * *", "W"),
        ("60 0 0 * * *", "second"),
        ("0 60 0 * * *", "minute"),
        ("0 0 24 * * *", "hour"),
        ("0 0 0 32 * *", "day of the month"),
        ("0 0 0 0 * *", "day of the month"),
        ("0 0 0 * 13 *", "month"),
        ("0 0 0 * * 8", "day of the week"),
        ("? 0 0 * * *", "?"),
        ("0 0 0 * * FRY", "FRY"),
        ("0 */0 * * * *", "step"),
        ("@daily", "@daily"),
        ("'; DROP TABLE schedules; --", ""),
        ("🛒 0 0 * * *", "🛒"),
        ("0 " * 5_000, "six"),
        (5, "time_expression"),
        (["0 25 06 ? * *"], "time_expression"),
    ],
)
def test_400_an_expression_that_cannot_be_read_is_told_why(
    still: Market, stall: Place, pen: str, expression: Any, said: str
) -> None:
    before = still.ask("GET", stall.scheduler, pen).json()
    sent = {**DOCUMENTED_POST, "time_expression": expression}
    message = error(still.ask("POST", stall.scheduler, pen, json=sent), 400)
    assert "time_expression" in message
    assert said in message
    assert still.ask("GET", stall.scheduler, pen).json() == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"time_expression": None}, "time_expression"),
        ({"path": None}, "path"),
        ({"path": ""}, "path"),
        ({"path": "aggregate/delete"}, "path"),
        ({"path": "Aggregate/Create"}, "path"),
        ({"path": 1}, "path"),
        ({"full_build": "maybe"}, "full_build"),
        ({"full_build": 2}, "full_build"),
        ({"full_build": []}, "full_build"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "GMT+01:00"}, "timezone"),
        ({"timezone": 1}, "timezone"),
    ],
)
def test_400_a_wrong_parameter_of_a_schedule_is_named(
    still: Market, stall: Place, pen: str, changed: dict[str, Any], named: str
) -> None:
    sent = {**DOCUMENTED_POST, **changed}
    assert f"{named}: " in error(still.ask("POST", stall.scheduler, pen, json=sent), 400)
    # So it is in the query string.
    words = {name: str(value) for name, value in sent.items() if value is not None and value != []}
    if all(isinstance(value, str | None) for value in changed.values()):
        assert f"{named}: " in error(still.ask("POST", stall.scheduler, pen, params=words), 400)


@pytest.mark.parametrize("sent", [b"{", b"[]", b"null", b"1", b"\xff", b"time_expression=0"])
@pytest.mark.parametrize("what", ["scheduler", "execute"])
def test_400_a_body_that_is_no_json_object(
    still: Market, stall: Place, pen: str, what: str, sent: bytes
) -> None:
    path = f"{stall.path}/{what}"
    assert "body: " in error(still.ask("POST", path, pen, params=DOCUMENTED_POST, content=sent), 400)


@pytest.mark.parametrize("value", ["maybe", "", 2, [], {}])
def test_400_a_full_build_is_true_or_false(still: Market, stall: Place, pen: str, value: Any) -> None:
    before = dict(still.ws.batches)
    sent = {"isFullBuild": value}
    assert "isFullBuild: " in error(still.ask("POST", f"{stall.path}/execute", pen, json=sent), 400)
    assert dict(still.ws.batches) == before


# -- codes

ROUTES = [
    ("GET", "/scheduler"),
    ("POST", "/scheduler"),
    ("POST", "/execute"),
    ("DELETE", "/scheduler/jobId/{job}"),
    ("GET", "/scheduler/history/jobId/{job}"),
]
OF_JOB = [route for route in ROUTES if "{job}" in route[1]]


def ask(
    market: Market, token: str, method: str, place: Place, path: str, job: str = "", **options: Any
) -> httpx.Response:
    sent = {"json": DOCUMENTED_POST} if method == "POST" and not options else options
    return market.ask(method, place.path + path.format(job=job), token, **sent)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_401_no_valid_token(market: Market, place: Place, method: str, path: str) -> None:
    lost = Place(str(uuid4()), "nowhere", "nobody")
    for token in ("", "wrong"):
        for where in (place, lost):
            answer = ask(market, token, method, where, path, "x")
            error(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        error(market.ask("GET", f"{BUILDS}?limit=0", token), 401)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_401_a_permission_is_missing(
    market: Market, token: str, place: Place, method: str, path: str
) -> None:
    job = create(market, token, place)
    strangers = [["tasks:manage", "data:read", "widgets:read"]]
    if method != "GET":
        strangers.append(["schedules:view"])
    for permissions in strangers:
        weak = market.token(*permissions)
        answer = ask(market, weak, method, place, path, job)
        assert "schedules:" in error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        # The permission comes before all that the path and the body say.
        error(ask(market, weak, method, Place("x", "y", "z"), path, "x", content=b"{"), 401)
    error(market.ask("GET", f"{BUILDS}?limit=0", market.token("tasks:manage")), 401)
    assert len(market.ws.schedules) == 1
    assert not market.ws.batches


def test_viewing_needs_no_more_than_its_permission(market: Market, token: str, place: Place) -> None:
    job = create(market, token, place)
    for permission in ("schedules:view", "schedules:manage", "admin"):
        reader = market.token(permission)
        ok(market.ask("GET", BUILDS, reader), DOCUMENTED_HISTORY)
        ok(market.ask("GET", place.scheduler, reader), DOCUMENTED_SCHEDULES)
        ok(market.ask("GET", place.history(job), reader), DOCUMENTED_EXECUTIONS)
    ok(market.ask("POST", f"{place.path}/execute", market.token("admin")), DOCUMENTED_EXECUTE)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_404_unknown_and_foreign_places_are_told_alike(
    market: Market, token: str, place: Place, method: str, path: str
) -> None:
    job = create(market, token, place)
    foreign = add_cube(market.other, "secret cube")
    admin = market.token("admin", workspace="other")
    theirs = create(market, admin, foreign)
    in_project = add_cube(market.ws, "reporting", "reports")
    random = str(uuid4())
    wrong = {
        # The organization: another's, none's, the workspace's id in place of its name.
        "org": [
            foreign,
            place._replace(org="other"),
            place._replace(org="nowhere"),
            place._replace(org="ws_self"),
        ],
        "project": [
            place._replace(project_id=one)
            for one in (foreign.project_id, random, "default", "x", "{" + place.project_id + "}", "🛒")
        ],
        "cube": [
            *(place._replace(cube_id=one) for one in (foreign.cube_id, random, "sales", "x")),
            place._replace(cube_id=in_project.cube_id),
            place._replace(project_id=in_project.project_id),
            place._replace(cube_id=place.cube_id.replace("-", "")),
        ],
    }
    for kind, places in wrong.items():
        for where in places:
            for options in ({}, {"content": b"{"}):
                message = error(ask(market, token, method, where, path, job, **options), 404)
                assert kind in message
                assert "secret" not in message
    # From there it looks the same.
    assert "organization" in error(ask(market, admin, method, place, path, job), 404)
    assert set(market.ws.schedules) == {job}
    assert set(market.other.schedules) == {theirs}
    assert not market.ws.batches


@pytest.mark.parametrize(("method", "path"), OF_JOB)
def test_404_jobs_of_other_cubes_and_none(
    market: Market, token: str, place: Place, method: str, path: str
) -> None:
    second = add_cube(market.ws, "second")
    of_second = create(market, token, second)
    foreign = add_cube(market.other, "secret cube")
    theirs = create(market, market.token("admin", workspace="other"), foreign)
    jobs = [of_second, theirs, str(uuid4()), place.cube_id, "x", "%27%3B%20DROP", "%00", "x" * 10_000]
    for job in jobs:
        assert "job" in error(ask(market, token, method, place, path, job), 404)
    assert set(market.ws.schedules) == {of_second}
    assert set(market.other.schedules) == {theirs}


def test_404_the_history_of_another_organization(market: Market, token: str, place: Place) -> None:
    foreign = add_cube(market.other, "secret cube")
    market.other.build_cube("secret cube", progress=False)
    market.ws.build_cube("sales", progress=False)
    for org in ("other", "nowhere", "ws_self", "SELF", "default"):
        error(market.ask("GET", BUILDS.replace("self", org), token), 404)
    error(market.ask("GET", f"{BUILDS}?cubeId={foreign.cube_id}", token), 404)
    error(market.ask("GET", f"{BUILDS}?cubeId={uuid4()}", token), 404)
    (mine,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert (mine["cubeId"], mine["organizationId"]) == (place.cube_id, "self")


def test_ids_may_be_written_in_capitals(market: Market, token: str, place: Place) -> None:
    job = create(market, token, place)
    loud = Place(place.cube_id.upper(), place.project_id.upper())
    (listed,) = ok(market.ask("GET", loud.scheduler, token), DOCUMENTED_SCHEDULES)
    assert (listed["job_id"], listed["cube_id"]) == (job, place.cube_id)
    assert ok(market.ask("GET", loud.history(job.upper()), token), DOCUMENTED_EXECUTIONS)["job_id"] == job
    assert job in ok(market.ask("DELETE", loud.job(job.upper()), token), DOCUMENTED_DELETE)


@pytest.mark.parametrize(
    "path",
    ["/org", "/org/self", "/org/self/project", "/org/self/aggregates-creation", f"{BUILDS}/", "/org//x"],
)
def test_404_a_path_that_leads_nowhere(still: Market, pen: str, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert path in error(still.ask(method, path, pen), 404)


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [
        ("PUT", "/scheduler", "GET, POST"),
        ("DELETE", "/scheduler", "GET, POST"),
        ("GET", "/execute", "POST"),
        ("GET", "/scheduler/jobId/x", "DELETE"),
        ("POST", "/scheduler/jobId/x", "DELETE"),
        ("DELETE", "/scheduler/history/jobId/x", "GET"),
    ],
)
def test_405_a_method_that_a_path_does_not_take(
    still: Market, stall: Place, pen: str, method: str, path: str, takes: str
) -> None:
    answer = still.ask(method, stall.path + path, pen)
    error(answer, 405)
    assert answer.headers["Allow"] == takes
    error(still.ask("POST", BUILDS, pen), 405)


def test_413_a_body_over_a_megabyte(still: Market, stall: Place, pen: str) -> None:
    sent = {**DOCUMENTED_POST, "note": "x" * (1 << 20)}
    error(still.ask("POST", stall.scheduler, pen, json=sent), 413)


def test_429_too_many_wrong_tokens(market: Market, token: str, place: Place) -> None:
    market.served.stop_forgiving()
    tries = (market.ask("GET", BUILDS, "wrong") for _ in range(1000))
    answer = next(answer for answer in tries if answer.status_code != 401)
    error(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (ZeroDivisionError("SELECT secret FROM postgresql://me:pw@db/shop"), 500),
        (CatalogBusyError("the catalog postgresql://me:pw@db/secret is locked"), 503),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "part"),
    [
        ("GET", BUILDS, "list_batches"),
        ("GET", "/scheduler", "cube"),
        ("POST", "/scheduler", "add_schedule"),
        ("POST", "/execute", "request_build"),
        ("DELETE", "/scheduler/jobId/{job}", "remove"),
        ("GET", "/scheduler/history/jobId/{job}", "schedule_history"),
    ],
)
def test_500_and_503_tell_nothing_but_the_request(
    market: Market,
    token: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    status: int,
    method: str,
    path: str,
    part: str,
) -> None:
    job = create(market, token, place)

    def fail(*_: Any, **__: Any) -> None:
        raise raised

    full = path if path == BUILDS else place.path + path.format(job=job)
    if part == "schedule_history":
        # It is asked for when the schedule is looked for, too.
        monkeypatch.setattr(Workspace, "schedule", lambda *_: schedule)
        schedule = market.ws.schedules[job]
    monkeypatch.setattr(Workspace, part, fail)
    answer = market.ask(method, full, token, json=DOCUMENTED_POST if method == "POST" else None)
    assert answer.headers["X-Request-Id"] in error(answer, status)
    for secret in ("SELECT", "postgresql", "secret", "Traceback", "pw"):
        assert secret not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


# -- whatever is written

TEXTS = [
    "Grüße — «Ω»",
    "🛒👩‍👧",
    """it's "quoted" \\""",
    "'; DROP TABLE cubes; --",
    "<b>&amp;",
    "e\u0301",
    "x" * 255,
]


@pytest.mark.parametrize("text", TEXTS)
def test_cubes_and_owners_of_any_name_have_schedules(market: Market, text: str) -> None:
    place = add_cube(market.ws, text, project=text)
    owner = f"{text.replace(' ', '')[:240]}@b.example"
    token = market.ws.create_token("any", owner=owner, permissions=["schedules:manage"])
    made = ok(market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST), DOCUMENTED_SCHEDULE)
    assert made["created_by_user"] == owner
    assert ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES) == [made]
    built = fire(market, made["job_id"])
    history = ok(market.ask("GET", place.history(made["job_id"]), token), DOCUMENTED_EXECUTIONS)["history"]
    assert [one["id"] for one in history] == [built]
    (build,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert (build["id"], build["projectId"]) == (built, place.project_id)
    assert made["job_id"] in ok(market.ask("DELETE", place.job(made["job_id"]), token), DOCUMENTED_DELETE)


def test_times_have_microseconds_and_no_other_form(market: Market, token: str, place: Place) -> None:
    # Whole seconds are written in full as well.
    market.now = NOW.replace(microsecond=0)
    made = ok(market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST), DOCUMENTED_SCHEDULE)
    fire(market, made["job_id"])
    (build,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    (schedule,) = ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES)
    times = [
        made["created_at"],
        schedule["latest_execution"]["executedAt"],
        *(build[name] for name in ("createDate", "startTime", "endTime")),
    ]
    assert all(MICROSECONDS.fullmatch(one) for one in times), times
    assert micros(datetime.fromisoformat(made["created_at"])) == micros(market.now)


# -- the life of a schedule


def test_what_is_asked_for_is_built_and_answers_right(market: Market, token: str, place: Place) -> None:
    market.sell((NOW - timedelta(minutes=7 * i), "ab"[i % 2], i) for i in range(1, 100))

    def check() -> None:
        rows = market.sql("SELECT client, sum(total) FROM sales GROUP BY ALL ORDER BY ALL")
        found = market.ws.ask_cube("sales", dimensions=["client"], end=market.now).rows
        assert [(row["groupings"]["client"], *row["fields"].values()) for row in found] == rows

    ok(market.ask("POST", f"{place.path}/execute", token), DOCUMENTED_EXECUTE)
    # Whoever builds next takes what waits.
    market.ws.build_cube("sales", progress=False)
    (build,) = ok(market.ask("GET", f"{BUILDS}?status=done", token), DOCUMENTED_HISTORY)["data"]
    assert market.ws.batch(build["id"]).rows_read == 99
    check()
    job = create(market, token, place)
    market.sql("UPDATE sales SET total = total + 1")
    market.now += timedelta(hours=1)
    # A full build sees what was changed long ago.
    fire(market, job)
    check()
    ok(market.ask("DELETE", place.job(job), token), DOCUMENTED_DELETE)
    assert len(ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]) == 2
    assert [one.kind for one in market.ws.dispatches()] == ["schedules", "schedules"]


# -- many at once


def test_many_who_ask_at_once_share_one_build_and_one_schedule(
    market: Market, token: str, place: Place
) -> None:
    assert at_once(lambda: market.ask("POST", f"{place.path}/execute", token)) == [200] * 8
    assert at_once(lambda: market.ask("POST", place.scheduler, token, json=DOCUMENTED_POST)) == [200] * 8
    (build,) = ok(market.ask("GET", BUILDS, token), DOCUMENTED_HISTORY)["data"]
    assert build["status"] == "pending"
    (schedule,) = ok(market.ask("GET", place.scheduler, token), DOCUMENTED_SCHEDULES)
    job = place.job(schedule["job_id"])
    assert at_once(lambda: market.ask("DELETE", job, token)) == [200] + [404] * 7
