"""Two workspaces of one home: no route tells one of the other, not even whether something is there.

Every route is asked by the administrator of one workspace, in words of the other, and has to answer
exactly as if there were no such thing.  A new route is found by itself; what its path leaves open has to
be known to `VALUES`, and what its body may name to `BODIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from routes import Asked, family_of, routes_of
from served import Served
from shapes import check_error
from tenants import Names, settle

TIME = "2025-03-02T12:00:00Z"

# What stands in a path, by the parameter's name; where that is just a name, by what stands before it.
VALUES: dict[str, str] = {
    "domain": "workspace",
    "aggrId": "task_id",
    "orgId": "workspace",
    "projectId": "project_id",
    "cubeId": "cube_id",
    "jobId": "job_id",
    "workspaceId": "workspace_id",
    "project": "project",
    "cube": "cube",
    "token_id": "token_id",
    "build_id": "build_id",
    "endpoint_id": "endpoint_id",
    "sources": "source",
    "filters": "filter",
    "endpoints": "endpoint",
    "projects": "project",
    "data": "endpoint_id",
}

# What names nothing of the workspace, even to its own.
NAMELESS = {"/api/v1/organization/ping"}

_FILTER: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731 - a table of them
    "name": "new_filter",
    "source": of.source,
    "interval": "1h",
    "aggregations": [{"name": "value", "field": "value", "calculations": ["COUNT"]}],
}
_ENDPOINT: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731
    "name": "new_endpoint",
    "filter": of.filter,
    "timing": {"kind": "lookback", "duration": "1d"},
    "fields": [{"name": "total", "aggregation": "value", "calculation": "SUM"}],
}
_CUBE: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731
    "name": "new_cube",
    "source": of.source,
    "dimensions": ["kind"],
    "measures": [{"name": "value", "field": "value", "calculations": ["COUNT"]}],
}
_TASK: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731
    "name": "new_task",
    "query": {"linq": f"from {of.source} group every 1h by kind", "timeZone": "UTC", "locale": "en"},
    "fromDate": 0,
}
_WIDGET: Callable[[Names], dict[str, Any]] = lambda _: {  # noqa: E731
    "event_types": None,
    "group_by": "event_type",
    "aggregation": "count",
    "time_window_days": 365,
}
_NOTHING: Callable[[Names], dict[str, Any]] = lambda _: {}  # noqa: E731

# By the end of the path, which is the same under every prefix: a body that names what there is of a tenant.
BODIES: dict[str, Callable[[Names], Any]] = {
    "POST aggrtasks/{domain}": _TASK,
    "PUT aggrtasks/{domain}/{aggrId}": _TASK,
    "PUT {aggrId}/stop": _NOTHING,
    "PUT {aggrId}/resume": _NOTHING,
    "PUT {aggrId}/start": lambda _: {"fromDate": 0},
    "POST aggregates-creation/scheduler": lambda _: {
        "time_expression": "0 25 06 ? * *",
        "path": "aggregate/create",
    },
    "POST aggregates-creation/execute": _NOTHING,
    "POST /sources": lambda of: {"name": of.source, "url": "/none/such.parquet", "time": "at"},
    "POST /sources/{name}/events": lambda _: [{"at": TIME, "kind": "x", "value": 1}],
    "PUT /sources/{name}": lambda _: {"url": "/none/such.parquet", "time": "at"},
    "POST /filters": _FILTER,
    "PUT /filters/{name}": lambda of: {k: v for k, v in _FILTER(of).items() if k != "name"},
    "POST /endpoints": _ENDPOINT,
    "PUT /endpoints/{name}": lambda of: {k: v for k, v in _ENDPOINT(of).items() if k != "name"},
    "POST /projects": _NOTHING,
    "PUT /projects/{name}": lambda _: {"description": "mine now"},
    "POST /cubes": _CUBE,
    "PUT /cubes/{cube}": lambda of: {k: v for k, v in _CUBE(of).items() if k != "name"},
    "POST /event-source": lambda of: {"source": of.source, "event_type": "kind"},
    "PUT /event-source": lambda of: {"source": of.source, "event_type": "kind"},
    "POST /tokens": _NOTHING,
    "PUT /tokens/{token_id}": lambda _: {"expires": None},
    "POST /builds": lambda of: {"rollup": f"filter {of.filter}"},
    "POST /questions/endpoint": lambda of: {"endpoint": of.endpoint, "end": TIME},
    "POST /questions/linq": lambda of: {"linq": f"from {of.source} group every 1h by kind"},
    "POST /linq": lambda of: {"linq": f"from {of.source} group every 1h by kind"},
    "POST /questions/cube": lambda of: {"cube": of.cube, "dimensions": ["kind"]},
    "POST /questions/task": lambda of: {"task": of.task},
    "POST dashboards/aggregate": _WIDGET,
    "POST /questions/widget": lambda of: {"query": _WIDGET(of)},
    "POST /data/{id}": lambda _: {"end": TIME},
    "POST /metrics/results": lambda of: {
        "filterId": of.endpoint_id,
        "aggregationId": 1,
        "calculation": "COUNT",
        "startTime": "2025-03-01T00:00:00Z",
        "endTime": TIME,
    },
    "POST /metrics/groupings": lambda of: {
        "filterId": of.endpoint_id,
        "groupingName": "kind",
        "startTime": "2025-03-01T00:00:00Z",
        "endTime": TIME,
    },
}


class Tenants:
    """Two workspaces, and who manages each."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.served = Served(folder / "home") if url is None else Served.on(url, folder / "states")
        self.horse, self.horse_token = settle(self.served, folder, "horse")
        self.zebra, self.zebra_token = settle(self.served, folder, "zebra")

    def horse_asks(self, asked: Asked, path_of: Names, body_of: Names) -> httpx.Response:
        """The answer to the administrator of the first workspace, asked in anybody's words."""
        path = asked.filled(values_of(asked, path_of))
        body = body_of_route(asked)
        options = {} if body is None else {"json": body(body_of)}
        return self.served.ask(asked.method, path, self.horse_token, **options)


