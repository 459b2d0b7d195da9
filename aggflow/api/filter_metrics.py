"""The routes by which clients of aggregations.io, such as its Grafana plugin, ask filters directly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Authenticated, require
from aggflow.api.body import as_kind, read_as, read_json
from aggflow.api.failure import Refused, invalid
from aggflow.api.metric_points import compact_json, points_json, values_json
from aggflow.api.metric_query import GroupingsQuery, MetricQuery
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import JSON, reply
from aggflow.engine.answer import Answer
from aggflow.engine.shape import QuestionError
from aggflow.engine.stored import Stored
from aggflow.quote import quoted
from aggflow.spec.filter import Filter
from aggflow.spec.vendor_filter import to_vendor
from aggflow.workspace import Workspace

router: Final = APIRouter(prefix="/api/v1")
_PERMISSION: Final = "data:read"
_MOST_QUERIES: Final = 100
# Where the parts of a question stand in what clients send.
_PLACES: Final = {"fields[0]": "calculation", "end": "endTime", "timing.interval": "recalculatedInterval"}
_OBJECTS: Final[dict[str, Any]] = {"type": "array", "items": {"type": "object"}}


@router.get(
    "/filter-definitions", summary="The filters of the workspace", responses={200: answer_of(_OBJECTS)}
)
async def filter_definitions(caller: Authenticated) -> Response:
    """Aggregations are numbered from 1 in the filter's order: by these ids metric queries name them."""
    require(caller, _PERMISSION)
    ws = caller.workspace
    filters = (await run(lambda: dict(ws.filters))).values()
    owner = f"ws_{ws.name}"
    return reply([to_vendor(stored.spec, id=stored.id, organization_id=owner) for stored in filters])


@router.get(
    "/organization/ping", summary="Whether the token may read", responses={200: answer_of({"type": "object"})}
)
async def ping(caller: Authenticated) -> Response:
    """200 for a token that may read data, 401 for one that is not valid."""
    require(caller, _PERMISSION)
    return reply({"message": "OK"})


@router.post(
    "/metrics/results",
    summary="One value of a filter over time, or several in one call",
    openapi_extra=body_of(MetricQuery | list[MetricQuery]),
    responses={200: answer_of(_OBJECTS)},
)
async def results(
    request: Request, caller: Authenticated, *, multi: Annotated[bool, Query()] = False
) -> Response:
    """With ``multi=true`` the body is an array of queries, and one array holds the points of all.

    Points are ``{"dt", "groupings", "value"}``, in an answer to several with ``queryId`` beside them; where
    the first query asks for an ``optimized`` answer, they are compact.  A wider ``recalculatedInterval``
    that is no whole multiple of the filter's becomes the next that is.
    """
    require(caller, _PERMISSION)
    queries = await _queries(request, multi=multi)
    return Response(await run(_results, caller.workspace, queries, multi=multi), media_type=JSON)


async def _queries(request: Request, *, multi: bool) -> list[MetricQuery]:
    if not multi:
        return [await read_as(request, MetricQuery)]
    sent = await read_json(request)
    if isinstance(sent, list) and len(sent) > _MOST_QUERIES:
        raise invalid(
            [("body", f"has {len(sent)} queries; at most {_MOST_QUERIES} are answered in one call")]
        )
    return as_kind(list[MetricQuery], sent)


def _results(ws: Workspace, queries: Sequence[MetricQuery], *, multi: bool) -> bytes:
    answered = [
        (query, _answered(ws, query, f"[{place}]." if multi else "")) for place, query in enumerate(queries)
    ]
    if any(query.optimized for query in queries):
        return compact_json(answered)
    parts = [points_json(query, answer, named=multi) for query, answer in answered]
    return b"[" + b",".join(part[1:-1] for part in parts if part != b"[]") + b"]"


def _answered(ws: Workspace, query: MetricQuery, place: str) -> Answer:
    of = _filter(ws, query.filter_id)
    try:
        return ws.ask_filter(of.id, **query.asked(of.spec))
    except Refused as refused:
        raise invalid([(place + one.field, one.message) for one in refused.details]) from None
    except QuestionError as error:
        raise _moved(error, place) from None


@router.post(
    "/metrics/groupings",
    summary="The values of one grouping of a filter",
    openapi_extra=body_of(GroupingsQuery),
    responses={200: answer_of(_OBJECTS)},
)
async def groupings(request: Request, caller: Authenticated) -> Response:
    """Those that have events in the intervals that start in between, as ``[{"value"}]``."""
    require(caller, _PERMISSION)
    query = await read_as(request, GroupingsQuery)
    return Response(await run(_groupings, caller.workspace, query), media_type=JSON)


def _groupings(ws: Workspace, query: GroupingsQuery) -> bytes:
    of = _filter(ws, query.filter_id)
    try:
        values = ws.grouping_values(of.id, **query.asked(of.spec))
    except QuestionError as error:
        raise _moved(error, "") from None
    return values_json(values, exclude_empty=query.exclude_empty_groupings)


def _filter(ws: Workspace, filter_id: str) -> Stored[Filter]:
    """The filter of an id, of this workspace."""
    for stored in ws.filters.values():
        if stored.id == filter_id:
            return stored
    raise Refused(404, f"there is no filter with the id {quoted(filter_id)}")


def _moved(error: QuestionError, place: str) -> Refused:
    return invalid([(place + _PLACES.get(one.path, one.path), one.message) for one in error.problems])
