"""The event source over HTTP: which source widgets ask, and which of its columns play which part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.body import read_object
from aggflow.api.failure import Refused
from aggflow.api.managed import named_in_body
from aggflow.api.openapi import answer_of, body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.engine.stored import Stored
from aggflow.spec.declaration import plain, read
from aggflow.spec.event_source import EventSource
from aggflow.workspace import Workspace

router: Final = APIRouter(prefix="/api/v1/event-source")
_BODY: Final = body_of(EventSource, example={"source": "clicks", "event_type": "kind", "values": ["amount"]})
_ANSWER: Final = answer_of(EventSource)


def _set(ws: Workspace, data: Mapping[str, Any]) -> Stored[EventSource]:
    with named_in_body():
        return ws.set_event_source(read(EventSource, data))


def _named(ws: Workspace) -> Stored[EventSource]:
    found = ws.event_source
    if found is None:
        raise Refused(404, "no event source is named: PUT one")
    return found


@router.get("", summary="The event source", responses={200: _ANSWER})
def show(caller: Administrator) -> Response:
    """404 where none is named."""
    return reply(plain(_named(caller.workspace).spec))


@router.post("", summary="Name the event source", openapi_extra=_BODY, responses={200: _ANSWER})
@router.put("", summary="Name the event source", openapi_extra=_BODY, responses={200: _ANSWER})
async def name(request: Request, caller: Administrator) -> Response:
    """In place of the one before it: a workspace has one."""
    data = await read_object(request)
    return reply(plain((await run(_set, caller.workspace, data)).spec))


@router.delete("", status_code=204, summary="Let widgets ask nothing any more")
def remove(caller: Administrator) -> Response:
    """The source itself stays."""
    _named(caller.workspace)
    caller.workspace.remove_event_source()
    return Response(status_code=204)
