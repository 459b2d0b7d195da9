"""Management: definitions, tokens and builds over HTTP are what Python declares."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from served import Served

import aggflow as af
from aggflow.api import management
from aggflow.spec.declaration import plain, read

FILTER = {
    "name": "delays",
    "source": "flights",
    "interval": "1h",
    "groupings": ["carrier", {"path": "origin", "alias": "from"}],
    "aggregations": [{"name": "delay", "field": "delay", "calculations": ["COUNT", "AVG"]}],
}
ENDPOINT = {
    "name": "worst",
    "filter": "delays",
    "timing": {"kind": "lookback", "duration": "30d"},
    "fields": [{"name": "average", "aggregation": "delay", "calculation": "AVG"}],
    "groupings": {"carrier": {"kind": "all"}},
    "grouping_limits": [["carrier", 3]],
}
CUBE = {
    "name": "trips",
    "source": "flights",
    "dimensions": ["carrier"],
    "measures": [{"name": "delay", "field": "delay", "calculations": ["COUNT", "SUM"]}],
}


class Manager:
    """A client with a token that may manage."""

    def __init__(self, served: Served, workspace: str = "self") -> None:
        self.served = served
        self.ws = served.home.workspace(workspace)
        self.token = served.token("admin", workspace=workspace)

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        options = {} if body is None else {"json": body}
        answer = self.served.ask(method, f"/api/v1{path}", self.token, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def errors(self, method: str, path: str, body: Any = None, *, status: int = 400) -> dict[str, str]:
        """The fields that an answer says are wrong."""
        answer = self(method, path, body, status=status)
        assert list(answer)[:3] == ["message", "errors", "requestId"]
        assert set(answer) <= {"message", "errors", "requestId", "error"}
        return {error["field"]: error["message"] for error in answer["errors"]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flights.ddb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE flights (time TIMESTAMP, carrier VARCHAR, origin VARCHAR, delay INTEGER)")
        con.execute(
            "INSERT INTO flights SELECT TIMESTAMP '2025-01-01' + INTERVAL (i) MINUTE, "
            "['AA', 'UA'][1 + i % 2], 'JFK', i FROM range(600) t(i)"
        )
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "home", [management])
    yield served
    served.home.close()


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    """A workspace that only what is refused is sent to."""
    served = Served(tmp_path_factory.mktemp("unchanged"), [management])
    yield Manager(served)
    served.home.close()


@pytest.fixture
def manager(served: Served) -> Manager:
    return Manager(served)


@pytest.fixture
def source(file: Path) -> dict[str, Any]:
    return {"name": "flights", "url": f"duckdb://{file}", "time": "time", "table": "flights"}


@pytest.fixture
def declared(manager: Manager, source: dict[str, Any]) -> Manager:
    manager("POST", "/sources", source, status=201)
    manager("POST", "/filters", FILTER, status=201)
    manager("POST", "/endpoints", ENDPOINT, status=201)
    return manager


# -- declarations


def test_what_http_declares_is_what_python_declares(declared: Manager) -> None:
    ws = declared.ws
    assert ws.filters["delays"].spec == read(af.Filter, FILTER)
    assert ws.endpoints["worst"].spec == read(af.Endpoint, ENDPOINT)
    shown = declared("GET", "/filters/delays")
    assert {key: shown[key] for key in plain(ws.filters["delays"].spec)} == plain(ws.filters["delays"].spec)
    assert [key for key in shown if key not in plain(ws.filters["delays"].spec)] == ["id", "generation"]


def test_what_python_declares_http_shows(manager: Manager, file: Path) -> None:
    ws = manager.ws
    ws.add_source("flights", f"duckdb://{file}", table="flights", time="time", lateness="1h")
    shown = manager("GET", "/sources")
    assert [one["name"] for one in shown] == ["flights"]
    assert shown[0]["lateness"] == "1h"
    assert shown[0] == manager("GET", f"/sources/{shown[0]['id']}")


@pytest.mark.parametrize("plural", ["sources", "filters", "endpoints"])
def test_what_is_shown_can_be_sent_back(declared: Manager, plural: str) -> None:
    (shown,) = declared("GET", f"/{plural}")
    told = declared("PUT", f"/{plural}/{shown['name']}", shown)
    assert told == shown | {"effects": []}
    assert declared("GET", f"/{plural}") == [shown]


def test_a_definition_is_found_by_name_and_by_id(declared: Manager) -> None:
    by_name = declared("GET", "/endpoints/worst")
    assert declared("GET", f"/endpoints/{by_name['id']}") == by_name
    changed = declared("PUT", f"/endpoints/{by_name['id']}", ENDPOINT | {"limit": 5})
    assert (changed["id"], changed["name"], changed["limit"]) == (by_name["id"], "worst", 5)
    assert changed["generation"] == by_name["generation"] + 1
    declared("DELETE", f"/endpoints/{by_name['id']}", status=204)
    assert declared("GET", "/endpoints") == []


def test_what_was_added_says_where_it_is(declared: Manager, source: dict[str, Any]) -> None:
    answer = declared.served.ask("POST", "/api/v1/sources", declared.token, json=source | {"name": "more"})
    assert answer.status_code == 201
    assert declared.served.ask("GET", answer.headers["Location"], declared.token).json()["name"] == "more"


def test_a_name_that_is_taken_is_a_conflict(declared: Manager) -> None:
    answer = declared("POST", "/filters", FILTER | {"interval": "1d"}, status=409)
    assert answer["message"] == "there is a filter 'delays' already; PUT changes it"
    assert declared("GET", "/filters/delays")["interval"] == "1h"
    answer = declared("POST", "/endpoints", ENDPOINT, status=409)
    assert answer["message"] == f"there is an endpoint {ENDPOINT['name']!r} already; PUT changes it"


def test_what_is_not_there_is_neither_shown_nor_changed_nor_removed(declared: Manager) -> None:
    for plural in ("sources", "filters", "endpoints", "projects"):
        for method, body in (("GET", None), ("PUT", {"name": "nothing"}), ("DELETE", None)):
            answer = declared(method, f"/{plural}/nothing", body, status=404)
            assert answer["message"].startswith(f"there is no {plural[:-1]} 'nothing'")


def test_every_mistake_of_a_body_is_told_by_its_field(declared: Manager) -> None:
    wrong = FILTER | {
        "name": "x",
        "interval": "1x",
        "groupping": [],
        "aggregations": [{"name": "a", "calculations": ["AVERAGE"]}, {"name": "b", "calculations": ["SUM"]}],
    }
    errors = declared.errors("POST", "/filters", wrong)
    assert set(errors) >= {
        "interval",
        "groupping",
        "aggregations[0].calculations[0]",
        "aggregations[1].field",
    }
    assert errors["groupping"] == "unknown key 'groupping' (did you mean 'groupings'?)"
    assert "x" not in declared.ws.filters
    assert declared.errors("POST", "/endpoints", ENDPOINT | {"name": "y", "colour": "red"}) == {
        "colour": "unknown key 'colour' (known: cube, description, fields, filter, grouping_limits, groupings, "
        "limit, name, sort, task, timing)"
    }


def test_columns_that_a_source_lacks_are_mistakes_of_the_body(declared: Manager) -> None:
    errors = declared.errors("POST", "/filters", FILTER | {"name": "x", "groupings": ["carier"]})
    assert errors == {"groupings[0]": "there is no column 'carier' (did you mean 'carrier'?)"}


def test_what_a_body_names_and_is_not_there_is_a_mistake_of_the_body(declared: Manager) -> None:
    errors = declared.errors("POST", "/filters", FILTER | {"name": "x", "source": "flihgts"})
    assert errors == {"source": "there is no source 'flihgts' (did you mean 'flights'?)"}
    assert list(declared.errors("POST", "/endpoints", ENDPOINT | {"name": "x", "filter": "f"})) == ["filter"]
    assert list(declared.errors("POST", "/projects/default/cubes", CUBE | {"source": "f"})) == ["source"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "duckdb:///nowhere/x.ddb"}, "there is no file"),
        ({"table": "flihgts"}, "did you mean 'flights'?"),
        ({"time": "tiem"}, "did you mean 'time'?"),
        ({"time": "carrier"}, "no time"),
        ({"url": ""}, "url: is required"),
        ({"url": "oracle://x"}, "oracle"),
    ],
)
def test_a_source_that_cannot_be_read_is_a_mistake_of_who_declares_it(
    manager: Manager, source: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    answer = manager("POST", "/sources", source | body, status=400)
    assert field in answer["message"]
    assert manager("GET", "/sources") == []


@pytest.mark.parametrize(
    "body", ["", "[]", "nothing", "null", '{"name": 1}', '{"name": ""}', '{"name": null}']
)
@pytest.mark.parametrize(
    "path", ["sources", "filters", "endpoints", "projects", "tokens", "builds", "event-source"]
)
def test_a_body_of_the_wrong_shape_is_refused(unchanged: Manager, path: str, body: str) -> None:
    answer = unchanged.served.ask("POST", f"/api/v1/{path}", unchanged.token, content=body)
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_name_cannot_be_changed(declared: Manager) -> None:
    assert "name" in declared.errors("PUT", "/filters/delays", FILTER | {"name": "other"})
    unnamed = {key: value for key, value in FILTER.items() if key != "name"}
    assert declared("PUT", "/filters/delays", unnamed)["name"] == "delays"


def test_who_changes_what_was_changed_meanwhile_is_told(declared: Manager) -> None:
    shown = declared("GET", "/endpoints/worst")
    declared("PUT", "/endpoints/worst", ENDPOINT | {"limit": 7})
    answer = declared("PUT", "/endpoints/worst", shown, status=409)
    assert "changed meanwhile" in answer["message"]
    assert declared("GET", "/endpoints/worst")["limit"] == 7
    assert "id" in declared.errors("PUT", "/endpoints/worst", ENDPOINT | {"id": "another"})


def test_what_is_needed_is_not_removed(declared: Manager) -> None:
    answer = declared("DELETE", "/sources/flights", status=409)
    assert answer["message"] == "filter 'delays' needs source 'flights' (remove that first)"
    for path in ("/endpoints/worst", "/filters/delays", "/sources/flights"):
        declared("DELETE", path, status=204)
    assert [declared("GET", f"/{plural}") for plural in ("sources", "filters", "endpoints")] == [[], [], []]


def test_names_may_be_of_any_characters(declared: Manager) -> None:
    name = 'délais "à l\'heure" 🛫; DROP TABLE'
    declared("POST", "/endpoints", ENDPOINT | {"name": name}, status=201)
    found = declared("GET", f"/endpoints/{httpx.URL('', path='/' + name).raw_path.decode()[1:]}")
    assert found["name"] == name
    slash = declared("POST", "/endpoints", ENDPOINT | {"name": "a/b"}, status=201)
    assert declared("GET", f"/endpoints/{slash['id']}")["name"] == "a/b"


# -- passwords


def test_the_password_of_a_source_never_leaves(
    declared: Manager, source: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "postgresql://me:pa5sword@db/shop"
    monkeypatch.setattr("aggflow.workspace.Workspace.add_source", _storing)
    declared("PUT", "/sources/flights", source | {"url": whole})
    shown = declared("GET", "/sources/flights")
    assert shown["url"] == "postgresql://me:***@db/shop"
    assert "pa5sword" not in json.dumps([declared("GET", "/sources"), shown])
    assert "pa5sword" not in json.dumps(declared("PUT", "/sources/flights", shown | {"description": "x"}))
    assert declared.ws.sources["flights"].url == whole
    assert declared.ws.sources["flights"].description == "x"
    # Nobody gets it by naming another host.
    errors = declared.errors("PUT", "/sources/flights", source | {"url": "postgresql://me:***@evil/shop"})
    assert "hidden" in errors["url"]
    assert "hidden" in declared.errors("POST", "/sources", source | {"name": "n", "url": shown["url"]})["url"]
    assert declared.ws.sources["flights"].url == whole


def _storing(ws: af.Workspace, name: str, url: str = "", **options: Any) -> Any:
    """As `add_source`, for a database that is not there."""
    return ws._declarations.put("source", af.Source(name, url, **options))


# -- changes of filters


def lose(*calculations: str) -> dict[str, Any]:
    kept = [one for one in ("COUNT", "AVG") if one not in calculations]
    return FILTER | {"aggregations": [{"name": "delay", "field": "delay", "calculations": kept}]}


def test_a_change_tells_what_endpoints_lose(declared: Manager) -> None:
    field = {"name": "flights", "aggregation": "delay", "calculation": "COUNT"}
    declared("PUT", "/endpoints/worst", ENDPOINT | {"fields": [*ENDPOINT["fields"], field]})
    told = declared("PUT", "/filters/delays", lose("COUNT"))
    assert told["effects"] == [
        {
            "endpoint": "worst",
            "what": "'flights' will be null: what it is made of is no longer kept",
            "blocks": False,
            "kind": "endpoint",
        }
    ]
    assert declared.ws.filters["delays"].aggregations[0].calculations == ("AVG",)


def test_a_dry_run_changes_nothing(declared: Manager) -> None:
    before = declared("GET", "/filters/delays")
    told = declared("PUT", "/filters/delays?dry_run=true", lose("AVG"))
    assert [(one["endpoint"], one["blocks"]) for one in told["effects"]] == [("worst", True)]
    assert declared("GET", "/filters/delays") == before


def test_a_change_that_takes_the_last_field_is_a_conflict(declared: Manager) -> None:
    before = declared("GET", "/filters/delays")
    answer = declared("PUT", "/filters/delays", lose("AVG"), status=409)
    assert "endpoint 'worst': it would lose its last valid field ('average')" in answer["message"]
    assert declared("GET", "/filters/delays") == before


def test_a_rebuild_leaves_one_version(declared: Manager) -> None:
    ws = declared.ws
    ws.build("delays", until="2025-01-01T05:00:00Z", progress=False)
    declared("PUT", "/filters/delays", FILTER | {"where": "@.carrier == 'AA'"})
    assert ws.status()[0].versions == 2
    declared("PUT", "/filters/delays?rebuild=true", FILTER | {"where": "@.carrier == 'UA'"})
    assert (ws.status()[0].versions, ws.status()[0].cells) == (1, 0)


def test_what_a_kind_does_not_take_is_refused_and_not_passed_over(declared: Manager) -> None:
    before = declared("GET", "/endpoints/worst")
    assert declared.errors("PUT", "/endpoints/worst?dry_run=true", ENDPOINT | {"limit": 9}) == {
        "dry_run": "is not for endpoints"
    }
    assert declared("GET", "/endpoints/worst") == before
    assert "dry_run" in declared.errors("PUT", "/filters/delays?dry_run=perhaps", FILTER)


@pytest.mark.parametrize(
    ("method", "path", "name", "hint"),
    [
        ("PUT", "/filters/delays?dryrun=true", "dryrun", "did you mean 'dry_run'?"),
        ("PUT", "/filters/delays?Dry-Run=true", "Dry-Run", "did you mean 'dry_run'?"),
        ("GET", "/builds?limits=5", "limits", "did you mean 'limit'?"),
        ("POST", "/sources/flights/events?eventid=@.id", "eventid", "did you mean 'event_id'?"),
        ("DELETE", "/endpoints/worst?force=1", "force", "this route takes none"),
    ],
)
def test_a_parameter_that_a_route_does_not_know_is_refused(
    declared: Manager, method: str, path: str, name: str, hint: str
) -> None:
    before = declared("GET", "/filters/delays")
    body = FILTER | {"groupings": []} if method == "PUT" else None
    assert declared.errors(method, path, body) == {name: f"there is no parameter {name!r} ({hint})"}
    assert declared("GET", "/filters/delays") == before
    assert declared("GET", "/endpoints/worst")["name"] == "worst"


def test_a_source_of_other_rows_says_what_is_to_be_built_anew(
    declared: Manager, source: dict[str, Any]
) -> None:
    told = declared("PUT", "/sources/flights", source | {"time_zone": "America/New_York"})
    assert [(one["kind"], one["endpoint"]) for one in told["effects"]] == [("filter", "delays")]


# -- the vendor's shape


VENDOR = {
    "name": "vendor",
    "filter": "@.carrier == 'AA'",
    "groupingItems": [{"grouping": "@.origin", "alias": "from"}],
    "intervalType": "MINUTE",
    "intervalCount": 15,
    "aggregations": [
        {
            "id": 1,
            "name": "delay",
            "calculations": ["COUNT", "PERCENTILES"],
            "calculationField": "@.delay",
            "subFilter": "@.delay > 0",
        }
    ],
}


def test_a_filter_in_the_vendors_shape_is_a_filter(declared: Manager) -> None:
    told = declared("POST", "/filters", VENDOR, status=201)
    assert (told["source"], told["interval"], told["where"]) == ("flights", "15m", "@.carrier == 'AA'")
    assert told["groupings"] == [{"path": "@.origin", "alias": "from"}]
    (aggregation,) = told["aggregations"]
    assert (aggregation["field"], aggregation["where"]) == ("@.delay", "@.delay > 0")
    assert aggregation["calculations"] == ["COUNT", "PERCENTILES"]
    told = declared("PUT", "/filters/vendor", VENDOR | {"intervalType": "HOUR", "intervalCount": 2})
    assert told["interval"] == "2h"


def test_mistakes_in_the_vendors_shape_are_told_in_its_words(
    declared: Manager, source: dict[str, Any]
) -> None:
    for body, field in (
        ({"intervalType": "MINUTES"}, "intervalType"),
        ({"intervalType": None}, "intervalType"),
        ({"intervalCount": 0}, "intervalCount"),
        ({"groupingItems": [{"groupin": "x"}]}, "groupingItems[0].groupin"),
        ({"groupingItems": {}}, "groupingItems"),
        ({"aggregations": [1]}, "aggregations[0]"),
        ({"colour": "red"}, "colour"),
    ):
        assert field in declared.errors("POST", "/filters", VENDOR | body), body
    declared("POST", "/sources", source | {"name": "another"}, status=201)
    assert declared.errors("POST", "/filters", VENDOR) == {"source": "is required, as there are 2 sources"}
    declared("POST", "/filters", VENDOR | {"source": "another"}, status=201)


# -- projects and cubes


def test_a_cube_is_of_its_project(declared: Manager) -> None:
    project = declared("POST", "/projects", {"name": "air"}, status=201)
    place = f"/projects/{project['id']}/cubes"
    cube = declared("POST", place, CUBE, status=201)
    assert (cube["project"], cube["project_id"]) == ("air", project["id"])
    assert declared("GET", place) == [{k: v for k, v in cube.items() if k != "effects"}]
    assert declared("GET", "/projects/default/cubes") == []
    declared("GET", "/projects/default/cubes/trips", status=404)
    declared("GET", "/projects/nothing/cubes", status=404)
    changed = declared(
        "PUT", f"/projects/air/cubes/{cube['id']}", CUBE | {"dimensions": ["carrier", "origin"]}
    )
    assert changed["dimensions"] == ["carrier", "origin"]
    assert declared("POST", "/projects/default/cubes", CUBE, status=409)["message"].endswith("project 'air'")
    assert list(declared.errors("POST", place, CUBE | {"name": "c", "project": "default"})) == ["project"]
    declared("DELETE", "/projects/air", status=409)
    moved = declared("PUT", f"{place}/trips", CUBE | {"project": "default"})
    assert moved["project_id"] == declared("GET", "/projects/default")["id"]
    declared("DELETE", "/projects/default/cubes/trips", status=204)
    declared("DELETE", "/projects/air", status=204)
    declared("DELETE", "/projects/default", status=409)


def test_what_a_cube_shows_can_be_sent_back(declared: Manager) -> None:
    declared("POST", "/projects/default/cubes", CUBE, status=201)
    shown = declared("GET", "/projects/default/cubes/trips")
    assert declared("PUT", "/projects/default/cubes/trips", shown) == shown | {"effects": []}


# -- the event source


def test_a_workspace_names_its_event_source(declared: Manager) -> None:
    declared("GET", "/event-source", status=404)
    declared("DELETE", "/event-source", status=404)
    body = {"source": "flights", "event_type": "carrier", "values": {"value": "delay"}}
    for method in ("PUT", "POST"):
        declared(method, "/event-source", body)
        shown = declared("GET", "/event-source")
        assert (shown["source"], shown["event_type"], shown["values"]) == (
            "flights",
            "carrier",
            {"value": "delay"},
        )
    assert "event_type" in declared.errors("PUT", "/event-source", body | {"event_type": "carier"})
    assert "source" in declared.errors("PUT", "/event-source", body | {"source": "nothing"})
    assert "colour" in declared.errors("PUT", "/event-source", body | {"colour": "red"})
    assert declared("GET", "/event-source") == shown
    declared("DELETE", "/event-source", status=204)
    assert declared.ws.event_source is None


# -- tokens


def test_a_secret_is_told_once(manager: Manager) -> None:
    made = manager(
        "POST", "/tokens", {"name": "t", "owner": "a@b.c", "permissions": ["data:read"]}, status=201
    )
    secret = made.pop("token")
    assert manager("GET", f"/tokens/{made['id']}") == made
    assert secret not in json.dumps(manager("GET", "/tokens"))
    assert "sha" not in json.dumps(manager("GET", "/tokens"))
    assert manager.served.home.access(secret) is not None
    manager("DELETE", f"/tokens/{made['id']}", status=204)
    assert manager.served.home.access(secret) is None
    assert manager("GET", f"/tokens/{made['id']}")["revoked"] is not None


def test_a_token_is_given_an_end(manager: Manager) -> None:
    body = {"name": "t", "owner": "a@b.c", "permissions": ["data:read"], "expires": "90d"}
    made = manager("POST", "/tokens", body, status=201)
    assert made["expires"] > "2026"
    past = manager.errors("POST", "/tokens", body | {"expires": "2020-01-01"})
    assert past["expires"].startswith("2020-01-01T00:00:00Z is past")
    path = f"/tokens/{made['id']}"
    assert manager("PUT", path, {"expires": None})["expires"] is None
    assert manager.served.home.access(made["token"]) is not None
    assert manager("PUT", path, {"expires": "2020-01-01T00:00:00Z"})["expires"] == "2020-01-01T00:00:00Z"
    assert manager.served.home.access(made["token"]) is None
    for wrong in ({"expires": "soon"}, {}, {"expires": "1d", "permissions": ["admin"]}):
        assert manager.errors("PUT", path, wrong)
    manager("DELETE", path, status=204)
    manager("PUT", path, {"expires": "1d"}, status=409)
    assert manager.served.home.access(made["token"]) is None


def test_a_token_that_is_wrong_is_told_field_by_field(manager: Manager) -> None:
    errors = manager.errors(
        "POST", "/tokens", {"name": "", "owner": "nobody", "permissions": ["data:raed"], "expires": "x"}
    )
    assert set(errors) == {"name", "owner", "permissions[0]", "expires"}
    assert set(manager.errors("POST", "/tokens", {"name": "t", "colour": 1})) >= {
        "owner",
        "permissions",
        "colour",
    }
    assert manager("GET", "/builds/nothing", status=404)["message"] == "there is no build 'nothing'"
    manager("GET", "/tokens/nothing", status=404)
    manager("DELETE", "/tokens/nothing", status=404)


# -- builds


def wait(manager: Manager, build_id: str) -> dict[str, Any]:
    for _ in range(600):
        build = manager("GET", f"/builds/{build_id}")
        if build["status"] not in ("pending", "running"):
            return build
        time.sleep(0.05)
    raise AssertionError(f"build {build_id} did not end")


def test_a_build_is_asked_for_and_its_progress_read(declared: Manager) -> None:
    answer = declared.served.ask("POST", "/api/v1/builds", declared.token, json={"name": "delays"})
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    assert answer.headers["Location"] == f"/api/v1/builds/{answer.json()['id']}"
    build = wait(declared, answer.json()["id"])
    assert (build["status"], build["progress"], build["rows_read"]) == ("done", 1.0, 600)
    assert (build["name"], build["kind"], build["error"]) == ("filter delays", "incremental", None)
    assert declared.ws.status()[0].cells == 20
    assert declared("GET", "/builds") == [build]
    assert declared("GET", "/builds?status=error") == []
    declared("DELETE", f"/builds/{build['id']}", status=409)


def test_a_build_that_fails_says_why(declared: Manager, file: Path) -> None:
    file.unlink()
    build = wait(declared, declared("POST", "/builds", {"name": "filter delays"}, status=202)["id"])
    assert build["status"] == "error"
    assert build["error"]["class"] == "SourceUnavailableError"


def test_a_build_of_what_is_not_there_is_a_mistake_of_the_body(declared: Manager) -> None:
    assert "did you mean" in declared.errors("POST", "/builds", {"name": "filter delay"})["rollup"]
    assert "did you mean" in declared.errors("POST", "/builds", {"name": "delay"})["filter"]
    assert "cube" in declared.errors("POST", "/builds", {"name": "cube nothing"})
    assert declared.errors("POST", "/builds", {"name": "delays", "until": "soon"})
    assert declared.errors(
        "POST", "/builds", {"name": "delays", "since": "2025-01-02", "until": "2025-01-01"}
    )
    assert declared.errors("POST", "/builds", {"name": "delays", "full": "yes"})
    assert declared.errors("GET", "/builds?limit=0")
    assert declared("GET", "/builds") == []
    declared("GET", "/builds/nothing", status=404)


def test_a_cube_is_built_by_the_next_run_and_one_aggregate_at_once(declared: Manager) -> None:
    declared("POST", "/projects/default/cubes", CUBE, status=201)
    first = declared("POST", "/builds", {"name": "cube trips"}, status=202)
    second = declared("POST", "/builds", {"name": "cube trips", "full": True}, status=202)
    assert (first["id"], first["status"], second["kind"]) == (second["id"], "pending", "full")
    assert declared.ws.open_batches()[0].id == first["id"]
    assert [one.kind for one in declared.ws.dispatches()] == ["batch"] * len(declared.ws.dispatches()) != []
    assert "name" in declared.errors("POST", "/builds", {"name": "cube trips", "until": "2025-01-01"})
    build = declared("POST", "/builds", {"name": "cube trips/all", "until": "2025-01-01T05:00Z"}, status=202)
    assert wait(declared, build["id"])["rows_read"] == 300
    declared("DELETE", f"/builds/{first['id']}", status=204)
    assert declared("GET", f"/builds/{first['id']}")["status"] == "cancelled"


# -- who may


ROUTES = [
    (method, path)
    for path in ("sources", "filters", "endpoints", "projects", "tokens", "builds", "projects/default/cubes")
    for method, path in (
        ("GET", path),
        ("POST", path),
        ("GET", f"{path}/x"),
        ("PUT", f"{path}/x"),
        ("DELETE", f"{path}/x"),
    )
    if (method, path) != ("PUT", "builds/x")
] + [(method, "event-source") for method in ("GET", "POST", "PUT", "DELETE")]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_who_may_manage_is_answered(unchanged: Manager, method: str, path: str) -> None:
    served = unchanged.served
    others = ["tasks:manage", "schedules:manage", "data:read", "widgets:read"]
    assert served.ask(method, f"/api/v1/{path}").status_code == 401
    answer = served.ask(method, f"/api/v1/{path}", served.token(*others))
    assert (answer.status_code, answer.json()["message"]) == (403, "the token lacks the permission admin")


def test_two_workspaces_know_nothing_of_each_other(declared: Manager) -> None:
    declared("POST", "/projects/default/cubes", CUBE, status=201)
    build = declared("POST", "/builds", {"name": "delays"}, status=202)
    wait(declared, build["id"])
    other = Manager(declared.served, "other")
    (token,) = other("GET", "/tokens")
    assert token["id"] not in json.dumps(declared("GET", "/tokens"))
    for plural in ("sources", "filters", "endpoints", "tokens", "builds"):
        for one in declared("GET", f"/{plural}"):
            for method in ("GET", "DELETE"):
                answer = other(method, f"/{plural}/{one['id']}", status=404)
                text = json.dumps(answer).replace(one["id"], "")
                assert not any(word in text for word in ("delays", "worst", "flights", "trips")), answer
    assert [other("GET", f"/{plural}") for plural in ("sources", "filters", "endpoints", "builds")] == [
        []
    ] * 4
    project = declared("GET", "/projects/default")["id"]
    other("GET", f"/projects/{project}/cubes", status=404)
    assert other("GET", "/projects/default/cubes") == []


def test_a_path_or_method_that_is_not_there_is_told_in_the_familys_shape(manager: Manager) -> None:
    assert manager.errors("GET", "/nothing", status=404) == {}
    assert manager.errors("PATCH", "/filters", status=405) == {}
