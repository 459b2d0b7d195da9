"""Widgets: the route that the widgets of a dashboard ask.

Every answer is in the order of checks: the token (401), the workspace of the path and the permission (403),
headers, parameters and body (400), the brands of the token (403), then what the event source can tell.
Where a token is bound to brands and none is named, its only one is meant, if it has just one.
"""

from __future__ import annotations

import re
from typing import Any, Final, get_args

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Caller, caller_of, require
from aggflow.api.body import read_object
from aggflow.api.failure import Failure, Refused, invalid
from aggflow.api.family import Family
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.errors import SpecError
from aggflow.spec.declaration import read
from aggflow.spec.widget import ValueField, WidgetAggregation, WidgetQuery

PLAN: Final = "X-Aggflow-Plan"
_BRAND: Final = "X-Active-Brand"
_CATALOG: Final = "X-Active-Catalog"
_BRAND_ID: Final = "brand_id"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORKSPACE_ID = re.compile(r"ws_[a-z0-9]+")
_FIELDS: Final = ("event_types", "group_by", "aggregation", "time_window_days", "value_field", "limit")

_QUERY: Final = {
    "type": "object",
    "required": ["event_types", "group_by", "aggregation", "time_window_days"],
    "properties": {
        "event_types": {
            "description": "Types of event that count; null or empty for all.",
            "type": ["array", "null"],
            "maxItems": 50,
            "items": {"type": "string", "pattern": "^[a-z][a-z0-9_]{1,62}$"},
        },
        "group_by": {
            "description": "none, event_type, session, day, hour, product_id, or metadata.<key>.",
            "type": "string",
            "pattern": r"^(none|event_type|session|day|hour|product_id|metadata\.[a-z_][a-z0-9_]{0,62})$",
        },
        "aggregation": {"type": "string", "enum": list(get_args(WidgetAggregation))},
        "time_window_days": {"type": "integer", "minimum": 1, "maximum": 365},
        "value_field": {
            "description": "Required for sum and avg; not looked at by the counts.",
            "type": "string",
            "enum": list(get_args(ValueField)),
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    },
    "if": {"properties": {"aggregation": {"enum": ["sum", "avg"]}}},
    "then": {"required": ["value_field"]},
}
_ASKED: Final = {
    "event_types": ["agent_view"],
    "group_by": "day",
    "aggregation": "count",
    "time_window_days": 7,
    "limit": 100,
}
_ID: Final = {"type": "string", "format": "uuid"}
_PARAMETERS: Final = [
    {
        "in": "path",
        "name": "workspaceId",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{_WORKSPACE_ID.pattern}$"},
        "example": "ws_self",
    },
    {"in": "header", "name": _BRAND, "description": "Only events of this brand.", "schema": _ID},
    {"in": "header", "name": _CATALOG, "description": "Only events of this catalog.", "schema": _ID},
    {
        "in": "query",
        "name": _BRAND_ID,
        "description": f"The brand, where there is no {_BRAND}.",
        "schema": _ID,
    },
]
_ROW: Final = {
    "type": "object",
    "required": ["key", "value"],
    "properties": {
        "key": {"type": "string"},
        "value": {"type": "number"},
        "secondary": {"type": "integer", "description": "Events behind the row; left out for count."},
    },
}
_ANSWER: Final = {
    "type": "object",
    "required": ["rows", "generated_at", "cache_hit"],
    "properties": {
        "rows": {"type": "array", "items": _ROW},
        "generated_at": {"type": "string", "format": "date-time"},
        "cache_hit": {"type": "boolean"},
    },
}
_ANSWERED: Final = {
    "rows": [{"key": "2026-11-22", "value": 123}],
    "generated_at": "2026-11-22T05:31:56Z",
    "cache_hit": False,
}


def encode_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    """A failure as clients of the widget API see it.

    Examples
    --------
    >>> encode_error(Failure(403, "forbidden", "the token is for another workspace", request_id="r1"))[1]["error"]
    {'code': 'FORBIDDEN', 'message': 'the token is for another workspace', 'details': [], 'request_id': 'r1'}
    """
    details = [{"field": detail.field, "message": detail.message} for detail in failure.details]
    error = {
        "code": failure.name.upper(),
        "message": failure.message,
        "details": details,
        "request_id": failure.request_id,
    }
    return failure.status, {"error": error}


FAMILY: Final = Family("widgets", ("/api/workspace",), encode_error)
router = APIRouter()


@router.post(
    "/api/workspace/{workspaceId}/dashboards/aggregate",
    summary="Run a widget aggregation",
    openapi_extra={**body_of(_QUERY, example=_ASKED), "parameters": _PARAMETERS},
    responses={200: answer_of(_ANSWER, "Aggregation result rows", example=_ANSWERED)},
)
async def aggregate(request: Request) -> Response:
    """Events of the last days, grouped and computed: from a rollup that covers the question, the rest live.

    ``X-Aggflow-Plan`` says where the numbers come from: ``rollup``, ``mixed`` or ``source``.
    """
    # By itself: what FastAPI finds out about parameters takes longer than an answer that is kept.
    caller = await _reader(request)
    named = _named(request)
    query = widget_query(await read_object(request))
    brand, catalog = brand_of(caller, named.get(_BRAND) or named.get(_BRAND_ID)), named.get(_CATALOG)
    ws = caller.workspace
    found = None
    if request.app.state.home.is_embedded:
        found = ws.find_aggregate(query, brand=brand, catalog=catalog)
    if found is None:
        found = await run(ws.aggregate, query, brand=brand, catalog=catalog)
    return reply(found.to_plain(), headers={PLAN: found.plan})


async def _reader(request: Request) -> Caller:
    """Who calls, where it may ask widgets in the workspace of the path."""
    caller = await caller_of(request)
    workspace_id = request.path_params["workspaceId"]
    if not _WORKSPACE_ID.fullmatch(workspace_id):
        raise invalid([("workspaceId", f"must be as {_WORKSPACE_ID.pattern}")])
    if workspace_id != f"ws_{caller.workspace.name}":
        # The same whether there is such a workspace or not.
        raise Refused(403, "the token does not allow this in the workspace of the path")
    require(caller, "widgets:read")
    return caller


def _named(request: Request) -> dict[str, str]:
    """The ids of brand and catalog that a request names."""
    sent = {
        _BRAND: request.headers.get(_BRAND),
        _CATALOG: request.headers.get(_CATALOG),
        _BRAND_ID: request.query_params.get(_BRAND_ID),
    }
    named = {name: value for name, value in sent.items() if value is not None}
    wrong = [(name, "must be a UUID") for name, value in named.items() if not _UUID.fullmatch(value)]
    if wrong:
        raise invalid(wrong)
    return {name: _canonical(value) for name, value in named.items()}


def _canonical(text: str) -> str:
    """An id as it is compared: a UUID in lower case."""
    return text.lower() if _UUID.fullmatch(text) else text


def widget_query(body: dict[str, Any]) -> WidgetQuery:
    """What a body asks; of fields that the API does not know, nothing is read."""
    if "value_field" in body and body["value_field"] is None:
        raise invalid([("value_field", "must be text; leave it out where it is not needed")])
    try:
        return read(WidgetQuery, {name: body[name] for name in _FIELDS if name in body})
    except SpecError as error:
        raise invalid(
            (problem.path, f"{problem.message} ({problem.hint})" if problem.hint else problem.message)
            for problem in error.problems
        ) from None


def brand_of(caller: Caller, named: str | None) -> str | None:
    """The brand that a question is about; None for all.

    Raises
    ------
    Refused
        403: the token is not for that one; 400: it is for several, and none is named.
    """
    brand = None if named is None else _canonical(named)
    if not caller.brands:
        return brand
    if brand is None:
        if len(caller.brands) == 1:
            return caller.brands[0]
        raise invalid([(_BRAND, "is required: the token is for several brands")])
    if brand not in caller.brands:
        raise Refused(403, "the token is not for this brand")
    return brand
