"""What is asked: for every route of the service, the values of its path and a body, in words of a tenant.

A new route is found by itself; what its path leaves open has to be known to `VALUES`, and what its body may
name to `BODIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from routes import Asked
from tenants import Names

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
_ENDPOINT: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731 - a line a kind
    "name": "new_endpoint",
    "filter": of.filter,
    "timing": {"kind": "lookback", "duration": "1d"},
    "fields": [{"name": "total", "aggregation": "value", "calculation": "SUM"}],
}
_CUBE: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731 - a line a kind
    "name": "new_cube",
    "source": of.source,
    "dimensions": ["kind"],
    "measures": [{"name": "value", "field": "value", "calculations": ["COUNT"]}],
}
_TASK: Callable[[Names], dict[str, Any]] = lambda of: {  # noqa: E731 - a line a kind
    "name": "new_task",
    "query": {"linq": f"from {of.source} group every 1h by kind", "timeZone": "UTC", "locale": "en"},
    "fromDate": 0,
}
_WIDGET: Callable[[Names], dict[str, Any]] = lambda _: {  # noqa: E731 - a line a kind
    "event_types": None,
    "group_by": "event_type",
    "aggregation": "count",
    "time_window_days": 365,
}
_NOTHING: Callable[[Names], dict[str, Any]] = lambda _: {}  # noqa: E731 - a line a kind

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
    "POST /projects": lambda _: {"name": "new_project"},
    "PUT /projects/{name}": lambda _: {"description": "mine now"},
    "POST /cubes": _CUBE,
    "PUT /cubes/{cube}": lambda of: {k: v for k, v in _CUBE(of).items() if k != "name"},
    "POST /event-source": lambda of: {"source": of.source, "event_type": "kind"},
    "PUT /event-source": lambda of: {"source": of.source, "event_type": "kind"},
    "POST /tokens": lambda _: {"name": "new", "owner": "a@b.example", "permissions": ["data:read"]},
    "PUT /tokens/{token_id}": lambda _: {"expires": None},
    "POST /builds": lambda of: {"name": f"filter {of.filter}"},
    "POST /questions/endpoint": lambda of: {"endpoint": of.endpoint, "end": TIME},
    "POST /questions/linq": lambda of: {"linq": f"from {of.source} group every 1h by kind"},
    "POST /linq": lambda of: {"linq": f"from {of.source} group every 1h by kind"},
    "POST /questions/cube": lambda of: {"cube": of.cube, "dimensions": ["kind"]},
    "POST /questions/task": lambda of: {"task": of.task},
    "POST dashboards/aggregate": _WIDGET,
    "POST /questions/widget": lambda of: {"query": _WIDGET(of)},
    "POST /data/{id}": lambda _: {"end": TIME},
    "POST /metrics/results": lambda of: {
        "filterId": of.filter_id,
        "aggregationId": 1,
        "calculation": "COUNT",
        "startTime": "2025-03-01T00:00:00Z",
        "endTime": TIME,
    },
    "POST /metrics/groupings": lambda of: {
        "filterId": of.filter_id,
        "groupingName": "kind",
        "startTime": "2025-03-01T00:00:00Z",
        "endTime": TIME,
    },
}


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
