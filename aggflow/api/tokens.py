"""Tokens over HTTP: made, listed, given an end, revoked; a secret is told once, to who made it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.administrator import Administrator
from aggflow.api.body import read_as
from aggflow.api.openapi import body_of
from aggflow.api.pool import run
from aggflow.api.reply import reply
from aggflow.api.times import rfc3339
from aggflow.catalog.tokens import Token
from aggflow.workspace import Workspace

_PLACE: Final = "/api/v1/tokens"

router: Final = APIRouter(prefix=_PLACE)


class TokenRequest(BaseModel):
    """A token that is wanted.

    Attributes
    ----------
    name
        What it is for.
    owner
        E-mail address of whom it is given to.
    permissions
        What it may do.
    expires
        When it ends: a time, or how long it lives (``90d``); null never.
    brands
        Ids of the brands whose events it may read; none means all.  Widget queries alone tell brands
        apart: to a token for some, what else takes ``data:read`` or ``admin`` is refused.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    owner: str
    permissions: list[str] = Field(examples=[["data:read"]])
    expires: str | int | float | None = None
    brands: list[str] = []


class TokenEnd(BaseModel):
    """When a token ends: a time, how long it lives from now on (``90d``), or null for never."""

    model_config = ConfigDict(extra="forbid", strict=True)

    expires: str | int | float | None


def shown(token: Token) -> dict[str, Any]:
    """A token as it is answered: never its secret, nor a hash of it."""
    return {
        "id": token.id,
        "name": token.name,
        "owner": token.owner_email,
        "permissions": token.permissions,
        "brands": token.brands,
        "created": rfc3339(token.created_us),
        "expires": rfc3339(token.expires_us),
        "revoked": rfc3339(token.revoked_us),
        "last_used": rfc3339(token.last_used_us),
    }


@router.get("", summary="The tokens of the workspace, oldest first")
def tokens(caller: Administrator) -> Response:
    """Those that were revoked or have expired as well."""
    return reply([shown(token) for token in caller.workspace.tokens.values()])


@router.post("", status_code=201, summary="Make a token", openapi_extra=body_of(TokenRequest))
async def make(request: Request, caller: Administrator) -> Response:
    """``token`` in the answer is its secret: only its hash is kept, so it is told this once."""
    asked = await read_as(request, TokenRequest)
    issued = await run(caller.workspace.issue_token, **asked.model_dump())
    answer = shown(issued.token) | {"token": issued.secret}
    headers = {"Location": f"{_PLACE}/{issued.token.id}", "Cache-Control": "no-store"}
    return reply(answer, 201, headers)


@router.get("/{token_id}", summary="Show a token")
def one(token_id: str, caller: Administrator) -> Response:
    """By its id."""
    return reply(shown(caller.workspace.tokens[token_id]))


@router.put("/{token_id}", summary="Change when a token ends", openapi_extra=body_of(TokenEnd))
async def change(request: Request, token_id: str, caller: Administrator) -> Response:
    """What it may do cannot be changed: make another one, and revoke this one."""
    asked = await read_as(request, TokenEnd)
    return reply(shown(await run(caller.workspace.expire_token, token_id, asked.expires)))


def _revoke(ws: Workspace, token_id: str) -> None:
    ws.revoke_token(ws.tokens[token_id].id)


@router.delete("/{token_id}", status_code=204, summary="Revoke a token, at once and for good")
def revoke(token_id: str, caller: Administrator) -> Response:
    """It stays in the list, with when that was."""
    _revoke(caller.workspace, token_id)
    return Response(status_code=204)
