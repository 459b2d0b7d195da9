"""The endpoints API: saved questions, answered as JSON or CSV, and the routes beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aggflow.api import filter_metrics
from aggflow.api.auth import Caller, caller_of, require
from aggflow.api.bodies import AT_ONCE
from aggflow.api.body import read_object
from aggflow.api.data_request import SCHEMA, DataRequest, Format
from aggflow.api.exchange import exchange_of
from aggflow.api.failure import Refused
from aggflow.api.family import Family
from aggflow.api.openapi import body_of
from aggflow.api.pool import run
from aggflow.api.quick_route import QuickRoute
from aggflow.api.repeatable import Repeatable
from aggflow.api.reply import JSON
from aggflow.engine.answer import Answer
from aggflow.engine.at_hand import NotAtHandError
from aggflow.engine.posed import Posed, PosedToFilter
from aggflow.quote import quoted

DATA: Final = "/api/v1/data"
FAMILY: Final = Family(
    "endpoints",
    (DATA, "/api/v1/filter-definitions", "/api/v1/metrics", "/api/v1/organization"),
    header="x-api-token",
)
router: Final = APIRouter(route_class=QuickRoute)
PERMISSION: Final = "data:read"
CSV: Final = "text/csv; charset=utf-8"
_TYPES: Final[dict[Format, str]] = {"CSV": CSV, "JSON": JSON}
_ROWS: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "dt": {"type": "string", "format": "date-time", "description": "Of a time series"},
            "groupings": {"type": "object", "description": "If some are returned"},
            "fields": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        },
        "required": ["fields"],
    },
}
_ID: Final = {"in": "path", "name": "id", "required": True, "schema": {"type": "string"}}
_ANSWERED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The rows",
        "content": {JSON: {"schema": _ROWS}, "text/csv": {"schema": {"type": "string"}}},
    }
}


@router.post(
    f"{DATA}/{{id}}",
    summary="The answer of an endpoint",
    openapi_extra={**body_of(SCHEMA, required=False, example={}), "parameters": [_ID]},
    responses=_ANSWERED,
)
async def post_data(request: Request) -> Response:
    """A Lookback is one row a group, a Time Series one row a group and interval.

    CSV has a header row; columns are ``dt``, groupings in the filter's order, fields.
    """
    caller = await caller_of(request)
    require(caller, PERMISSION)
    asked = DataRequest.of_body(await read_object(request, empty={}))
    posed = await _posed(request, caller, asked)
    return await _response(request, caller, posed, asked, {})


@router.get(
    f"{DATA}/{{id}}",
    summary="The answer of an endpoint, for clients and caches that know ETags",
    openapi_extra={
        "parameters": [
            _ID,
            {"in": "query", "name": "end", "required": False, "schema": {"type": "string"}},
            {
                "in": "query",
                "name": "format",
                "required": False,
                "schema": {"type": "string", "default": "JSON"},
            },
            {
                "in": "query",
                "name": "groupingFilters",
                "required": False,
                "description": "As of the POST, as JSON",
                "schema": {"type": "string"},
            },
            {"in": "header", "name": "If-None-Match", "required": False, "schema": {"type": "string"}},
        ]
    },
    responses={**_ANSWERED, 304: {"description": "What the client has is what it would get"}},
)
async def get_data(request: Request) -> Response:
    """As the POST, with the parameters in the query.

    The ETag is of the definitions, of what is built, and of the intervals and values that were asked for.
    Where a part of the answer is read from the source, which may change at any time, there is none.
    """
    caller = await caller_of(request)
    require(caller, PERMISSION)
    asked = DataRequest.of_query(request.query_params)
    posed = await _posed(request, caller, asked)
    if posed.fingerprint is None:
        headers = {"Cache-Control": "no-store"}
    else:
        # Weak, since the bytes may be compressed on their way.
        tag = f'W/"{posed.fingerprint}-{asked.format.lower()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if _is_known(tag, request.headers.get("if-none-match", "")):
            _may_repeat(request, caller, posed, asked, None)
            return Response(status_code=304, headers=headers)
    return await _response(request, caller, posed, asked, headers)


async def _posed(request: Request, caller: Caller, asked: DataRequest) -> Posed:
    """The question, of an endpoint that the caller may ask: of its own workspace."""
    endpoint_id = request.path_params["id"]
    ws, end, filters = caller.workspace, asked.end, asked.grouping_filters
    posed: Posed | None = None
    if request.app.state.home.is_embedded:
        try:
            as_of = exchange_of(request.scope).as_of
            posed = ws.pose(endpoint_id, end=end, grouping_filters=filters, wait=False, as_of=as_of)
        except NotAtHandError:
            posed = None
    if posed is None:
        posed = await run(ws.pose, endpoint_id, end=end, grouping_filters=filters)
    if posed.asked_id != endpoint_id:
        # A name is no id: it may be another endpoint's in another workspace.
        raise Refused(404, f"there is no endpoint with the id {quoted(endpoint_id)}")
    return posed


async def _answer(request: Request, caller: Caller, posed: Posed) -> Answer:
    if request.app.state.home.is_embedded:
        try:
            return caller.workspace.answer(posed, wait=False)
        except NotAtHandError:
            pass
    return await run(caller.workspace.answer, posed)


async def _response(
    request: Request, caller: Caller, posed: Posed, asked: DataRequest, headers: dict[str, str]
) -> Response:
    kept = request.app.state.bodies.find(posed, asked.format)
    if kept is not None:
        note = partial(caller.workspace.note, posed, kept.explanation)
        note()
        _may_repeat(request, caller, posed, asked, note)
        return Response(kept.content, headers=headers, media_type=_TYPES[asked.format])
    answer = await _answer(request, caller, posed)
    if asked.format == "CSV" and answer.count > AT_ONCE:
        return StreamingResponse(_encoded(answer), headers=headers, media_type=CSV)
    body = await request.app.state.bodies.of(posed, answer, asked.format)
    return Response(body, headers=headers, media_type=_TYPES[asked.format])


def _may_repeat(
    request: Request, caller: Caller, posed: Posed, asked: DataRequest, note: Callable[[], None] | None
) -> None:
    """Say that a response may be given again, where it is of nothing but what is in the catalog.

    Without an end it is of now; what tasks and cubes aggregate is so, too.
    """
    if asked.end is not None and isinstance(posed, PosedToFilter):
        exchange_of(request.scope).repeatable = Repeatable(caller.token, note)


def _encoded(answer: Answer) -> Iterator[bytes]:
    for part in answer.csv_parts():
        yield part.encode()


def _is_known(tag: str, known: str) -> bool:
    """Whether a client has what a tag names; tags are compared without their weakness.

    Examples
    --------
    >>> _is_known('W/"a"', '"b", "a"'), _is_known('W/"a"', "*"), _is_known('W/"a"', 'W/"b"')
    (True, True, False)
    """
    named = [one.strip().removeprefix("W/") for one in known.split(",")]
    return "*" in named or tag.removeprefix("W/") in named


router.routes.extend(filter_metrics.router.routes)
