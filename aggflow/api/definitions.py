"""Definitions over HTTP: sources, filters, endpoints and projects, listed, added, changed, removed.

Bodies are the declarations themselves, as a notebook and a YAML file have them.  An answer has the ``id``
and the ``generation`` of the definition beside it, and can be sent back as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.body import read_object
from aggflow.api.failure import Refused, invalid
from aggflow.api.hidden import hide, reveal
from aggflow.api.managed import Change, Managed, Outcome, arguments
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.engine.stored import Stored
from aggflow.errors import SourceError, without_password
from aggflow.figure import with_article
from aggflow.spec.declaration import plain
from aggflow.spec.endpoint import Endpoint
from aggflow.spec.filter import Filter
from aggflow.spec.project import Project
from aggflow.spec.source import Source
from aggflow.spec.vendor_filter import from_vendor
from aggflow.workspace import Workspace

# Keys of the vendor's filters that ours do not have: by them the shape is told.
_VENDORS: Final = {"intervalType", "intervalCount", "groupingItems", "filter"}

DryRun = Annotated[bool, Query(description="Change nothing; the effects say what would happen")]
Rebuild = Annotated[bool, Query(description="Compute what was built anew from the source")]


def _put_source(ws: Workspace, spec: Source, _: Change) -> Stored[Source]:
    if not spec.url:
        raise invalid([("url", "is required: only a table of a Python session has none")])
    try:
        return ws.add_source(**arguments(spec))
    except SourceError as error:
        # Of a source that is just being declared it is its author's mistake, who may know all of it.
        raise Refused(400, without_password(str(error))) from None


def _accept_source(_: Workspace, data: Mapping[str, Any], stored: Stored[Source] | None) -> Mapping[str, Any]:
    return reveal(data, None if stored is None else plain(stored.spec))


def _accept_filter(
    ws: Workspace, data: Mapping[str, Any], stored: Stored[Filter] | None
) -> Mapping[str, Any]:
    """A filter in our shape; in the vendor's, which has no source, the workspace's only one is meant."""
    if _VENDORS.isdisjoint(data):
        return data
    rest = dict(data)
    options = {key: rest.pop(key) for key in ("time_zone", "description") if key in rest}
    sources = list(ws.sources) if stored is None else [stored.spec.source]
    if "source" not in rest and len(sources) != 1:
        raise invalid([("source", f"is required, as there are {len(sources)} sources")])
    return plain(from_vendor(rest, source=rest.pop("source", sources[0]), **options))


SOURCES: Final = Managed(
    "source", "sources", Source, lambda ws: ws.sources, _put_source, _accept_source, hide
)
FILTERS: Final = Managed(
    "filter",
    "filters",
    Filter,
    lambda ws: ws.filters,
    lambda ws, spec, change: ws.add_filter(**arguments(spec, change)),
    _accept_filter,
    changes=("rebuild", "dry_run"),
)
ENDPOINTS: Final = Managed(
    "endpoint",
    "endpoints",
    Endpoint,
    lambda ws: ws.endpoints,
    lambda ws, spec, _: ws.add_endpoint(**arguments(spec)),
)
PROJECTS: Final = Managed(
    "project",
    "projects",
    Project,
    lambda ws: ws.projects,
    lambda ws, spec, _: ws.add_project(**arguments(spec)),
)


def listed(managed: Managed, ws: Workspace) -> Response:
    """All definitions of a kind, by name."""
    return reply([managed.shown(stored) for stored in managed.all(ws).values()])


def added(managed: Managed, outcome: Outcome, place: str) -> Response:
    """A definition that was added, with where it is."""
    return reply(managed.told(outcome), 201, {"Location": f"{place}/{outcome.stored.id}"})


def routes_of(managed: Managed) -> APIRouter:
    """The five routes of a kind of definition."""
    kind, plural, place = managed.kind, managed.plural, f"/api/v1/{managed.plural}"
    router = APIRouter(prefix=place)
    body, answer = body_of(managed.spec), answer_of(managed.spec)

    def listing(caller: Administrator) -> Response:
        return listed(managed, caller.workspace)

    async def adding(request: Request, caller: Administrator) -> Response:
        data = await read_object(request)
        return added(managed, await run(managed.add, caller.workspace, data), place)

    def one(name: str, caller: Administrator) -> Response:
        return reply(managed.shown(managed.find(caller.workspace, name)))

    async def changing(
        request: Request,
        name: str,
        caller: Administrator,
        *,
        dry_run: DryRun = False,
        rebuild: Rebuild = False,
    ) -> Response:
        data, change = await read_object(request), Change(rebuild, dry_run)
        return reply(managed.told(await run(managed.change, caller.workspace, name, data, change)))

    def removing(name: str, caller: Administrator) -> Response:
        ws = caller.workspace
        ws.remove(kind, managed.find(ws, name).spec.name)
        return Response(status_code=204)

    at = f"one of the {plural}, by name or id"
    for path, method, route, status, summary, extra in (
        ("", "GET", listing, 200, f"The {plural}, by name", None),
        ("", "POST", adding, 201, f"Add {with_article(kind)}", body),
        ("/{name}", "GET", one, 200, f"Show {at}", None),
        ("/{name}", "PUT", changing, 200, f"Change {at}", body),
        ("/{name}", "DELETE", removing, 204, f"Remove {at}, and what was built for it", None),
    ):
        router.add_api_route(
            path,
            route,
            methods=[method],
            status_code=status,
            summary=summary,
            name=f"{method.lower()} {plural}{path}",
            openapi_extra=extra,
            responses={} if status == 204 or route is listing else {status: answer},
        )
    return router


router: Final = APIRouter()
for _managed in (SOURCES, FILTERS, ENDPOINTS, PROJECTS):
    router.routes.extend(routes_of(_managed).routes)