def values_of(asked: Asked, names: Names) -> dict[str, str]:
    parts = asked.path.split("/")
    found: dict[str, str] = {}
    for parameter in asked.parameters:
        before = parts[next(at for at, part in enumerate(parts) if f"{{{parameter}}}" in part) - 1]
        key = parameter if parameter not in ("name", "id") else before
        assert key in VALUES, f"say in VALUES what {{{parameter}}} of {asked} is"
        found[parameter] = getattr(names, VALUES[key])
    return found


def body_of_route(asked: Asked) -> Callable[[Names], Any] | None:
    if asked.method not in ("POST", "PUT"):
        return None
    ends = [end for end in BODIES if f"{asked.method} {asked.path}".endswith(end.split(" ")[1])]
    ends = [end for end in ends if end.startswith(asked.method)]
    assert ends, f"say in BODIES what a body of {asked} names"
    return BODIES[max(ends, key=len)]


@pytest.fixture(scope="module", params=["folder", pytest.param("postgres", marks=pytest.mark.slow)])
def tenants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    url = None if request.param == "folder" else request.getfixturevalue("postgres").create("tenants")
    made = Tenants(folder, url)
    yield made
    made.served.home.close()


def untold(answer: httpx.Response, asked_of: Names) -> str:
    """An answer without the words that it was asked in, and without the id of the request."""
    headers = sorted(set(answer.headers.multi_items()) - {("content-length", str(len(answer.content)))})
    text = f"{answer.status_code} {headers} {answer.text}".replace(answer.headers["X-Request-Id"], "…")
    for word in sorted(asked_of.own, key=len, reverse=True):
        text = text.replace(word, "…")
    return text


def test_what_one_asks_of_its_own_is_there(tenants: Tenants) -> None:
    """Otherwise nothing of what follows would mean anything."""
    for asked in routes_of(tenants.served.app):
        if asked.method == "GET":
            answer = tenants.horse_asks(asked, tenants.horse, tenants.horse)
            assert answer.status_code == 200, (asked, answer.text)
            assert "horse" in answer.text or asked.path in NAMELESS or "/scheduler" in asked.path, asked


