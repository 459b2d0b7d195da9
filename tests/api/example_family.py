"""An example of a family, as tests of what all families share need one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Authenticated, require
from aggflow.api.body import read_as
from aggflow.api.failure import Failure
from aggflow.api.family import Family
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.errors import AggflowError

ERRORS: dict[str, Exception] = {}


def encode_error(failure: Failure) -> tuple[int, dict[str, Any]]:
    details = [list(detail) for detail in failure.details]
    return failure.status, {
        "wrong": {"code": failure.code or failure.status, "what": failure.name, "why": failure.message},
        "where": details,
        "id": failure.request_id,
    }


FAMILY = Family("example", ("/example/v1",), encode_error, header="x-example-token")
router = APIRouter(prefix="/example/v1")


class Thing(BaseModel):
    name: str
    sizes: list[int] = []


@router.get("/things/{thing}")
async def one(thing: str, caller: Authenticated, limit: Annotated[int, Query(ge=1)] = 10) -> Response:
    require(caller, "data:read")
    return reply({"thing": thing, "limit": limit, "sources": await run(list, caller.workspace.sources)})


@router.post("/things")
async def add(request: Request, caller: Authenticated) -> Response:
    require(caller, "admin", code=601)
    return reply((await read_as(request, Thing)).model_dump(), 201)


@router.put("/things")
def put(caller: Authenticated) -> Response:
    return reply({"owner": caller.owner_email, "brands": caller.brands})


@router.get("/fail/{which}")
async def fail(which: str) -> Response:
    raise ERRORS.get(which, AggflowError("postgresql://me:secret@db/shop: SELECT 1 failed"))
