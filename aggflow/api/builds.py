"""Builds over HTTP: one is asked for, and carried out by the service; how far it is can be read."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.body import read_as
from aggflow.api.build_thread import BuildThread
from aggflow.api.failure import Refused, invalid
from aggflow.api.managed import named_in_body
from aggflow.api.openapi import body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.engine.build_record import BuildRecord
from aggflow.errors import QueryError
from aggflow.workspace import Workspace

_CUBE: Final = "cube "
_MOST: Final = 1000
_PLACE: Final = "/api/v1/builds"

router: Final = APIRouter(prefix=_PLACE)
Status = Literal["pending", "running", "done", "error", "cancelled"]


class BuildRequest(BaseModel):
    """What is to be built.

    Attributes
    ----------
    name
        A filter, or the reference of any rollup: ``filter delays``, ``task by client``,
        ``cube flights/hourly``; or a whole cube, ``cube flights``.
    since, until
        From when on, and up to when; by default all that is wanted.
    full
        Build everything anew.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(examples=["delays", "cube flights"])
    since: str | int | float | None = None
    until: str | int | float | None = None
    full: bool = False


def _ask(ws: Workspace, asked: BuildRequest) -> BuildRecord:
    with named_in_body():
        if asked.name.startswith(_CUBE) and asked.name not in ws.references():
            return _ask_cube(ws, asked)
        try:
            return ws.queue_build(asked.name, since=asked.since, until=asked.until, full=asked.full)
        except QueryError as error:
            raise invalid([("until" if asked.since is None else "since", str(error))]) from None


def _ask_cube(ws: Workspace, asked: BuildRequest) -> BuildRecord:
    """A batch of a cube, which the next run of any kind begins."""
    if asked.since is not None or asked.until is not None:
        raise invalid(
            [("name", "a whole cube has no since and until; one aggregate has: cube flights/hourly")]
        )
    batch = ws.request_build(asked.name.removeprefix(_CUBE), full=asked.full)
    return ws.build_record(batch.id)


@router.get("", summary="Builds, newest first")
def builds(
    caller: Administrator,
    status: Annotated[Status | None, Query(description="Only those")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
    offset: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
) -> Response:
    """Those of rollups, and batches of cubes; what is of a batch has its ``batch_id``."""
    found = caller.workspace.build_records(status=status, limit=limit, offset=offset)
    return reply([record.to_plain() for record in found])


@router.post(
    "",
    status_code=202,
    summary="Build what is missing of a rollup, or of a cube",
    openapi_extra=body_of(BuildRequest),
)
async def build(request: Request, caller: Administrator) -> Response:
    """The answer comes at once, with the build's ``id`` and where its progress can be read.

    A rollup is built by a thread of the service, one after another.  A cube is built by Prefect's next run,
    as if its schedule had fired, or by the service where no Prefect is named to it; such requests join one
    that waits.
    """
    asked = await read_as(request, BuildRequest)
    record = await run(_ask, caller.workspace, asked)
    if not record.build.is_batch:
        BuildThread.of(request.app).wake(caller.workspace)
    return reply(record.to_plain(), 202, {"Location": f"{_PLACE}/{record.build.id}"})


@router.get("/{build_id}", summary="How far a build is, and how it ended")
def one(build_id: str, caller: Administrator) -> Response:
    """``progress`` goes from 0 to 1; ``error`` says what stopped it."""
    return reply(caller.workspace.build_record(build_id).to_plain())


@router.delete("/{build_id}", status_code=204, summary="Ask a build to stop after the window that it is at")
def cancel(build_id: str, caller: Administrator) -> Response:
    """What it committed stays; 409 where it has ended already."""
    ws = caller.workspace
    record = ws.build_record(build_id)
    if record.build.finished_us is not None:
        raise Refused(409, f"the build has ended: it is {record.build.status}")
    ws.cancel(build_id)
    return Response(status_code=204)