def test_nothing_that_is_listed_is_anothers(tenants: Tenants) -> None:
    for asked in routes_of(tenants.served.app):
        if asked.method == "GET":
            text = tenants.horse_asks(asked, tenants.horse, tenants.horse).text
            for word in ("zebra", *tenants.zebra.own):
                assert word not in text, asked


def test_a_path_of_anothers_is_a_path_of_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    for asked in routes_of(tenants.served.app):
        if not asked.parameters:
            continue
        found = tenants.horse_asks(asked, tenants.zebra, tenants.horse)
        nothing = tenants.horse_asks(asked, missing, tenants.horse)
        assert found.status_code in (401, 403, 404), (asked, found.text)
        assert untold(found, tenants.zebra) == untold(nothing, missing), asked
        check_error(family_of(tenants.served, asked.path), found)


def test_anothers_thing_in_ones_own_place_is_nothing(tenants: Tenants) -> None:
    """The organisation or project is one's own, and the cube or job in it another's."""
    horse, zebra, missing = tenants.horse, tenants.zebra, tenants.zebra.missing()
    for asked in routes_of(tenants.served.app):
        parameters = asked.parameters
        for own in range(1, len(parameters)):
            mixed = [values_of(asked, horse) for _ in range(2)]
            for values, of in zip(mixed, (zebra, missing), strict=True):
                values.update({name: values_of(asked, of)[name] for name in parameters[own:]})
            body = body_of_route(asked)
            options = {} if body is None else {"json": body(horse)}
            found, nothing = (
                tenants.served.ask(asked.method, asked.filled(values), tenants.horse_token, **options)
                for values in mixed
            )
            assert found.status_code in (401, 403, 404), (asked, found.text)
            assert untold(found, zebra) == untold(nothing, missing), asked


def test_a_body_that_names_anothers_names_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    asked_in_words = 0
    for asked in routes_of(tenants.served.app):
        body = body_of_route(asked)
        if body is None or body(tenants.zebra) == body(missing):
            continue
        found = tenants.horse_asks(asked, tenants.horse, tenants.zebra)
        nothing = tenants.horse_asks(asked, tenants.horse, missing)
        assert found.status_code in (400, 404, 409), (asked, found.text)
        assert untold(found, tenants.zebra) == untold(nothing, missing), asked
        asked_in_words += 1
    assert asked_in_words > 10


def test_the_status_page_shows_ones_own(tenants: Tenants) -> None:
    page = tenants.served.ask("GET", "/", tenants.horse_token)
    assert page.status_code == 200
    assert tenants.horse.endpoint in page.text
    for word in ("zebra", *tenants.zebra.own):
        assert word not in page.text


def test_a_picture_of_anothers_is_a_picture_of_nothing(tenants: Tenants) -> None:
    missing = tenants.zebra.missing()
    own, found, nothing = (
        tenants.served.ask("GET", f"/status/endpoints/{of.endpoint_id}.svg", tenants.horse_token)
        for of in (tenants.horse, tenants.zebra, missing)
    )
    assert (own.status_code, found.status_code) == (200, 404)
    assert untold(found, tenants.zebra) == untold(nothing, missing)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"])
def test_who_has_no_token_is_told_of_nobody(tenants: Tenants, path: str) -> None:
    answer = tenants.served.ask("GET", path)
    assert answer.status_code == 200
    for names in (tenants.horse, tenants.zebra):
        for word in names.own:
            assert word not in answer.text


def test_nothing_of_anothers_was_changed_by_all_that(tenants: Tenants) -> None:
    zebra, ws = tenants.zebra, tenants.served.home.workspace("zebra")
    assert list(ws.sources) == [zebra.source]
    assert list(ws.filters) == [zebra.filter]
    assert ws.endpoints[zebra.endpoint].id == zebra.endpoint_id
    assert ws.task(zebra.task_id).status.value == "RUNNING"
    assert ws.cube(zebra.cube_id).name == zebra.cube
    assert list(ws.schedules) == [zebra.job_id]
    assert ws.tokens[zebra.token_id].revoked_us is None
    assert ws.event_source is not None
    assert ws.batch(zebra.batch_id).status == "done"
    assert not [batch for batch in ws.batches.values() if batch.id != zebra.batch_id]
