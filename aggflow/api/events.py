"""Events over HTTP: sent to an embedded source, so that all can be tried with nothing but curl."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, NoReturn, cast

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.definitions import SOURCES
from aggflow.api.failure import Refused, invalid
from aggflow.api.openapi import answer_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.api.times import rfc3339
from aggflow.backends.event_folder import Appended
from aggflow.workspace import Workspace
from aggflow.workspace.events import objects_in

router: Final = APIRouter(prefix="/api/v1/sources/{name}/events")
_EVENT: Final = {"type": "object", "additionalProperties": True}
_EXAMPLE: Final = [{"at": "2026-11-22T05:31:56Z", "page": "/pricing", "ms": 31}]
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [{"type": "array", "items": _EVENT}, _EVENT]},
                "example": _EXAMPLE,
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
_ANSWER: Final = {
    "type": "object",
    "required": ["accepted", "duplicates", "arrived"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer", "description": "Those whose ids were there already"},
        "arrived": {"type": "string", "format": "date-time"},
    },
}
Events = Annotated[str | None, Query(description="Where in an object the array of events is: @.events")]
EventId = Annotated[
    str | None, Query(description="Where in an event its id is: @.id; one that was sent before is left out")
]


@router.post(
    "", summary="Send events to an embedded source", openapi_extra=_BODY, responses={200: answer_of(_ANSWER)}
)
async def send(
    request: Request, name: str, caller: Administrator, events: Events = None, event_id: EventId = None
) -> Response:
    """All of them are kept, or none.  What is built of them is built by the next build, however late they are.

    The body is an array of JSON objects; JSON objects, one a line; an object in which an array is found at
    the path ``events``; or one JSON object.  Not more than a megabyte.
    """
    body = await request.body()
    sent = await run(_append, caller.workspace, name, body, events, event_id)
    return reply(
        {"accepted": sent.accepted, "duplicates": sent.duplicates, "arrived": rfc3339(sent.arrived_us)}
    )


def _append(ws: Workspace, name: str, body: bytes, path: str | None, event_id: str | None) -> Appended:
    spec = SOURCES.find(ws, name).spec
    if not spec.is_embedded:
        raise Refused(
            409, f"source {spec.name!r} is read where it is: only those of the URL embedded:// take events"
        )
    return ws.add_events(spec.name, _events_of(body, path), event_id=event_id)


def _events_of(body: bytes, path: str | None) -> Sequence[Any]:
    """The events of a body, in any of its four forms."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise invalid([("body", f"is not UTF-8: {error.reason} at byte {error.start}")]) from None
    if not text.strip():
        raise invalid([("body", "is required, as JSON")])
    try:
        whole = _parsed(text)
    except ValueError as error:
        # Not splitlines(): a text within JSON may hold other ends of lines.
        lines = [line for line in text.split("\n") if line.strip()]
        if path is None and len(lines) > 1:
            return [_parsed_line(number, line) for number, line in enumerate(lines)]
        raise invalid([("body", f"is not JSON: {error}")]) from None
    if path is not None:
        return objects_in(whole, path)
    return cast("list[Any]", whole) if isinstance(whole, list) else [whole]


def _parsed_line(number: int, line: str) -> Any:
    try:
        return _parsed(line)
    except ValueError as error:
        raise invalid([(f"[{number}]", f"is not JSON: {error}")]) from None


def _parsed(text: str) -> Any:
    # Not orjson, which makes floats of whole numbers that have many digits.
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
