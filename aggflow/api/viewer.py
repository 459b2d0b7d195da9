"""A viewer: who looks at the status page: somebody with a token that may manage, or the only one on a fresh home.

A browser sends its token once, and keeps it in a cookie that no script can read and no other site can send.
While a home has no token at all there is nobody to keep out: then who asks from this machine, by a name of
this machine, is shown the page, as ``aggflow serve`` listens for nobody else then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from aggflow.api.auth import Caller, Door, require, secret_of
from aggflow.api.family import SERVICE
from aggflow.api.pool import run
from aggflow.api.server import is_loopback
from aggflow.spec.permission import Permission
from aggflow.workspace import Home, Workspace

COOKIE: Final = "aggflow_token"


@dataclass(frozen=True)
class Viewer:
    """Who looks at the page.

    Attributes
    ----------
    workspace
        What is shown.
    owner
        Whose token it is; empty where none is needed.
    """

    workspace: Workspace
    owner: str = ""


async def viewer_of(request: Request) -> Viewer | None:
    """Who looks at the page; None where somebody has to come with a token first.

    Raises
    ------
    Refused
        401: the token that came along is not valid; 403: it may not manage; 429: too many were not valid.
    """
    secret = secret_of(request, SERVICE) or request.cookies.get(COOKIE, "")
    if secret:
        return viewer_with(await admitted(request, secret))
    home: Home = request.app.state.home
    if is_of_this_machine(request) and not await run(home.has_tokens):
        return Viewer(await run(lambda: home.default))
    return None


async def admitted(request: Request, secret: str) -> Caller:
    """Who comes with a secret that may manage.

    Raises
    ------
    Refused
        401, 403 or 429.
    """
    door: Door = request.app.state.door
    caller = await door.admit(request, secret)
    require(caller, Permission.ADMIN)
    return caller


def viewer_with(caller: Caller) -> Viewer:
    """A caller as a viewer."""
    return Viewer(caller.workspace, caller.owner_email)


def remember(response: Response, request: Request, secret: str) -> None:
    """Let the browser keep a secret until it is closed."""
    # Without a path it is for the folder of the address that it was sent to: also behind a prefix.
    response.set_cookie(
        COOKIE, secret, path=None, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def forget(response: Response) -> None:
    """Let the browser drop the secret; sent to an address of the same folder."""
    response.set_cookie(COOKIE, "", max_age=0, path=None, httponly=True, samesite="strict")


def is_of_this_machine(request: Request) -> bool:
    """Whether a request comes from here, and by a name of here.

    A page of another site, whose name leads here by a trick, comes by that name.
    """
    client = request.client
    return client is not None and is_loopback(client.host) and is_loopback(request.url.hostname or "")
